"""How often a caller may do a thing: X's windows, counted per caller and operation.

X's own numbers (docs.x.com fundamentals/rate-limits, read 2026-08-22) are for the tests of limits; `WIDE` is for the
demo and the crash loops. A window begins with its first call and ends a fixed time later, as X's do.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil

QUARTER_HOUR = timedelta(minutes=15)
DAY = timedelta(days=1)


class Operation(StrEnum):
    """What a caller can do here; faults and limits are planned by these names."""

    ME = "me"
    USERS = "users"
    POSTS = "posts"
    MENTIONS = "mentions"
    OWN_POSTS = "own_posts"
    CREATE_POST = "create_post"
    DELETE_POST = "delete_post"
    SEND_MESSAGE = "send_message"
    MESSAGES = "direct_messages"
    MESSAGES_WITH = "messages_with"
    CONVERSATION = "conversation"
    RULES = "rules"
    STREAM = "stream"
    ACTIVITY = "activity"


@dataclass(frozen=True, slots=True)
class Limits:
    """Calls allowed in a quarter of an hour, and in a day where X counts that too."""

    quarter_hour: Mapping[Operation, int]
    day: Mapping[Operation, int] = field(default_factory=dict)
    longest_post: int = 280
    mention_horizon: int = 800
    message_horizon: timedelta = timedelta(days=30)


X_LIMITS = Limits(
    quarter_hour={
        Operation.ME: 75,
        Operation.USERS: 900,
        Operation.POSTS: 900,
        Operation.MENTIONS: 300,
        Operation.OWN_POSTS: 900,
        Operation.CREATE_POST: 100,
        Operation.DELETE_POST: 50,
        Operation.SEND_MESSAGE: 15,
        Operation.MESSAGES: 15,
        Operation.MESSAGES_WITH: 15,
        Operation.CONVERSATION: 15,
        Operation.RULES: 100,
        Operation.STREAM: 50,
        Operation.ACTIVITY: 500,
    },
    day={Operation.SEND_MESSAGE: 1440},
)
WIDE = Limits(quarter_hour=dict.fromkeys(Operation, 1_000_000))


@dataclass(frozen=True, slots=True)
class Window:
    """One window of one caller: so many calls allowed, so many left, until then."""

    limit: int
    remaining: int
    resets_at: datetime

    @property
    def reset_seconds(self) -> int:
        """The end as X gives it: whole seconds since 1970, rounded up so that it is over when the second begins."""
        return ceil(self.resets_at.timestamp())


@dataclass(slots=True)
class _Count:
    began_at: datetime
    used: int = 0


class Windows:
    """The windows of all callers."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._counts: dict[tuple[str, Operation, timedelta], _Count] = {}

    def take(self, caller: str, operation: Operation, now: datetime) -> bool:
        """Counts one call; False if a window was already full, and then nothing is counted."""
        counts = [
            (self._count(caller, operation, length, now), allowed)
            for length, allowed in self._allowances(operation)
        ]
        if any(count.used >= allowed for count, allowed in counts):
            return False
        for count, _ in counts:
            count.used += 1
        return True

    def quarter_hour(self, caller: str, operation: Operation, now: datetime) -> Window:
        return self._window(caller, operation, QUARTER_HOUR, self.limits.quarter_hour[operation], now)

    def day(self, caller: str, operation: Operation, now: datetime) -> Window | None:
        """The day's window, None where X counts none."""
        allowed = self.limits.day.get(operation)
        return None if allowed is None else self._window(caller, operation, DAY, allowed, now)

    def free_at(self, caller: str, operation: Operation, now: datetime) -> datetime:
        """When the next call may be made: now, or the end of the last window that is full."""
        windows = [self.quarter_hour(caller, operation, now), self.day(caller, operation, now)]
        full = [window.resets_at for window in windows if window is not None and window.remaining == 0]
        return max(full, default=now)

    def clear(self) -> None:
        self._counts.clear()

    def _allowances(self, operation: Operation) -> list[tuple[timedelta, int]]:
        allowances = [(QUARTER_HOUR, self.limits.quarter_hour[operation])]
        if operation in self.limits.day:
            allowances.append((DAY, self.limits.day[operation]))
        return allowances

    def _window(
        self, caller: str, operation: Operation, length: timedelta, allowed: int, now: datetime
    ) -> Window:
        count = self._count(caller, operation, length, now)
        return Window(allowed, max(0, allowed - count.used), count.began_at + length)

    def _count(self, caller: str, operation: Operation, length: timedelta, now: datetime) -> _Count:
        key = (caller, operation, length)
        count = self._counts.get(key)
        if count is None or now >= count.began_at + length:
            count = self._counts[key] = _Count(now)
        return count
