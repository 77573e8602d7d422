"""Money that comes in and goes out, and losses the operator meets: between wallets, the bank and the operator's own.

Called only where two people have said so (`bot/admin`); each is booked once for the key it is given.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlmodel import Session

from bot.payments.authorisations import Authorisations, Cause
from bot.payments.wallets import Wallets
from bot.store.tables import PersonRow
from ledger.accounts import AccountId
from ledger.book import Ledger
from ledger.money import Money
from ledger.transfers import NewTransfer, Transfer

FUND = "fund"
PAYOUT = "payout"
OPERATOR_FUND = "operator_fund"
MADE_GOOD = "made_good"


@dataclass(frozen=True, slots=True)
class House:
    ledger: Ledger
    wallets: Wallets
    authorisations: Authorisations

    def fund(self, session: Session, person: PersonRow, amount: Money, *, key: str) -> Transfer:
        """What arrived at the bank for this person is theirs. Raises the ledger's `AccountNotOpen`."""
        bank, wallet = self.wallets.bank(session), self.wallets.of(session, person)
        return self.ledger.transfer(session, _new(bank, wallet, amount, FUND, key))

    def pay_out(
        self, session: Session, person: PersonRow, amount: Money, *, key: str, evidence: int
    ) -> Transfer:
        """What the bank sends out leaves their wallet, frozen or not. Raises the ledger's `InsufficientFunds`."""
        authorisation_id = self.authorisations.begin()
        wallet, bank = self.wallets.of(session, person), self.wallets.bank(session)
        new = _new(wallet, bank, amount, PAYOUT, key, authorisation_id)
        with self.thawed(session, person):
            paid = self.ledger.transfer(session, new)
        self.authorisations.grant(
            session,
            authorisation_id,
            [paid],
            cause=Cause.ADMIN,
            evidence=evidence,
            person_id=person.user_id,
        )
        return paid

    def fund_operator(self, session: Session, amount: Money, *, key: str) -> Transfer:
        """The operator's own money, put beside that of the members."""
        bank, own = self.wallets.bank(session), self.wallets.operator_funds(session)
        return self.ledger.transfer(session, _new(bank, own, amount, OPERATOR_FUND, key))

    def make_good(self, session: Session, person: PersonRow, amount: Money, *, key: str) -> Transfer:
        """From the operator's own money. Raises the ledger's `InsufficientFunds`."""
        own, wallet = self.wallets.operator_funds(session), self.wallets.of(session, person)
        return self.ledger.transfer(session, _new(own, wallet, amount, MADE_GOOD, key))

    @contextmanager
    def thawed(self, session: Session, person: PersonRow) -> Iterator[None]:
        """A frozen wallet lets this through and is frozen again, in the same transaction: a freeze is to keep others out."""
        frozen = person.frozen_at is not None
        if frozen:
            self.wallets.thaw(session, person)
        yield
        if frozen:
            self.wallets.freeze(session, person)


def _new(
    debit: AccountId,
    credit: AccountId,
    amount: Money,
    code: str,
    key: str,
    authorisation_id: int | None = None,
) -> NewTransfer:
    return NewTransfer(
        debit_account_id=debit,
        credit_account_id=credit,
        amount=amount,
        code=code,
        idempotency_key=key,
        authorisation_id=authorisation_id,
    )
