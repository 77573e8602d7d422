"""Amounts and days as banks write them, decided once for a whole file: what could be read in two ways is refused. Pure.

`1.000` is a thousand to a German bank and one to an English one; `05/06/2026` is in June or in May. One cell of a file that can
be read in one way only decides for all the others.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, TypeAlias

from bot.funding.statements import WrongStatement, bare, day, minor_of
from ledger.money import Currency

Mark: TypeAlias = Literal[".", ","]
Cell: TypeAlias = tuple[int, str]
"""The line it stands in, and what it says."""
DAY_FIRST: Final = "DD/MM"
MONTH_FIRST: Final = "MM/DD"
ORDERS: Final = (DAY_FIRST, MONTH_FIRST)
_GROUPING: Final = " '\u2019\u00a0\u2007\u2009\u202f"
"""Signs that only ever stand between thousands."""
_SIGNED: Final = re.compile(
    rf"\s*([-+\u2212(]?)\s*([0-9.,{_GROUPING}]*[0-9][0-9.,{_GROUPING}]*?)\s*([-+\u2212)]?)\s*"
)
_LONGEST: Final = 60
_TIME: Final = r"(?:[T ][0-9]{1,2}:.*)?"
_YEAR_FIRST: Final = re.compile(r"([0-9]{4})([-/.]?)([0-9]{2})\2([0-9]{2})" + _TIME)
_DOTTED: Final = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.((?:20)?[0-9]{2})" + _TIME)
_SLASHED: Final = re.compile(r"([0-9]{1,2})([/-])([0-9]{1,2})\2([0-9]{4})" + _TIME)


@dataclass(frozen=True, slots=True)
class _Written:
    """An amount taken apart, but for what its marks mean."""

    negative: bool
    digits: str
    """Digits, points and commas; a blank where thousands are set apart by a sign of no other meaning."""


class Amounts:
    """How this file writes amounts."""

    def __init__(self, cells: Iterable[Cell], currency: Currency) -> None:
        """Raises `WrongStatement` where it cannot be told, or is told in two ways."""
        self._currency = currency
        self._decimal: Mark = "."
        decided: tuple[int, Mark] | None = None
        unsure: Cell | None = None
        for line, cell in cells:
            digits = self._written(cell, line).digits.replace(" ", "")
            mark = _decimal_mark(digits)
            if mark == "?":
                unsure = unsure or (line, cell)
            elif mark and decided and decided[1] != mark:
                raise WrongStatement(
                    f"{cell!r} has another decimal mark than the amount in line {decided[0]}.", line=line
                )
            elif mark:
                decided = decided or (line, mark)
        if unsure and not decided:
            raise WrongStatement(
                f"{bare(unsure[1], 40)!r} may be a thousand or one, and no other amount in the file tells which.",
                line=unsure[0],
            )
        if decided:
            self._decimal = decided[1]

    def minor(self, line: int, cell: str) -> int:
        """Raises `WrongStatement` for what is no amount, or has more decimals than the currency."""
        written = self._written(cell, line)
        thousands = "," if self._decimal == "." else "."
        grouped = rf"[0-9]{{1,3}}(?:([{thousands} ])[0-9]{{3}})(?:\2[0-9]{{3}})*"
        match = re.fullmatch(rf"({grouped}|[0-9]{{0,18}})(?:[{self._decimal}]([0-9]*))?", written.digits)
        if match is None:
            raise WrongStatement(f"{bare(cell, 40)!r} is no amount.", line=line)
        whole = re.sub("[^0-9]", "", match[1]) or "0"
        minor = minor_of(whole, match[3] or "", self._currency, line=line)
        return -minor if written.negative else minor

    def _written(self, cell: str, line: int) -> _Written:
        bare_cell = cell.replace("€", "").replace(self._currency.code, "")
        match = _SIGNED.fullmatch(bare_cell) if len(bare_cell) <= _LONGEST else None
        signs = match[1] + match[3] if match else ""
        if match is None or signs not in {"", "+", "-", "\u2212", "()"}:
            raise WrongStatement(f"{bare(cell, 40)!r} is no amount of {self._currency.code}.", line=line)
        return _Written(signs in {"-", "\u2212", "()"}, re.sub(f"[{_GROUPING}]", " ", match[2]))


def _decimal_mark(digits: str) -> Mark | Literal["", "?"]:
    """What this one amount says of the file: nothing, which mark stands before decimals, or that it could be either."""
    points, commas = digits.count("."), digits.count(",")
    if points and commas:
        return "." if digits.rindex(".") > digits.rindex(",") else ","
    if not points and not commas:
        return ""
    mark: Mark = "." if points else ","
    if points + commas > 1:
        return "," if mark == "." else "."
    before, _, after = digits.partition(mark)
    could_be_thousands = len(after) == 3 and 1 <= len(before) <= 3 and before[0] != "0"
    return "?" if could_be_thousands else mark


class Days:
    """How this file writes days: one way in all of its rows."""

    def __init__(self, cells: Sequence[Cell], order: str | None) -> None:
        """`order` is `DD/MM` or `MM/DD`, where the admin has said so. Raises `WrongStatement`."""
        self._order = order
        forms = [(line, cell, _form(line, cell)) for line, cell in cells]
        for line, cell, form in forms:
            if form is not forms[0][2]:
                raise WrongStatement(
                    f"{bare(cell, 40)!r} is written otherwise than the day in line {forms[0][0]}.", line=line
                )
        slashed = [(line, cell) for line, cell, form in forms if form is _SLASHED]
        if slashed and order is None:
            self._order = _order(slashed)

    def day(self, line: int, cell: str) -> date:
        match = _form(line, cell).fullmatch(cell.strip())
        assert match is not None  # noqa: S101 (its form was found by it)
        if match.re is _YEAR_FIRST:
            return day(match[1], match[3], match[4], line=line)
        if match.re is _DOTTED:
            year = match[3] if len(match[3]) == 4 else f"20{match[3]}"
            return day(year, match[2], match[1], line=line)
        first, second = (match[1], match[3]) if self._order == DAY_FIRST else (match[3], match[1])
        return day(match[4], second, first, line=line)


def _form(line: int, cell: str) -> re.Pattern[str]:
    for form in (_YEAR_FIRST, _DOTTED, _SLASHED):
        if form.fullmatch(cell.strip()):
            return form
    raise WrongStatement(
        f"{bare(cell, 40)!r} is no day, such as 2026-11-26, 26.11.2026 or 26/11/2026.", line=line
    )


def _order(cells: Sequence[Cell]) -> str:
    """By the first day after the twelfth of a month."""
    for _, cell in cells:
        match = _SLASHED.fullmatch(cell.strip())
        if match and int(match[1]) > 12:
            return DAY_FIRST
        if match and int(match[3]) > 12:
            return MONTH_FIRST
    line, cell = cells[0]
    raise WrongStatement(
        f"In {bare(cell, 40)!r} and in all other rows day and month cannot be told apart: say --dates {DAY_FIRST} or"
        f" --dates {MONTH_FIRST}.",
        line=line,
    )
