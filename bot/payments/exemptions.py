"""When a payment needs no code: every payee is one the payer trusts, or it is small and few were before it.

Off unless the operator turns it on. What is exempt is written down as the payment's authorisation, and its receipt
says so. Follows the idea of RTS (EU) 2018/389 art. 13 and 16: trusting a payee takes a full confirmation, and since
the last full one either the sum or the number of small payments is bounded, whichever the operator chose.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from bot.payments.authorisations import Cause
from bot.payments.records import Records
from bot.payments.rules import LowValue, Rules
from bot.people.factor_states import Outcome, Tried
from bot.people.people import People
from bot.people.second_factor import SecondFactors
from bot.store.guard_tables import TrustedPayeeRow
from bot.store.tables import AuthorisationRow, IntentRow, PersonRow
from bot.x.gateway import UserId
from ledger.clock import Clock, IdSource

FULL = (Cause.ANSWER, Cause.PAGE)
"""What counts as the payer's full confirmation."""


@dataclass(frozen=True, slots=True)
class Exemptions:
    records: Records
    rules: Rules

    def cause(self, session: Session, payer: PersonRow, intent: IntentRow) -> Cause | None:
        """Why this payment needs no code; None where it does. Whoever asks holds the payer."""
        if self.rules.trusted_payees and self._all_trusted(session, payer, intent):
            return Cause.TRUSTED
        if self.rules.low_value is not None and self._is_low(session, payer, intent, self.rules.low_value):
            return Cause.LOW_VALUE
        return None

    def _all_trusted(self, session: Session, payer: PersonRow, intent: IntentRow) -> bool:
        wanted = {line.payee_id for line in self.records.lines(session, intent)}
        trusted = select(TrustedPayeeRow.payee_id).where(TrustedPayeeRow.payer_id == payer.user_id)
        return wanted <= set(session.exec(trusted))

    def _is_low(self, session: Session, payer: PersonRow, intent: IntentRow, low: LowValue) -> bool:
        if intent.total_minor > low.most_minor:
            return False
        last_full = self._last_full(session, payer)
        if last_full is None:
            return False
        sum_minor, payments = self._since(session, payer, last_full)
        if low.sum_minor is not None and sum_minor + intent.total_minor > low.sum_minor:
            return False
        return low.payments is None or payments < low.payments

    def _last_full(self, session: Session, payer: PersonRow) -> int | None:
        """The id of the payer's last full confirmation: ids grow with time."""
        newest = select(func.max(AuthorisationRow.id)).where(
            AuthorisationRow.person_id == payer.user_id, col(AuthorisationRow.kind).in_(FULL)
        )
        return session.exec(newest).one()

    def _since(self, session: Session, payer: PersonRow, last_full: int) -> tuple[int, int]:
        """Sum (minor units) and number of the payments made as small ones since."""
        rows = (
            select(func.coalesce(func.sum(IntentRow.total_minor), 0), func.count())
            .join(AuthorisationRow, col(AuthorisationRow.id) == col(IntentRow.authorisation_id))
            .where(AuthorisationRow.person_id == payer.user_id, AuthorisationRow.kind == Cause.LOW_VALUE)
            .where(col(AuthorisationRow.id) > last_full)
        )
        sum_minor, payments = session.exec(rows).one()
        return int(sum_minor), int(payments)


@dataclass(frozen=True, slots=True)
class TrustedPayees:
    """The list itself. Adding takes a code of an active second factor; taking somebody off takes nothing."""

    people: People
    factors: SecondFactors
    clock: Clock
    ids: IdSource

    def add(self, session: Session, payer: PersonRow, payee_id: UserId, *, code: str) -> Tried:
        """Commit whatever comes of it: a wrong code is counted."""
        self.people.lock(session, [UserId(payer.user_id)])
        if payee_id == payer.user_id or not self.factors.standing(session, payer).active:
            return Tried(Outcome.NOTHING)
        tried = self.factors.check(session, payer, code)
        if tried.accepted and payee_id not in self.of(session, payer):
            self.people.ensure(session, payee_id)
            row = TrustedPayeeRow(
                id=self.ids(), payer_id=payer.user_id, payee_id=payee_id, trusted_at=self.clock()
            )
            session.add(row)
            session.flush()
        return tried

    def remove(self, session: Session, payer: PersonRow, payee_id: UserId) -> None:
        for row in session.exec(self._rows(payer).where(TrustedPayeeRow.payee_id == payee_id)):
            session.delete(row)
        session.flush()

    def of(self, session: Session, payer: PersonRow) -> Sequence[UserId]:
        return [UserId(row.payee_id) for row in session.exec(self._rows(payer))]

    def _rows(self, payer: PersonRow) -> SelectOfScalar[TrustedPayeeRow]:
        return select(TrustedPayeeRow).where(TrustedPayeeRow.payer_id == payer.user_id)
