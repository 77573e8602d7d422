"""Reads the CSV that a bank hands out. Pure.

Every bank has a CSV of its own: encoding, delimiter, lines before the headings, one signed amount or two columns. All of it is
found in the file itself, and where it cannot be found the file is refused.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from bot.funding.csv_columns import Columns, columns_of
from bot.funding.csv_values import Amounts, Cell, Days
from bot.funding.statements import (
    MOST_NAME,
    BankLine,
    BankStatement,
    ForeignCurrency,
    Told,
    WrongStatement,
    bare,
    bare_account,
    check_size,
    nothing_told,
)
from ledger.money import EUR, Currency, Money

Row: TypeAlias = tuple[int, list[str]]
"""The line it begins in, and its cells."""
DELIMITERS: Final = ";\t,"
MOST_BEFORE: Final = 40
"""So many rows may stand before the headings."""
NOT_BOOKED: Final = frozenset(
    {
        "vorgemerkt",
        "umsatz vorgemerkt",
        "pending",
        "en attente",
        "pendiente",
        "in sospeso",
        "in behandeling",
        "pendente",
    }
    | {"reverted", "declined", "failed"}
)
INTO: Final = frozenset(
    {
        "h",
        "haben",
        "c",
        "cr",
        "crdt",
        "credit",
        "crédit",
        "bij",
        "haber",
        "avere",
        "gutschrift",
        "credito",
        "crédito",
        "+",
    }
)
OUT: Final = frozenset(
    {
        "s",
        "soll",
        "d",
        "dr",
        "dbit",
        "debit",
        "débit",
        "af",
        "debe",
        "dare",
        "belastung",
        "lastschrift",
        "debito",
        "débito",
        "-",
    }
)
_EVERY: Final = 1_000


class NotCsv(WrongStatement):
    """Its quotes do not fit, or a cell is endless."""


def read_csv(
    data: bytes,
    columns: Mapping[str, Sequence[str]] | None = None,
    dates: str | None = None,
    currency: Currency = EUR,
    *,
    told: Told = nothing_told,
) -> BankStatement:
    """All that is booked in it, in its order. `columns` are headings that an admin names, `dates` is `DD/MM` or `MM/DD`.

    Raises `WrongStatement`.
    """
    check_size(data)
    text = _decoded(data)
    delimiter, heading, found = _headings(text, columns or {}, currency)
    rows = [row for row in _rows(text, delimiter) if row[0] > heading and any(map(str.strip, row[1]))]
    for line, cells in rows:
        if len(cells) != found.width:
            raise WrongStatement(
                f"The row has {len(cells)} cells, the headings in line {heading} have {found.width}.",
                line=line,
            )
    booked = [row for row in rows if not _is_pending(found, row[1])]
    return BankStatement("csv", tuple(_lines(booked, found, dates, currency, told)))


def _decoded(data: bytes) -> str:
    """UTF-8, UTF-16 where it says so, else the Windows form of ISO-8859-1, which most banks mean by it."""
    forms = ["utf-16"] if data.startswith((b"\xff\xfe", b"\xfe\xff")) else ["utf-8-sig", "cp1252"]
    for form in forms:
        try:
            text = data.decode(form)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise WrongStatement("The file is no text in UTF-8, UTF-16 or ISO-8859-1.")


def _rows(text: str, delimiter: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise NotCsv(f"This is no CSV: {error}.", line=line) from None


def _headings(text: str, said: Mapping[str, Sequence[str]], currency: Currency) -> tuple[str, int, Columns]:
    """The delimiter with which headings are found, the line they stand in, and the columns."""
    best: tuple[str, int, Columns] | None = None
    for delimiter in DELIMITERS:
        found = _first_headings(text, delimiter, said, currency)
        if found and (best is None or found[1].width > best[2].width):
            best = (delimiter, *found)
    if best is None:
        raise WrongStatement(
            "No headings with a day and an amount were found; name them: --columns 'date=...,amount=...,text=...'."
        )
    return best


def _first_headings(
    text: str, delimiter: str, said: Mapping[str, Sequence[str]], currency: Currency
) -> tuple[int, Columns] | None:
    try:
        for number, (line, cells) in enumerate(_rows(text, delimiter)):
            if number >= MOST_BEFORE:
                return None
            if columns := columns_of(cells, said, currency, line=line):
                return line, columns
    except NotCsv:
        pass  # with this delimiter
    return None


def _is_pending(columns: Columns, row: Sequence[str]) -> bool:
    """What the bank has only noted so far, and comes again in other words once it is booked; or what came to nothing."""
    return columns.cell("state", row).casefold() in NOT_BOOKED


# Rows


def _lines(
    rows: Sequence[Row], columns: Columns, dates: str | None, currency: Currency, told: Told
) -> Iterator[BankLine]:
    amounts = Amounts((cell for row in rows for cell in _amount_cells(columns, row)), currency)
    days = Days([(line, columns.cell("date", cells)) for line, cells in rows], dates)
    for number, (line, cells) in enumerate(rows):
        for code in columns.cells("currency", cells):
            if code.upper() not in {currency.code, "€" if currency.code == "EUR" else ""}:
                raise ForeignCurrency(code, currency, line=line)
        if minor := _minor(columns, amounts, line, cells):
            yield BankLine(
                account=bare_account(columns.cell("account", cells)),
                booked_on=days.day(line, columns.cell("date", cells)),
                amount=Money(minor, currency),
                bank_reference=bare(columns.cell("reference", cells), MOST_NAME),
                text=bare(" ".join(columns.cells("text", cells))),
            )
        if number % _EVERY == 0:
            told(number, len(rows))


def _amount_cells(columns: Columns, row: Row) -> Iterator[Cell]:
    line, cells = row
    for role in ("amount",) if columns.has("amount") else ("debit", "credit"):
        if cell := columns.cell(role, cells):
            yield line, cell


def _minor(columns: Columns, amounts: Amounts, line: int, row: Sequence[str]) -> int:
    """What the account grew by, in minor units. Raises `WrongStatement`."""
    if not columns.has("amount"):
        return _of_two(columns, amounts, line, row)
    minor = amounts.minor(line, columns.cell("amount", row))
    if not columns.has("direction"):
        return minor
    word = columns.cell("direction", row).casefold()
    if word in OUT:
        return -abs(minor)
    if word not in INTO or minor < 0:
        raise WrongStatement(f"{bare(word, 40)!r} does not say whether money came in or went out.", line=line)
    return minor


def _of_two(columns: Columns, amounts: Amounts, line: int, row: Sequence[str]) -> int:
    """One column for what went out, written with a minus or without, and one for what came in."""
    debit, credit = (
        amounts.minor(line, cell) if (cell := columns.cell(role, row)) else 0 for role in ("debit", "credit")
    )
    if (debit and credit) or credit < 0 or not (columns.cell("debit", row) or columns.cell("credit", row)):
        raise WrongStatement("It is not clear whether money came in or went out.", line=line)
    return credit - abs(debit)
