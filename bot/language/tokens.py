"""From text to tokens: every visible character that is no space ends up in exactly one of them.

A mention is a mention only where X's own entity says so and the text at that place agrees. Signs that hide or reorder
text are kept as tokens of their own, so that nothing behind them is read as if they were not there. Nothing is
normalised before it is cut: offsets stay those of the text as X gave it.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from unicodedata import category, normalize

from bot.language.folding import folded
from bot.language.lexicon import Meaning, lexicon
from bot.language.reading import Reason, Utterance
from bot.language.roles import Role
from bot.x.gateway import MentionEntity, UserId

_SEPARATORS = ".,'’·٫٬_"
_BETWEEN_DIGITS = rf"[{_SEPARATORS}:;*×xX/+^÷\-–—−\u00a0\u202f\u2009\u2007 ]"
_DIGIT = r"\d(?:\ufe0f?\u20e3)?"
_MARKS = r"\u0300-\u036f"
_LETTER = rf"[^\W\d_][{_MARKS}]*"
_EMOJI = (
    r"[\U0001F000-\U0001FAFF\u2600-\u27BF\u2B00-\u2BFF\u2300-\u23FF\u2934\u2935\u3030\u303D\u00a9\u00ae\u2122\u2139"
    r"\u25AA-\u25FE\u203C\u2049\u2194-\u2199\u21A9\u21AA]"
)
_MASTER = re.compile(
    rf"""
    (?P<link>(?i:https?://|www\.|t\.co/)\S+)
  | (?P<handle>[@＠][A-Za-z0-9_]+)
  | (?P<hashtag>[#＃]\w+)
  | (?P<reference>\b(?:[A-Za-z]-(?=[A-Za-z]*\d)[0-9A-Za-z]{{6}}|[A-Z]-[A-Z]{{6}}|[Pp]-[A-Za-z]{{6}}
        |[Pp](?=[A-Za-z]*\d)[0-9A-Za-z]{{6}})\b)
  | (?P<arrow>(?:-|=|–|—){{1,9}}(?:&gt;|>)|[→⇒➜➡]\ufe0f?)
  | (?P<emoticon>(?<!\S)(?:[:;][-'^o]?3|[:;=xX][-'^o]?[)(DPpO*\]]+|\^_*\^)(?!\w))
  | (?P<heart>(?:&lt;|<)3+(?![\d.,]|\s?(?:€|eur)))
  | (?P<number>🔟|(?:(?<![^\s€])[.,](?=\d))?{_DIGIT}(?:(?:{_DIGIT})|{_BETWEEN_DIGITS}{{1,3}}(?=\d))*(?:[.,](?:--?|–|—|=)(?![\w]))?)
  | (?P<dollar>[A-Za-z]{{1,3}}\$)
  | (?P<entity>&(?:amp|lt|gt|quot|\#39);)
  | (?P<word>{_LETTER}(?:{_LETTER}|['’ʼ‐‑-](?=[^\W\d_])|(?<=[lL])·(?=[lL]))*)
  | (?P<cashtag>\$[A-Za-z_]\w*)
  | (?P<emoji>{_EMOJI}[\ufe0e\ufe0f\U0001F3FB-\U0001F3FF\U000E0020-\U000E007F]*
        (?:\u200d{_EMOJI}[\ufe0e\ufe0f\U0001F3FB-\U0001F3FF]*)*)
  | (?P<question>[?¿？⁇⁈⸮؟﹖]+)
  | (?P<quotation>["“”„‟«»‹›‘‚‛`´＂「」『』❝❞〝〞]|(?:^|(?<=\s))['’]|['’](?=\s|$))
  | (?P<stop>[.!…！。¡]+)
  | (?P<colon>[:;：]+)
  | (?P<comma>,)
  | (?P<dash>[-–—−‒―])
  | (?P<other>\S)
    """,
    re.VERBOSE | re.DOTALL,
)
_NO_MARK = re.compile(r"[A-Za-z0-9_@＠]")
_PLAIN = {
    "link": Role.LINK,
    "arrow": Role.TO,
    "heart": Role.EMOJI,
    "reference": Role.REFERENCE,
    "number": Role.NUMBER,
    "question": Role.QUESTION,
    "quotation": Role.QUOTATION,
    "comma": Role.COMMA,
    "dash": Role.DASH,
    "stop": Role.FULL_STOP,
    "colon": Role.COLON,
    "emoticon": Role.EMOJI,
    "hashtag": Role.HASHTAG,
    "cashtag": Role.UNKNOWN_HANDLE,
    "dollar": Role.UNIT,
}
_SIGNS = {
    "%": Role.PERCENT, "‰": Role.PERCENT, "٪": Role.PERCENT, "&": Role.AND, "+": Role.AND, "~": Role.ABOUT,
    "≈": Role.ABOUT, "±": Role.ABOUT, "≥": Role.ABOUT, "≤": Role.ABOUT, "<": Role.ABOUT, ">": Role.ABOUT,
}  # fmt: skip
_REFUSING_EMOJI = frozenset("❌🚫⛔👎🙅✋🛑❎")
_ASKING_EMOJI = frozenset("❓❔⁉🤔")


_DRESSED = range(0x1F100, 0x1F1E6)  # letters and figures dressed as emoji: 🅾 reads as a nought


class Token:
    """A piece of the text, its part, and what it stands for. `[start, end)` in code points of the text as given."""

    __slots__ = ("end", "key", "meaning", "reason", "role", "start", "user_id", "value")

    def __init__(self, role: Role, key: str, start: int, end: int) -> None:
        self.role = role
        self.key = key  # the word as it is compared; the handle in small letters; the digits as written
        self.start = start
        self.end = end
        self.meaning: Meaning | None = None
        self.value = 0
        self.reason: Reason | None = None
        self.user_id: UserId | None = None


MOST_TOKENS = 500
"""More than any order has, its note included; a post of 280 characters cannot have as many."""


def tokens_of(utterance: Utterance) -> list[Token]:
    """The visible text in tokens, unsettled words with the part of the more careful language.

    After `MOST_TOKENS` and one more it stops: whoever reads on must know that the rest was not looked at.
    """
    text = utterance.text
    start = min(max(utterance.display_start, 0), len(text))
    entities = {mention.start: mention for mention in utterance.mentions}
    found: list[Token] = []
    for match in _MASTER.finditer(text, start):
        if len(found) > MOST_TOKENS:
            break
        kind = match.lastgroup
        if kind == "word":
            _add_words(found, match.group(), match.start())
        elif kind == "handle":
            found.append(_handle(match.group(), match.start(), match.end(), utterance, entities))
        else:
            found.append(_sign(str(kind), match.group(), match.start(), match.end(), text))
    return found


def _add_words(found: list[Token], text: str, start: int) -> None:
    for first, last, role, key, meaning in _words(text):
        token = Token(role, key, start + first, start + last)
        token.meaning = meaning
        found.append(token)


_LONGEST_WORD = 100
"""No language of ours has a longer one, glued numbers included; what is longer is there to keep somebody busy."""
Parts = tuple[tuple[int, int, Role, str, Meaning | None], ...]


@lru_cache(maxsize=8192)
def _words(text: str) -> Parts:
    """A word as written, whole where it is known, else cut at its apostrophes and hyphens where a part is known."""
    if len(text) > _LONGEST_WORD:
        return ((0, len(text), Role.HIDDEN, text, None),)
    words = lexicon()
    meaning = words.meaning_of(text)
    key = folded(text)
    if meaning is not None:
        return ((0, len(text), _role(meaning), key, meaning),)
    pieces = [(piece.start(), piece.end()) for piece in _PIECE.finditer(text)]
    if len(pieces) > 1 and not all(folded(part) in words.number_pieces for part in key.split("-")):
        parts = tuple(_part(text, first, last) for first, last in pieces)
        if any(part[4] for part in parts):
            return parts
    return ((0, len(text), _unknown(text), key, None),)


_PIECE = re.compile(r"[^'’ʼ‐‑-]+['’ʼ]?")


def _part(text: str, first: int, last: int) -> tuple[int, int, Role, str, Meaning | None]:
    piece = text[first:last]
    meaning = lexicon().meaning_of(piece)
    return first, last, _role(meaning) if meaning else _unknown(piece), folded(piece), meaning


def _role(meaning: Meaning) -> Role:
    return meaning.settled or meaning.role_in("")


def _unknown(text: str) -> Role:
    """A word nobody knows; one that mixes scripts, or strikes letters through, is out to deceive."""
    if text.isascii():
        return Role.WORD
    composed = normalize("NFC", text)
    latin = [mark < "\u0250" or "\u1e00" <= mark <= "\u1eff" for mark in composed if mark.isalpha()]
    marked = any("\u0300" <= mark <= "\u036f" for mark in composed)
    return Role.HIDDEN if marked or (any(latin) and not all(latin)) else Role.WORD


def _handle(
    text: str, start: int, end: int, utterance: Utterance, entities: Mapping[int, MentionEntity]
) -> Token:
    """A mention by X's own entity; anything else that looks like one is a handle nobody can be paid by."""
    username = text[1:].lower()
    token = Token(Role.UNKNOWN_HANDLE, username, start, end)
    entity = entities.get(start)
    named = entity is not None and entity.end == end and entity.username.lower() == username
    known = named or (entity is None and utterance.private and len(username) <= 15)
    if known and not _is_address(utterance.text, start, end):
        token.role = Role.BOT if username == utterance.bot.lower() else Role.MENTION
        token.user_id = entity.user_id if entity is not None else None
    return token


def _is_address(text: str, start: int, end: int) -> bool:
    """A piece of an e-mail or fediverse address, or a handle that goes on in letters X does not take."""
    return (start > 0 and _goes_on(text[start - 1])) or (end < len(text) and _goes_on(text[end]))


def _goes_on(mark: str) -> bool:
    return mark.isalnum() or mark in "_@＠"


def _sign(kind: str, text: str, start: int, end: int, whole: str) -> Token:
    role = _PLAIN.get(kind)
    if role is None:
        role = _OTHERS[kind](text, start, whole)
    token = Token(role, text, start, end)
    if kind == "hashtag":
        _heed_hashtag(token)
    elif role is Role.UNIT:
        token.meaning = lexicon().meaning_of(text) or _FOREIGN
    return token


def _heed_hashtag(token: Token) -> None:
    """A hashtag that is a known word plays that word's part (#send, #not); any other changes nothing."""
    meaning = lexicon().meaning_of(token.key[1:])
    if meaning is not None and not meaning.factor and _role(meaning) not in (Role.UNIT, Role.THOUSAND):
        token.role, token.meaning, token.key = _role(meaning), meaning, folded(token.key[1:])


def _entity(text: str, start: int, whole: str) -> Role:
    if text == "&amp;":
        return Role.AND
    if text == "&gt;":
        return _more_than(start, whole)
    return Role.ABOUT if text == "&lt;" else Role.QUOTATION


def _more_than(start: int, whole: str) -> Role:
    """A bound ("&gt;40"), or the mark of a quoted line where it begins one."""
    line = whole[whole.rfind("\n", max(0, start - 80), start) + 1 : start] if start else ""
    return Role.ABOUT if line.strip() else Role.QUOTED_LINE


def _emoji(text: str, _start: int, _whole: str) -> Role:
    first = text[0]
    if first in _REFUSING_EMOJI:
        return Role.NEGATION
    if first in _ASKING_EMOJI:
        return Role.QUESTION
    if first in "➖➕✖➗":
        return Role.MINUS
    return Role.HIDDEN if ord(first) in _DRESSED else Role.EMOJI


def _other(text: str, start: int, whole: str) -> Role:
    if text == ">":
        return _more_than(start, whole)
    if text in _SIGNS:
        return _SIGNS[text]
    kind = category(text)
    if kind == "Sc":
        return Role.UNIT
    return Role.HIDDEN if kind[0] in "CM" else Role.UNKNOWN_HANDLE if text in "@＠" else Role.ODD


_OTHERS: Mapping[str, Callable[[str, int, str], Role]] = {
    "entity": _entity, "emoji": _emoji, "other": _other,
}  # fmt: skip
_FOREIGN = Meaning((("", Role.UNIT),), 0)
