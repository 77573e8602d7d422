"""The elements of an XML file that are asked for, handed out one subtree at a time. Pure.

Made for files of strangers: no document type and so no entities of its own, nothing fetched, no depth or number that could
use up the machine. Prefixes of namespaces are left off.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from bot.funding.statements import Told, WrongStatement, bare, nothing_told

DEEPEST: Final = 64
MOST_ELEMENTS: Final = 500_000
"""In memory at one time: a subtree that was handed out counts no more."""
MOST_CHARACTERS: Final = 4_000
"""Of one element's text; what a longer one says beyond them is let go."""
_PIECE: Final = 64 * 1024


@dataclass(slots=True)
class Element:
    name: str
    line: int
    number: int
    """How many had begun with it."""
    attributes: dict[str, str]
    text: str = ""
    children: "list[Element]" = field(default_factory=list)

    def all(self, *path: str) -> "Iterator[Element]":
        """Every element at the end of this path, in order."""
        if not path:
            yield self
            return
        for child in self.children:
            if child.name == path[0]:
                yield from child.all(*path[1:])

    def one(self, *path: str) -> "Element | None":
        return next(self.all(*path), None)

    def words(self, *path: str) -> str:
        """The first one's text; nothing where there is none."""
        found = self.one(*path)
        return "" if found is None else found.text.strip()


def elements_of(
    data: bytes, *, root: str, ends: Callable[[Element], bool], told: Told = nothing_told
) -> Iterator[Element]:
    """Each element for which `ends` says yes, when it has ended; then it is let go. `root` must be the first one's name.

    Raises `WrongStatement`.
    """
    reader = _Reader(root, ends)
    for start in range(0, len(data), _PIECE):
        reader.feed(data[start : start + _PIECE], last=False)
        yield from reader.take()
        told(min(start + _PIECE, len(data)), len(data))
    reader.feed(b"", last=True)
    yield from reader.take()


class _Reader:
    def __init__(self, root: str, ends: Callable[[Element], bool]) -> None:
        self._root, self._ends = root, ends
        self._open: list[Element] = []
        self._ready: list[Element] = []
        self._begun, self._let_go = 0, 0
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = self._document_type
        self._parser.StartElementHandler = self._begin
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters

    def feed(self, piece: bytes, *, last: bool) -> None:
        try:
            self._parser.Parse(piece, last)
        except expat.ExpatError as error:
            reason = expat.errors.messages.get(error.code, "it cannot be read")
            raise WrongStatement(f"This is no well-formed XML: {reason}.", line=error.lineno) from None
        except (LookupError, ValueError):  # an encoding nobody knows, or one that does not fit the bytes
            raise WrongStatement("The file's encoding cannot be read.", line=1) from None

    def take(self) -> list[Element]:
        ready, self._ready = self._ready, []
        return ready

    def _document_type(self, *_: object) -> None:
        raise WrongStatement("A document type (DOCTYPE) is not taken from a bank.", line=self._line)

    def _begin(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if not self._open and name != self._root:
            raise WrongStatement(
                f"The file begins with <{bare(name, 40)}>, not with <{self._root}>.", line=self._line
            )
        self._begun += 1
        if len(self._open) >= DEEPEST or self._begun - self._let_go > MOST_ELEMENTS:
            raise WrongStatement("Its elements are too deep or too many.", line=self._line)
        element = Element(name, self._line, self._begun, attributes)
        if self._open:
            self._open[-1].children.append(element)
        self._open.append(element)

    def _end(self, _tag: str) -> None:
        ended = self._open.pop()
        if self._ends(ended):
            self._ready.append(ended)
            self._let_go += self._begun - ended.number + 1
            if self._open:
                self._open[-1].children.pop()

    def _characters(self, text: str) -> None:
        if len(self._open[-1].text) < MOST_CHARACTERS:
            self._open[-1].text += text

    @property
    def _line(self) -> int:
        return self._parser.CurrentLineNumber
