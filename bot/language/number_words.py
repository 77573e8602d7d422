"""Number words, zero to 999,999, from the lists of a language file.

A language file lists the small numbers, the tens and the hundreds; the rest is put together here. What cannot be put
together in full is no number: reading a part of "twenty-five" would be worse than reading nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.language.folding import folded, spellings


@dataclass(frozen=True, slots=True)
class NumberWords:
    """The numbers of one language: `values` by their letters alone, `pieces` the words they are written with."""

    values: Mapping[str, int]
    pieces: frozenset[str]
    thousands: tuple[str, ...]
    joins: tuple[str, ...] = field(default=("",))

    def value_of(self, letters: str) -> int | None:
        """The value of words run together ("twentyfive"), or None."""
        if letters in self.values:
            return self.values[letters]
        for thousand in self.thousands:
            before, found, after = letters.partition(thousand)
            if found:
                return self._with_thousands(before, after)
        return None

    def _with_thousands(self, before: str, after: str) -> int | None:
        count = self.values.get(before) if before else 1
        rest = self._rest(after)
        if count is None or rest is None or count == 0:
            return None
        return count * 1000 + rest

    def _rest(self, letters: str) -> int | None:
        if not letters:
            return 0
        for join in self.joins:
            if letters.startswith(join) and letters[len(join) :] in self.values:
                return self.values[letters[len(join) :]]
        return None


def build(table: Mapping[str, Any]) -> NumberWords:
    """From the `[numbers]` of a language file; see docs/languages.md for its keys."""
    below = dict(_small(table["small"]))
    _add_tens(below, table)
    phrases = [(text, value) for value, texts in below.items() for text in texts]
    phrases += list(_hundreds(below, table))
    thousands = list(table.get("thousand", ()))
    pieces = {piece for text, _ in phrases for piece in _pieces(text)}
    pieces |= {folded(word) for word in thousands}
    values: dict[str, int] = {}
    for text, value in phrases:
        for spelling in spellings(text):
            values.setdefault(_letters(spelling), value)
    joins = tuple(
        sorted({_letters(folded(join)) for join in table.get("joins", [""])}, key=len, reverse=True)
    )
    return NumberWords(values, frozenset(pieces), tuple(folded(word) for word in thousands), joins)


def _small(lines: str) -> Iterable[tuple[int, list[str]]]:
    for value, word in enumerate(lines.split()):
        yield value, [variant.replace("_", " ") for variant in word.split("|")]


def _add_tens(below: dict[int, list[str]], table: Mapping[str, Any]) -> None:
    """Twenty to ninety with their ones, by the language's pattern: `{tens}` and `{ones}`, spaces where words part."""
    for place, tens in enumerate(table.get("tens", "").split(), start=2):
        below.setdefault(place * 10, tens.split("|"))
        for ones in range(1, 10):
            if place * 10 + ones in below:
                continue
            words = table.get("ones_in_tens", "").split() or [below[one][0] for one in range(1, 10)]
            below[place * 10 + ones] = [
                pattern.format(tens=ten, ones=one)
                for pattern in table["tens_with_ones"]
                for ten in tens.split("|")
                for one in words[ones - 1].split("|")
            ]


def _hundreds(below: Mapping[int, list[str]], table: Mapping[str, Any]) -> Iterable[tuple[str, int]]:
    for place, words in enumerate(table["hundreds"].split(), start=1):
        for hundred in words.replace("_", " ").split("|"):
            yield hundred, place * 100
            for value, texts in below.items():
                for join in table.get("hundred_joins", [" "]):
                    for text in texts if value else ():
                        yield f"{hundred}{join}{text}", place * 100 + value


def _pieces(text: str) -> set[str]:
    return {piece for spelling in spellings(text) for piece in spelling.replace("-", " ").split()}


def _letters(text: str) -> str:
    return text.replace("-", "").replace(" ", "")
