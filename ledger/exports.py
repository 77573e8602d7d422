"""Statements and the whole book in other programs' formats, as lines of text that can be written as they come.

Amounts are exact decimals with a point. hledger and beancount get every account, every posted transfer, and at the end
each balance as an assertion, so that the other program checks the book by itself. Pending money is in neither.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta

from sqlmodel import Session

from ledger import reading
from ledger.accounts import Account, AccountId, NormalSide
from ledger.money import Currency, decimal_text
from ledger.statements import MOVES_MONEY, Entry, Statement, day_of, whole_book, whole_chart
from ledger.transfers import Transfer

_MOST_NAMES = 100_000
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
CSV_COLUMNS = (
    "id", "journal_id", "kind", "booked_at", "effective_on", "debit_account_id", "credit_account_id", "amount",
    "currency", "code", "pending_id", "reverses_id", "authorisation_id", "idempotency_key", "due_at",
)  # fmt: skip
ENTRY_COLUMNS = (
    "day", "booked_at", "kind", "code", "transfer_id", "other_account_id", "change", "balance", "currency",
)  # fmt: skip


def book_csv(session: Session) -> Iterator[str]:
    """Every transfer as a line of CSV, a heading first; times in ISO 8601, UTC."""
    yield _csv_line(CSV_COLUMNS)
    for one in whole_book(session):
        yield _csv_line(_csv_values(one))


def book_json(session: Session) -> Iterator[str]:
    """The same, each transfer an object on a line of its own."""
    for one in whole_book(session):
        yield _json_line(CSV_COLUMNS, _csv_values(one))


def statement_csv(session: Session, statement: Statement) -> Iterator[str]:
    """An account's entries as lines of CSV: change and balance of posted money, signed on its normal side."""
    yield _csv_line(ENTRY_COLUMNS)
    for entry in statement.entries(session):
        yield _csv_line(_entry_values(entry, statement.account))


def statement_json(session: Session, statement: Statement) -> Iterator[str]:
    """The same entries, each an object on a line of its own. Amounts are text, so that no reader rounds them."""
    for entry in statement.entries(session):
        yield _json_line(ENTRY_COLUMNS, _entry_values(entry, statement.account))


def statement_text(session: Session, statement: Statement) -> Iterator[str]:
    """An account's statement for people, in columns of fixed width."""
    account = statement.account
    exponent = account.currency.exponent
    yield f"{account.code} {account.id}, {account.currency.code}\n\n"
    yield f"{'day':10} {'what':24} {'change':>18} {'balance':>18}\n"
    yield f"{'':10} {'opening balance':24} {'':18} {decimal_text(statement.opening_minor, exponent):>18}\n"
    for entry in statement.entries(session):
        what = f"{entry.transfer.code} {entry.transfer.kind.value}"[:24]
        change = decimal_text(entry.change_minor, exponent)
        yield f"{entry.day} {what:24} {change:>18} {decimal_text(entry.balance_minor, exponent):>18}\n"
    yield f"{'':10} {'closing balance':24} {'':18} {decimal_text(statement.closing_minor, exponent):>18}\n"


def hledger(session: Session) -> Iterator[str]:
    """The whole book as an hledger journal."""
    names = _Names(session, hledger_name)
    for account in whole_chart(session):
        yield f"account {hledger_name(account)}\n"
    last = date.min
    for one in whole_book(session):
        if one.kind in MOVES_MONEY:
            last = max(last, day_of(one))
            yield f"\n{day_of(one)} * ({one.id}) {one.code}\n"
            yield f"    {names[one.debit_account_id]}  {_amount(one, 1)}\n"
            yield f"    {names[one.credit_account_id]}  {_amount(one, -1)}\n"
    if last == date.min:
        return
    yield f"\n{last} * balances\n"
    for account in whole_chart(session):
        zero, balance = (_signed(account, minor) for minor in (0, _debit_minor(account)))
        yield f"    {hledger_name(account)}  {zero} = {balance}\n"


def beancount(session: Session) -> Iterator[str]:
    """The whole book as a beancount file."""
    names = _Names(session, beancount_name)
    first = min((day_of(one) for one in whole_book(session)), default=date(1970, 1, 1))
    for account in whole_chart(session):
        yield f"{first} open {beancount_name(account)} {account.currency.code}\n"
    last = first
    for one in whole_book(session):
        if one.kind in MOVES_MONEY:
            last = max(last, day_of(one))
            yield f'\n{day_of(one)} * "{one.code}"\n  transfer: "{one.id}"\n'
            yield f"  {names[one.debit_account_id]}  {_beancount_amount(one, 1)}\n"
            yield f"  {names[one.credit_account_id]}  {_beancount_amount(one, -1)}\n"
    yield "\n"
    for account in whole_chart(session):
        balance = decimal_text(_debit_minor(account), account.currency.exponent)
        yield f"{last + timedelta(days=1)} balance {beancount_name(account)}  {balance} ~ 0 {account.currency.code}\n"


def hledger_name(account: Account) -> str:
    """`assets:safeguarding:7`: an account's side, kind and id."""
    return f"{_root(account)}:{account.code.replace(':', '-')}:{account.id}"


def beancount_name(account: Account) -> str:
    """`Assets:Safeguarding:7`, of the characters beancount takes."""
    kind = "".join(letter if letter.isalnum() else "-" for letter in account.code)
    return f"{_root(account).capitalize()}:{kind[0].upper()}{kind[1:]}:{account.id}"


class _Names(dict[AccountId, str]):
    """Accounts' names by id, looked up once each and forgotten when they become many."""

    def __init__(self, session: Session, name: Callable[[Account], str]) -> None:
        super().__init__()
        self._session = session
        self._name = name

    def __missing__(self, account_id: AccountId) -> str:
        if len(self) > _MOST_NAMES:
            self.clear()
        found = reading.account(self._session, account_id)
        self[account_id] = "unknown" if found is None else self._name(found)
        return self[account_id]


def _root(account: Account) -> str:
    return "assets" if account.normal_side is NormalSide.DEBIT else "liabilities"


def _debit_minor(account: Account) -> int:
    return account.debits_posted - account.credits_posted


def _commodity(currency: Currency) -> str:
    return currency.code if currency.code.isalpha() else f'"{currency.code}"'


def _signed(account: Account, minor: int) -> str:
    return f"{decimal_text(minor, account.currency.exponent)} {_commodity(account.currency)}"


def _amount(one: Transfer, sign: int) -> str:
    currency = one.amount.currency
    return f"{decimal_text(sign * one.amount.amount_minor, currency.exponent)} {_commodity(currency)}"


def _beancount_amount(one: Transfer, sign: int) -> str:
    currency = one.amount.currency
    return f"{decimal_text(sign * one.amount.amount_minor, currency.exponent)} {currency.code}"


def _csv_values(one: Transfer) -> tuple[object, ...]:
    return (
        one.id, one.journal_id, one.kind.value, one.booked_at.isoformat(), one.effective_on, one.debit_account_id,
        one.credit_account_id, decimal_text(one.amount.amount_minor, one.amount.currency.exponent),
        one.amount.currency.code, one.code, one.pending_id, one.reverses_id, one.authorisation_id,
        one.idempotency_key, None if one.due_at is None else one.due_at.isoformat(),
    )  # fmt: skip


def _entry_values(entry: Entry, account: Account) -> tuple[object, ...]:
    exponent = account.currency.exponent
    one = entry.transfer
    return (
        entry.day, one.booked_at.isoformat(), one.kind.value, one.code, one.id, entry.other_account_id,
        decimal_text(entry.change_minor, exponent), decimal_text(entry.balance_minor, exponent), account.currency.code,
    )  # fmt: skip


def _csv_line(values: tuple[object, ...]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow([_harmless(value) for value in values])
    return line.getvalue()


def _json_line(columns: tuple[str, ...], values: tuple[object, ...]) -> str:
    return json.dumps(dict(zip(columns, values, strict=True)), default=str) + "\n"


def _harmless(value: object) -> object:
    """No cell that a spreadsheet would take for a formula; numbers keep their minus."""
    if not isinstance(value, str) or not value.startswith(("=", "@", "+", "-", "\t", "\r", "\n")):
        return value
    return value if _NUMBER.fullmatch(value) else f"'{value}"
