"""X's JSON, put into the bot's own words.

What is absent gets its default; what is there and is not what it should be makes the item unreadable, because a half
understood order is worse than none. An unreadable item is handed on as such, so that it is neither lost nor holds up the
rest of its page for ever. Both the older and the newer names of X's description are read. Nothing here decides what a text
means.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Any, TypeGuard, TypeVar

import structlog

from bot.x.gateway import (
    DirectMessage,
    MentionEntity,
    MessageId,
    Page,
    Post,
    PostId,
    Span,
    Unreadable,
    UserId,
    XUser,
)

Json = Mapping[str, Any]
T = TypeVar("T")

_LARGEST_ID = 2**63 - 1
_ID = re.compile(r"[0-9]{1,19}", re.ASCII)
_USERNAME = re.compile(r"[A-Za-z0-9_]{1,20}", re.ASCII)
_PAIR = re.compile(r"([0-9]{1,19})-([0-9]{1,19})", re.ASCII)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_CUT_SHORT = re.compile(r"…(\s*https?://t\.co/\w+)?\s*\Z")
_MOST_OF_UNREADABLE = 20_000
_CUT_LENGTH = 240
"""X cuts at a weighted length of 280; a shorter text that ends in … was written that way."""

_log = structlog.get_logger(__name__)


class NotUnderstood(Exception):
    """A piece of an answer is not what X says it sends."""


def posts(answer: Json) -> Page[Post]:
    """A page of posts. Raises `NotUnderstood` if it is no page at all."""
    people = people_in(answer)
    return _page(answer, lambda item: post(item, people))


def messages(answer: Json, bot: UserId) -> Page[DirectMessage]:
    """A page of direct messages, without what else happens in conversations (someone joins, leaves)."""
    people = people_in(answer)
    return _page(answer, lambda item: message(item, people, bot))


def user(item: Any) -> XUser:
    fields = as_object(item)
    username = as_text(fields.get("username"))
    if not is_username(username):
        raise NotUnderstood("a username that is none")
    return XUser(UserId(identity(fields.get("id"))), username, as_text(fields.get("name", "")))


def users(answer: Json) -> tuple[XUser, ...]:
    """The users of a look-up; those X could not find are not there."""
    return readable(as_list(answer.get("data", [])), user)[0]


def identity(value: Any) -> int:
    """An id: X writes it as a string of up to 19 digits."""
    if not isinstance(value, str) or not _ID.fullmatch(value) or not 0 < int(value) <= _LARGEST_ID:
        raise NotUnderstood("an id that is none")
    return int(value)


def is_username(text: str) -> bool:
    return _USERNAME.fullmatch(text) is not None


def post(item: Json, people: Mapping[int, XUser]) -> Post:
    note = as_object(item.get("note_tweet", {}))
    text, entities, start = _whole(item, note)
    author, reposted = identity(item.get("author_id")), _is_repost(item)
    mentions = placed_mentions(text, entities, people, strict=not reposted)
    answered = _identity_or_none(item, "in_reply_to_user_id")
    return Post(
        id=PostId(identity(item.get("id"))),
        first_id=PostId(_first_id(item)),
        author=people.get(author, XUser(UserId(author), "")),
        text=text,
        language=as_text(item.get("lang", "und")),
        mentions=mentions,
        urls=_spans(text, entities),
        display_start=start,
        in_reply_to_user_id=None if answered is None else UserId(answered),
        is_repost=reposted,
        is_truncated=item.get("truncated") is True or (not note and _looks_cut(text)),
        people=_involved(people, {author, answered} | {mention.user_id for mention in mentions}),
    )


def message(item: Json, people: Mapping[int, XUser], bot: UserId) -> DirectMessage | None:
    """A message, or None for another kind of event."""
    if item.get("event_type") != "MessageCreate":
        return None
    text = as_text(item.get("text", ""))
    entities = {**item, **as_object(item.get("entities", {}))}  # X's description has them at either place
    sender = identity(item.get("sender_id"))
    mentions = placed_mentions(text, entities, people, strict=True)
    other = other_of_two(item.get("dm_conversation_id"), sender, bot)
    return DirectMessage(
        id=MessageId(identity(item.get("id"))),
        sender_id=UserId(sender),
        text=text,
        one_to_one=other is not None,
        mentions=mentions,
        people=_involved(people, {sender} | {mention.user_id for mention in mentions}),
        with_id=other,
    )


def _page(answer: Json, read: Callable[[Json], T | None]) -> Page[T]:
    meta = as_object(answer.get("meta", {}))
    token = meta.get("next_token")
    if token is not None and not (isinstance(token, str) and token):
        raise NotUnderstood("a page token that is none")
    found, broken = readable(as_list(answer.get("data", [])), read)
    return Page(found, token, broken)


def readable(
    items: Iterable[Any], read: Callable[[Json], T | None]
) -> tuple[tuple[T, ...], tuple[Unreadable, ...]]:
    """What could be read, and what could not."""
    found, broken = [], []
    for item in items:
        try:
            found.append(read(as_object(item)))
        except NotUnderstood as problem:
            broken.append(unreadable(item, str(problem)))
            _log.warning("x.item_unreadable", id=broken[-1].x_id, problem=str(problem))
    return tuple(thing for thing in found if thing is not None), tuple(broken)


def unreadable(item: Any, reason: str) -> Unreadable:
    raw = json.dumps(item, ensure_ascii=True, sort_keys=True)[:_MOST_OF_UNREADABLE]
    fields = item if isinstance(item, Mapping) else {}
    numbers = [_identity_of(fields.get(name)) for name in ("id", "author_id", "sender_id")]
    person = numbers[1] or numbers[2]
    without_id = -int.from_bytes(sha256(raw.encode()).digest()[:7], "big") - 1
    return Unreadable(
        x_id=numbers[0] or without_id, reason=reason, raw=raw, person_id=UserId(person) if person else None
    )


def _identity_of(value: Any) -> int | None:
    try:
        return identity(value)
    except NotUnderstood:
        return None


def people_in(answer: Json) -> dict[int, XUser]:
    included = as_list(as_object(answer.get("includes", {})).get("users", []))
    return {person.id: person for person in readable(included, user)[0]}


def _involved(people: Mapping[int, XUser], ids: set[Any]) -> tuple[XUser, ...]:
    return tuple(person for key, person in people.items() if key in ids)


def _whole(item: Json, note: Json) -> tuple[str, Json, int]:
    """The text in full, its entities, and where its visible part begins.

    A long post's full text stands apart, with entities of its own. Whether the hidden mentions stand before it too is
    seen by looking: a hidden mention must never become a visible one.
    """
    text, start = as_text(item.get("text")), _display_start(item)
    if not note:
        return text, as_object(item.get("entities", {})), start
    full, hidden = as_text(note.get("text")), text[:start]
    return full, as_object(note.get("entities", {})), start if full.startswith(hidden) else 0


def _display_start(item: Json) -> int:
    if "display_text_range" not in item:
        return 0
    bounds = as_list(item["display_text_range"])
    length = len(as_text(item.get("text")))
    if len(bounds) != 2 or not (_is_count(bounds[0]) and _is_count(bounds[1]) and bounds[0] <= length):
        raise NotUnderstood("a display range that is none")
    return bounds[0]


def _first_id(item: Json) -> int:
    """The oldest id of the edit history; ids grow with time."""
    history = item.get("edit_history_tweet_ids", item.get("edit_history_post_ids", []))
    return min(identity(each) for each in [item.get("id"), *as_list(history)])


def _is_repost(item: Json) -> bool:
    references = item.get("referenced_tweets", item.get("referenced_posts", []))
    return any(as_object(each).get("type") in ("retweeted", "reposted") for each in as_list(references))


def _looks_cut(text: str) -> bool:
    return len(text) >= _CUT_LENGTH and _CUT_SHORT.search(text) is not None


def other_of_two(conversation: Any, sender: int, bot: UserId) -> UserId | None:
    """Who the bot talks to: a conversation of two is named by their ids, the smaller first; a group has one number."""
    pair = _PAIR.fullmatch(conversation) if isinstance(conversation, str) else None
    if pair is None:
        return None
    smaller, larger = int(pair[1]), int(pair[2])
    if smaller > larger or not {bot, sender} <= {smaller, larger}:
        return None
    return UserId(larger if smaller == bot else smaller)


def placed_mentions(
    text: str, entities: Json, people: Mapping[int, XUser], *, strict: bool
) -> tuple[MentionEntity, ...]:
    """The mentions, each with offsets that point at its handle.

    X's offsets can be wrong (they have counted UTF-16 units, or the text before escaping). Then the handle is looked
    for: each of its places in the text is this mention, because X resolves one handle to one person in one text. If
    it is not there, what X says contradicts the text, and the text is not read at all (`strict`): without the
    mention an order to two might be read as one to the other. A repost's cut text may lack it, and is nobody's order.
    """
    given = [_mention(as_object(each), people) for each in as_list(entities.get("mentions", []))]
    _refuse_two_people_of_one_handle(given)
    placed = {place.start: place for each in given for place in _places(text, each)}
    missing = {each.username.lower() for each in given} - {
        place.username.lower() for place in placed.values()
    }
    if missing and strict:
        raise NotUnderstood("a mention that is not in the text")
    return tuple(placed[start] for start in sorted(placed))


def _mention(entity: Json, people: Mapping[int, XUser]) -> MentionEntity:
    username = as_text(entity.get("username"))
    start, end = entity.get("start"), entity.get("end")
    if not is_username(username) or not _is_count(start) or not _is_count(end):
        raise NotUnderstood("a mention that is none")
    known = _identity_or_none(entity, "id")
    if known is None:
        known = next((key for key, one in people.items() if one.username.lower() == username.lower()), None)
    return MentionEntity(start, end, username, None if known is None else UserId(known))


def _places(text: str, mention: MentionEntity) -> list[MentionEntity]:
    """Where the mention is: at its offsets, or else wherever its handle stands."""
    handle = rf"[@＠]{mention.username}(?![A-Za-z0-9_])"
    there = re.compile(handle, re.IGNORECASE | re.ASCII).match(text, mention.start)
    if there is not None and there.end() == mention.end:
        return [mention]
    found = re.finditer(rf"(?<![A-Za-z0-9_@＠./+-]){handle}(?![@＠])", text, re.IGNORECASE | re.ASCII)
    return [MentionEntity(*place.span(), mention.username, mention.user_id) for place in found]


def _refuse_two_people_of_one_handle(mentions: Iterable[MentionEntity]) -> None:
    by_handle: dict[str, UserId] = {}
    for mention in mentions:
        known = mention.user_id
        if known is not None and by_handle.setdefault(mention.username.lower(), known) != known:
            raise NotUnderstood("one handle with two ids")


def _spans(text: str, entities: Json) -> tuple[Span, ...]:
    """Where links stand; what lies outside the text is left out, since a link is never an order."""
    bounds = [
        (each.get("start"), each.get("end")) for each in map(as_object, as_list(entities.get("urls", [])))
    ]
    return tuple(
        Span(start, end)
        for start, end in bounds
        if _is_count(start) and _is_count(end) and start < end <= len(text)
    )


def as_text(value: Any) -> str:
    """A text that every database takes, as long as it was: what none takes becomes U+FFFD, one for one."""
    if not isinstance(value, str):
        raise NotUnderstood("a text that is none")
    return _UNSTORABLE.sub("\ufffd", value)


def _identity_or_none(item: Json, name: str) -> int | None:
    return identity(item[name]) if name in item else None


def as_object(value: Any) -> Json:
    """An object without its nulls: they mean the same as absence."""
    if not isinstance(value, Mapping):
        raise NotUnderstood("not an object")
    return {name: content for name, content in value.items() if content is not None}


def as_list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise NotUnderstood("not a list")
    return value


def _is_count(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
