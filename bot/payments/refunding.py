"""Gives one line of a payment back to its payer, by the hand of an admin: never by overdrawing anybody.

What is still set aside is set free, whole. What has been paid comes out of the payee's wallet, whole or in part, once; if
they have spent it, the operator may meet it from money of their own instead, and the payee keeps what they have.
"""

from dataclasses import dataclass

from sqlmodel import Session

from bot.errors import SmoneyError
from bot.language.catalogue import Parameters
from bot.payments.authorisations import Authorisations, Cause
from bot.payments.claims import Claims
from bot.payments.house import House
from bot.payments.intents import SET_ASIDE, LineState
from bot.payments.records import Records
from bot.payments.wallets import Wallets
from bot.people.people import People
from bot.store.outbox import Outbox, Priority
from bot.store.tables import IntentLineRow, IntentRow, PersonRow
from bot.x.gateway import UserId
from ledger import errors as ledger_errors
from ledger.book import Ledger
from ledger.money import Money
from ledger.transfers import Transfer, TransferId


class CannotRefund(SmoneyError):
    """Says why, in a sentence for the admin."""


@dataclass(frozen=True, slots=True)
class Refunding:
    ledger: Ledger
    house: House
    claims: Claims
    wallets: Wallets
    records: Records
    people: People
    authorisations: Authorisations
    outbox: Outbox

    def check(self, line: IntentLineRow, amount: Money, *, from_loss: bool) -> None:
        """Whether it could be at all, before anybody is asked to approve. Raises `CannotRefund`."""
        state = LineState(line.state)
        if state in SET_ASIDE and (from_loss or amount.amount_minor != line.amount_minor):
            raise CannotRefund(
                "it has reached nobody yet, so it goes back whole, and costs the operator nothing."
            )
        if state is not LineState.PAID and state not in SET_ASIDE:
            raise CannotRefund(f"nothing of it is with its payee: it is {state.value}.")
        if not 0 < amount.amount_minor <= line.amount_minor:
            whole = Money(line.amount_minor, amount.currency)
            raise CannotRefund(f"it was {whole}, which is the most that can go back.")

    def give_back(
        self,
        session: Session,
        line: IntentLineRow,
        intent: IntentRow,
        amount: Money,
        *,
        from_loss: bool,
        why: str,
        key: str,
        evidence: int,
    ) -> Transfer:
        """Raises `CannotRefund`; then nothing has moved."""
        locked = self.people.lock(session, [UserId(intent.payer_id), UserId(line.payee_id)])
        session.refresh(line)
        self.check(line, amount, from_loss=from_loss)
        payer, payee = locked[UserId(intent.payer_id)], locked[UserId(line.payee_id)]
        if LineState(line.state) in SET_ASIDE:
            moved = self.claims.set_free(session, line)
        elif from_loss:
            moved = self._from_operator(session, payer, amount, key)
        else:
            moved = self._from_payee(session, line, intent, payee, amount, key, evidence)
            self._tell_payee(session, intent, payer, payee, amount, why)
        facts: Parameters = {
            "reference": intent.reference,
            "payee": self.records.payee_label(session, line),
            "amount": amount,
            "balance": self.wallets.balance(session, payer).available,
            "why": why,
        }
        self.outbox.tell(session, payer, "refunded", facts, priority=Priority.RECEIPT)
        return moved

    def _from_operator(self, session: Session, payer: PersonRow, amount: Money, key: str) -> Transfer:
        try:
            return self.house.make_good(session, payer, amount, key=key)
        except ledger_errors.InsufficientFunds as short:
            raise CannotRefund(
                f"the operator's own account has {Money(short.available_minor, amount.currency)}; put money in with "
                "`smoney operator fund`."
            ) from None
        except ledger_errors.AccountNotOpen:
            raise CannotRefund("its payer has left for good; their wallet is closed.") from None

    def _from_payee(
        self,
        session: Session,
        line: IntentLineRow,
        intent: IntentRow,
        payee: PersonRow,
        amount: Money,
        key: str,
        evidence: int,
    ) -> Transfer:
        authorisation_id = self.authorisations.begin()
        original = line.settled_id or line.transfer_id
        try:
            with self.house.thawed(session, payee):
                moved = self.ledger.reverse(
                    session,
                    TransferId(original or 0),
                    idempotency_key=key,
                    amount_minor=amount.amount_minor,
                    authorisation_id=authorisation_id,
                    code="refund",
                )
        except ledger_errors.InsufficientFunds as short:
            raise CannotRefund(
                f"its payee has {Money(short.available_minor, amount.currency)} left; --from-loss meets it from the operator's own "
                "money."
            ) from None
        except ledger_errors.AccountNotOpen:
            raise CannotRefund("one of the two has left for good; their wallet is closed.") from None
        except ledger_errors.AlreadyReversed:
            raise CannotRefund("some of it went back before; it does so once.") from None
        self.authorisations.grant(
            session,
            authorisation_id,
            [moved],
            cause=Cause.ADMIN,
            evidence=evidence,
            person_id=payee.user_id,
            intent_id=intent.id,
            version=intent.version,
        )
        if amount.amount_minor == line.amount_minor:
            self.claims.settle(session, line, moved, LineState.RETURNED)
        return moved

    def _tell_payee(
        self,
        session: Session,
        intent: IntentRow,
        payer: PersonRow,
        payee: PersonRow,
        amount: Money,
        why: str,
    ) -> None:
        facts: Parameters = {
            "reference": intent.reference,
            "payer": self.people.shown(payer),
            "amount": amount,
            "balance": self.wallets.balance(session, payee).available,
            "why": why,
        }
        self.outbox.tell(session, payee, "refund_taken", facts, priority=Priority.RECEIPT)
