"""Moves the money of one answered intent: all lines in one journal, each posted, or pending where its payee has not
enrolled, its payer can still undo it, or somebody is to look at it first. The authorisation is written in the same transaction and names exactly these transfers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import Session

from bot.errors import Refusal
from bot.language.catalogue import Label
from bot.payments.authorisations import Authorisations, Cause
from bot.payments.intents import IntentState, LineState
from bot.payments.records import Records
from bot.payments.rules import Rules
from bot.payments.spending import Spending
from bot.payments.wallets import Wallets
from bot.people.people import People, Standing
from bot.store.tables import IntentLineRow, IntentRow, PersonRow
from bot.x.gateway import UserId
from ledger import errors as ledger_errors
from ledger.book import Ledger
from ledger.clock import Clock
from ledger.transfers import NewTransfer, Transfer

PAYMENT = "payment"


class InsufficientMoney(Refusal):
    phrase = "insufficient_funds"


class PayeeUnavailable(Refusal):
    phrase = "payee_unavailable"


@dataclass(frozen=True, slots=True)
class Posting:
    ledger: Ledger
    wallets: Wallets
    people: People
    records: Records
    authorisations: Authorisations
    spending: Spending
    rules: Rules
    clock: Clock

    def post(
        self,
        session: Session,
        payer: PersonRow,
        intent: IntentRow,
        *,
        cause: Cause,
        evidence: int,
        for_review: bool = False,
    ) -> None:
        """Raises `InsufficientMoney` or `PayeeUnavailable`; then nothing has moved."""
        lines = self.records.lines(session, intent)
        payees = self.people.lock(session, [UserId(line.payee_id) for line in lines])
        states = [self._state(payees[UserId(line.payee_id)], for_review=for_review) for line in lines]
        authorisation_id = self.authorisations.begin()
        planned = [
            self._transfer(
                session, payer, intent, line, payees[UserId(line.payee_id)], authorisation_id, state
            )
            for line, state in zip(lines, states, strict=True)
        ]
        transfers = self._journal(session, intent, planned)
        self.authorisations.grant(
            session,
            authorisation_id,
            transfers,
            cause=cause,
            evidence=evidence,
            person_id=payer.user_id,
            intent_id=intent.id,
            version=intent.version,
        )
        for line, state, transfer in zip(lines, states, transfers, strict=True):
            line.transfer_id = transfer.id
            line.state = state
            line.due_at = transfer.due_at
            session.add(line)
        intent.journal_id = transfers[0].journal_id
        intent.authorisation_id = authorisation_id
        self.records.close(session, intent, IntentState.PAID)

    def _state(self, payee: PersonRow, *, for_review: bool) -> LineState:
        if for_review:
            return LineState.REVIEW
        if payee.standing != Standing.ENROLLED:
            return LineState.HELD
        return LineState.UNDOABLE if self.rules.undo_lasts else LineState.PAID

    def _lasts(self, state: LineState) -> timedelta:
        """How long what is set aside may wait."""
        match state:
            case LineState.REVIEW:
                return self.rules.review.lasts
            case LineState.UNDOABLE:
                return self.rules.undo_lasts
            case _:
                return self.rules.hold_lasts

    def _transfer(
        self,
        session: Session,
        payer: PersonRow,
        intent: IntentRow,
        line: IntentLineRow,
        payee: PersonRow,
        authorisation_id: int,
        state: LineState,
    ) -> NewTransfer:
        enrolled = payee.standing == Standing.ENROLLED
        amount = self.records.money(intent, line.amount_minor)
        if enrolled and not self.spending.can_hold(session, payee, amount, with_incoming=True):
            raise PayeeUnavailable(payee=self.records.payee_label(session, line))
        return NewTransfer(
            debit_account_id=self.wallets.of(session, payer),
            credit_account_id=self.wallets.of(session, payee),
            amount=amount,
            code=PAYMENT,
            idempotency_key=f"intent:{intent.id}:{line.position}",
            due_at=None if state is LineState.PAID else self.clock() + self._lasts(state),
            authorisation_id=authorisation_id,
        )

    def _journal(
        self, session: Session, intent: IntentRow, planned: Sequence[NewTransfer]
    ) -> Sequence[Transfer]:
        try:
            return self.ledger.journal(session, planned)
        except ledger_errors.InsufficientFunds as refused:
            available = self.records.money(intent, refused.available_minor)
            raise InsufficientMoney(available=available, needed=self.records.total(intent)) from None
        except (ledger_errors.AccountNotOpen, ledger_errors.UpperBoundExceeded) as refused:
            raise PayeeUnavailable(payee=self._whose(session, intent, refused.account_id)) from None

    def _whose(self, session: Session, intent: IntentRow, account_id: int) -> Label:
        for line in self.records.lines(session, intent):
            if self.people.get(session, UserId(line.payee_id)).wallet_id == account_id:
                return self.records.payee_label(session, line)
        return Label(str(account_id))
