"""How often X may still be called: each limit a row, taken from in the transaction that claims a send.

X lets one account send 15 direct messages in 15 minutes and 1,440 in a day (docs.x.com fundamentals/rate-limits, read
2026-08-22); what X says in the headers of its answers counts more, and is kept across restarts. The row is locked while
it is taken from, so that two couriers cannot both take the last one. The last ones of a window are kept for questions:
a receipt can wait, a question cannot.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, text
from sqlmodel import Session, col, select

from bot.store.outbox import Priority
from bot.store.x_tables import CallWindowRow
from bot.x.gateway import Limit, Limits
from ledger.clock import Clock, microseconds_of

MINUTE = timedelta(minutes=1)
QUARTER_HOUR = timedelta(minutes=15)
DAY = timedelta(days=1)
KEPT_FOR_QUESTIONS = {QUARTER_HOUR: 5, DAY: 20}
"""One in so many of a window's messages is kept back for challenges and answers, and never none: a receipt that waits
until tomorrow has come late, a question has lapsed."""
SAME_WINDOW = timedelta(minutes=1)
"""Our own guess of when a window ends and X's word differ by the time the call took, not by more."""

SEND = "send_message"
REPLY = "reply"
LOOK_UP = "users_by_username"
Rules = Mapping[str, Mapping[timedelta, int]]


def own_rules(*, messages_per_quarter_hour: int, messages_per_day: int, replies_per_minute: int) -> Rules:
    """What holds until X says otherwise, and how quickly the bot speaks in public, which X does not say."""
    return {
        SEND: {QUARTER_HOUR: messages_per_quarter_hour, DAY: messages_per_day},
        REPLY: {MINUTE: replies_per_minute, QUARTER_HOUR: 100},
        LOOK_UP: {QUARTER_HOUR: 900},
    }


_LOCKED = (
    select(CallWindowRow)
    .where(CallWindowRow.call == bindparam("call"))
    .order_by(col(CallWindowRow.window_seconds))
    .with_for_update()
    .execution_options(populate_existing=True)
)


@dataclass(frozen=True, slots=True)
class Budget:
    rules: Rules
    clock: Clock

    def reserve(self, session: Session, call: str, priority: int) -> datetime | None:
        """Takes one call from all of its windows. None where it was taken, else when there may be one again."""
        now = self.clock()
        rows = self._locked(session, call)
        full = [
            row.ends_at for row in rows if _used(row, now) + 1 + _kept(row, priority) > max(row.allowed, 1)
        ]
        if full:
            return max(full)
        for row in rows:
            row.used = _used(row, now) + 1
            if row.ends_at <= now:  # the next window begins with this call, as X's do
                row.ends_at = now + timedelta(seconds=row.window_seconds)
            session.add(row)
        session.flush()
        return None

    def give_back(self, session: Session, call: str) -> None:
        """Nothing was sent after all."""
        for row in self._locked(session, call):
            row.used = max(0, row.used - 1)
            session.add(row)

    def learn(self, session: Session, call: str, limits: Limits) -> None:
        """Believes what X said in its last answer to this call."""
        told = {int(limit.window.total_seconds()): limit for limit in limits.get(call, ())}
        if not told:
            return
        known = {row.window_seconds: row for row in self._locked(session, call)}
        for seconds, limit in told.items():
            row = known.get(seconds) or CallWindowRow(
                call=call, window_seconds=seconds, allowed=limit.limit, used=0, ends_at=limit.resets_at
            )
            self._believe(row, limit)
            session.add(row)
        session.flush()

    def _believe(self, row: CallWindowRow, limit: Limit) -> None:
        now = self.clock()
        row.told_at, row.allowed = now, limit.limit
        if limit.resets_at <= now:
            return  # of a window that is over
        used = max(0, limit.limit - limit.remaining)
        if abs(limit.resets_at - row.ends_at) <= SAME_WINDOW:
            used = max(used, row.used)  # others may be on their way that X had not counted yet
        row.used, row.ends_at = used, limit.resets_at

    def exhaust(self, session: Session, call: str, until: datetime) -> None:
        """X said that a limit is used up: for every courier, until then."""
        row = next((row for row in self._locked(session, call) if row.window_seconds == 900), None)
        if row is not None:
            row.used, row.ends_at = max(row.used, row.allowed), max(row.ends_at, until)
            session.add(row)

    def waits(self, session: Session, call: str, *, ahead: int, free_at: datetime) -> timedelta:
        """About how long it takes until one with so many before it can go out, the next being free at `free_at`."""
        row = session.get(CallWindowRow, (call, int(QUARTER_HOUR.total_seconds())))
        windows = ahead // max(1, row.allowed if row else 1)
        return max(timedelta(), free_at - self.clock()) + windows * QUARTER_HOUR

    def windows(self, session: Session) -> list[CallWindowRow]:
        """All that is known of X's limits, for whoever looks."""
        order = (col(CallWindowRow.call), col(CallWindowRow.window_seconds))
        return list(session.exec(select(CallWindowRow).order_by(*order)))

    def _locked(self, session: Session, call: str) -> list[CallWindowRow]:
        found = list(session.exec(_LOCKED, params={"call": call}))
        if len(found) < len(self.rules.get(call, {})):
            self._begin(session, call)
            found = list(session.exec(_LOCKED, params={"call": call}))
        return found

    def _begin(self, session: Session, call: str) -> None:
        """The rows of a call's limits, where they are not there yet; another courier may be making them too."""
        for window, allowed in self.rules.get(call, {}).items():
            session.connection().execute(
                text(
                    "INSERT INTO call_windows (call, window_seconds, allowed, used, ends_at)"
                    " VALUES (:call, :seconds, :allowed, 0, :now) ON CONFLICT DO NOTHING"
                ),
                {
                    "call": call,
                    "seconds": int(window.total_seconds()),
                    "allowed": allowed,
                    "now": microseconds_of(self.clock()),
                },
            )


def _used(row: CallWindowRow, now: datetime) -> int:
    return 0 if row.ends_at <= now else row.used


def _kept(row: CallWindowRow, priority: int) -> int:
    """What must be left over; where X allows one call in all, it is anybody's."""
    one_in = KEPT_FOR_QUESTIONS.get(timedelta(seconds=row.window_seconds))
    if priority <= Priority.ANSWER or one_in is None or row.allowed <= 1:
        return 0
    return max(1, row.allowed // one_in)
