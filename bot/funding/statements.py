"""What a bank's statement says, in our words, whatever its form. Pure.

A file is understood whole or not at all: what is wrong with it is one sentence that names the line. Amounts are exact whole
minor units; a float never comes near them.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, TypeAlias

from bot.errors import SmoneyError
from ledger.money import Currency, Money, decimal_text

MOST_BYTES: Final = 20 * 1024 * 1024
MOST_MINOR: Final = 10**12
"""Ten thousand million euros: more in one line is a misread file."""
MOST_TEXT: Final = 1_000
MOST_NAME: Final = 140
"""A reference as long as a transfer's remittance text (ISO 20022, Max140Text)."""
Form: TypeAlias = Literal["camt053", "csv"]
Told: TypeAlias = Callable[[int, int | None], None]
"""Told how far the reading is, and of how much."""
_EXACT: Final = re.compile(r"\+?([0-9]{1,18})(?:\.([0-9]*))?|\+?\.([0-9]+)")
_UNSEEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")


class WrongStatement(SmoneyError):
    """This file is no statement that can be read; one sentence says why."""

    def __init__(self, problem: str, *, line: int | None = None) -> None:
        super().__init__((f"Line {line}: " if line else "") + problem + " Nothing was imported.")


class ForeignCurrency(WrongStatement):
    """It is of an account in another currency than the book's."""

    def __init__(self, found: str, currency: Currency, *, line: int) -> None:
        shown = bare(found, 40) or "No currency"
        super().__init__(f"{shown} where {currency.code} is expected.", line=line)


@dataclass(frozen=True, slots=True)
class BankLine:
    """One booked movement of an account at a bank."""

    account: str
    """The IBAN, or however the bank names it; nothing where the file does not say."""
    booked_on: date
    amount: Money
    """What the account grew by; less than zero where money left it. Never zero."""
    bank_reference: str
    """The bank's own name of it; nothing where it gave none."""
    text: str
    """Who and what for, as the file says."""
    is_reversal: bool = False
    """Whether it takes an earlier one back."""


@dataclass(frozen=True, slots=True)
class BankBalance:
    account: str
    on: date
    """At the end of this day."""
    amount: Money


@dataclass(frozen=True, slots=True)
class BankStatement:
    form: Form
    lines: tuple[BankLine, ...]
    closing: tuple[BankBalance, ...] = ()


def nothing_told(_done: int, _total: int | None) -> None:
    """Whoever does not want to hear how far it is."""


def check_size(data: bytes) -> None:
    if len(data) > MOST_BYTES:
        raise WrongStatement(
            f"The file has more than {MOST_BYTES // 1024**2} MB; ask the bank for a shorter time."
        )


def bare(text: str, most: int = MOST_TEXT) -> str:
    """On one line, without signs that nobody sees."""
    return " ".join(_UNSEEN.sub(" ", text).split())[:most].rstrip()


def bare_account(text: str) -> str:
    """However an IBAN is grouped, it is the same one."""
    return "".join(text.split()).upper()[:MOST_NAME]


def exact(written: str, currency: Currency, *, line: int) -> int:
    """Minor units of a plain decimal with a point, as XML has them; zeros may stand behind the last decimal."""
    match = _EXACT.fullmatch(written.strip())
    if match is None:
        raise WrongStatement(f"{bare(written, 40)!r} is no amount.", line=line)
    whole, fraction = match[1] or "0", (match[2] or match[3] or "").rstrip("0")
    return minor_of(whole, fraction, currency, line=line)


def minor_of(whole: str, fraction: str, currency: Currency, *, line: int) -> int:
    if len(fraction) > currency.exponent:
        raise WrongStatement(
            f"{whole}.{fraction} has more decimals than {currency.code} has ({currency.exponent}).",
            line=line,
        )
    minor = int(whole + fraction.ljust(currency.exponent, "0"))
    if minor > MOST_MINOR:
        most = decimal_text(MOST_MINOR, currency.exponent)
        raise WrongStatement(f"{whole} is more than {most} {currency.code}.", line=line)
    return minor


def day(year: str, month: str, day_of_month: str, *, line: int) -> date:
    """A day of this century, which all statements are of."""
    try:
        found = date(int(year), int(month), int(day_of_month))
    except ValueError:
        raise WrongStatement(f"{year}-{month}-{day_of_month} is no day.", line=line) from None
    if not 2000 <= found.year < 2100:
        raise WrongStatement(f"{found} lies outside of this century.", line=line)
    return found
