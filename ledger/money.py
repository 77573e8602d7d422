"""Amounts of money: whole minor units of one currency.

There is no float and no `Decimal` here, and never will be: an amount is an int, and what cannot be divided is shared
out by the largest remainder. Currencies never mix. Bounds lie far inside 64 bit, so that no sum the database makes
can overflow before a check has said no.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ledger.errors import AmountOutOfRange, CurrencyMismatch, Invalid

MAX_MINOR: Final = 10**15
"""The largest amount, in minor units: ten million million euros. An account's total may reach 4,000 times that."""

MAX_EXPONENT: Final = 8

# ISO 4217 as of 2026-01-01. Two digits is the rule; these are all the exceptions and all the codes in use.
_EXPONENT_0 = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_EXPONENT_3 = "BHD IQD JOD KWD LYD OMR TND"
_EXPONENT_4 = "CLF UYW"
_EXPONENT_2 = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW "
    "CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF "
    "IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK "
    "MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP "
    "SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER "
    "ZAR ZMW ZWG"
)
ISO_EXPONENTS: Final[dict[str, int]] = {
    code: exponent
    for exponent, codes in enumerate((_EXPONENT_0, "", _EXPONENT_2, _EXPONENT_3, _EXPONENT_4))
    for code in codes.split()
}
_CODE = re.compile(r"[A-Z][A-Z0-9]{1,11}")


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency of ISO 4217, or an operator's own unit under a code ISO does not use.

    `exponent` is the number of digits of the minor unit, 0 to 8. Raises `Invalid`.
    """

    code: str
    exponent: int

    def __post_init__(self) -> None:
        if not _CODE.fullmatch(self.code):
            raise Invalid(f"currency code {self.code!r}: 2 to 12 capital letters or digits, such as EUR")
        if type(self.exponent) is not int or not 0 <= self.exponent <= MAX_EXPONENT:
            raise Invalid(f"exponent {self.exponent!r} of {self.code}: 0 to {MAX_EXPONENT}")
        if ISO_EXPONENTS.get(self.code, self.exponent) != self.exponent:
            raise Invalid(
                f"{self.code} has {ISO_EXPONENTS[self.code]} digits by ISO 4217, not {self.exponent}"
            )

    def __str__(self) -> str:
        return f"{self.code}/{self.exponent}"


EUR: Final = Currency("EUR", 2)


def currency_of(code: str) -> Currency:
    """The currency of ISO 4217 with this code. Raises `Invalid` for any other."""
    if code not in ISO_EXPONENTS:
        raise Invalid(
            f"{code!r} is no currency of ISO 4217; an own unit is made with Currency(code, exponent)"
        )
    return Currency(code, ISO_EXPONENTS[code])


@dataclass(frozen=True, slots=True)
class Money:
    """`amount_minor` whole minor units of `currency`; may be negative, within `MAX_MINOR` either way.

    Arithmetic and order refuse two currencies (`CurrencyMismatch`) and leave the bound with `AmountOutOfRange`.
    """

    amount_minor: int
    currency: Currency

    def __post_init__(self) -> None:
        if type(self.amount_minor) is not int:
            raise Invalid(f"an amount is a whole number of minor units, not {self.amount_minor!r}")
        if not -MAX_MINOR <= self.amount_minor <= MAX_MINOR:
            raise AmountOutOfRange(self.amount_minor, -MAX_MINOR, MAX_MINOR)

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount_minor + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.amount_minor - self._same(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount_minor, self.currency)

    def __bool__(self) -> bool:
        return self.amount_minor != 0

    def __lt__(self, other: "Money") -> bool:
        return self.amount_minor < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.amount_minor <= self._same(other)

    def __gt__(self, other: "Money") -> bool:
        return self.amount_minor > self._same(other)

    def __ge__(self, other: "Money") -> bool:
        return self.amount_minor >= self._same(other)

    def __str__(self) -> str:
        return f"{decimal_text(self.amount_minor, self.currency.exponent)} {self.currency.code}"

    def split(self, shares: Sequence[int]) -> tuple["Money", ...]:
        """Divide in proportion to `shares` (whole, none negative, not all zero), exactly: the parts sum to the whole.

        What does not divide goes, one minor unit each, to the largest remainders; between equal ones to the first.
        """
        total = sum(shares)
        if total <= 0 or min(shares) < 0:
            raise Invalid(f"shares {list(shares)}: none negative, and not all zero")
        sign = -1 if self.amount_minor < 0 else 1
        whole = abs(self.amount_minor)
        parts = [whole * share // total for share in shares]
        by_remainder = sorted(range(len(shares)), key=lambda place: -(whole * shares[place] % total))
        for place in by_remainder[: whole - sum(parts)]:
            parts[place] += 1
        return tuple(Money(sign * part, self.currency) for part in parts)

    def _same(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise CurrencyMismatch(str(self.currency), str(other.currency))
        return other.amount_minor


def decimal_text(amount_minor: int, exponent: int) -> str:
    """Minor units as a plain decimal with a point: (1250, 2) is `12.50`, (-5, 3) is `-0.005`, (7, 0) is `7`."""
    sign = "-" if amount_minor < 0 else ""
    digits = str(abs(amount_minor)).rjust(exponent + 1, "0")
    return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}" if exponent else f"{sign}{digits}"
