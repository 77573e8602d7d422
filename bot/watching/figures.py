"""What is to be known of the bot at a glance, read from the database in one snapshot.

Every look-up here is answered by an index: whoever asks must stay quick with millions of payments.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlmodel import Session

from bot.store.switches import Switch, those_on
from bot.watching.alarms import OpenAlarm, open_alarms
from bot.x.budget import SEND, Budget
from bot.x.usage import CallTotal, totals
from ledger.clock import instant_of, microseconds_of

READS_ARE_LATE_AFTER = timedelta(minutes=10)
WORK_IS_LATE_AFTER = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Queue:
    """Rows by state, of the states that still want something; and since when the oldest could have been dealt with."""

    rows: Mapping[str, int]
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class LastSeal:
    number: int
    root: str
    at: datetime
    transfers: int


@dataclass(frozen=True, slots=True)
class Figures:
    at: datetime
    inbox: Queue
    outbox: Queue
    reads: Mapping[str, datetime]
    """When each list of X was last read to its end, or a stream of the same was open."""
    last_payment: datetime | None
    seal: LastSeal | None
    messages_left: Mapping[timedelta, int]
    """Direct messages X still lets the bot send, by window."""
    usage: Sequence[CallTotal]
    alarms: Sequence[OpenAlarm]
    halted: Mapping[Switch, datetime]
    """What somebody has paused, or closes, and since when."""

    @property
    def listens(self) -> bool:
        return bool(self.reads) and self.at - min(self.reads.values()) < READS_ARE_LATE_AFTER

    @property
    def works(self) -> bool:
        return self.inbox.oldest is None or self.at - self.inbox.oldest < WORK_IS_LATE_AFTER

    @property
    def is_well(self) -> bool:
        return self.listens and self.works


def figures_of(session: Session, budget: Budget, now: datetime) -> Figures:
    return Figures(
        at=now,
        inbox=_queue(session, _INBOX, now),
        outbox=_queue(session, _OUTBOX, now),
        reads={row[0]: instant_of(row[1]) for row in session.connection().execute(text(_READS))},
        last_payment=_instant(session, _LAST_PAYMENT),
        seal=_last_seal(session),
        messages_left=_messages_left(session, budget, now),
        usage=totals(session),
        alarms=open_alarms(session),
        halted=those_on(session),
    )


def _messages_left(session: Session, budget: Budget, now: datetime) -> Mapping[timedelta, int]:
    return {
        timedelta(seconds=row.window_seconds): row.allowed
        if row.ends_at <= now
        else max(0, row.allowed - row.used)
        for row in budget.windows(session)
        if row.call == SEND
    }


def _queue(session: Session, sql: str, now: datetime) -> Queue:
    rows = session.connection().execute(text(sql), {"now": microseconds_of(now)}).all()
    oldest = [row[2] for row in rows if row[2] is not None]
    return Queue({row[0]: int(row[1]) for row in rows}, instant_of(min(oldest)) if oldest else None)


def _instant(session: Session, sql: str) -> datetime | None:
    found = session.connection().execute(text(sql)).scalar()
    return None if found is None else instant_of(int(found))


def _last_seal(session: Session) -> LastSeal | None:
    row = session.connection().execute(text(_SEAL)).first()
    return None if row is None else LastSeal(row[0], row[1], instant_of(row[2]), row[3])


_INBOX = """
SELECT 'waiting', count(*), min(received_at) FROM inbox WHERE state = 'waiting'
UNION ALL SELECT 'set_aside', count(*), NULL FROM inbox WHERE state = 'set_aside'
"""
_OUTBOX = """
SELECT state, count(*), min(CASE WHEN due_at <= :now THEN due_at END)
FROM outbox WHERE state IN ('waiting', 'sending', 'unknown') GROUP BY state
UNION ALL SELECT 'failed', count(*), NULL FROM outbox WHERE state = 'failed'
"""
_READS = """
SELECT CASE WHEN name LIKE 'mentions%' THEN 'mentions' ELSE 'messages' END, max(read_at) FROM cursors
WHERE name IN ('mentions', 'messages', 'mentions.push', 'messages.push') GROUP BY 1 ORDER BY 1
"""
_LAST_PAYMENT = """
SELECT closed_at FROM intents WHERE state = 'paid' AND closed_at IS NOT NULL ORDER BY closed_at DESC LIMIT 1
"""
_SEAL = "SELECT number, root, sealed_at, transfers FROM ledger_seal ORDER BY number DESC LIMIT 1"
