"""The words of all languages in one place, read once from the packaged language files.

A word may play another part in another language ("no", "a", "per"). Such a word is settled by the language of the
message, and where that does not know it, by the more careful part. Nothing here knows a language by name.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from bot.language import number_words
from bot.language.folding import folded, lowered, spellings
from bot.language.roles import Role

ROLES: Mapping[str, Role] = {
    "send": Role.SEND,
    "send_with_particle": Role.SEND_APART,
    "particle": Role.PARTICLE,
    "split": Role.SPLIT,
    "between": Role.BETWEEN,
    "shared": Role.SHARED,
    "each": Role.EACH,
    "request": Role.REQUEST,
    "to": Role.TO,
    "for": Role.FOR,
    "note_mark": Role.NOTE_MARK,
    "from": Role.FROM,
    "before_payee": Role.BEFORE_PAYEE,
    "and": Role.AND,
    "or": Role.OR,
    "copy": Role.COPY,
    "greeting": Role.GREETING,
    "please": Role.PLEASE,
    "negation": Role.NEGATION,
    "question": Role.QUESTION,
    "condition": Role.CONDITION,
    "when": Role.WHEN,
    "wish": Role.WISH,
    "talk": Role.TALK,
    "vague": Role.VAGUE,
    "about": Role.ABOUT,
    "times": Role.TIMES,
    "self": Role.SELF,
    "with": Role.WITH,
    "minus": Role.MINUS,
    "percent": Role.PERCENT,
    "repost": Role.REPOST,
    "euro": Role.UNIT,
    "cent": Role.UNIT,
    "other_currency": Role.UNIT,
    "thousand": Role.THOUSAND,
}
"""The lists of `[understood]` in a language file, and the part their words play."""

NO_COMMANDS = frozenset(("filler", "asked_for_help", "top_up_filler"))
"""The lists of `[commands]` whose words are none by themselves."""

_FACTORS = {"euro": 100, "cent": 1}

# Where languages disagree and the message's own does not decide, the part that pays less readily comes first.
_CAREFUL = (
    Role.NEGATION, Role.QUESTION, Role.CONDITION, Role.WISH, Role.TALK, Role.WHEN, Role.VAGUE, Role.ABOUT, Role.TIMES, Role.OR, Role.FROM,
    Role.WITH, Role.REPOST, Role.UNIT, Role.REQUEST, Role.SPLIT, Role.BETWEEN, Role.SHARED, Role.EACH, Role.TO,
    Role.FOR, Role.NOTE_MARK, Role.AND, Role.SEND,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a word or expression can be: its parts, each with the language that knows it so.

    `factor` belongs to a unit of money: how many cents one is, 0 for a currency that is not ours.
    """

    roles: tuple[tuple[str, Role], ...]
    factor: int = 0
    languages: tuple[str, ...] = field(init=False)
    settled: Role | None = field(init=False)  # its part, where all languages agree on it

    def __post_init__(self) -> None:
        parts = {role for _, role in self.roles}
        object.__setattr__(self, "languages", tuple(dict.fromkeys(code for code, _ in self.roles if code)))
        object.__setattr__(self, "settled", parts.pop() if len(parts) == 1 else None)

    def role_in(self, *languages: str | None) -> Role:
        """Its part in a message of the first of these languages that knows it."""
        for language in languages:
            own = [role for known_in, role in self.roles if known_in == language]
            if own:
                return min(own, key=_care)
        return min((role for _, role in self.roles), key=_care)

    def can_be(self, role: Role) -> bool:
        """Whether it plays this part in any language."""
        return any(one is role for _, one in self.roles)

    def joined(self, other: "Meaning") -> "Meaning":
        return Meaning(tuple(dict.fromkeys(self.roles + other.roles)), min(self.factor, other.factor))


def _care(role: Role) -> int:
    return _CAREFUL.index(role) if role in _CAREFUL else len(_CAREFUL)


@dataclass(frozen=True, slots=True)
class TopUpWords:
    """One way to say a top-up: for each word the forms it may be written in, and the words that may stand `beside`.

    An accent may be left out, but not put where there is none: “recharge” is an order, “rechargé” a story.
    """

    language: str
    words: tuple[frozenset[str], ...]
    beside: frozenset[str]


Expressions = Mapping[tuple[str, ...], tuple[tuple[tuple[str, ...], Meaning], ...]]
"""Expressions of several words by their first two, the longest first."""


@dataclass(frozen=True, slots=True)
class Lexicon:
    languages: tuple[str, ...]
    exact: Mapping[str, Meaning]
    by_fold: Mapping[str, Meaning]
    expressions: Expressions
    numbers: Mapping[str, number_words.NumberWords]
    number_pieces: frozenset[str]
    thousands_mark: Mapping[str, str]
    commands: Mapping[tuple[str, ...], tuple[tuple[str, str], ...]]  # words -> (command, language) each
    fillers: frozenset[str]
    asked_for_help: frozenset[str]  # in a question alone: "how does this work?", and not "works!"
    top_ups: Mapping[str, tuple[TopUpWords, ...]]  # by the forms of their first word
    language_names: Mapping[str, str]
    verbs: Mapping[str, tuple[str, ...]]

    def meaning_of(self, word: str) -> Meaning | None:
        """What a word as written means. A written accent is heeded where it tells two words apart."""
        exact = self.exact.get(lowered(word))
        return exact if exact is not None else self.by_fold.get(folded(word))


@cache
def language_files() -> Mapping[str, Mapping[str, Any]]:
    """Every packaged language file by its code, in the order of the codes."""
    folder = files("bot.language") / "languages"
    entries = sorted(
        (entry for entry in folder.iterdir() if entry.name.endswith(".toml")), key=lambda one: one.name
    )
    return {
        entry.name.removesuffix(".toml"): tomllib.loads(entry.read_text(encoding="utf-8"))
        for entry in entries
    }


@cache
def lexicon() -> Lexicon:
    """All packaged languages, put together at the first call."""
    return build(language_files())


def build(languages: Mapping[str, Mapping[str, Any]]) -> Lexicon:
    listed = list(_listed(languages))
    numbers = {code: number_words.build(table["numbers"]) for code, table in languages.items()}
    fillers = frozenset(
        piece
        for table in languages.values()
        for word in table["commands"]["filler"]
        for piece in apart(folded(word))
    )
    single = [(word, meaning) for word, meaning in listed if " " not in word]
    return Lexicon(
        languages=tuple(languages),
        exact=_by(lambda word: {lowered(word)}, single),
        by_fold=_by(spellings, single),
        expressions=_expressions((word, meaning) for word, meaning in listed if " " in word),
        numbers=numbers,
        number_pieces=frozenset().union(*(table.pieces for table in numbers.values())),
        thousands_mark={code: table["thousands_mark"] for code, table in languages.items()},
        commands=_commands(languages, fillers),
        fillers=fillers,
        asked_for_help=frozenset(
            folded(word) for table in languages.values() for word in table["commands"]["asked_for_help"]
        ),
        top_ups=_by_first_word(_top_ups(languages)),
        language_names={
            folded(name): code for code, table in languages.items() for name in (code, *table["names"])
        },
        verbs=_verbs(single),
    )


def _listed(languages: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, Meaning]]:
    for code, table in languages.items():
        for name, words in table["understood"].items():
            for word in words:
                yield word, Meaning(((code, ROLES[name]),), _FACTORS.get(name, 0))


def _by(keys: Any, listed: Iterable[tuple[str, Meaning]]) -> dict[str, Meaning]:
    found: dict[str, Meaning] = {}
    for word, meaning in listed:
        for key in keys(word):
            found[key] = found[key].joined(meaning) if key in found else meaning
    return found


def _expressions(listed: Iterable[tuple[str, Meaning]]) -> Expressions:
    by_words: dict[tuple[str, ...], Meaning] = {}
    for text, meaning in listed:
        for spelling in spellings(text):
            for words in {tuple(spelling.split()), tuple(re.sub(r"'(?=\w)", "' ", spelling).split())}:
                by_words[words] = by_words[words].joined(meaning) if words in by_words else meaning
    found: dict[tuple[str, ...], list[tuple[tuple[str, ...], Meaning]]] = {}
    for words, meaning in sorted(by_words.items(), key=lambda item: -len(item[0])):
        found.setdefault(words[:2], []).append((words, meaning))
    return {first: tuple(several) for first, several in found.items()}


def _commands(
    languages: Mapping[str, Mapping[str, Any]], fillers: frozenset[str]
) -> dict[tuple[str, ...], tuple[tuple[str, str], ...]]:
    found: dict[tuple[str, ...], list[tuple[str, str]]] = {}
    for code, table in languages.items():
        for command, phrases in table["commands"].items():
            for phrase in phrases if command not in NO_COMMANDS else ():
                for spelling in spellings(phrase):
                    whole = apart(spelling)
                    core = tuple(word for word in whole if word not in fillers)
                    for words in {whole, core} if len(core) > 1 else {whole}:
                        found.setdefault(words, []).append((command, code))
    return {words: tuple(dict.fromkeys(several)) for words, several in found.items() if words}


def _top_ups(languages: Mapping[str, Mapping[str, Any]]) -> Iterator[TopUpWords]:
    """The listed top-ups, without the words that `top_up_filler` lets stand beside them."""
    for code, table in languages.items():
        beside = frozenset(
            form
            for word in table["commands"]["top_up_filler"]
            for piece in apart(lowered(word))
            for form in _written_forms(piece)
        )
        found = {
            tuple(_written_forms(word) for word in apart(lowered(phrase)) if word not in beside)
            for phrase in table["commands"]["top_up"]
        }
        for words in sorted(found, key=lambda words: [sorted(forms) for forms in words]):
            yield TopUpWords(code, words, beside)


def _by_first_word(listed: Iterable[TopUpWords]) -> dict[str, tuple[TopUpWords, ...]]:
    found: dict[str, tuple[TopUpWords, ...]] = {}
    for one in listed:
        for form in one.words[0]:
            found[form] = (*found.get(form, ()), one)
    return found


def _written_forms(word: str) -> frozenset[str]:
    return frozenset({lowered(word)} | spellings(word))


def apart(words: str) -> tuple[str, ...]:
    """The pieces of words as commands are compared: cut at spaces, apostrophes and hyphens."""
    return tuple(piece for piece in re.split(r"[\s'-]+", words) if piece)


def _verbs(single: Iterable[tuple[str, Meaning]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for word, meaning in single:
        if meaning.roles[0][1] in (Role.SEND, Role.SPLIT) and len(word) >= 4:
            found[folded(word)] = found.get(folded(word), ()) + meaning.languages
    return found
