"""The bot's port to X, served by a world in the same process: no wire, no JSON, the same rules, limits and faults.

For the tests of the bot's heart and for the simulator. It must say exactly what `bot.x.tweepy_gateway` would say of
the same X; a test holds the two together. It never decides what a message means, and keeps no state.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from bot.errors import (
    GatewayUnavailable,
    Misconfigured,
    OutcomeUnknown,
    RateLimited,
    SendRefused,
    SmoneyError,
    TryLater,
)
from bot.sandbox.core import World
from bot.sandbox.faults import ConnectionLost, FaultKind, NonsenseAnswer
from bot.sandbox.limits import DAY, QUARTER_HOUR, Operation
from bot.sandbox.messages import MESSAGE_CREATE, StoredMessage
from bot.sandbox.people import Person
from bot.sandbox.posts import Mention, StoredPost
from bot.sandbox.refusals import DUPLICATE, NOT_SUMMONED, REPLY_TO_NOTHING, SUSPENDED, XRefusal
from bot.sandbox.street import Caller, Listing, Range, Street
from bot.x.gateway import (
    DirectMessage,
    Limit,
    Limits,
    MentionEntity,
    MessageId,
    Page,
    Post,
    PostId,
    Span,
    UserId,
    XUser,
)
from bot.x.text import escape, escaped_offset

T = TypeVar("T")
_KEYS = "SMONEY_X_ACCESS_TOKEN"
_USERNAME = re.compile(r"[A-Za-z0-9_]{1,20}")
_METHODS = {Operation.CREATE_POST: "reply", Operation.USERS: "users_by_username"}
TIMEOUT_SECONDS = 20
"""A planned delay longer than this is a lost answer to the bot."""


class SandboxGateway:
    """`bot.x.gateway.Gateway` for one person of the world."""

    def __init__(
        self, world: World, bot_id: int, *, page_size: int = 100, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> None:
        self._world = world
        self._street = Street(world)
        self._caller = Caller(world.person(bot_id))
        self._page_size = page_size
        self._timeout_seconds = timeout_seconds
        self._limits: dict[str, tuple[Limit, ...]] = {}
        self.clock_ahead: timedelta | None = timedelta()
        """It is the same clock, unless a test says otherwise."""

    @property
    def limits(self) -> Limits:
        return dict(self._limits)

    def me(self) -> XUser:
        return _user(self._read(Operation.ME, lambda: _own(self._caller)))

    def mentions(self, *, since_id: PostId | None = None, page_token: str | None = None) -> Page[Post]:
        wanted = self._range(since_id, page_token)
        return self._read(
            Operation.MENTIONS,
            lambda: self._posts(self._street.mentions(self._caller, _own(self._caller).id, wanted)),
        )

    def own_posts(self, *, since_id: PostId | None = None, page_token: str | None = None) -> Page[Post]:
        wanted = self._range(since_id, page_token)
        return self._read(
            Operation.OWN_POSTS,
            lambda: self._posts(self._street.posts_of(self._caller, _own(self._caller).id, wanted)),
        )

    def direct_messages(self, *, page_token: str | None = None) -> Page[DirectMessage]:
        return self._messages(Operation.MESSAGES, None, page_token)

    def messages_with(self, person: UserId, *, page_token: str | None = None) -> Page[DirectMessage]:
        conversation = self._street.conversation_with(self._caller, person)
        return self._messages(Operation.MESSAGES_WITH, conversation, page_token)

    def send_message(self, recipient: UserId, text: str) -> MessageId:
        return self._send(
            Operation.SEND_MESSAGE,
            lambda: MessageId(self._street.send_message(self._caller, recipient, text).id),
        )

    def reply(self, post: PostId, text: str) -> PostId:
        return self._send(
            Operation.CREATE_POST,
            lambda: PostId(self._street.create_post(self._caller, text, in_reply_to=post).id),
        )

    def users_by_username(self, usernames: Sequence[str]) -> Mapping[str, XUser]:
        wanted = sorted({name.lower() for name in usernames if _USERNAME.fullmatch(name)})
        found: dict[str, XUser] = {}
        for start in range(0, len(wanted), 100):
            found |= self._read(Operation.USERS, lambda: self._users(wanted[start : start + 100]))  # noqa: B023 - called at once
        return found

    # --- how an answer, or none, reaches the bot ---

    def _read(self, operation: Operation, act: Callable[[], T]) -> T:
        try:
            return self._call(operation, act)
        except XRefusal as refusal:
            raise self._of_a_read(operation, refusal) from None
        except (ConnectionLost, NonsenseAnswer) as fault:
            raise GatewayUnavailable(f"X gave no answer: {fault}") from None

    def _send(self, operation: Operation, act: Callable[[], T]) -> T:
        try:
            return self._call(operation, act)
        except XRefusal as refusal:
            raise self._of_a_send(operation, refusal) from None
        except (ConnectionLost, NonsenseAnswer) as fault:
            raise OutcomeUnknown(f"X gave no answer: {fault}") from None

    def _call(self, operation: Operation, act: Callable[[], T]) -> T:
        fault = self._street.fault_for(self._caller, operation)
        try:
            result = self._street.call(self._caller, operation, fault, act)
        except XRefusal:
            self._note(operation)
            raise
        if fault is not None and fault.kind is FaultKind.DELAY and fault.seconds >= self._timeout_seconds:
            raise ConnectionLost(done=True)
        self._note(operation)
        return result

    def _note(self, operation: Operation) -> None:
        """What X's headers say with every answer: whole seconds, as there."""
        windows, key, now = self._world.windows, self._caller.key, self._world.now()
        short, day = windows.quarter_hour(key, operation, now), windows.day(key, operation, now)
        told = [(short, QUARTER_HOUR)] if day is None else [(short, QUARTER_HOUR), (day, DAY)]
        self._limits[_METHODS.get(operation, operation.value)] = tuple(
            Limit(each.limit, each.remaining, datetime.fromtimestamp(each.reset_seconds, UTC), length)
            for each, length in told
        )

    def _of_a_read(self, operation: Operation, refusal: XRefusal) -> SmoneyError:
        if (common := self._of_any(operation, refusal)) is not None:
            return common
        if refusal.status == 403:
            return Misconfigured(_KEYS, f"X refuses this account to be read: {refusal.detail}.")
        return GatewayUnavailable(f"X answered {refusal.status}: {refusal.detail}")

    def _of_a_send(self, operation: Operation, refusal: XRefusal) -> SmoneyError:
        if (common := self._of_any(operation, refusal)) is not None:
            return common
        if not 400 <= refusal.status < 500 or refusal.status == 408:
            return OutcomeUnknown(f"X answered {refusal.status}: {refusal.detail}")
        return SendRefused(
            refusal.detail.rstrip("."),
            status=refusal.status,
            duplicate=refusal.detail == DUPLICATE,
            gone=refusal.detail == REPLY_TO_NOTHING,
            unsummoned=refusal.detail == NOT_SUMMONED,
        )

    def _of_any(self, operation: Operation, refusal: XRefusal) -> SmoneyError | None:
        now = self._world.now()
        if refusal.status == 429:
            free_at = self._world.windows.free_at(self._caller.key, operation, now)
            until = free_at if free_at > now else now + QUARTER_HOUR
            return RateLimited(f"X's limit is used up: {refusal.detail}", at=until)
        if refusal.status == 402:
            return TryLater(
                f"X wants credits before it goes on (402): {refusal.detail}", at=now + QUARTER_HOUR
            )
        if refusal.status == 401:
            return Misconfigured(_KEYS, f"X does not accept the keys: {refusal.detail}.")
        if refusal.detail == SUSPENDED:
            return Misconfigured(_KEYS, f"X has locked or suspended the bot's account: {refusal.detail}")
        return None

    # --- the world's records in the bot's words ---

    def _range(self, since_id: int | None, page_token: str | None) -> Range:
        before = None if page_token is None else int(page_token)
        return Range(since_id=since_id, before_id=before, limit=self._page_size)

    def _posts(self, listing: Listing[StoredPost]) -> Page[Post]:
        return Page(tuple(map(self._post, listing.items)), _token(listing.next_before_id))

    def _messages(
        self, operation: Operation, conversation: str | None, page_token: str | None
    ) -> Page[DirectMessage]:
        wanted = self._range(None, page_token)
        kinds = frozenset({MESSAGE_CREATE})
        listing = self._read(
            operation, lambda: self._street.messages(self._caller, conversation, wanted, kinds)
        )
        return Page(tuple(map(self._message, listing.items)), _token(listing.next_before_id))

    def _users(self, usernames: Sequence[str]) -> dict[str, XUser]:
        found = [person for name in usernames if (person := self._street.user_named(name)) is not None]
        return {person.username.lower(): _user(person) for person in found}

    def _post(self, post: StoredPost) -> Post:
        ids = {post.author_id, *(mention.user_id for mention in post.mentions)}
        return Post(
            id=PostId(post.id),
            first_id=PostId(post.first_id),
            author=_user(self._world.person(post.author_id)),
            text=escape(post.text),
            language=post.language,
            mentions=tuple(_mention(post.text, mention) for mention in post.mentions),
            urls=tuple(
                Span(escaped_offset(post.text, url.start), escaped_offset(post.text, url.end))
                for url in post.urls
            ),
            display_start=escaped_offset(post.text, post.display_start),
            in_reply_to_user_id=(
                None if post.in_reply_to_user_id is None else UserId(post.in_reply_to_user_id)
            ),
            is_repost=post.reposted_id is not None,
            people=self._people(ids),
        )

    def _message(self, message: StoredMessage) -> DirectMessage:
        own = _own(self._caller).id
        pair = [int(each) for each in message.conversation_id.split("-")]
        other = None if len(pair) < 2 else next((each for each in pair if each != own), own)
        return DirectMessage(
            id=MessageId(message.id),
            sender_id=UserId(message.sender_id),
            text=escape(message.text),
            one_to_one=other is not None,
            mentions=tuple(_mention(message.text, mention) for mention in message.mentions),
            people=self._people({message.sender_id}),
            with_id=None if other is None else UserId(other),
        )

    def _people(self, ids: set[int]) -> tuple[XUser, ...]:
        return tuple(_user(self._world.person(identity)) for identity in sorted(ids))


def _own(caller: Caller) -> Person:
    if caller.person is None:
        raise TypeError("the gateway belongs to a person")
    return caller.person


def _user(person: Person) -> XUser:
    return XUser(UserId(person.id), person.username, person.name)


def _mention(text: str, mention: Mention) -> MentionEntity:
    start, end = escaped_offset(text, mention.start), escaped_offset(text, mention.end)
    return MentionEntity(start, end, mention.username, UserId(mention.user_id))


def _token(before_id: int | None) -> str | None:
    return None if before_id is None else str(before_id)
