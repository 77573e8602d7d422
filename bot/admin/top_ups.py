"""Money put in by card as an admin sees it; and what was set aside, closed once a person has seen to it."""

from dataclasses import dataclass
from typing import Final

from sqlmodel import Session, col, select

from bot.admin.log import Actor, AuditLog
from bot.admin.pages import LARGEST_ID
from bot.errors import Misconfigured
from bot.ledger_views import money_text
from bot.store.card_tables import CardMovementRow, TopUpRow

STATES: Final = ("set_aside", "asked", "open", "pending", "paid", "failed")
MOVEMENT_STATES: Final = ("open", "booked")
Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class TopUpDesk:
    log: AuditLog

    def listed(
        self, session: Session, *, state: str | None, limit: int, before: int = LARGEST_ID
    ) -> list[Row]:
        """The newest first, of one state or of all, from below an id."""
        rows = select(TopUpRow).where(col(TopUpRow.id) < before)
        if state is not None:
            rows = rows.where(TopUpRow.state == state)
        return [_row(row) for row in session.exec(rows.order_by(col(TopUpRow.id).desc()).limit(limit))]

    def movements(
        self, session: Session, *, state: str | None, limit: int, before: int = LARGEST_ID
    ) -> list[Row]:
        """What changed what the processor holds, the newest first; of one state or of both."""
        rows = select(CardMovementRow).where(col(CardMovementRow.id) < before)
        if state is not None:
            rows = rows.where(CardMovementRow.state == state)
        newest = rows.order_by(col(CardMovementRow.id).desc()).limit(limit)
        return [_movement(row) for row in session.exec(newest)]

    def close(self, session: Session, actor: Actor, reference: str, *, reason: str) -> None:
        """What was set aside is seen to: whoever was charged has it back. No money moves here. Raises `Misconfigured`."""
        row = session.exec(
            select(TopUpRow).where(TopUpRow.reference == reference.upper()).with_for_update()
        ).first()
        if row is None:
            raise Misconfigured(reference, "is no top-up.", example="a reference of `smoney top-up list`")
        if row.state != "set_aside":
            raise Misconfigured(
                row.reference, f"is {row.state}; only what was set aside is closed.", example="one that is"
            )
        facts: dict[str, str | int] = {"payment": row.payment_id or "", "amount_minor": row.amount_minor}
        self.log.record(session, actor, "top_up.close", f"top-up {row.reference}", reason=reason, facts=facts)
        row.state = "failed"
        session.add(row)


def _movement(row: CardMovementRow) -> Row:
    return {
        "id": row.id,
        "movement": row.movement_id,
        "kind": row.kind,
        "state": row.state,
        "amount": money_text(row.amount_minor, row.currency),
        "fee": money_text(row.fee_minor, row.currency),
        "payment": row.payment_id,
        "at": row.happened_at.isoformat(),
        "transfer": row.transfer_id or "",
    }


def _row(row: TopUpRow) -> Row:
    return {
        "id": row.id,
        "reference": row.reference,
        "state": row.state,
        "amount": money_text(row.amount_minor, row.currency),
        "fee": "" if row.fee_minor is None else money_text(row.fee_minor, row.currency),
        "person": row.person_id,
        "asked_at": row.asked_at.isoformat(),
        "payment": row.payment_id or "",
        "reason": row.reason or "",
    }
