"""Counts that only ever grow, without counting everything each time.

What is older than a while is counted once and kept; what is younger is counted anew, since a transaction may still
commit with a time a little in the past.
"""

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlmodel import Session

from ledger.clock import UTC_EPOCH, Clock, microseconds_of

SETTLED_AFTER = timedelta(minutes=10)
"""Far longer than any transaction takes from its time to its commit."""


@dataclass(slots=True)
class Growing:
    """`sql` gives names and their counts after `:after` and up to `:until`, both microseconds."""

    clock: Clock
    sql: str
    _settled: "Counter[str]" = field(default_factory=Counter)
    _until: datetime = UTC_EPOCH
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def counts(self, session: Session) -> Mapping[str, int]:
        with self._lock:
            now = self.clock()
            settled = now - SETTLED_AFTER
            if settled > self._until:
                self._settled += self._between(session, self._until, settled)
                self._until = settled
            return self._settled + self._between(session, self._until, now + SETTLED_AFTER)

    def _between(self, session: Session, after: datetime, until: datetime) -> "Counter[str]":
        limits = {"after": microseconds_of(after), "until": microseconds_of(until)}
        rows = session.connection().execute(text(self.sql), limits)
        return Counter({row[0]: int(row[1]) for row in rows})
