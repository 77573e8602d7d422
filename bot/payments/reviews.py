"""Payments that somebody of the operator's looks at before they go through.

What makes one suspicious is told from our own rows. Such a payment is authorised by its payer and set aside, so that it
counts as spent, but reaches nobody until it is released; refused, or not looked at in time, it goes back. The payer is
told each time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import bindparam, func
from sqlmodel import Session, col, select

from bot.errors import Refusal
from bot.language.catalogue import Parameters
from bot.payments.claims import Claims
from bot.payments.halts import check_may_move
from bot.payments.intents import LineState
from bot.payments.records import Records
from bot.payments.rules import Rules
from bot.people.people import People
from bot.store.columns import literally
from bot.store.guard_tables import ReviewRow
from bot.store.outbox import Outbox, Priority
from bot.store.tables import IntentLineRow, IntentRow, OutboxRow, PersonRow
from bot.x.gateway import UserId
from ledger.clock import Clock, IdSource

DAY = timedelta(days=1)
REFUSALS = (
    "over_payment_limit", "over_day_limit", "over_month_limit", "too_many_payments", "insufficient_funds",
    "too_many_open", "answer_locked", "answer_barred",
)  # fmt: skip
"""What somebody hears who tries how far they can go."""


class Alarm(StrEnum):
    NEW_PAYEES = "new_payees"
    REFUSALS = "refusals"
    REISSUED_HANDLE = "reissued_handle"
    CHANGED_HANDLE = "changed_handle"


class NotUnderReview(Refusal):
    """It was decided already, or taken back by its payer."""

    phrase = "reference_unknown"


_LATE = select(ReviewRow).where(
    literally(ReviewRow.outcome, "open"), col(ReviewRow.opened_at) < bindparam("opened_before")
)


@dataclass(frozen=True, slots=True)
class Reviews:
    records: Records
    claims: Claims
    people: People
    outbox: Outbox
    rules: Rules
    clock: Clock
    ids: IdSource

    def alarms(self, session: Session, payer: PersonRow, intent: IntentRow) -> tuple[Alarm, ...]:
        """What speaks for a look at this payment; most have nothing. Called before it is posted."""
        review, lines = self.rules.review, self.records.lines(session, intent)
        raised = {
            Alarm.NEW_PAYEES: 0 < review.new_payees <= self._new_payees(session, payer, lines),
            Alarm.REFUSALS: 0 < review.refusals <= self._refusals(session, payer),
            Alarm.REISSUED_HANDLE: review.reissued_handles
            and any(self._is_reissued(session, payer, line) for line in lines),
            Alarm.CHANGED_HANDLE: review.changed_handles
            and any(self._is_first_since_change(session, payer, line) for line in lines),
        }
        return tuple(alarm for alarm, is_raised in raised.items() if is_raised)

    def _new_payees(self, session: Session, payer: PersonRow, lines: Sequence[IntentLineRow]) -> int:
        """Accounts this payer pays for the first time, in the last 24 hours and with this payment."""
        first = (
            select(IntentLineRow.payee_id)
            .join(IntentRow, col(IntentRow.id) == col(IntentLineRow.intent_id))
            .where(IntentRow.payer_id == payer.user_id, col(IntentLineRow.transfer_id).is_not(None))
            .group_by(col(IntentLineRow.payee_id))
            .having(func.min(IntentRow.closed_at) > self.clock() - DAY)
        )
        lately = set(session.exec(first))
        now = {
            line.payee_id
            for line in lines
            if not self.records.has_paid(session, payer.user_id, line.payee_id)
        }
        return len(lately | now) if now else 0

    def _refusals(self, session: Session, payer: PersonRow) -> int:
        said = select(func.count()).where(
            col(OutboxRow.person_id) == payer.user_id,
            col(OutboxRow.phrase).in_(REFUSALS),
            col(OutboxRow.created_at) > self.clock() - DAY,
        )
        return session.exec(said).one()

    def _is_reissued(self, session: Session, payer: PersonRow, line: IntentLineRow) -> bool:
        is_first = not self.records.has_paid(session, payer.user_id, line.payee_id)
        return is_first and self.records.has_paid_another(session, payer.user_id, line)

    def _is_first_since_change(self, session: Session, payer: PersonRow, line: IntentLineRow) -> bool:
        """The payee's handle changed not long ago, and this payer has not paid them since: an account that was sold or
        taken begins like this."""
        payee = self.people.get(session, UserId(line.payee_id))
        since = self.clock() - self.rules.handle_changes_told
        change = self.people.former_handles.newest(session, payee, since=since)
        if change is None:
            return False
        paid_at = self.records.last_paid(session, payer.user_id, line.payee_id)
        return paid_at is None or paid_at < change[1]

    def open(self, session: Session, payer: PersonRow, intent: IntentRow, alarms: Sequence[Alarm]) -> None:
        session.add(
            ReviewRow(id=self.ids(), intent_id=intent.id, alarms=",".join(alarms), opened_at=self.clock())
        )
        session.flush()
        facts: Parameters = {
            "reference": intent.reference,
            "total": self.records.total(intent),
            "lines": self.records.told_lines(session, intent),
        }
        self.outbox.tell(session, payer, "payment_in_review", facts)

    def waiting(self, session: Session) -> Sequence[ReviewRow]:
        """What is to be looked at, oldest first; not what its payer has taken back meanwhile."""
        rows = (
            select(ReviewRow)
            .where(literally(ReviewRow.outcome, "open"))
            .order_by(col(ReviewRow.opened_at), col(ReviewRow.intent_id))
        )
        return [
            review
            for review in session.exec(rows)
            if self._lines(session, session.get_one(IntentRow, review.intent_id))
        ]

    def release(self, session: Session, reference: str) -> None:
        """Lets it through: to members at once, to others as held money. Raises `NotUnderReview`, `PaymentsPaused`. Whoever calls this
        writes down who did it and why, in the same transaction."""
        review, intent = self._taken(session, reference)
        for line in self._lines(session, intent):
            self.claims.let_through(session, line, intent)
        self._close(session, review, "released")
        payer = self.people.get(session, UserId(intent.payer_id))
        facts: Parameters = {"reference": reference, "total": self.records.total(intent)}
        self.outbox.tell(session, payer, "payment_released", facts, priority=Priority.RECEIPT)

    def refuse(self, session: Session, reference: str) -> None:
        """Gives it back. As `release`."""
        review, intent = self._taken(session, reference)
        self._give_back(session, review, intent, "refused")

    def expire(self, session: Session) -> None:
        """For the sweep: what nobody looked at in time goes back."""
        opened_before = self.clock() - self.rules.review.lasts
        for review in list(session.exec(_LATE, params={"opened_before": opened_before})):
            intent = session.get_one(IntentRow, review.intent_id)
            self.people.lock(session, [UserId(intent.payer_id)])
            session.refresh(review)
            if review.outcome == "open":
                self._give_back(session, review, intent, "expired")

    def _taken(self, session: Session, reference: str) -> tuple[ReviewRow, IntentRow]:
        check_may_move(session)
        intent = self.records.by_reference(session, reference)
        if intent is None:
            raise NotUnderReview(reference=reference)
        self.people.lock(session, [UserId(intent.payer_id)])
        rows = select(ReviewRow).where(ReviewRow.intent_id == intent.id, ReviewRow.outcome == "open")
        review = session.exec(rows.execution_options(populate_existing=True)).first()
        if review is None or not self._lines(session, intent):
            raise NotUnderReview(reference=reference)
        return review, intent

    def _lines(self, session: Session, intent: IntentRow) -> list[IntentLineRow]:
        """What the payer has not taken back meanwhile."""
        lines = self.records.lines(session, intent)
        return [line for line in lines if line.state == LineState.REVIEW]

    def _give_back(self, session: Session, review: ReviewRow, intent: IntentRow, outcome: str) -> None:
        lines = self._lines(session, intent)
        for line in lines:
            self.claims.refuse(session, line)
        self._close(session, review, outcome if lines else "cancelled")
        if lines:
            payer = self.people.get(session, UserId(intent.payer_id))
            facts: Parameters = {"reference": intent.reference, "total": self.records.total(intent)}
            self.outbox.tell(session, payer, "payment_refused", facts, priority=Priority.RECEIPT)

    def _close(self, session: Session, review: ReviewRow, outcome: str) -> None:
        review.outcome = outcome
        review.closed_at = self.clock()
        session.add(review)
        session.flush()
