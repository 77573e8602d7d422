"""Which language a message is in, and where X or its reader may have cut it.

X's own guess is a hint, never a gate: people mix. It decides together with the words, and where the two disagree on
what a number says, the number is ambiguous.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from bot.language.folding import folded
from bot.language.lexicon import lexicon
from bot.language.reading import Reason, Utterance
from bot.language.roles import Role
from bot.language.tokens import Token

DEFAULT = "en"
_ONE_VOTE = 24  # divisible by the number of languages that may share a word
_HINT = 20


@dataclass(frozen=True, slots=True)
class Spoken:
    """The language to answer in, and all languages the words and the hint speak for."""

    language: str
    by_words: tuple[str, ...]
    hint: str | None

    def marks_thousands(self, mark: str) -> bool:
        """Whether this separator marks thousands for the hint and for at least one language of the words."""
        marks = lexicon().thousands_mark
        words_agree = not self.by_words or any(marks[language] == mark for language in self.by_words)
        if self.hint is not None:
            return marks[self.hint] == mark and words_agree
        return bool(self.by_words) and all(marks[language] == mark for language in self.by_words)


def spoken_language(tokens: Sequence[Token], utterance: Utterance) -> Spoken:
    votes: dict[str, int] = {}
    for token in tokens:
        if token.meaning is not None:
            languages = token.meaning.languages
            for language in languages:
                votes[language] = votes.get(language, 0) + _ONE_VOTE // len(languages)
    hint = hint_of(utterance)
    most = max(votes.values(), default=0)
    by_words = tuple(language for language, count in votes.items() if count == most)
    if hint is not None:
        votes[hint] = votes.get(hint, 0) + _HINT
    language = max(votes, key=lambda one: (votes[one], one == DEFAULT)) if votes else DEFAULT
    return Spoken(language, by_words, hint)


def hint_of(utterance: Utterance) -> str | None:
    """X's guess, where it is a language we speak."""
    return language_of(utterance.language)


def language_of(code: str) -> str | None:
    """The language of a code or name ("pt-BR", "French"), or None."""
    known = lexicon()
    short = code.split("-", maxsplit=1)[0].split("_", maxsplit=1)[0].lower()
    return short if short in known.languages else known.language_names.get(folded(code.strip()))


def languages() -> tuple[str, ...]:
    """The codes of all languages there are files for."""
    return lexicon().languages


def heed_cuts(tokens: Sequence[Token]) -> None:
    """An ellipsis stuck to a handle or a number may hide the rest of it: such a piece is not what it seems."""
    for before, mark in pairwise(tokens):
        if mark.role is not Role.FULL_STOP or "…" not in mark.key or mark.start != before.end:
            continue
        if before.role is Role.MENTION:
            before.role = Role.UNKNOWN_HANDLE
        elif before.role in (Role.NUMBER, Role.UNIT):
            mark.role, mark.reason = Role.BAD_AMOUNT, Reason.AMBIGUOUS_AMOUNT
