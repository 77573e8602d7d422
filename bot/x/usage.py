"""What X costs: the bot's own record of its calls, day by day, with X's prices beside it.

Nothing is asked of X for this. Amounts of dollars are whole millionths; they are an operator's costs and never money of
the book.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import func, text
from sqlmodel import Session, col, select

from bot.store.tables import IntentRow
from bot.store.x_tables import CallCountRow
from bot.x.counted import CountedGateway, Counts
from bot.x.prices import MICRODOLLARS
from ledger.clock import Clock
from ledger.database import Database

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class DayOfCalls:
    """One call on one UTC day."""

    day: date
    call: str
    calls: int
    charged: int

    @property
    def microdollars(self) -> int:
        return self.charged * MICRODOLLARS.get(self.call, 0)


@dataclass(frozen=True, slots=True)
class CallTotal:
    """One call, since the beginning of the book."""

    call: str
    calls: int
    microdollars: int


@dataclass(frozen=True, slots=True)
class Bill:
    """What was asked of X over some days, and the payments it was for."""

    lines: Sequence[DayOfCalls]
    payments: int

    @property
    def calls(self) -> int:
        return sum(line.calls for line in self.lines)

    @property
    def microdollars(self) -> int:
        return sum(line.microdollars for line in self.lines)

    @property
    def microdollars_per_payment(self) -> int | None:
        return None if not self.payments else self.microdollars // self.payments

    @property
    def calls_by_name(self) -> Mapping[str, int]:
        names = sorted({line.call for line in self.lines})
        return {name: sum(line.calls for line in self.lines if line.call == name) for name in names}


@dataclass(frozen=True, slots=True)
class Usage:
    database: Database
    gateway: CountedGateway
    clock: Clock

    def note(self) -> None:
        """Writes down what was counted since the last time."""
        counts = self.gateway.take()
        if not counts.calls and not counts.charged:
            return
        try:
            self.database.write(lambda session: _add(session, counts))
        except BaseException:
            self.gateway.put_back(counts)
            raise


def bill(session: Session, *, now: datetime, days: int) -> Bill:
    """Today and the days before it, `days` in all."""
    first = now.date() - timedelta(days=days - 1)
    rows = select(CallCountRow).where(col(CallCountRow.day) >= first.isoformat())
    lines = [
        DayOfCalls(date.fromisoformat(row.day), row.call, row.calls, row.charged)
        for row in session.exec(rows.order_by(col(CallCountRow.day), col(CallCountRow.call)))
    ]
    since = datetime.combine(first, time(), UTC)
    paid = select(func.count()).select_from(IntentRow).where(IntentRow.state == "paid")
    return Bill(lines, session.exec(paid.where(col(IntentRow.closed_at) >= since)).one())


def totals(session: Session) -> list[CallTotal]:
    """All that was asked of X since the beginning of the book, by the name of the call."""
    rows = select(CallCountRow.call, func.sum(CallCountRow.calls), func.sum(CallCountRow.charged))
    found = session.exec(rows.group_by(col(CallCountRow.call)).order_by(col(CallCountRow.call)))
    return [
        CallTotal(call, int(calls), int(charged) * MICRODOLLARS.get(call, 0))
        for call, calls, charged in found
    ]


def dollars(microdollars: int) -> str:
    """As 0.056: cut, not rounded, to a tenth of a cent."""
    return f"{microdollars // MILLION}.{microdollars % MILLION // 1000:03d}"


def _add(session: Session, counts: Counts) -> None:
    for day, call in sorted(counts.calls.keys() | counts.charged.keys()):
        session.connection().execute(
            text(
                "INSERT INTO call_counts (day, call, calls, charged) VALUES (:day, :call, :calls, :charged)"
                " ON CONFLICT (day, call) DO UPDATE SET calls = call_counts.calls + excluded.calls,"
                " charged = call_counts.charged + excluded.charged"
            ),
            {
                "day": day.isoformat(),
                "call": call,
                "calls": counts.calls[day, call],
                "charged": counts.charged[day, call],
            },
        )
