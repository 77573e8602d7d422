"""Amounts and balances as an admin types them: `25`, `25.50`, `25,50`, with or without the currency. Pure."""

import re
from typing import Final

from bot.errors import Misconfigured
from ledger.money import EUR, Currency, Money

MOST_MINOR: Final = 10**12
_WRITTEN: Final = re.compile(r"([0-9]{1,10})(?:[.,]([0-9]{2}))?")


def amount_of(written: str, currency: Currency = EUR) -> Money:
    """Exact, never rounded. Raises `Misconfigured` for anything that could be read in two ways."""
    bare = written.strip().replace("€", "").replace(currency.code, "").strip()
    match = _WRITTEN.fullmatch(bare)
    minor = int(match[1]) * 10**currency.exponent + int(match[2] or 0) if match else 0
    if match is None or (match[2] and currency.exponent != 2) or not 0 < minor <= MOST_MINOR:
        raise Misconfigured(
            written, f"is no amount of {currency.code}.", example="25 or 25.50 (no thousands separators)"
        )
    return Money(minor, currency)


def balance_of(written: str, currency: Currency = EUR) -> Money:
    """What a bank says an account holds: nothing, or less than that, is a balance too. Raises `Misconfigured`."""
    bare = written.strip()
    if re.fullmatch(r"[-+]?0+(?:[.,]0+)?", bare):
        return Money(0, currency)
    amount = amount_of(bare.removeprefix("-"), currency)
    return -amount if bare.startswith("-") else amount
