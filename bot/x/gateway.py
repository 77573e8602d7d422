"""The street door: what the bot needs of X, in the bot's own words.

Everything X says is translated into these types once, by an adapter (`tweepy_gateway` for the real X and for the
sandbox over HTTP, `sandbox.gateway` for the sandbox in the same process). Nothing behind this door knows tweepy,
HTTP or JSON. An adapter never decides what a message means, and never keeps state.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, NewType, Protocol, TypeVar

from bot.x.snowflake import instant_of

UserId = NewType("UserId", int)
PostId = NewType("PostId", int)
MessageId = NewType("MessageId", int)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class XUser:
    """A person on X. The id is the person; `username` (without @) and `name` are labels that can change hands."""

    id: UserId
    username: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class MentionEntity:
    """An @handle X recognised in a text: `[start, end)` in code points of the text as X gave it, @ included.

    `user_id` is None where X left it out, which it may (in direct messages mostly).
    """

    start: int
    end: int
    username: str
    user_id: UserId | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """`[start, end)` in code points of the text as X gave it."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Post:
    """One version of a post that mentions the bot.

    An edit is a new version with an id of its own; `first_id` is the first id of the edit history and so the same
    for all versions. `text` is as X gives it: HTML-escaped, the whole of it even where X shows a part, and long
    posts in full. `display_start` is where the visible text begins: hidden reply mentions stand before it.
    `people` are all users X sent along, to be known by label without a look-up.
    """

    id: PostId
    first_id: PostId
    author: XUser
    text: str
    language: str = "und"
    mentions: tuple[MentionEntity, ...] = ()
    urls: tuple[Span, ...] = ()
    display_start: int = 0
    in_reply_to_user_id: UserId | None = None
    is_repost: bool = False
    is_truncated: bool = False
    people: tuple[XUser, ...] = ()

    @property
    def created_at(self) -> datetime:
        return instant_of(self.id)


@dataclass(frozen=True, slots=True)
class DirectMessage:
    """One message of a conversation the bot is in, the bot's own messages included.

    `one_to_one` is False for a group conversation: what is said there is never obeyed.
    """

    id: MessageId
    sender_id: UserId
    text: str
    one_to_one: bool = True
    mentions: tuple[MentionEntity, ...] = ()
    people: tuple[XUser, ...] = ()
    with_id: UserId | None = None
    """The other of the two in a one-to-one conversation, whoever of them wrote this."""

    @property
    def created_at(self) -> datetime:
        return instant_of(self.id)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An item of a list that is not what X says it sends: kept for an admin to see, and never obeyed.

    `raw` is the item as it came (JSON). `x_id` is its id, or a negative number made from `raw` where it has none.
    `person_id` is who wrote it, where that much could be read.
    """

    x_id: int
    reason: str
    raw: str
    person_id: UserId | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list, newest first as X gives it; `next_token` is None on the last one."""

    items: tuple[T, ...] = field(default=())
    next_token: str | None = None
    unreadable: tuple[Unreadable, ...] = ()


@dataclass(frozen=True, slots=True)
class Limit:
    """What X said last about one of its limits: so many calls a window, so many left until it ends."""

    limit: int
    remaining: int
    resets_at: datetime
    window: timedelta = timedelta(minutes=15)


Limits = Mapping[str, tuple[Limit, ...]]
"""By the name of the gateway's method."""


class Gateway(Protocol):
    """What the bot asks of X. Calls block, each ends within its time limit, and none retries by itself.

    Each raises, of `bot.errors`: `RateLimited` (with the time it ends), `GatewayUnavailable` (nothing happened; try
    later), `Misconfigured` (keys or permissions). Reads that got nonsense raise `GatewayUnavailable` too. The two
    sends also raise `SendRefused` (X said no for good, with the reason) and `OutcomeUnknown` (the request went out
    and no usable answer came: it may or may not have happened).
    """

    @property
    def limits(self) -> Limits:
        """What X said about its limits in its last answer to each call."""
        ...

    @property
    def clock_ahead(self) -> timedelta | None:
        """By how much our clock was ahead of X's at its last answer; None before the first."""
        ...

    def me(self) -> XUser:
        """The bot's own account."""
        ...

    def mentions(self, *, since_id: PostId | None = None, page_token: str | None = None) -> Page[Post]:
        """Posts that mention the bot, newer than `since_id`; X keeps the 800 newest."""
        ...

    def direct_messages(self, *, page_token: str | None = None) -> Page[DirectMessage]:
        """All conversations of the bot, newest first, 30 days back, its own messages among them."""
        ...

    def messages_with(self, person: UserId, *, page_token: str | None = None) -> Page[DirectMessage]:
        """The one-to-one conversation with one person, newest first: where a lost send is looked for."""
        ...

    def own_posts(self, *, since_id: PostId | None = None, page_token: str | None = None) -> Page[Post]:
        """What the bot itself posted, newest first: where a lost reply is looked for."""
        ...

    def send_message(self, recipient: UserId, text: str) -> MessageId:
        """A direct message to someone who has sent the bot one before."""
        ...

    def reply(self, post: PostId, text: str) -> PostId:
        """A public reply to a post that mentioned the bot; X allows one for each."""
        ...

    def users_by_username(self, usernames: Sequence[str]) -> Mapping[str, XUser]:
        """Who holds these handles now, keyed by lower-case handle; those nobody holds are left out."""
        ...
