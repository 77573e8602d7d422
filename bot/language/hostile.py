"""Names, notes and other text from strangers, made safe to stand inside a message of ours.

What comes out is one short line: nothing hidden, nothing that turns the direction of writing, nothing that X would
make an address of, nothing that could pass for a line of ours or for a code.
"""

import re
import unicodedata

NAME_LENGTH = 40
TEXT_LENGTH = 140

_DOT_OF_ADDRESS = re.compile(r"(?<=\w)[.。．｡](?=[^\W\d_])")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,11}://", re.IGNORECASE)
_CODE = re.compile(r"\d{6,}")
_KEPT_MARKS = ("\u200d", "\ufe0f")
_NOT_OF_A_HANDLE = re.compile(r"[^A-Za-z0-9_]")


def clean(text: str, limit: int = TEXT_LENGTH) -> str:
    """One line of visible characters, at most `limit` of them."""
    visible = "".join(map(_visible, unicodedata.normalize("NFC", text[: 8 * limit])))
    line = _SCHEME.sub("", " ".join(visible.split()))
    line = _CODE.sub(_in_groups, _DOT_OF_ADDRESS.sub("·", line))
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def handle(username: str) -> str:
    """A handle as X has them, without the @."""
    return _NOT_OF_A_HANDLE.sub("", username)[:15]


def _visible(mark: str) -> str:
    if mark in _KEPT_MARKS:
        return mark
    kind = unicodedata.category(mark)
    if kind in ("Cc", "Zl", "Zp", "Zs"):
        return " "
    return "" if kind[0] == "C" or kind == "Me" or mark in '«»“”„‟"' else mark


def _in_groups(digits: re.Match[str]) -> str:
    """Six figures in a row look like a code of ours; in groups of three they do not."""
    return "\u202f".join(digits[0][start : start + 3] for start in range(0, len(digits[0]), 3))
