"""Numbers in digits, read by one anchored grammar into exact cents, or refused with a reason. Integers only.

The shape decides; the language is asked only for one separator with three digits behind it, where "2.000" is two
thousand to a German and two to an Englishman. What fits no shape is refused, never read in part.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from bot.language.reading import Reason

MOST_DIGITS = 12
"""More digits before the decimals than anybody's money has: refused, so that no sum can overflow."""

_TEN = "🔟"
_KEYCAP = re.compile("\ufe0f?\u20e3")
_SETS = (0x30, 0xFF10, 0x0660, 0x06F0, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6)
"""The zeros of the digit sets that read as they look: ASCII, fullwidth, Arabic-Indic, mathematical."""

_WHOLE_MARK = re.compile(r"(?<=\d)[.,](?:--?|–|—|=)$")
_INTEGER = re.compile(r"\d+")
_DECIMALS = re.compile(r"(\d*)[.,](\d{1,2})")
_THREE = re.compile(r"([1-9]\d{0,2})([.,])(\d{3})")
_GROUPED = re.compile(
    r"([1-9]\d{0,2}(?:([.,'\u00a0\u202f\u2009\u2007 ])\d{3})(?:\2\d{3})*)(?:(?!\2)[.,](\d{1,2}))?"
)
_PRECISE = re.compile(r"(?:\d*|[1-9]\d{0,2}(?:([.,' ])\d{3})+(?!\1))[.,]\d{3,}")


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number in hundredths, or the reason it is none. `mark` is the separator whose meaning the language decides:
    where it does not mark thousands there, the number is ambiguous."""

    hundredths: int = 0
    reason: Reason | None = None
    mark: str = ""
    is_whole: bool = False
    digits: str = ""


_AMBIGUOUS = Numeral(reason=Reason.AMBIGUOUS_AMOUNT)
_TOO_PRECISE = Numeral(reason=Reason.TOO_PRECISE)
_SPOOFED = Numeral(reason=Reason.SPOOFED_TEXT)


@lru_cache(maxsize=4096)
def numeral(text: str) -> Numeral:
    """What a run of digits and separators says."""
    if len(text) > 2 * MOST_DIGITS + 8:
        return _AMBIGUOUS
    if text == _TEN:
        return Numeral(1000, is_whole=True, digits="10")
    plain = text if text.isascii() else _plain_digits(text)
    if plain is None:
        return _SPOOFED
    return _by_shape(plain.replace("’", "'"))


def _plain_digits(text: str) -> str | None:
    """The same with ASCII digits, or None where sets are mixed or a digit is of no known set."""
    bare, keycaps = _KEYCAP.subn("", text)
    if keycaps and keycaps != sum(mark.isdecimal() for mark in bare):
        return None
    zeros: set[int] = set()
    plain: list[str] = []
    for mark in bare:
        if not mark.isdecimal():
            plain.append(mark)
            continue
        zero = next((zero for zero in _SETS if zero <= ord(mark) <= zero + 9), None)
        if zero is None:
            return None
        zeros.add(zero)
        plain.append(chr(0x30 + ord(mark) - zero))
    return "".join(plain) if len(zeros) == 1 else None


def _by_shape(text: str) -> Numeral:
    whole = _WHOLE_MARK.sub("", text)
    if _INTEGER.fullmatch(whole):
        return _checked(whole, "", is_whole=True, digits=whole if whole == text else "")
    if whole != text:
        return _AMBIGUOUS
    if match := _DECIMALS.fullmatch(text):
        return _checked(match[1] or "0", match[2])
    if match := _THREE.fullmatch(text):
        return _checked(match[1] + match[3], "", mark=match[2])
    if match := _GROUPED.fullmatch(text):
        return _checked(re.sub(r"\D", "", match[1]), match[3] or "")
    if _PRECISE.fullmatch(text):
        return _TOO_PRECISE
    return _AMBIGUOUS


def _checked(
    whole: str, decimals: str, *, mark: str = "", is_whole: bool = False, digits: str = ""
) -> Numeral:
    if len(whole.lstrip("0")) > MOST_DIGITS:
        return _AMBIGUOUS
    cents = int(whole) * 100 + int((decimals + "00")[:2])
    return Numeral(cents, mark=mark, is_whole=is_whole, digits=digits)
