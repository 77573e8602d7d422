"""A reading laid open: each piece of the text with the part it played. The same code path as `read`, nothing of its own."""

from dataclasses import dataclass

from bot.language.reader import understood
from bot.language.reading import Reading, Utterance
from bot.language.roles import Role

NOTE = "note"


@dataclass(frozen=True, slots=True)
class Piece:
    """`[start, end)` in code points of the text as given; `role` is a role's name in small letters, or "note"."""

    text: str
    role: str
    start: int
    end: int

    @property
    def is_trouble(self) -> bool:
        """Whether this piece has no place in an order."""
        return self.role not in _PLACED


@dataclass(frozen=True, slots=True)
class Explanation:
    reading: Reading
    pieces: tuple[Piece, ...]


def explain(utterance: Utterance) -> Explanation:
    """The reading with every visible piece of the text and its role, in the order of the text."""
    whole = understood(utterance)
    noted = {id(token) for token in whole.note}
    pieces = tuple(
        Piece(
            text=utterance.text[token.start : token.end],
            role=NOTE if id(token) in noted else token.role.name.lower(),
            start=token.start,
            end=token.end,
        )
        for token in whole.tokens
    )
    return Explanation(whole.reading, pieces)


_PLACED = frozenset(
    {NOTE}
    | {
        role.name.lower()
        for role in Role
        if role.value in "bmVYySsxeRApfqdkCDJHcgojhl"  # the letters the grammar has rules for, or passes over
    }
)
