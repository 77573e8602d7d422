"""The chart of accounts: whose money stands where.

    assets (what is held)              liabilities (what is owed)
      safeguarding   the bank            wallet           one a person
      card_clearing  charged by card,    operator_funds   the operator's own money beside it
                     not at the bank yet card_unclaimed   charged, and credited to nobody yet
      test_money     a demo's own

    assets that cover nothing          expenses
      debt           of a person whose   card_fees        what the processor of cards keeps
                     card took back
                     what they had spent

`operator_funds` is what losses are met from; it is owed to nobody but the operator, and cannot be overdrawn either.

What is owed must at all times be covered by what is held. A wallet can never go below zero, held money counted as
spent, and cannot be debited without naming an authorisation: the ledger's database refuses both.
"""

from dataclasses import dataclass

from sqlmodel import Session

from bot.errors import InvariantBroken
from bot.store.tables import BookRow, HouseAccountRow, PersonRow
from ledger.accounts import AccountId, AccountState, NewAccount, NormalSide
from ledger.book import Ledger
from ledger.clock import IdSource
from ledger.money import EUR, Currency, Money
from ledger.transfers import NewTransfer

WALLET = "wallet"
TEST_MONEY = "test_money"
SAFEGUARDING = "safeguarding"
OPERATOR_FUNDS = "operator_funds"
CARD_CLEARING = "card_clearing"
CARD_FEES = "card_fees"
CARD_UNCLAIMED = "card_unclaimed"
DEBT = "debt"

OWED = (WALLET, CARD_UNCLAIMED)
"""Kinds of account whose credit is owed to people, known or not."""
HELD = (TEST_MONEY, SAFEGUARDING, CARD_CLEARING)
"""Kinds of account that hold what covers it."""
CLEARING = (CARD_CLEARING,)
"""Kinds of account that money only passes through: each must drain to zero."""


@dataclass(frozen=True, slots=True)
class Balance:
    """One wallet: `posted` is what is owed to its owner, `held` what they gave and nobody has taken yet, `available`
    what they can spend, `incoming` what waits for them."""

    posted: Money
    held: Money
    available: Money
    incoming: Money


class Wallets:
    def __init__(self, *, ledger: Ledger, ids: IdSource, currency: Currency = EUR) -> None:
        self._ledger = ledger
        self._ids = ids
        self.currency = currency

    def of(self, session: Session, person: PersonRow) -> AccountId:
        """The wallet of a person, opened under their numeric id the first time money comes near them."""
        if person.wallet_id is None:
            person.wallet_id = self._open(session)
            session.add(person)
            session.flush()
        return AccountId(person.wallet_id)

    def _open(self, session: Session) -> AccountId:
        wallet = NewAccount(
            id=AccountId(self._ids()),
            code=WALLET,
            currency=self.currency,
            normal_side=NormalSide.CREDIT,
            guarded=True,
            debits_need_authorisation=True,
        )
        return self._ledger.open_account(session, wallet).id

    def freeze(self, session: Session, person: PersonRow) -> None:
        """The ledger refuses debits of this wallet from now on; what comes in, and what is pending, goes its way."""
        self._ledger.set_state(session, self.of(session, person), AccountState.DEBITS_FROZEN)

    def thaw(self, session: Session, person: PersonRow) -> None:
        self._ledger.set_state(session, self.of(session, person), AccountState.OPEN)

    def close(self, session: Session, person: PersonRow) -> None:
        """Nothing goes in or out any more. Whoever calls this has seen that it is empty."""
        self._ledger.set_state(session, self.of(session, person), AccountState.CLOSED)

    def balance(self, session: Session, person: PersonRow) -> Balance:
        account = self._ledger.account(session, self.of(session, person))

        def money(amount_minor: int) -> Money:
            return Money(amount_minor, account.currency)

        return Balance(
            posted=money(account.posted_minor),
            held=money(account.pending_out_minor),
            available=money(account.available_minor),
            incoming=money(account.pending_in_minor),
        )

    def debt(self, session: Session, person: PersonRow) -> Money:
        """What this person owes the operator."""
        if person.debt_id is None:
            return Money(0, self.currency)
        account = self._ledger.account(session, AccountId(person.debt_id))
        return Money(account.posted_minor, account.currency)

    def debt_account(self, session: Session, person: PersonRow) -> AccountId:
        """Opened the first time they owe something."""
        if person.debt_id is None:
            identity, asset = AccountId(self._ids()), NormalSide.DEBIT
            debt = NewAccount(id=identity, code=DEBT, currency=self.currency, normal_side=asset, guarded=True)
            person.debt_id = self._ledger.open_account(session, debt).id
            session.add(person)
            session.flush()
        return AccountId(person.debt_id)

    def give_test_money(self, session: Session, person: PersonRow, amount: Money, *, key: str) -> None:
        """Money out of nothing, in a demo's book only.

        Raises `InvariantBroken` anywhere else: it would be owed and not held.
        """
        self._make_test_money(session, self.of(session, person), amount, key)

    def put_test_money_beside(self, session: Session, amount: Money, *, key: str) -> None:
        """The same for the operator, of what the fees of cards are met from."""
        self._make_test_money(session, self.operator_funds(session), amount, key)

    def _make_test_money(self, session: Session, account: AccountId, amount: Money, key: str) -> None:
        book = session.get(BookRow, 1)
        if book is None or not book.is_demo:
            raise InvariantBroken("test money was asked for in a book that is no demo")
        self._ledger.transfer(
            session,
            NewTransfer(
                debit_account_id=self.house(session, TEST_MONEY),
                credit_account_id=account,
                amount=amount,
                code=TEST_MONEY,
                idempotency_key=f"test-money:{key}",
            ),
        )

    def bank(self, session: Session) -> AccountId:
        """Where the money is that people put in: the bank's safeguarding account; in a demo's book its test money."""
        return self.house(session, self._bank_code(session))

    def at_the_bank(self, session: Session) -> Money:
        """What this book says is there now. Reads only, also where nothing ever was."""
        row = session.get(HouseAccountRow, (self._bank_code(session), self.currency.code))
        held = 0 if row is None else self._ledger.account(session, AccountId(row.account_id)).posted_minor
        return Money(held, self.currency)

    @staticmethod
    def _bank_code(session: Session) -> str:
        return TEST_MONEY if session.get_one(BookRow, 1).is_demo else SAFEGUARDING

    def operator_funds(self, session: Session) -> AccountId:
        """The operator's own, from which losses are met."""
        return self.house(session, OPERATOR_FUNDS)

    def house(self, session: Session, code: str) -> AccountId:
        """The one account of this kind, opened the first time it is needed."""
        row = session.get(HouseAccountRow, (code, self.currency.code))
        if row is not None:
            return AccountId(row.account_id)
        account = NewAccount(
            id=AccountId(self._ids()),
            code=code,
            currency=self.currency,
            normal_side=NormalSide.CREDIT if code in (OPERATOR_FUNDS, CARD_UNCLAIMED) else NormalSide.DEBIT,
            guarded=code == OPERATOR_FUNDS,
        )
        opened = self._ledger.open_account(session, account)
        session.add(HouseAccountRow(code=code, currency=self.currency.code, account_id=opened.id))
        session.flush()
        return opened.id
