"""The runbook, read: what each alarm means, what to look at, what to do. One text, docs/operating/runbook.md, which a wheel
brings along beside this file."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from bot.watching.names import RUNBOOK

HERE: Final = Path(__file__).with_name("runbook.md")
IN_THE_SOURCE: Final = Path(__file__).parents[2] / RUNBOOK
_SECTION: Final = re.compile(r"^### `?(\w+)`?$", re.MULTILINE)
_CHAPTER: Final = re.compile(r"^## .*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Section:
    name: str
    """An alarm's, or that of a rule of Prometheus'."""
    paragraphs: Sequence[str]
    """Markdown of one line each: bold, code and links."""


@cache
def sections() -> Sequence[Section]:
    """In the text's order; none where the program came without it."""
    file = next((each for each in (HERE, IN_THE_SOURCE) if each.is_file()), None)
    if file is None:
        return ()
    _, *pieces = _SECTION.split(file.read_text(encoding="utf-8"))
    return tuple(
        Section(name, _paragraphs(_CHAPTER.split(text)[0]))
        for name, text in zip(pieces[::2], pieces[1::2], strict=True)
    )


def _paragraphs(text: str) -> Sequence[str]:
    return tuple(" ".join(each.split()) for each in text.split("\n\n") if each.strip())
