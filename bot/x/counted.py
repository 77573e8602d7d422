"""The street door with a counter on it: what was asked of X, and how much of that X charges for.

It counts in memory and costs a call nothing; `Usage.note` writes the counts down from time to time, so a crash loses the
last half minute of them. What X charges is what was read for the first time on a UTC day, and what was sent. A send
whose answer was lost counts as sent.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TypeVar

from bot.errors import OutcomeUnknown
from bot.x.gateway import DirectMessage, Gateway, Limits, MessageId, Page, Post, PostId, UserId, XUser
from ledger.clock import Clock

T = TypeVar("T")
Item = TypeVar("Item", Post, DirectMessage)


@dataclass(slots=True)
class Counts:
    """Calls made, and things charged, by the day and the name of the call."""

    calls: Counter[tuple[date, str]] = field(default_factory=Counter)
    charged: Counter[tuple[date, str]] = field(default_factory=Counter)


class CountedGateway:
    """`bot.x.gateway.Gateway`: another one, counted. May be used from several threads."""

    def __init__(self, inner: Gateway, clock: Clock) -> None:
        self._inner = inner
        self._clock = clock
        self._lock = threading.Lock()
        self._counts = Counts()
        self._read_on: date | None = None
        self._read: set[tuple[str, int]] = set()

    def take(self) -> Counts:
        """What was counted since the last time."""
        with self._lock:
            taken, self._counts = self._counts, Counts()
            return taken

    def put_back(self, counts: Counts) -> None:
        """What could not be written down."""
        with self._lock:
            self._counts.calls += counts.calls
            self._counts.charged += counts.charged

    def pushed(self, call: str, ids: Iterable[int]) -> None:
        """What X sent by itself."""
        self._count(call, self._fresh(call.removeprefix("pushed_"), ids))

    @property
    def limits(self) -> Limits:
        return self._inner.limits

    @property
    def clock_ahead(self) -> timedelta | None:
        return self._inner.clock_ahead

    def me(self) -> XUser:
        self._count("me", 0)
        return self._inner.me()

    def mentions(self, *, since_id: PostId | None = None, page_token: str | None = None) -> Page[Post]:
        page = self._called(
            "mentions", lambda: self._inner.mentions(since_id=since_id, page_token=page_token)
        )
        return self._charged("mentions", "mention", page)

    def own_posts(self, *, since_id: PostId | None = None, page_token: str | None = None) -> Page[Post]:
        page = self._called(
            "own_posts", lambda: self._inner.own_posts(since_id=since_id, page_token=page_token)
        )
        return self._charged("own_posts", "post", page)

    def direct_messages(self, *, page_token: str | None = None) -> Page[DirectMessage]:
        page = self._called("direct_messages", lambda: self._inner.direct_messages(page_token=page_token))
        return self._charged("direct_messages", "message", page)

    def messages_with(self, person: UserId, *, page_token: str | None = None) -> Page[DirectMessage]:
        page = self._called("messages_with", lambda: self._inner.messages_with(person, page_token=page_token))
        return self._charged("messages_with", "message", page)

    def send_message(self, recipient: UserId, text: str) -> MessageId:
        return self._sent("send_message", lambda: self._inner.send_message(recipient, text))

    def reply(self, post: PostId, text: str) -> PostId:
        return self._sent("reply", lambda: self._inner.reply(post, text))

    def users_by_username(self, usernames: Sequence[str]) -> Mapping[str, XUser]:
        found = self._called("users_by_username", lambda: self._inner.users_by_username(usernames))
        self._charge("users_by_username", self._fresh("user", (user.id for user in found.values())))
        return found

    # Counting

    def _called(self, call: str, act: Callable[[], T]) -> T:
        self._count(call, 0)
        return act()

    def _sent(self, call: str, act: Callable[[], T]) -> T:
        self._count(call, 0)
        try:
            made = act()
        except OutcomeUnknown:
            self._charge(call, 1)
            raise
        self._charge(call, 1)
        return made

    def _charged(self, call: str, kind: str, page: Page[Item]) -> Page[Item]:
        self._charge(call, self._fresh(kind, (item.id for item in page.items)))
        return page

    def _count(self, call: str, charged: int) -> None:
        with self._lock:
            self._counts.calls[self._clock().date(), call] += 1
        self._charge(call, charged)

    def _charge(self, call: str, things: int) -> None:
        with self._lock:
            if things:
                self._counts.charged[self._clock().date(), call] += things

    def _fresh(self, kind: str, ids: Iterable[int]) -> int:
        """How many of these were not read before on this UTC day."""
        today = self._clock().date()
        with self._lock:
            if self._read_on != today:
                self._read_on = today
                self._read.clear()
            before = len(self._read)
            self._read.update((kind, identity) for identity in ids)
            return len(self._read) - before
