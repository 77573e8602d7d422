"""Money put into one's own account: “top up 20€”, “lade mein Konto mit 20 Euro auf”.

A top-up is read only from a message that is nothing else: the command's words in their order, one clean amount or none,
and words that may stand beside them. Where only something that stands in the way is left over (a second amount, another
currency, a “don't”, a question), the refusal says what. Whatever else is left over makes it none of this file's business:
a message that names somebody, quotes or tells a story is never a top-up.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.language import judging
from bot.language.folding import lowered
from bot.language.lexicon import TopUpWords, apart, lexicon
from bot.language.numerals import numeral
from bot.language.reading import Command, NotUnderstood, Reason, Utterance, Verb
from bot.language.roles import Role
from bot.language.suggesting import refusal
from bot.language.tokens import Token

_MOST_TOKENS = 30
_AMOUNTS = frozenset((Role.AMOUNT, Role.BAD_AMOUNT, Role.NUMBER))
_PASSED_OVER = frozenset(
    (Role.BOT, Role.PLEASE, Role.EMOJI, Role.COMMA, Role.FULL_STOP, Role.COLON, Role.DASH, Role.LINK)
)
_BESIDE = frozenset((Role.GREETING, Role.WISH))  # “I would like to”; “he would” is talk
_IN_THE_WAY = _AMOUNTS | frozenset(
    (
        Role.NEGATION,
        Role.QUESTION,
        Role.CONDITION,
        Role.WHEN,
        Role.ABOUT,
        Role.TIMES,
        Role.OR,
        Role.AND,
        Role.MINUS,
        Role.PERCENT,
        Role.UNIT,
        Role.THOUSAND,
        Role.HIDDEN,
    )
)


@dataclass(frozen=True, slots=True)
class _Word:
    """One word as written, in small letters with its accents: “rechargé” is no “recharge”."""

    written: str
    token: Token


@dataclass(frozen=True, slots=True)
class _Fit:
    """A listed top-up found in the message; `left` is all that is in the way, the amounts among it."""

    language: str
    left: Sequence[Token]

    @property
    def amounts(self) -> Sequence[Token]:
        return [token for token in self.left if token.role in _AMOUNTS]

    @property
    def is_clean(self) -> bool:
        roles = [token.role for token in self.left]
        return roles in ([], [Role.AMOUNT])


def top_up_in(tokens: Sequence[Token], utterance: Utterance, language: str) -> Command | NotUnderstood | None:
    """The top-up this message is, the refusal of one, or None where it is something else.

    `tokens` are those with amounts composed. A question without an amount is left to whoever answers questions.
    """
    if len(tokens) > _MOST_TOKENS:
        return None
    fit = _best(list(_fits(tokens, utterance)), language)
    if fit is None:
        return None
    amounts = fit.amounts
    if fit.is_clean:
        reason = _doubt(amounts[0], utterance, fit.language) if amounts else None
        if reason is None:
            value = amounts[0].value if amounts else None
            return Command(Verb.TOP_UP, amount_minor=value, language=fit.language)
        return refusal(reason, (), utterance, fit.language, top_up=True)
    if not amounts and all(token.role is Role.QUESTION for token in fit.left):
        return None
    reason = judging.in_the_way(fit.left) or Reason.NOT_A_COMMAND
    return refusal(reason, fit.left, utterance, fit.language, top_up=True)


def _best(fits: Sequence[_Fit], language: str) -> _Fit | None:
    """The one with nothing in the way, in the message's own language where there are several."""
    return min(fits, key=lambda fit: (not fit.is_clean, fit.language != language), default=None)


def _fits(tokens: Sequence[Token], utterance: Utterance) -> Iterator[_Fit]:
    words = [word for token in tokens for word in _words_of(token, utterance)]
    for listed in _listed(words):
        taken = _taken(words, listed)
        if taken is None or (_has_amount(tokens) and all(word.token.role is Role.SEND for word in taken)):
            continue  # a verb of paying alone asks for its payee
        rest = [word for word in words if word not in taken and word.written not in listed.beside]
        left = [
            _apart_from_particle(token, tokens, taken)
            for token in dict.fromkeys(word.token for word in rest)
            if token.role not in _BESIDE
        ]
        if all(token.role in _IN_THE_WAY for token in left):
            yield _Fit(listed.language, left)


def _apart_from_particle(token: Token, tokens: Sequence[Token], taken: Sequence[_Word]) -> Token:
    """“zahle 20€ ein”: the second number is a word of the command, so that the amount before it was read in full."""
    behind = tokens.index(token) + 1
    follows = tokens[behind : behind + 1]
    is_particle = any(word.token in follows for word in taken)
    if not is_particle or token.reason is not Reason.MULTIPLE_AMOUNTS or token.value <= 0:
        return token
    amount = Token(Role.AMOUNT, token.key, token.start, token.end)
    amount.value, amount.meaning = token.value, token.meaning
    return amount


def _listed(words: Sequence[_Word]) -> Iterator[TopUpWords]:
    """Those whose first word is in the message."""
    for written in dict.fromkeys(word.written for word in words):
        yield from lexicon().top_ups.get(written, ())


def _words_of(token: Token, utterance: Utterance) -> Iterator[_Word]:
    if token.role in _PASSED_OVER and not _says_whence(token):
        return
    written = lowered(utterance.text[token.start : token.end]).lstrip("#＃")
    whole = token.role in _AMOUNTS  # the “ein” of “ein Euro” is no word of its own
    for piece in (written,) if whole else apart(written) or (written,):
        yield _Word(piece, token)


def _says_whence(token: Token) -> bool:
    """“from my account” changes nothing for a payment; a top-up goes the other way."""
    first = lexicon().meaning_of(token.key.split()[0]) if token.role is Role.PLEASE else None
    return first is not None and first.can_be(Role.FROM)


def _taken(words: Sequence[_Word], listed: TopUpWords) -> Sequence[_Word] | None:
    """The words of the message that are the listed ones, in their order; None where one is missing."""
    taken: list[_Word] = []
    for word in words:
        if len(taken) < len(listed.words) and word.written in listed.words[len(taken)]:
            taken.append(word)
    return taken if len(taken) == len(listed.words) else None


def _has_amount(tokens: Sequence[Token]) -> bool:
    return any(token.role in _AMOUNTS for token in tokens)


def _doubt(amount: Token, utterance: Utterance, language: str) -> Reason | None:
    """A message cut off may have had more figures; “1.000€” is a thousand only where the command's language says so."""
    figures = "".join(
        mark for mark in utterance.text[amount.start : amount.end] if mark.isdecimal() or mark in ".,"
    )
    mark = numeral(figures).mark
    is_marked_otherwise = bool(mark) and lexicon().thousands_mark[language] != mark
    return Reason.AMBIGUOUS_AMOUNT if utterance.is_truncated or is_marked_otherwise else None
