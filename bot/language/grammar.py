"""The whole-message grammar of money orders.

A message is a string of role letters; an order is read only if ONE rule fits it from the first letter to the last.
There is no searching for something that looks like an order: a letter without a place means no payment. Payees are
the mentions inside the order's own span; those before the bot, behind "cc", or in the note are nobody's payees.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.language.roles import Role
from bot.language.tokens import Token

_DROPPED = frozenset((Role.PLEASE, Role.EMOJI, Role.LINK))

_LIST = "m(?:C?k?m|(?:Ck?|k)pm)*"
_TO = f"[pf]?e?[CJ]?{_LIST}"
_AMOUNT = "e?A"
_GIVE = (
    f"(?:V[CDJ]?(?:{_AMOUNT}C?e?C?{_TO}|{_TO}C?d?{_AMOUNT})C?e?"
    f"|{_AMOUNT}C?e?C?{_TO}C?e?V?"
    f"|{_TO}[CJ]?{_AMOUNT}e?V?"
    f"|Y(?:{_AMOUNT}C?e?(?:y{_TO}|{_TO}e?y)|{_TO}{_AMOUNT}e?y))"
)
_SHARED = "[xS]"
_SHARE = (
    f"(?:(?:S[CDJ]?x?|x)(?:A{_SHARED}?C?[psfy]?{_LIST}C?{_SHARED}?[ps]?|[psfy]{_LIST}[CDJ]?A)"
    f"|(?:V[CDJ]?)?A{_SHARED}?s{_LIST}{_SHARED}?"
    f"|(?:V[CDJ]?)?(?:A{_SHARED}[pf]{_LIST}|A[pf]?{_LIST}C?{_SHARED})"
    f"|V[pf]?{_LIST}A{_SHARED})"
)
_ASK = f"(?:R[CDJ]?(?:{_AMOUNT}C?e?[pdf]?e?{_LIST}e?p?|[pd]?e?{_LIST}C?[fpi]?{_AMOUNT}e?p?))"
_ORDER = f"(?:(?P<give>{_GIVE})|(?P<share>{_SHARE})|(?P<ask>{_ASK}))"
_CARRY_NOTE_INSIDE = (
    f"(?P<inside>V[CDJ]?{_AMOUNT}e?(?P<between>f(?!m)[WgfpkCTzVsxedirLIvuHqSRhjo1]{{1,8}}?)p{_LIST})"
)

_FRIENDLY = "D?[gCDHJk]*(?:g[WgfkCDTpmdLisxHehYyvjz1]{0,14}(?:D|[mj](?=b))[gCDHJk]*)?"
_OPENING = f"{_FRIENDLY}(?:mC?)*b+[CDHJk]*(?:g+[CDHJ]*)?"
_OPENING_UNADDRESSED = "(?:g+[CDHJk]*)?(?:b[CDHJ]*)?(?:g+[CDHJ]*)?"
_ENDING = "[CDHJ]*(?:c[DJ]?m(?:C?k?m)*[CDJ]*)?(?:k?g+(?:C?m)?[WgfkCDpHhjo]{0,6})?[CDHJ]*"
_NOTE = "(?P<note>(?:f(?!m)|q).+)?"

_ADDRESSED = re.compile(f"{_OPENING}(?:{_ORDER}|{_CARRY_NOTE_INSIDE}){_ENDING}{_NOTE}", re.DOTALL)
_ANSWERING = re.compile(f"{_OPENING_UNADDRESSED}(?:{_ORDER}|{_CARRY_NOTE_INSIDE}){_ENDING}{_NOTE}", re.DOTALL)
_ADDRESSED_LAST = re.compile(f"(?:g+[CDHJ]*)?(?:{_ORDER})[CDJ]*(?:g+[CDJ]*)?b[CDHg]*")


@dataclass(frozen=True, slots=True)
class Derivation:
    """An order read in full: its tokens, and those of its note."""

    kind: str  # "give", "share" or "ask"
    order: Sequence[Token]
    note: Sequence[Token]
    opening_end: int  # how many of the kept tokens stand before the order


def kept(tokens: Sequence[Token]) -> list[Token]:
    """The tokens the grammar looks at: polite words, emoji and links are left out up to the note.

    A hashtag nobody knows is left out only before the bot or behind a payee: in the place of a verb it may say anything.
    """
    found: list[Token] = []
    may_tag = any(token.role is Role.BOT for token in tokens)
    for position, token in enumerate(tokens):
        role = token.role
        may_tag = role is Role.MENTION or (may_tag and role is not Role.BOT)
        if (
            role in _DROPPED
            or (role is Role.HASHTAG and may_tag)
            or _is_before_payee(tokens, position, found)
        ):
            continue
        found.append(token)
        if role is Role.NOTE_MARK or (role is Role.FOR and not _is_payee_next(tokens, position)):
            return found + list(tokens[position + 1 :])
    return found


def _is_payee_next(tokens: Sequence[Token], position: int) -> bool:
    following = tokens[position + 1] if position + 1 < len(tokens) else None
    if following is not None and _names_payee(following):
        following = tokens[position + 2] if position + 2 < len(tokens) else None
    return following is not None and following.role in (Role.MENTION, Role.UNKNOWN_HANDLE)


def _is_before_payee(tokens: Sequence[Token], position: int, found: Sequence[Token]) -> bool:
    """“to my friend @ann”, “para o @joao”: between the word for the payee and the handle nothing else is meant."""
    following = tokens[position + 1] if position + 1 < len(tokens) else None
    return (
        _names_payee(tokens[position])
        and following is not None
        and following.role is Role.MENTION
        and bool(found)
        and found[-1].role in (Role.SEND, Role.TO, Role.FOR)
    )


def _names_payee(token: Token) -> bool:
    return token.meaning is not None and token.meaning.can_be(Role.BEFORE_PAYEE)


def letters_of(tokens: Sequence[Token]) -> str:
    return "".join([token.role.value for token in tokens])


def derive(tokens: Sequence[Token], letters: str, *, may_be_unaddressed: bool) -> Derivation | None:
    """The one order these tokens are, or None."""
    match = (_ANSWERING if may_be_unaddressed else _ADDRESSED).fullmatch(letters)
    if match is None and "b" in letters:
        match = _ADDRESSED_LAST.fullmatch(letters)
    if match is None:
        return None
    return _with_note_inside(match, tokens) or _plain(match, tokens)


def _plain(match: re.Match[str], tokens: Sequence[Token]) -> Derivation:
    kind = next(name for name in ("give", "share", "ask") if match[name] is not None)
    start, end = match.span(kind)
    note = match.span("note") if "note" in match.re.groupindex and match["note"] else (0, 0)
    return Derivation(kind, tokens[start:end], tokens[note[0] : note[1]], start)


def _with_note_inside(match: re.Match[str], tokens: Sequence[Token]) -> Derivation | None:
    """Reads “send 10€ for pizza to @alice”: the note stands between amount and payee, and there is no other."""
    if "inside" not in match.re.groupindex or match["inside"] is None or match["note"]:
        return None
    start, end = match.span("inside")
    first, last = match.span("between")
    return Derivation("give", [*tokens[start:first], *tokens[last:end]], tokens[first:last], start)
