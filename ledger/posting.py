"""The one statement that books a transfer, on each engine.

On SQLite it is an INSERT that takes both accounts' balances as they stand, on PostgreSQL a call of one function that
takes any number of lines. The database checks and moves the balances by itself; if it refuses, it has done nothing,
and `Refusal` says only that: `rules` knows why. This module decides nothing and never reads before it writes.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, Final

from psycopg import Connection as PsycopgConnection
from sqlmodel import Session

from ledger.clock import microseconds_of
from ledger.sessions import WriterConnection, driver_of
from ledger.transfers import Kind, Line, Transfer, metadata_text


class RefusedByDatabase(Exception):  # never leaves the ledger: the book turns it into the reason
    """The database refused, and has done nothing; `reason` is its own short word for why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


_AVAILABLE = """CASE {0}.normal_side
    WHEN 'debit' THEN {0}.debits_posted - {0}.credits_posted - {0}.credits_pending
    ELSE {0}.credits_posted - {0}.debits_posted - {0}.debits_pending END"""

SQLITE_POST: Final = """
INSERT INTO ledger_transfer (
    id, journal_id, kind, debit_account_id, credit_account_id, amount_minor, currency, exponent, code,
    pending_id, reverses_id, authorisation_id, idempotency_key, due_at, effective_on, details,
    booked_at, debit_version, debit_debits_posted, debit_credits_posted, debit_debits_pending, debit_credits_pending,
    credit_version, credit_debits_posted, credit_credits_posted, credit_debits_pending, credit_credits_pending)
SELECT ?, ?, ?, d.id, c.id, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
    max(?, d.booked_at, c.booked_at),
    d.version + 1, d.debits_posted + ?, d.credits_posted, d.debits_pending + ?, d.credits_pending,
    c.version + 1, c.debits_posted, c.credits_posted + ?, c.debits_pending, c.credits_pending + ?
FROM ledger_account AS d, ledger_account AS c
WHERE d.id = ? AND c.id = ?"""
_NUMBERS = """booked_at,
    debit_version, debit_debits_posted, debit_credits_posted, debit_debits_pending, debit_credits_pending,
    credit_version, credit_debits_posted, credit_credits_posted, credit_debits_pending, credit_credits_pending"""
_RETURNING = f" RETURNING {_NUMBERS}"
_PLAIN: Final = SQLITE_POST + _RETURNING
_NUMBERS_OF: Final = f"SELECT id, {_NUMBERS} FROM ledger_transfer WHERE id BETWEEN ? AND ? AND journal_id = ?"  # noqa: S608 (ours)
_EXPECTING: Final = (
    SQLITE_POST
    + " AND d.version = ifnull(?, d.version) AND c.version = ifnull(?, c.version)"
    + f" AND ({_AVAILABLE.format('d')}) = ifnull(?, {_AVAILABLE.format('d')})"
    + f" AND ({_AVAILABLE.format('c')}) = ifnull(?, {_AVAILABLE.format('c')})"
    + _RETURNING
)
POSTGRESQL_POST: Final = "SELECT reason, numbers FROM ledger_post(%s::jsonb)"


def post(session: Session, lines: Sequence[Line]) -> tuple[Transfer, ...]:
    """Book the lines, all or nothing. Raises `RefusedByDatabase`; the session can go on either way."""
    driver = driver_of(session)
    if isinstance(driver, sqlite3.Connection):
        return _post_on_sqlite(driver, lines)
    return _post_on_postgresql(driver, lines)


def _post_on_sqlite(driver: sqlite3.Connection, lines: Sequence[Line]) -> tuple[Transfer, ...]:
    first = driver if isinstance(driver, WriterConnection) and driver.touch() else None
    if len(lines) == 1:  # one statement undoes itself
        return (_insert(driver, lines[0]),)
    return (first and _insert_first(first, lines)) or _insert_in_savepoint(driver, lines)


def _insert_first(driver: WriterConnection, lines: Sequence[Line]) -> tuple[Transfer, ...]:
    """Nothing was done before in this work, so that all of it can be taken back instead; nothing if it is refused.

    Refused lines are tried once more in a savepoint: to take a work back may give up the lock for a moment, and why
    they are refused must be looked up in the same transaction, before others can have changed it.
    """
    try:
        return _insert_all(driver, lines)
    except BaseException as error:
        driver.undo_work()
        driver.touch()
        if not isinstance(error, RefusedByDatabase):
            raise
        return ()


def _insert_in_savepoint(driver: sqlite3.Connection, lines: Sequence[Line]) -> tuple[Transfer, ...]:
    driver.execute("SAVEPOINT journal")
    try:
        booked = _insert_all(driver, lines)
    except BaseException:
        if driver.in_transaction:
            driver.execute("ROLLBACK TO journal")
            driver.execute("RELEASE journal")
        raise
    driver.execute("RELEASE journal")
    return booked


def _insert_all(driver: sqlite3.Connection, lines: Sequence[Line]) -> tuple[Transfer, ...]:
    if any(line.expected is not None for line in lines):
        return tuple(_insert(driver, line) for line in lines)
    try:
        inserted = driver.executemany(SQLITE_POST, map(_values, lines)).rowcount
    except sqlite3.IntegrityError as error:
        raise RefusedByDatabase(str(error)) from None
    if inserted != len(lines):
        raise RefusedByDatabase("ledger: nothing_inserted")
    parameters = (lines[0].id, lines[-1].id, lines[0].journal_id)
    rows = {row[0]: row[1:] for row in driver.execute(_NUMBERS_OF, parameters)}
    return tuple(Transfer.booked(line, rows[line.id]) for line in lines)


def _insert(driver: sqlite3.Connection, line: Line) -> Transfer:
    statement, values = _PLAIN, _values(line)
    if (e := line.expected) is not None:
        statement = _EXPECTING
        values += (e.debit_version, e.credit_version, e.debit_available_minor, e.credit_available_minor)
    try:
        rows = driver.execute(statement, values).fetchall()
    except sqlite3.IntegrityError as error:
        raise RefusedByDatabase(str(error)) from None
    if not rows:  # a SELECT from an account that is not there inserts nothing, without an error
        raise RefusedByDatabase("ledger: nothing_inserted")
    return Transfer.booked(line, rows[0])


def _values(line: Line) -> tuple[Any, ...]:
    (line_id, journal_id, kind, debit_account_id, credit_account_id, amount, code, pending_id, _, reverses_id,
     authorisation_id, idempotency_key, booked_at, due_at, effective_on, metadata, _) = line  # fmt: skip
    currency = amount.currency
    if kind is Kind.POSTED:  # as `line.posted_delta` and `line.pending_delta` say
        posted, pending = amount.amount_minor, 0
    else:
        posted, pending = line.posted_delta, line.pending_delta
    return (
        line_id, journal_id, kind._value_, amount.amount_minor, currency.code, currency.exponent, code, pending_id,
        reverses_id, authorisation_id, idempotency_key, None if due_at is None else microseconds_of(due_at),
        None if effective_on is None else effective_on.isoformat(), metadata_text(metadata) if metadata else None,
        booked_at, posted, pending, posted, pending, debit_account_id, credit_account_id,
    )  # fmt: skip


def _post_on_postgresql(driver: "PsycopgConnection[Any]", lines: Sequence[Line]) -> tuple[Transfer, ...]:
    row = driver.execute(POSTGRESQL_POST, (lines_text(lines),)).fetchone()
    if row is None or row[0] is not None:
        raise RefusedByDatabase(row[0] if row else "ledger: no answer")
    return tuple(
        Transfer.booked(line, numbers) for line, numbers in zip(lines, _elevens(row[1]), strict=True)
    )


def _elevens(numbers: Sequence[int]) -> Iterator[tuple[int, ...]]:
    return (tuple(numbers[start : start + 11]) for start in range(0, len(numbers), 11))


def lines_text(lines: Sequence[Line]) -> str:
    """The lines as `ledger_post` takes them. What is None is left out."""
    return json.dumps([_fields(line) for line in lines])


def _fields(line: Line) -> dict[str, Any]:
    amount = line.amount
    fields: dict[str, Any] = {
        "id": line.id, "j": line.journal_id, "k": line.kind.value, "d": line.debit_account_id,
        "c": line.credit_account_id, "a": amount.amount_minor, "cur": amount.currency.code,
        "ex": amount.currency.exponent, "code": line.code, "key": line.idempotency_key, "at": line.booked_at,
    }  # fmt: skip
    optional = {
        "p": line.pending_id, "r": line.reverses_id, "auth": line.authorisation_id,
        "due": None if line.due_at is None else microseconds_of(line.due_at),
        "eff": None if line.effective_on is None else line.effective_on.isoformat(),
        "det": metadata_text(line.metadata),
    }  # fmt: skip
    if line.expected is not None:
        e = line.expected
        optional |= {"dv": e.debit_version, "cv": e.credit_version}
        optional |= {"da": e.debit_available_minor, "ca": e.credit_available_minor}
    fields.update({name: value for name, value in optional.items() if value is not None})
    return fields
