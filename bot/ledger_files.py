"""What of the ledger is handed out as a file: proofs of payments, statements, the whole book in other programs' forms.

Everything streams: a book larger than memory can be written. A file appears under its name only when it is whole.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TextIO

from sqlalchemy import func
from sqlmodel import Session, select

from bot.errors import Misconfigured
from bot.store.tables import IntentRow
from bot.whole_files import whole_file
from ledger import exports, reading, seals
from ledger.accounts import AccountId
from ledger.camt import camt053
from ledger.database import Database
from ledger.statements import statement
from ledger.tables import TransferRow

Counted = Callable[[int], None]
"""Told now and then how many pieces (of a CSV or of JSON, lines) have been written so far."""
LINES_BETWEEN = 1000
WHOLE_BOOK: Mapping[str, Callable[[Session], Iterator[str]]] = {
    "csv": exports.book_csv,
    "json": exports.book_json,
    "hledger": exports.hledger,
    "beancount": exports.beancount,
}
PIECES = {"csv": 1, "json": 1, "hledger": 3, "beancount": 3}
"""How many pieces a transfer makes, for whoever shows how far it is."""
STATEMENTS = ("text", "csv", "camt053", "json")


def transfers_of(session: Session, reference: str) -> tuple[int, ...]:
    """The ids of a payment's transfers, by its reference (`P-7K3F9Q`) or by one transfer's id; none where unknown."""
    if reference.isdecimal():
        found = reading.transfer(session, int(reference)) if len(reference) < 20 else None
        return (found.id,) if found else ()
    intent = session.exec(select(IntentRow).where(IntentRow.reference == reference.upper())).first()
    if intent is None or intent.journal_id is None:
        return ()
    return tuple(one.id for one in reading.journal(session, intent.journal_id))


def proofs(database: Database, reference: str) -> list[dict[str, Any]]:
    """A proof for each transfer of a payment. Raises `Misconfigured` for an unknown one, or `NotSealed` if its seal is still to come."""

    def work(session: Session) -> list[dict[str, Any]]:
        found = transfers_of(session, reference)
        if not found:
            raise Misconfigured(
                reference, "is no payment and no transfer of this book.", example="P-7K3F9Q, as in a receipt"
            )
        return [seals.proof(session, one) for one in found]

    return database.read(work)


def proof_file(found: list[dict[str, Any]]) -> str:
    """One proof as it is, several under `proofs`."""
    return seals.proof_text(found[0] if len(found) == 1 else {"proofs": found})


def count_transfers(database: Database) -> int:
    return database.read(lambda session: session.exec(select(func.count()).select_from(TransferRow)).one())


def write_book(database: Database, form: str, out: TextIO, *, counted: Counted) -> None:
    """The whole book as one of `WHOLE_BOOK`, on one snapshot."""
    database.read(lambda session: _write(WHOLE_BOOK[form](session), out, counted))


def write_statement(
    database: Database,
    account_id: int,
    form: str,
    out: TextIO,
    *,
    since: datetime | None,
    until: datetime | None,
    made_at: datetime,
    counted: Counted,
) -> None:
    """One account from after `since` up to `until`, as one of `STATEMENTS`. Raises `UnknownAccount`."""

    def work(session: Session) -> None:
        told = statement(session, AccountId(account_id), since=since, until=until)
        message_id = f"{account_id}-{made_at:%Y%m%d%H%M%S}"[:35]
        make = {
            "text": partial(exports.statement_text, session, told),
            "csv": partial(exports.statement_csv, session, told),
            "json": partial(exports.statement_json, session, told),
            "camt053": partial(camt053, session, told, made_at=made_at, message_id=message_id),
        }[form]
        _write(make(), out, counted)

    database.read(work)


def _write(lines: Iterator[str], out: TextIO, counted: Counted) -> None:
    for number, line in enumerate(lines):
        out.write(line)
        if number % LINES_BETWEEN == 0:
            counted(number)


@contextmanager
def whole_text(path: Path) -> Iterator[TextIO]:
    """A text file that is there when all of it is written, and not at all if writing failed; never over another one."""
    with whole_file(path) as out:
        text = TextIOWrapper(out, encoding="utf-8", newline="", write_through=True)
        yield text
        text.detach()
