"""What an admin sees first, beside the figures everybody's pages know: what is halted, what alarms, what it costs, how much
is left, and the payments of the last day hour by hour. Each look-up is found by an index."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlmodel import Session, col, select

from bot.book import is_paused
from bot.store.admin_tables import AlarmRow, SwitchRow
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
    halted: Mapping[str, datetime]
    """Switches that are on, and `restored` while a restored book was not reconciled."""
    alarms: Sequence[AlarmRow]
    windows: Sequence[Window]
    bill: Bill
    hourly: Sequence[tuple[datetime, int]]
    """The hours of the last day, oldest first, with the payments made in each."""
    reviews: int
    proposals: int


def glance_of(session: Session, now: datetime) -> Glance:
    return Glance(
        halted=_halted(session, now),
        alarms=session.exec(
            select(AlarmRow).where(col(AlarmRow.cleared_at).is_(None)).order_by(col(AlarmRow.raised_at))
        ).all(),
        windows=[_window(row, now) for row in session.exec(_WINDOWS)],
        bill=bill(session, now=now, days=BILLED_DAYS),
        hourly=_hourly(session, now),
        reviews=_counted(session, "SELECT count(*) FROM reviews WHERE outcome = 'open'"),
        proposals=_counted(session, "SELECT count(*) FROM proposals WHERE state = 'open'"),
    )


_WINDOWS = select(CallWindowRow).order_by(col(CallWindowRow.call), col(CallWindowRow.window_seconds))
_HOURLY = """
SELECT closed_at / :hour, count(*) FROM intents WHERE state = 'paid' AND closed_at >= :since GROUP BY 1
"""


def _halted(session: Session, now: datetime) -> Mapping[str, datetime]:
    halted = {row.name: row.since for row in session.exec(select(SwitchRow))}
    return halted | ({"restored": now} if is_paused(session) else {})


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


def _counted(session: Session, sql: str) -> int:
    return int(session.connection().execute(text(sql)).scalar_one())
