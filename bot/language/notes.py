"""The note of an order: the words behind "for", as its writer wrote them.

What stands in a note changes no amount and no payee. But an order may be taken back, put off or made conditional in
what looks like its note ("for pizza, no wait"), and then it is not carried out.
"""

import html
import re
from collections.abc import Sequence

from bot.language.reading import Reason
from bot.language.roles import Role
from bot.language.tokens import Token

_SECOND_ORDER = re.compile(r"A[WkC]{0,2}[pf]m|m[WkC]{0,1}A|V[WkC]{0,2}A|V[WkC]{0,2}m")
_TAKEN_BACK = re.compile(r"[CDHJ]W{0,2}N|^[fq](?!N).*[^N]N+[CDHJj]*$")
_TRIMMED = frozenset(
    (
        Role.PLEASE,
        Role.EMOJI,
        Role.LINK,
        Role.HASHTAG,
        Role.COMMA,
        Role.COLON,
        Role.FULL_STOP,
        Role.DASH,
        Role.BOT,
    )
)
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c\u200e\u200f")


def refusal_in(note: Sequence[Token], *, payees: int) -> Reason | None:
    """Why an order with this note is not carried out, or None."""
    letters = "".join([token.role.value for token in note])
    if "Q" in letters and any(token.role is Role.QUESTION and token.meaning is None for token in note):
        return Reason.QUESTION
    if _TAKEN_BACK.search(letters):
        return Reason.NEGATED
    if "I" in letters:
        return Reason.NOT_A_COMMAND
    if _SECOND_ORDER.search(letters):
        return Reason.MULTIPLE_AMOUNTS
    if any(token.key in _BIDI for token in note if token.role is Role.HIDDEN):
        return Reason.SPOOFED_TEXT
    if payees > 1 and any(mark in letters for mark in "xSse"):
        return Reason.NOT_A_COMMAND
    return None


def text_of(note: Sequence[Token], whole: str) -> str | None:
    """The note as written, without its mark, trailing thanks, emoji and links; None where nothing is left."""
    first = 1
    while first < len(note) and note[first].role in (Role.FULL_STOP, Role.COLON, Role.COMMA, Role.DASH):
        first += 1
    last = len(note)
    last = _end(note, first, last)
    thanks = last
    while thanks > first and note[thanks - 1].role is Role.GREETING:
        thanks -= 1
    if first < thanks < last and note[thanks - 1].role in (Role.COMMA, Role.FULL_STOP):
        last = _end(note, first, thanks)
    if last <= first:
        return None
    return html.unescape(whole[note[first].start : note[last - 1].end]).strip() or None


def _end(note: Sequence[Token], first: int, last: int) -> int:
    while last > first and note[last - 1].role in _TRIMMED:
        last -= 1
    return last
