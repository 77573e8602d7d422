"""The two queues as an admin sees them, and what may be done to a row: try it again, or give it up with a reason.

A row that is being sent, or whose fate at X is unknown, is left alone: it is being looked for, and a second send could
say something twice. What is given up stays in its table with the reason.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, func
from sqlmodel import Session, col, select

from bot.admin.log import Actor, AuditLog
from bot.admin.pages import LARGEST_ID, LONG
from bot.errors import Misconfigured, UnreadableRow
from bot.language.catalogue import Label, Line, Value
from bot.store.outbox import Outbox
from bot.store.tables import InboxRow, OutboxRow
from bot.store.vault import Vault
from ledger.clock import Clock

UNSETTLED = ("waiting", "sending", "unknown")
"""States with an index that is not by id, and in whose predicate they stand like this."""
FAR: Final = 50_000
"""So many rows are looked through at most for a state no index finds and few rows are in."""
GIVEN_UP = "given up by an admin"
Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Far:
    rows: list[Row]
    older: int | None
    """Below which id to look further; None where all were looked through."""
    is_cut: bool
    """Whether there may be more that simply were not looked at."""


@dataclass(frozen=True, slots=True)
class Queues:
    vault: Vault
    outbox: Outbox
    log: AuditLog
    clock: Clock

    # What arrived

    def inbox(
        self, session: Session, *, state: str | None, limit: int, before: int = LARGEST_ID
    ) -> list[Row]:
        """The newest rows first, of one state or of all, from below an id; never their texts."""
        return [_inbox_row(row) for row in self._newest(session, InboxRow, state, limit, before)]

    def inbox_row(self, session: Session, row_id: int) -> Row:
        """One row with what it holds. Raises `Misconfigured` where there is none."""
        row = self._found(session, InboxRow, row_id)
        return _inbox_row(row) | {
            "urgent": row.urgent,
            "chain_id": row.chain_id,
            "content": self._content(row),
        }

    def _content(self, row: InboxRow) -> str:
        if row.payload_sealed is None:
            return "(wiped)"
        try:
            return self.vault.open(row.payload_sealed, table="inbox", row_id=row.id, column="payload")
        except UnreadableRow as error:
            return f"({error})"

    def retry_inbox(self, session: Session, actor: Actor, row_id: int, *, reason: str) -> None:
        """A row that was set aside is worked again, by the daemon, in its person's order."""
        row = self._aside(session, row_id)
        if row.payload_sealed is None:
            raise _cannot(f"row {row_id} has nothing left to work: its text was wiped")
        self.log.record(session, actor, "inbox.retry", f"inbox {row_id}", reason=reason, facts=_was(row))
        row.state, row.reason, row.finished_at = "waiting", None, None
        session.add(row)

    def drop_inbox(self, session: Session, actor: Actor, row_id: int, *, reason: str) -> None:
        """A row that was set aside is given up: nothing will come of it."""
        row = self._aside(session, row_id)
        self.log.record(session, actor, "inbox.drop", f"inbox {row_id}", reason=reason, facts=_was(row))
        row.state, row.reason, row.finished_at = "done", GIVEN_UP, self.clock()
        session.add(row)

    def _aside(self, session: Session, row_id: int) -> InboxRow:
        row: InboxRow = self._found(session, InboxRow, row_id, to_change=True)
        if row.state != "set_aside":
            raise _cannot(f"row {row_id} is {row.state}; only what was set aside is retried or dropped")
        return row

    # What is to be said

    def outbox_rows(
        self, session: Session, *, state: str | None, limit: int, before: int = LARGEST_ID
    ) -> list[Row]:
        return [_outbox_row(row) for row in self._newest(session, OutboxRow, state, limit, before)]

    def outbox_far(self, session: Session, state: str, *, before: int, far: int = FAR) -> Far:
        """As many rows of one state as a page shows, of the `far` newest ones from below an id, and where to look further."""
        below = select(OutboxRow.id).where(col(OutboxRow.id) < before).order_by(col(OutboxRow.id).desc())
        end = session.exec(below.offset(far - 1).limit(1)).first()
        rows = select(OutboxRow).where(
            col(OutboxRow.id) < before, col(OutboxRow.id) >= (end or -LARGEST_ID), OutboxRow.state == state
        )
        found = session.exec(rows.order_by(col(OutboxRow.id).desc()).limit(LONG + 1)).all()
        older = found[LONG - 1].id if len(found) > LONG else end
        return Far([_outbox_row(row) for row in found[:LONG]], older, end is not None and len(found) <= LONG)

    @staticmethod
    def _newest(
        session: Session, table: "type[Any]", state: str | None, limit: int, before: int
    ) -> "Iterable[Any]":
        """Where few rows are in a state, those are read by the index over them and sorted: its words stand in the statement
        for that, and a sum hides from the engine that the whole table could be read in the order of ids instead."""
        key = table.id + 0 if state in UNSETTLED else col(table.id)
        rows = select(table).where(key < before).order_by(key.desc()).limit(limit)
        if state is not None:
            rows = rows.where(table.state == bindparam("state", state, literal_execute=True))
        if state in UNSETTLED:
            those: list[Any] = [bindparam(each, each, literal_execute=True) for each in UNSETTLED]
            rows = rows.where(col(table.state).in_(those))
        return session.exec(rows)

    def outbox_row(self, session: Session, row_id: int) -> Row:
        """One row with its parameters; a challenge's code is in none of them."""
        row = self._found(session, OutboxRow, row_id)
        return _outbox_row(row) | {
            "language": row.language,
            "first_attempted_at": _iso(row.first_attempted_at),
            "sent_id": row.sent_id,
            "reply_to": row.reply_to,
            "parameters": self._parameters(row),
        }

    def _parameters(self, row: OutboxRow) -> dict[str, Any] | str:
        try:
            return {name: _shown(value) for name, value in self.outbox.parameters(row).items()}
        except UnreadableRow as error:
            return f"({error})"

    def retry_outbox(self, session: Session, actor: Actor, row_id: int, *, reason: str) -> None:
        """What X refused, or what was dropped, is tried again. A question that is asked no more is dropped again."""
        row = self._found(session, OutboxRow, row_id, to_change=True)
        if row.state not in {"failed", "dropped"}:
            raise _cannot(f"row {row_id} is {row.state}; only what failed or was dropped is tried again")
        if row.parameters_sealed is None:
            raise _cannot(f"row {row_id} has nothing left to say: it was wiped")
        self.log.record(session, actor, "outbox.retry", f"outbox {row_id}", reason=reason, facts=_was(row))
        row.state, row.reason, row.finished_at, row.attempts = "waiting", None, None, 0
        row.due_at = min(row.due_at, self.clock())
        session.add(row)

    def drop_outbox(self, session: Session, actor: Actor, row_id: int, *, reason: str) -> None:
        """What still waits is not said."""
        row = self._found(session, OutboxRow, row_id, to_change=True)
        if row.state != "waiting":
            raise _cannot(f"row {row_id} is {row.state}; only what waits is dropped")
        self.log.record(session, actor, "outbox.drop", f"outbox {row_id}", reason=reason, facts=_was(row))
        row.state, row.reason, row.finished_at = "dropped", GIVEN_UP, self.clock()
        self.outbox.release(session, row)
        session.add(row)

    @staticmethod
    def _found(session: Session, table: "type[Any]", row_id: int, *, to_change: bool = False) -> Any:
        rows = select(table).where(table.id == row_id)
        row = session.exec(rows.with_for_update() if to_change else rows).first()
        if row is None:
            raise Misconfigured(str(row_id), "is no row of this queue.", example="an id from its `list`")
        return row

    def counts(self, session: Session) -> dict[str, dict[str, int]]:
        """How many rows each queue has in each state."""
        found: dict[str, dict[str, int]] = {}
        for name, table in (("inbox", InboxRow), ("outbox", OutboxRow)):
            rows = session.exec(select(table.state, func.count()).group_by(col(table.state)))
            found[name] = {str(state): int(number) for state, number in rows}
        return found


def _inbox_row(row: InboxRow) -> Row:
    return {
        "id": row.id,
        "kind": row.kind,
        "x_id": row.x_id,
        "person": row.person_id,
        "state": row.state,
        "said_at": _iso(row.said_at),
        "received_at": _iso(row.received_at),
        "reason": row.reason or "",
    }


def _outbox_row(row: OutboxRow) -> Row:
    return {
        "id": row.id,
        "kind": row.kind,
        "person": row.person_id,
        "phrase": row.phrase,
        "state": row.state,
        "attempts": row.attempts,
        "created_at": _iso(row.created_at),
        "due_at": _iso(row.due_at),
        "reason": row.reason or "",
    }


def _was(row: InboxRow | OutboxRow) -> dict[str, str | int]:
    return {"state": row.state, "person": row.person_id}


def _shown(value: Value | object) -> str | int | bool | None:
    if isinstance(value, tuple | list):
        return "; ".join(str(_shown(each)) for each in value)
    if isinstance(value, Line):
        return f"{value.amount} to {_shown(value.person)}"
    if isinstance(value, Label):
        return f"@{value.username} ({value.name})" if value.name else f"@{value.username}"
    return value if value is None or isinstance(value, bool | int) else str(value)


def _iso(moment: datetime | None) -> str:
    return moment.isoformat(timespec="seconds") if moment else ""


def _cannot(what: str) -> Misconfigured:
    return Misconfigured("this row", f"{what}.", example="`smoney inbox list --state set_aside`")
