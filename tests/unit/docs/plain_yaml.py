"""Reads the plain part of YAML that our files keep to, and refuses everything else: what passes here, every reader of YAML
reads the same way. Mappings and lists by two spaces, one line a value, bare words or JSON's double-quoted strings.
"""

import json
import re
from typing import Any

_KEY = re.compile(r"([A-Za-z_][\w-]*):(?: (.+))?$")
_BARE = re.compile(r"[A-Za-z0-9][\w./-]*$")


class NotPlain(ValueError):
    pass


def load(text: str) -> Any:
    lines = [
        (len(line) - len(line.lstrip(" ")), line.strip())
        for line in text.splitlines()
        if line.strip() and not line.lstrip().startswith("#")
    ]
    value, rest = _block(lines, 0)
    if rest:
        raise NotPlain(f"{rest[0][1]!r} stands too far left or right")
    return value


def _block(lines: list[tuple[int, str]], indent: int) -> tuple[Any, list[tuple[int, str]]]:
    return _items(lines, indent) if lines[0][1].startswith("- ") else _mapping(lines, indent)


def _items(lines: list[tuple[int, str]], indent: int) -> tuple[list[Any], list[tuple[int, str]]]:
    found = []
    while lines and lines[0][0] == indent and lines[0][1].startswith("- "):
        value, lines = _mapping([(indent + 2, lines[0][1][2:]), *lines[1:]], indent + 2)
        found.append(value)
    return found, lines


def _mapping(lines: list[tuple[int, str]], indent: int) -> tuple[dict[str, Any], list[tuple[int, str]]]:
    found: dict[str, Any] = {}
    while lines and lines[0][0] == indent and not lines[0][1].startswith("- "):
        read = _KEY.match(lines[0][1])
        if read is None or read[1] in found:
            raise NotPlain(f"{lines[0][1]!r} is no key, or one for the second time")
        lines = lines[1:]
        if read[2] is not None:
            found[read[1]] = _scalar(read[2])
            continue
        if not lines or lines[0][0] != indent + 2:
            raise NotPlain(f"{read[1]!r} has nothing under it")
        found[read[1]], lines = _block(lines, indent + 2)
    return found, lines


def _scalar(text: str) -> str:
    if text.startswith('"'):
        return str(json.loads(text))
    if not _BARE.match(text):
        raise NotPlain(f"{text!r} is to be quoted")
    return text
