"""What to do with a message that is no order: refuse it with a reason, or keep silent because it was talk.

Only silence and refusals come from here, never a payment. The question is whether the person meant the bot to do
something: then they are told what was not understood; otherwise they are left in peace.
"""

import re
from collections.abc import Sequence

from bot.language.grammar import letters_of
from bot.language.lexicon import lexicon
from bot.language.reading import Reason, Utterance
from bot.language.roles import Role
from bot.language.tokens import Token

_QUOTED_ORDER = re.compile("G[^G]*[bVSRYA]")
_OPENING = re.compile("[gmCDHJk]*(?:g[^bANnXVSRYG]{0,14}D[gmCDHJk]*)?b[CDHJ]*")
_AFTER_A_SENTENCE = re.compile("[^bGPK]{1,30}Db+[CDHJ]*(?=[VSY])")
_FRIENDLY = re.compile("(?:g+[CDHJk]*)*")
_ORDER_VERB = re.compile("[VSRY]")
_MONEY = re.compile("[AXn]")
_NOTE_MARK = re.compile("[AXm][^m]{0,20}?(f(?!m)|q)")
_ADDRESSED_LAST = re.compile("(?:g[CDHJ]*)?[VSRYAX][^b]*b[CDHJ]*")
_MEANT_AS_ORDER = re.compile(
    "[VSRY]|x[VAX]|[AXn][MkHrp]?[AXn]|[AX](?:$|[CDHJe]*[pfmUyL0]|[^W]*U)|[pf]?e?[mU][CDJkmpfe]*[AXn]|n[CDJ]*[pf]?[mU]|[pf][mU]|L[AX]|dA[pf]m"
)
_ASKED_TO_PAY = re.compile("[TW]{1,3}V?(?:A[pf]?e?m|[pf]?m(?:C?k?p?m)*A)[^T]*Q[QDj]*$")
_WISHED = re.compile("T{0,3}Z[^NQI]{0,60}[VSRY]")
_STRANGE_VERB = re.compile("[WFh]{1,2}[CDJ]?V?(?:[pf]?[mUL][Ckm]*[AXn]|[AXnz]u?[^T]{0,3}[pf]?[mUL])")


def reason_to_refuse(tokens: Sequence[Token], letters: str, utterance: Utterance) -> Reason | None:
    """The reason to tell, or None for silence."""
    rest = _addressed_part(letters, utterance)
    if rest is None or _is_quoted(letters):
        return None
    position, core = rest
    core = _without_note(core)
    if not _is_meant(core, tokens[position:]):
        return None
    return _reason(core, tokens[position : position + len(core)], utterance)


def _is_quoted(letters: str) -> bool:
    """Somebody's words given again: in quotation marks around an order, as a repost, as a quoted line."""
    order = _ORDER_VERB.search(letters)
    repost = letters.find("P")
    return (
        _QUOTED_ORDER.search(letters) is not None
        or "K" in letters
        or (repost >= 0 and (order is None or repost < order.start()))
    )


def _addressed_part(letters: str, utterance: Utterance) -> tuple[int, str] | None:
    """The letters said to the bot, and where they begin; None where it is only talked about."""
    opening = _OPENING.match(letters) or _AFTER_A_SENTENCE.match(letters)
    start = opening.end() if opening else 0
    if opening is None and not (
        utterance.private or utterance.answers_bot or _ADDRESSED_LAST.fullmatch(letters)
    ):
        return None
    friendly = _FRIENDLY.match(letters, start)
    start = friendly.end() if friendly else start
    return start, letters[start:]


def _without_note(core: str) -> str:
    mark = _NOTE_MARK.search(core)
    return core[: mark.start(1)] if mark else core


def _is_meant(core: str, tokens: Sequence[Token]) -> bool:
    """Whether somebody wants something done, rather than tells a story."""
    money, verb = _MONEY.search(core) is not None, _ORDER_VERB.search(core) is not None
    if _WISHED.match(core):
        return money and "m" in core
    if _ASKED_TO_PAY.match(core):
        return True
    if core.startswith("T"):
        return False
    if "N" in core or "Q" in core or "I" in core:
        return verb or (money and "m" in core)
    if _MEANT_AS_ORDER.match(core.lstrip("v")):
        return True
    if core.startswith("T") or (core and core[0] == "m"):
        return False
    return _STRANGE_VERB.match(core) is not None or _is_misspelt_verb(core, tokens)


def _is_misspelt_verb(core: str, tokens: Sequence[Token]) -> bool:
    return (
        core[:1] in ("W", "h")
        and any(mark in core for mark in "AXnmU")
        and meant_verb(tokens[0].key.lstrip("#＃")) is not None
    )


def in_the_way(tokens: Sequence[Token]) -> Reason | None:
    """What stands in the way of a command with an amount, whoever it is about."""
    core = letters_of(tokens)
    return _said_against(core, tokens) or _amount_reason(core, tokens)


def _reason(core: str, tokens: Sequence[Token], utterance: Utterance) -> Reason:
    """The first thing that stands in the way, in the order a person would want to hear it."""
    return (
        _said_against(core, tokens)
        or _amount_reason(core, tokens)
        or _payee_reason(core, tokens, utterance)
        or Reason.NOT_A_COMMAND
    )


def _said_against(core: str, tokens: Sequence[Token]) -> Reason | None:
    """A word that takes the order back, asks or puts it off; characters that deceive."""
    if "F" in core or any(token.reason is Reason.SPOOFED_TEXT for token in tokens):
        return Reason.SPOOFED_TEXT
    for letter, reason in (
        ("N", Reason.NEGATED),
        ("Q", Reason.QUESTION),
        ("I", Reason.NOT_A_COMMAND),
        ("v", Reason.NOT_A_COMMAND),
    ):
        if letter in core:
            return reason
    return None


def _amount_reason(core: str, tokens: Sequence[Token]) -> Reason | None:
    found = [token for token in tokens if token.role in (Role.AMOUNT, Role.BAD_AMOUNT, Role.NUMBER)]
    if len(found) > 1 or (found and "M" in core):
        return Reason.MULTIPLE_AMOUNTS
    if found and found[0].reason is not None:
        return found[0].reason
    if "u" in core:
        foreign = any(
            token.meaning is not None and not token.meaning.factor
            for token in tokens
            if token.role is Role.UNIT
        )
        return Reason.UNSUPPORTED_CURRENCY if foreign else Reason.NO_AMOUNT
    if not found or "z" in core:
        return Reason.NO_AMOUNT
    return Reason.AMBIGUOUS_AMOUNT if "B" in core or "E" in core else None


def _payee_reason(core: str, tokens: Sequence[Token], utterance: Utterance) -> Reason | None:
    author = utterance.author.lower()
    if "L" in core or any(token.role is Role.MENTION and token.key == author for token in tokens):
        return Reason.SELF_PAYMENT
    if "d" in core:
        return Reason.NOT_A_COMMAND
    mentions = core.count("m")
    return Reason.NO_PAYEE if not mentions or "U" in core or "r" in core or mentions > 1 else None


def meant_verb(word: str) -> str | None:
    """The order a misspelt word was meant to be: one letter wrong, missing, added, or two swapped."""
    verbs = lexicon().verbs
    if not 3 <= len(word) <= 14:
        return None
    return next(
        (verb for verb in verbs if abs(len(verb) - len(word)) <= 1 and _is_one_slip(word, verb)), None
    )


def _is_one_slip(word: str, verb: str) -> bool:
    start = 0
    while start < min(len(word), len(verb)) and word[start] == verb[start]:
        start += 1
    end = 0
    while end < min(len(word), len(verb)) - start and word[-1 - end] == verb[-1 - end]:
        end += 1
    wrong, right = word[start : len(word) - end], verb[start : len(verb) - end]
    return (len(wrong) <= 1 and len(right) <= 1) or (len(wrong) == 2 and wrong == right[::-1])
