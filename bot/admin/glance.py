"""What an admin sees first, beside the figures that other pages know too: what it costs, how much is left, what waits for
somebody, and the payments of the last day hour by hour. Each look-up is found by an index."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlmodel import Session, col, select

from bot.admin.proposals import STAYS_OPEN
from bot.book import unreconciled
from bot.store.x_tables import CallWindowRow
from bot.x.usage import Bill, bill
from ledger.clock import instant_of, microseconds_of

HOURS = 24
BILLED_DAYS = 7
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Window:
    """How often X still lets one call be made."""

    call: str
    lasts: timedelta
    allowed: int
    left: int


@dataclass(frozen=True, slots=True)
class Glance:
    restored_at: datetime | None
    """Since when a restored book waits for its reconciliation."""
    windows: Sequence[Window]
    bill: Bill
    hourly: Sequence[tuple[datetime, int]]
    """The hours of the last day, oldest first, with the payments made in each."""
    reviews: int
    proposals: int


def glance_of(session: Session, now: datetime) -> Glance:
    oldest = microseconds_of(now - STAYS_OPEN)
    return Glance(
        restored_at=restored.restored_at if (restored := unreconciled(session)) else None,
        windows=windows_of(session, now),
        bill=bill(session, now=now, days=BILLED_DAYS),
        hourly=_hourly(session, now),
        reviews=_counted(session, _REVIEWS),
        proposals=_counted(session, _PROPOSALS, oldest=oldest),
    )


def windows_of(session: Session, now: datetime) -> Sequence[Window]:
    """X's limits as last heard, all of them."""
    return [_window(row, now) for row in session.exec(_WINDOWS)]


_WINDOWS = select(CallWindowRow).order_by(col(CallWindowRow.call), col(CallWindowRow.window_seconds))
_REVIEWS = "SELECT count(*) FROM reviews WHERE outcome = 'open'"
_PROPOSALS = "SELECT count(*) FROM proposals WHERE state = 'open' AND proposed_at >= :oldest"
_HOURLY = """
SELECT closed_at / :hour, count(*) FROM intents WHERE state = 'paid' AND closed_at >= :since GROUP BY 1
"""


def _window(row: CallWindowRow, now: datetime) -> Window:
    left = row.allowed if row.ends_at <= now else max(0, row.allowed - row.used)
    return Window(row.call, timedelta(seconds=row.window_seconds), row.allowed, left)


def _hourly(session: Session, now: datetime) -> Sequence[tuple[datetime, int]]:
    this = now.replace(minute=0, second=0, microsecond=0)
    hours = [this - HOUR * back for back in range(HOURS - 1, -1, -1)]
    limits = {"hour": HOUR // timedelta(microseconds=1), "since": microseconds_of(hours[0])}
    found = session.connection().execute(text(_HOURLY), limits).all()
    counts = {instant_of(int(row[0]) * limits["hour"]): int(row[1]) for row in found}
    return [(hour, counts.get(hour, 0)) for hour in hours]


def _counted(session: Session, sql: str, **values: int) -> int:
    return int(session.connection().execute(text(sql), values).scalar_one())
