"""Time and identity, handed in from outside.

The ledger never reads a clock or draws a random number by itself: both are arguments, so that a test can say what
time it is. `UTC_EPOCH` and the two conversions are the only place where an instant becomes a number and back.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock

Clock = Callable[[], datetime]
"""Tells the time: an aware datetime in UTC."""

Entropy = Callable[[int], bytes]
"""`entropy(n)` is n unpredictable bytes."""

UTC_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_ERA = 1_136_073_600  # 2006-01-01 UTC, in seconds: ids are counted from here and last until 2074
_TICK_SECONDS = 32
_TICK_BITS = 26
_PLACE_BITS = 37


def microseconds_of(instant: datetime) -> int:
    """Microseconds since the epoch of an aware datetime, exactly (no float is involved)."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant} has no time zone")
    since = instant - UTC_EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def instant_of(microseconds: int) -> datetime:
    """The aware UTC datetime of microseconds since the epoch."""
    return UTC_EPOCH + timedelta(microseconds=microseconds)


def first_id_at(instant: datetime) -> int:
    """Below this lies no id that was made at or after this instant (it may be up to 32 seconds earlier than it)."""
    return max(0, _tick_of(instant)) << _PLACE_BITS


def _tick_of(instant: datetime) -> int:
    return (microseconds_of(instant) // 1_000_000 - _ERA) // _TICK_SECONDS


class IdSource:
    """Makes ids: positive, 63 bit, ever rising in one process, ordered by time to 32 seconds across processes.

    No process asks another. In every tick of 32 seconds each begins at a random place of 2**36 and counts on from
    there: two processes meet only where their runs overlap, which at 10 ids a second each happens once in about a
    hundred years, and is then refused by the primary key.
    """

    def __init__(self, clock: Clock, entropy: Entropy) -> None:
        self._clock = clock
        self._entropy = entropy
        self._lock = Lock()
        self._last = 0
        self._tick_ends = datetime.min.replace(tzinfo=UTC)  # before any clock

    def __call__(self) -> int:
        with self._lock:
            if (now := self._clock()) >= self._tick_ends:
                self._begin_tick(now)
            self._last += 1
            return self._last

    def take(self, number: int) -> range:
        """So many ids one after another, for one look at the clock."""
        with self._lock:
            if (now := self._clock()) >= self._tick_ends:
                self._begin_tick(now)
            first = self._last + 1
            self._last += number
            return range(first, first + number)

    def _begin_tick(self, now: datetime) -> None:
        tick = _tick_of(now)
        self._last = max(self._last, self._start_of(tick))
        self._tick_ends = UTC_EPOCH + timedelta(seconds=_ERA + (tick + 1) * _TICK_SECONDS)

    def _start_of(self, tick: int) -> int:
        if not 0 <= tick < 1 << _TICK_BITS:
            raise ValueError("ids are made between 2006 and 2074; is the clock right?")
        place = int.from_bytes(self._entropy(5), "big") % (
            1 << (_PLACE_BITS - 1)
        )  # the upper half is room to count
        return (tick << _PLACE_BITS) | place
