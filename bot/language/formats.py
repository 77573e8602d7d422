"""Money, dates and lists as a language writes them, by the CLDR through Babel."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.dates import format_date, format_time
from babel.lists import format_list
from babel.numbers import NumberPattern, format_currency, format_decimal, parse_pattern

from bot.language.lexicon import language_files
from ledger.money import Money

_ITEMS_IN_A_SENTENCE = 20


@lru_cache(maxsize=64)
def locale_of(language: str) -> Locale:
    return Locale.parse(language_files()[language]["locale"])


def money(amount: Money, language: str) -> str:
    """As in “12,50 €”, with as many decimals as the currency has."""
    exponent = amount.currency.exponent
    pattern = _pattern(language, exponent)
    value = Decimal(amount.amount_minor).scaleb(-exponent)  # exact: an integer and a power of ten
    return format_currency(
        value, amount.currency.code, pattern, locale=locale_of(language), currency_digits=False
    )


@lru_cache(maxsize=256)
def _pattern(language: str, exponent: int) -> NumberPattern:
    standard = locale_of(language).currency_formats["standard"].pattern
    return parse_pattern(standard.replace("0.00", "0." + "0" * exponent if exponent else "0"))


def number(value: int, language: str) -> str:
    return format_decimal(value, locale=locale_of(language))


def plural(value: int, language: str) -> str:
    """The CLDR's plural category: "one", "many", "other", ..."""
    return str(locale_of(language).plural_form(value))


def moment(instant: datetime, language: str, time_zone: tzinfo) -> str:
    return f"{date(instant, language, time_zone)} {time(instant, language, time_zone)}"


def date(instant: datetime, language: str, time_zone: tzinfo) -> str:
    return format_date(instant.astimezone(time_zone), format="medium", locale=locale_of(language))


def time(instant: datetime, language: str, time_zone: tzinfo) -> str:
    return format_time(instant.astimezone(time_zone), format="short", locale=locale_of(language))


def listed(items: Sequence[str], language: str, *, style: str = "standard") -> str:
    """As in “a, b and c”; a long list is cut, and says so."""
    shown = list(items[:_ITEMS_IN_A_SENTENCE]) + (["…"] if len(items) > _ITEMS_IN_A_SENTENCE else [])
    return format_list(shown, style=style, locale=locale_of(language))  # type: ignore[arg-type]
