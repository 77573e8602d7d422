"""What X pushes, put into the bot's own words: lines of its streams and bodies of its webhooks. Pure.

The filtered stream sends posts as X's lists do. The X Activity API sends an envelope, `post.mention.create` with a whole
post and `dm.received` with messages in an older form (docs.x.com X Activity API, read 2026-08-22); what else it sends, or
sends to somebody else, is nothing to the bot. What cannot be read is kept as such.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.x.gateway import DirectMessage, MentionEntity, MessageId, Post, Unreadable, UserId, XUser
from bot.x.translation import (
    Json,
    NotUnderstood,
    as_list,
    as_object,
    as_text,
    identity,
    other_of_two,
    people_in,
    placed_mentions,
    post,
    readable,
    unreadable,
    user,
)

MENTION = "post.mention.create"
MESSAGE = "dm.received"


@dataclass(frozen=True, slots=True)
class Pushed:
    """What one line or body tells of."""

    posts: tuple[Post, ...] = ()
    messages: tuple[DirectMessage, ...] = ()
    unreadable_posts: tuple[Unreadable, ...] = ()
    unreadable_messages: tuple[Unreadable, ...] = ()


class Disconnect(Exception):
    """X says on the stream that it will end it."""


def read(body: Any, bot: UserId) -> Pushed:
    """What a line or a webhook's body holds. Raises `Disconnect`, and `NotUnderstood` where it is none of X's forms."""
    outer = as_object(body)
    if "data" not in outer:
        if "errors" in outer:
            raise Disconnect(str(outer["errors"])[:200])
        raise NotUnderstood("neither data nor errors")
    data = as_object(outer["data"])
    if "event_type" not in data:
        return _posts(data, outer)
    if str(as_object(data.get("filter", {})).get("user_id", bot)) != str(bot):
        return Pushed()
    includes = {"includes": data.get("includes", outer.get("includes", {}))}
    match data["event_type"]:
        case "post.mention.create":
            return _posts(as_object(data.get("payload")), includes)
        case "dm.received":
            return _messages(as_object(data.get("payload")), bot)
        case _:
            return Pushed()


def _posts(item: Json, around: Json) -> Pushed:
    people = people_in(around)
    found, broken = readable([item], lambda each: post(each, people))
    return Pushed(posts=found, unreadable_posts=broken)


def _messages(payload: Json, bot: UserId) -> Pushed:
    people = _people(payload)
    events = [each for each in as_list(payload.get("direct_message_events", [])) if _is_message(each)]
    found: list[DirectMessage] = []
    broken: list[Unreadable] = []
    for event in events:
        try:
            found.append(_message(as_object(event), people, bot))
        except NotUnderstood as problem:
            broken.append(unreadable(event, str(problem)))
    return Pushed(
        messages=tuple(each for each in found if each.sender_id != bot), unreadable_messages=tuple(broken)
    )


def _is_message(event: Any) -> bool:
    return not isinstance(event, Mapping) or event.get("type") == "message_create"


def _message(event: Json, people: Mapping[int, XUser], bot: UserId) -> DirectMessage:
    made = as_object(event.get("message_create"))
    data = as_object(made.get("message_data"))
    sender = identity(made.get("sender_id"))
    text = as_text(data.get("text", ""))
    target = as_object(made.get("target", {}))
    conversation = event.get("dm_conversation_id", made.get("dm_conversation_id"))
    alone = target.get("recipient_id") == str(bot) and (
        conversation is None or other_of_two(conversation, sender, bot) is not None
    )
    mentions = _mentions(text, as_object(data.get("entities", {})), people)
    named = {sender} | {mention.user_id for mention in mentions}
    return DirectMessage(
        id=MessageId(identity(event.get("id"))),
        sender_id=UserId(sender),
        text=text,
        one_to_one=alone,
        with_id=UserId(sender) if alone else None,
        mentions=mentions,
        people=tuple(person for key, person in people.items() if key in named),
    )


def _mentions(text: str, entities: Json, people: Mapping[int, XUser]) -> tuple[MentionEntity, ...]:
    """The older form has `screen_name`, `id_str` and `indices`."""
    given = []
    for each in map(as_object, as_list(entities.get("user_mentions", []))):
        bounds = as_list(each.get("indices", []))
        if len(bounds) != 2:
            raise NotUnderstood("a mention without its place")
        mention = {"username": each.get("screen_name"), "start": bounds[0], "end": bounds[1]}
        given.append(mention | ({"id": each["id_str"]} if "id_str" in each else {}))
    return placed_mentions(text, {"mentions": given}, people, strict=True)


def _people(payload: Json) -> dict[int, XUser]:
    users = as_object(payload.get("users", {})).values()
    return {person.id: person for person in readable(map(_inner, users), user)[0]}


def _inner(value: Any) -> Any:
    return value.get("data", value) if isinstance(value, Mapping) else value
