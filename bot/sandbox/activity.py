"""The X Activity API: what happens to one person, told to whoever subscribed, by stream or webhook.

Of X's kinds of event this has the two a payment bot lives on: somebody mentions it in a post (in the visible text), and
a message reaches it. Envelope and payloads follow X's published samples (docs, read 2026-08-22), oddities included: a
message comes in the older v1.1 form, numbers have twins in text, and the event's own number means nothing. Subscribing
is a person's own act; listening is the app's.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from bot.sandbox.asked import POST_EXPANSIONS, Wanted, identity
from bot.sandbox.call import Answer, Call, object_in, only
from bot.sandbox.core import Happening, Subscription, World
from bot.sandbox.messages import MESSAGE_CREATE, StoredMessage
from bot.sandbox.meter import Price
from bot.sandbox.people import Person
from bot.sandbox.posts import StoredPost
from bot.sandbox.refusals import forbidden, invalid
from bot.sandbox.render import Renderer, time_text
from bot.x.text import escape

Json = dict[str, Any]
MENTION = "post.mention.create"
MESSAGE = "dm.received"
EVENT_TYPES = (MENTION, MESSAGE)
LONGEST_TAG = 200
_SHOWN = Wanted(
    post_fields=frozenset(
        "author_id conversation_id created_at display_text_range edit_controls entities in_reply_to_user_id lang "  # noqa: SIM905 - reads better
        "note_tweet possibly_sensitive public_metrics referenced_tweets reply_settings".split()
    ),
    user_fields=frozenset({"created_at", "protected", "public_metrics", "verified"}),
    expansions=POST_EXPANSIONS & {"author_id", "entities.mentions.username"},
)


# --- subscribing ---


def subscribe(call: Call) -> Answer:
    call.asked()
    body = only(call.body, "event_type", "filter", "tag", "webhook_id")
    kind, tag = body.get("event_type"), body.get("tag", "")
    if kind not in EVENT_TYPES:
        raise invalid("event_type", kind, f"$.event_type: must be one of {', '.join(EVENT_TYPES)}")
    if not isinstance(tag, str) or len(tag) > LONGEST_TAG:
        raise invalid("tag", "", f"$.tag: must be a text of at most {LONGEST_TAG} characters")
    whose = identity("filter.user_id", only(object_in(body, "filter"), "user_id").get("user_id"))
    if whose != call.caller.id:
        raise forbidden("You may subscribe to your own private events only.")
    webhook = identity("webhook_id", body["webhook_id"]) if "webhook_id" in body else None
    made = Subscription(call.world.ground.next_id(), kind, whose, tag, webhook)
    call.world.subscriptions[made.id] = made
    return Answer({"data": _json(made), "meta": _meta(call.world)}, 200)


def subscriptions(call: Call) -> Answer:
    call.asked()
    shown = [_json(each) for each in call.world.subscriptions.values()]
    return Answer(({"data": shown} if shown else {}) | {"meta": _meta(call.world)})


def change_subscription(call: Call) -> Answer:
    """Another tag or webhook; nothing else of it can change."""
    call.asked()
    body = only(call.body, "tag", "webhook_id")
    found = _own(call)
    if "tag" in body:
        found = replace(found, tag=str(body["tag"])[:LONGEST_TAG])
    if "webhook_id" in body:
        found = replace(found, webhook_id=identity("webhook_id", body["webhook_id"]))
    call.world.subscriptions[found.id] = found
    return Answer({"data": _json(found), "meta": _meta(call.world)})


def unsubscribe(call: Call) -> Answer:
    call.asked()
    del call.world.subscriptions[_own(call).id]
    return Answer({"data": {"deleted": True}, "meta": _meta(call.world)})


def _own(call: Call) -> Subscription:
    found = call.world.subscriptions.get(call.path_id())
    if found is None or call.caller.id not in (None, found.user_id):
        raise invalid("id", call.path["id"], "There is no such subscription.")
    return found


def _json(subscription: Subscription) -> Json:
    shown = {
        "subscription_id": str(subscription.id),
        "event_type": subscription.event_type,
        "filter": {"user_id": str(subscription.user_id)},
        "created_at": time_text(subscription.created_at),
        "updated_at": time_text(subscription.created_at),
        "tag": subscription.tag,
    }
    return shown if subscription.webhook_id is None else shown | {"webhook_id": str(subscription.webhook_id)}


def _meta(world: World) -> Json:
    return {"total_subscriptions": len(world.subscriptions)}


# --- what is told ---


@dataclass(frozen=True, slots=True)
class Event:
    """One event for one subscription."""

    subscription: Subscription
    body: Json


def events(world: World, happening: Happening) -> Iterator[Event]:
    """What subscribers are told of something that happened; the world must be locked."""
    for subscription in world.subscriptions.values():
        payload = _payload(world, happening, subscription)
        if payload is not None:
            data = {
                "event_uuid": str(happening.id if happening.kind != "message" else -happening.id),
                "filter": {"user_id": str(subscription.user_id)},
                "event_type": subscription.event_type,
                "tag": subscription.tag,
                **payload,
            }
            yield Event(subscription, {"data": data})


def is_visible(world: World, happening: Happening) -> bool:
    """Whether readers can see by now what happened."""
    thing = world.messages[happening.id] if happening.kind == "message" else world.posts[happening.id]
    return thing.visible_at <= world.now()


def charge(world: World, happening: Happening) -> None:
    """What is pushed costs as much as what is read."""
    price = Price.PUSHED_MESSAGE if happening.kind == "message" else Price.PUSHED_POST
    world.meter.read(price, [happening.id], world.now())


def _payload(world: World, happening: Happening, subscription: Subscription) -> Json | None:
    """Payload and includes, None if this is not the subscriber's business."""
    if happening.kind == "message":
        message = world.messages[happening.id]
        wanted = subscription.event_type == MESSAGE and message.kind == MESSAGE_CREATE
        there = subscription.user_id in world.messages.members(message.conversation_id)
        alone = "-" in message.conversation_id  # the older form has no place for a group
        reached = there and alone and message.sender_id != subscription.user_id
        return {"payload": _message(world, message, subscription.user_id)} if wanted and reached else None
    post = world.posts[happening.id]
    named = any(
        mention.user_id == subscription.user_id and mention.start >= post.display_start
        for mention in post.mentions
    )
    told = (
        subscription.event_type == MENTION
        and named
        and post.reposted_id is None
        and world.posts.is_visible(post)
    )
    return _mention(world, post) if told else None


def _mention(world: World, post: StoredPost) -> Json:
    shown = Renderer(world, _SHOWN, None).single_post(post)
    payload = _with_twins(shown["data"])
    users = _with_twins(shown.get("includes", {}).get("users", []))
    return {"payload": payload, "includes": {"users": users, "tweets": [payload]}}


def _message(world: World, message: StoredMessage, recipient_id: int) -> Json:
    entities: Json = {"hashtags": [], "symbols": [], "user_mentions": [], "urls": []}
    event = {
        "type": "message_create",
        "id": str(message.id),
        "created_timestamp": str(int(message.created_at.timestamp() * 1000)),
        "message_create": {
            "target": {"recipient_id": str(recipient_id)},
            "sender_id": str(message.sender_id),
            "message_data": {"text": escape(message.text), "entities": entities},
        },
    }
    users = {str(each): {"data": _user(world.people[each])} for each in (message.sender_id, recipient_id)}
    return {"direct_message_events": [event], "users": users}


def _user(person: Person) -> Json:
    return {"id": str(person.id), "username": person.username, "name": person.name}


def _with_twins(value: Any) -> Any:
    """The same with a twin in text beside each number."""
    if isinstance(value, list):
        return [_with_twins(each) for each in value]
    if not isinstance(value, dict):
        return value
    numbers = {
        f"{name}_str": str(each)
        for name, each in value.items()
        if isinstance(each, int) and not isinstance(each, bool)
    }
    return {name: _with_twins(each) for name, each in value.items()} | numbers
