"""What every part of the sandbox stands on: one clock, one source of chance, and ids that only ever grow.

Nothing else here reads a clock or makes an id, so that a test or a simulator owns both.
"""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bot.x.snowflake import first_id_at

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    return datetime.now(UTC)


class MovableClock:
    """A clock that can be set forward: tests, the demo's story and the control API do."""

    def __init__(self, base: Clock = system_clock) -> None:
        self._base = base
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return self._base() + self.ahead

    def advance(self, by: timedelta) -> datetime:
        """Moves the clock forward and says what it shows now."""
        if by < timedelta():
            raise ValueError("the sandbox's clock never goes back")
        self.ahead += by
        return self()


class StoppedClock(MovableClock):
    """A clock that stands still until it is moved."""

    def __init__(self, at: datetime) -> None:
        super().__init__()
        self._at = at

    def __call__(self) -> datetime:
        return self._at + self.ahead


class Ground:
    """The clock, the chance, the ids, and how long a written thing stays unseen by readers (`lag`)."""

    def __init__(self, clock: Clock, chance: random.Random) -> None:
        self.clock = clock
        self.chance = chance
        self.lag = timedelta()
        self.last_id = 0

    def now(self) -> datetime:
        return self.clock()

    def next_id(self) -> int:
        """An id of this moment, greater than all before it."""
        fresh = first_id_at(self.now()) | self.chance.getrandbits(12)
        self.last_id = max(self.last_id + 1, fresh)
        return self.last_id

    def visible_from(self) -> datetime:
        return self.now() + self.lag

    def secret(self, length: int) -> str:
        """A random string that plainly comes from here and from nowhere else."""
        alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
        return "sandbox" + "".join(self.chance.choices(alphabet, k=length - 7))
