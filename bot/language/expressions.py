"""Words that belong together become one token: expressions ("make a transfer of") and number words ("forty two")."""

from collections.abc import Sequence
from functools import lru_cache

from bot.language.lexicon import Lexicon, Meaning, lexicon
from bot.language.reading import Reason
from bot.language.roles import Role
from bot.language.tokens import Token

_LONGEST_NUMBER = 12  # words: "nine hundred and ninety-nine thousand nine hundred and ninety-nine" has eleven

HANDLES = frozenset({Role.MENTION, Role.BOT, Role.UNKNOWN_HANDLE})


def joined(tokens: Sequence[Token]) -> list[Token]:
    """The same tokens with expressions and number words in one piece each."""
    words = lexicon()
    found: list[Token] = []
    position = 0
    while position < len(tokens):
        token = tokens[position]
        if token.role in HANDLES:  # @ten is somebody, and no amount
            found.append(token)
            position += 1
            continue
        taken = _expression(tokens, position, words, found)
        if not taken and _is_number_piece(token, words) and not _belongs_to_digits(token, found):
            taken = _number(tokens, position, words, found)
        if not taken:
            found.append(token)
        position += taken or 1
    return found


def _expression(tokens: Sequence[Token], position: int, words: Lexicon, found: list[Token]) -> int:
    beginning = tuple(token.key for token in tokens[position : position + 2])
    for keys, meaning in words.expressions.get(beginning, ()):
        several = tokens[position : position + len(keys)]
        if tuple(token.key for token in several) == keys and not any(
            token.role in HANDLES for token in several
        ):
            found.append(_in_one(several, " ".join(keys), meaning))
            return len(keys)
    return 0


def _in_one(several: Sequence[Token], key: str, meaning: Meaning) -> Token:
    token = Token(meaning.settled or meaning.role_in(""), key, several[0].start, several[-1].end)
    token.meaning = meaning
    return token


def _is_number_piece(token: Token, words: Lexicon) -> bool:
    if token.role in HANDLES:
        return False
    if token.key in words.number_pieces or (
        "-" in token.key and token.key.split("-")[0] in words.number_pieces
    ):
        return True
    return token.role is Role.WORD and _is_glued_number(token.key)


@lru_cache(maxsize=4096)
def _is_glued_number(key: str) -> bool:
    """Whether a word nobody listed is a number, such as “zweitausendfünfhundert”."""
    return len(key) < 60 and bool(_values_of(key))


def _belongs_to_digits(token: Token, found: Sequence[Token]) -> bool:
    """The "cent" of "20 cent" and the "mille" of "2 mille" are no numbers of their own."""
    meaning = token.meaning
    belongs = meaning is not None and (meaning.can_be(Role.UNIT) or meaning.can_be(Role.THOUSAND))
    return belongs and bool(found) and found[-1].role is Role.NUMBER


def _number(tokens: Sequence[Token], position: int, words: Lexicon, found: list[Token]) -> int:
    """The longest run of number words from here that is one number; two languages may not disagree on it."""
    letters = ""
    longest, values = 0, set[int]()
    for count, token in enumerate(tokens[position : position + _LONGEST_NUMBER], start=1):
        if not _is_number_piece(token, words):
            break
        letters += token.key.replace("-", "")
        here = _values_of(letters)
        if here:
            longest, values = count, set(here)
    if longest:
        found.append(_numeral(tokens[position : position + longest], values))
    return longest


@lru_cache(maxsize=8192)
def _values_of(letters: str) -> frozenset[int]:
    """What these words run together are worth, in any language."""
    tables = lexicon().numbers.values()
    return frozenset(value for table in tables if (value := table.value_of(letters)) is not None)


def _numeral(several: Sequence[Token], values: set[int]) -> Token:
    token = Token(Role.NUMBER, " ".join(one.key for one in several), several[0].start, several[-1].end)
    token.value = values.pop()
    token.reason = Reason.AMBIGUOUS_AMOUNT if values else None
    token.meaning = _WORDS
    return token


_WORDS = Meaning((("", Role.NUMBER),))
"""Marks a number written in words."""
