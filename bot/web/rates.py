"""How often something may be asked, by address and by person: fixed windows, kept in memory and bounded.

What must hold across restarts (wrong codes, used links) is counted in the database; this only keeps the machine from
being worn out.
"""

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ledger.clock import Clock

MOST_KEYS = 20_000


@dataclass(frozen=True, slots=True)
class Rate:
    """So many within a window."""

    most: int
    window: timedelta


READS = Rate(600, timedelta(minutes=1))
POSTS = Rate(60, timedelta(minutes=1))
TRIES = Rate(20, timedelta(minutes=10))
"""Codes, passwords and links: beside the counting in the database."""
EVENTS = Rate(3000, timedelta(minutes=1))
"""What X delivers to the webhook."""


@dataclass(slots=True)
class Rates:
    clock: Clock
    _used: dict[tuple[str, str], tuple[datetime, int]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def allows(self, what: str, who: str, rate: Rate) -> bool:
        """Counts one; False where this one is too many."""
        now = self.clock()
        with self._lock:
            ends, used = self._used.get((what, who), (now + rate.window, 0))
            if ends <= now:
                ends, used = now + rate.window, 0
            if len(self._used) >= MOST_KEYS:
                self._forget(now)
            self._used[what, who] = (ends, used + 1)
            return used < rate.most

    def _forget(self, now: datetime) -> None:
        """Windows that are over; all of them where somebody fills the table with addresses."""
        running = {key: value for key, value in self._used.items() if value[0] > now}
        self._used = running if len(running) < MOST_KEYS // 2 else {}
