"""Keeps one of X's streams open: connects, fills the gap from the lists, stores line by line, and begins again.

There is no backfill, so the gap is filled after every connect, with the stream open already: what is said meanwhile
comes twice and is stored once. After a fault it pauses, longer each time; only a line that has lived for a while makes
the pauses short again, since a line that opens and ends at once would otherwise be opened for ever. One program streams
at a time (the listener's lease).
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.errors import LeaseLost, Misconfigured, RateLimited, TryLater
from bot.store.leases import Lease
from bot.x.pushed import Disconnect
from bot.x.pushes import NOTE_ALIVE_EVERY, Pushes
from ledger.clock import Clock

log = structlog.get_logger(__name__)

FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(minutes=5)
A_GOOD_WHILE = timedelta(minutes=1)
ANOTHER_LISTENS = timedelta(seconds=10)
RENEW_EVERY = timedelta(seconds=15)

Lines = Iterator[dict[str, Any] | None]


@dataclass(slots=True)
class Streaming:
    """`prepare` subscribes, `open` connects, `fill_gap` polls what may have been missed, `heard` is told of news."""

    name: str
    pushes: Pushes
    lease: Lease
    prepare: Callable[[], None]
    open: Callable[[], AbstractContextManager[Lines]]
    fill_gap: Callable[[], int]
    heard: Callable[[], None]
    clock: Clock
    lists: tuple[str, ...]
    """What is polled of the same things: `mentions`, `messages`."""
    faults: int = 0

    def run(self, keep_going: Callable[[], bool], wait: Callable[[float], object]) -> None:
        """Until it is told to stop."""
        while keep_going():
            pause = self.once(keep_going)
            if keep_going():
                wait(pause.total_seconds())

    def once(self, keep_going: Callable[[], bool]) -> timedelta:
        """One connection, to its end; how long to pause before the next."""
        token = self.lease.take()
        if token is None:
            return ANOTHER_LISTENS
        began_at = self.clock()
        until: datetime | None = None
        try:
            self._listen(token, keep_going)
            reason = "X ended the stream"
        except RateLimited as limited:
            until, reason = limited.at, str(limited)
        except (TryLater, Misconfigured, Disconnect) as fault:
            reason = str(fault)
        if self.clock() - began_at >= A_GOOD_WHILE:
            self.faults = 0
        pause: timedelta = min(FIRST_PAUSE * 2 ** min(self.faults, 12), LONGEST_PAUSE)
        self.faults += 1
        if until is not None:
            pause = max(pause, min(until - self.clock(), timedelta(minutes=15)))
        log.warning("stream.ended", stream=self.name, reason=reason, pause_seconds=pause.total_seconds())
        return pause

    def _listen(self, token: int, keep_going: Callable[[], bool]) -> None:
        self.prepare()
        with self.open() as lines:
            log.info("stream.open", stream=self.name)
            if self.fill_gap():
                self.heard()
            noted_at = renewed_at = self.clock()
            self._alive(token)
            for line in lines:
                if not keep_going():
                    return
                if line is not None and self.pushes.line(line, token=token):
                    self.heard()
                if self.clock() - renewed_at >= RENEW_EVERY:
                    renewed_at = self.clock()
                    if self.lease.take() != token:
                        raise LeaseLost("another program listens now")
                if self.clock() - noted_at >= NOTE_ALIVE_EVERY:
                    noted_at = self.clock()
                    self._alive(token)

    def _alive(self, token: int) -> None:
        self.pushes.note_alive(self.lists, token=token)
