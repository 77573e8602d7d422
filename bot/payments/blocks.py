"""Whom people want nothing to do with: neither side of a block pays the other.

The one who blocked is told so, and how to take it back; the other hears that this person cannot be paid, in the words
that are used for any other reason too, so that a block is not found out by trying.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import and_, bindparam, or_
from sqlmodel import Session, col, select

from bot.errors import Refusal
from bot.payments.posting import PayeeUnavailable
from bot.people.people import People
from bot.store.control_tables import BlockRow
from bot.store.tables import PersonRow
from bot.x.gateway import UserId
from ledger.clock import Clock, IdSource

_BETWEEN = select(BlockRow).where(
    or_(
        and_(
            col(BlockRow.person_id) == bindparam("payer"),
            col(BlockRow.blocked_id).in_(bindparam("payees", expanding=True)),
        ),
        and_(
            col(BlockRow.blocked_id) == bindparam("payer"),
            col(BlockRow.person_id).in_(bindparam("payees", expanding=True)),
        ),
    )
)


class PayeeBlocked(Refusal):
    """The payer's own block stands between them and this payee."""

    phrase = "payee_blocked"


@dataclass(frozen=True, slots=True)
class Blocks:
    people: People
    clock: Clock
    ids: IdSource

    def block(self, session: Session, person: PersonRow, other_id: UserId) -> None:
        """However often it is said."""
        if other_id in self.of(session, person):
            return
        self.people.ensure(session, other_id)
        session.add(
            BlockRow(id=self.ids(), person_id=person.user_id, blocked_id=other_id, blocked_at=self.clock())
        )
        session.flush()

    def unblock(self, session: Session, person: PersonRow, other_id: UserId) -> None:
        rows = select(BlockRow).where(
            BlockRow.person_id == person.user_id, col(BlockRow.blocked_id) == other_id
        )
        for row in session.exec(rows):
            session.delete(row)
        session.flush()

    def of(self, session: Session, person: PersonRow) -> Sequence[UserId]:
        """Whom this person blocks, the first first."""
        rows = select(BlockRow.blocked_id).where(BlockRow.person_id == person.user_id)
        return [UserId(blocked) for blocked in session.exec(rows.order_by(col(BlockRow.id)))]

    def check(self, session: Session, payer: PersonRow, payee_ids: Iterable[int]) -> None:
        """Raises `PayeeBlocked` where the payer blocks a payee, `PayeeUnavailable` where a payee blocks the payer."""
        asked = {"payer": payer.user_id, "payees": sorted(set(payee_ids))}
        for block in session.exec(_BETWEEN, params=asked):
            own = block.person_id == payer.user_id
            payee = self.people.get(session, UserId(block.blocked_id if own else block.person_id))
            label = self.people.shown(payee)
            raise PayeeBlocked(payee=label) if own else PayeeUnavailable(payee=label)
