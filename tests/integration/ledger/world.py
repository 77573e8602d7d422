"""A small world around the ledger for tests: a clock that stands still, accounts, and one-line operations."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from ledger.accounts import Account, AccountId, AccountState, NewAccount, NormalSide
from ledger.book import Ledger
from ledger.clock import IdSource
from ledger.database import Database
from ledger.money import EUR, Currency, Money
from ledger.transfers import NewTransfer, Transfer, TransferId


def euros(amount_minor: int) -> Money:
    return Money(amount_minor, EUR)


class StandingClock:
    """A clock that moves only when told."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


class World(SimpleNamespace):
    """A database with a ledger over it; a test hangs its own people on it."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.database = database
        self.clock = StandingClock()
        self.ledger = Ledger(clock=self.clock, ids=IdSource(self.clock, random.Random(1).randbytes))
        self._numbers = count(1)
        self._bank: AccountId | None = None

    @staticmethod
    def currency(code: str, exponent: int) -> Currency:
        return Currency(code, exponent)

    def key(self) -> str:
        return f"key-{next(self._numbers)}"

    def bank(self) -> AccountId:
        if self._bank is None:
            self._bank = self.open(code="safeguarding", normal_side=NormalSide.DEBIT)
        return self._bank

    def open(self, **changed: Any) -> AccountId:
        new = self.new_account(**changed)
        return self.database.write(lambda session: self.ledger.open_account(session, new)).id

    def new_account(self, **changed: Any) -> NewAccount:
        defaults: dict[str, Any] = {
            "id": AccountId(next(self._numbers)),
            "code": "wallet",
            "currency": EUR,
            "normal_side": NormalSide.CREDIT,
        }
        if "normal_side" in changed:
            changed["normal_side"] = NormalSide(changed["normal_side"])
        return NewAccount(**defaults | changed)

    def wallet(self, amount_minor: int = 0, **changed: Any) -> AccountId:
        """A guarded account with this much on it, from the bank."""
        account_id = self.open(guarded=True, **changed)
        if amount_minor:
            self.pay(self.bank(), account_id, amount_minor)
        return account_id

    def new(self, debit: AccountId, credit: AccountId, amount_minor: int, **more: Any) -> NewTransfer:
        defaults: dict[str, Any] = {
            "amount": euros(amount_minor),
            "code": "payment",
            "idempotency_key": self.key(),
        }
        return NewTransfer(debit_account_id=debit, credit_account_id=credit, **(defaults | more))

    def pay(self, debit: AccountId, credit: AccountId, amount_minor: int, **more: Any) -> Transfer:
        new = self.new(debit, credit, amount_minor, **more)
        return self.database.write(lambda session: self.ledger.transfer(session, new))

    def hold(self, debit: AccountId, credit: AccountId, amount_minor: int, **more: Any) -> Transfer:
        """A pending transfer, due in a week."""
        named: dict[str, Any] = {"due_at": self.clock() + timedelta(days=7)} | more
        return self.pay(debit, credit, amount_minor, **named)

    def journal(self, news: Sequence[NewTransfer]) -> tuple[Transfer, ...]:
        return self.database.write(lambda session: self.ledger.journal(session, news))

    def post(self, pending_id: TransferId, **more: Any) -> Transfer:
        named: dict[str, Any] = {"idempotency_key": self.key()} | more
        return self.database.write(lambda session: self.ledger.post_pending(session, pending_id, **named))

    def void(self, pending_id: TransferId, **more: Any) -> Transfer:
        named: dict[str, Any] = {"idempotency_key": self.key()} | more
        return self.database.write(lambda session: self.ledger.void_pending(session, pending_id, **named))

    def expire(self, pending_id: TransferId, **more: Any) -> Transfer:
        named: dict[str, Any] = {"idempotency_key": self.key()} | more
        return self.database.write(lambda session: self.ledger.expire_pending(session, pending_id, **named))

    def reverse(self, transfer_id: TransferId, **more: Any) -> Transfer:
        named: dict[str, Any] = {"idempotency_key": self.key()} | more
        return self.database.write(lambda session: self.ledger.reverse(session, transfer_id, **named))

    def account(self, account_id: AccountId) -> Account:
        return self.database.read(lambda session: self.ledger.account(session, account_id))

    def set_state(self, account_id: AccountId, state: AccountState) -> Account:
        return self.database.write(lambda session: self.ledger.set_state(session, account_id, state))

    def find(self, transfer_id: int) -> Transfer | None:
        return self.database.read(lambda session: self.ledger.find_transfer(session, TransferId(transfer_id)))

    def read(self, method: str, *arguments: Any, **named: Any) -> Any:
        """What one reading method of the ledger says."""
        return self.database.read(lambda session: getattr(self.ledger, method)(session, *arguments, **named))

    def everything(self, session: Session | None = None) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table of the ledger."""
        if session is None:
            return self.database.read(self.everything)
        return {
            name: [tuple(row) for row in session.execute(text(f"SELECT * FROM {name} ORDER BY 1"))]
            for name in ("ledger_account", "ledger_transfer", "ledger_seal")
        }

    def available(self, account_id: AccountId) -> int:
        return self.account(account_id).available_minor
