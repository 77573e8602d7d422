"""The names set in a `.env` file and in the environment, before their values are looked at.

A line python-dotenv would pass over in silence, a name set twice and a misspelt name each are one sentence here. No
value is ever read or shown: it may be a secret.
"""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from dotenv.parser import Binding, parse_stream

from bot.errors import Misconfigured


def names_in(file: Path) -> Iterator[str]:
    """The variables a file sets. Raises `Misconfigured` for a line that sets none, or one for the second time."""
    seen: set[str] = set()
    for binding in _bindings(file):
        name = _name(binding, f"{file}, line {_line(binding)}")
        if name.upper() in seen:
            raise Misconfigured(
                f"{file}, line {_line(binding)}", f"sets {name} a second time; keep one of them."
            )
        seen.add(name.upper())
        yield name


def refuse_misspelt(names: Iterable[str], where: str, *, prefix: str, examples: Mapping[str, str]) -> None:
    """Refuses a name with our prefix that nobody knows, or one so close to a known one that it can only be meant for it.

    `examples` are the names there are, each with a right value.
    """
    for given in names:
        name = given.upper()
        if name in examples:
            continue
        ours = name.startswith(prefix)
        near = difflib.get_close_matches(name, examples, n=1, cutoff=0.6 if ours else 0.9)
        if not (ours or near):
            continue
        raise Misconfigured(
            given,
            f"is set in {where}, but there is no such setting"
            + (f"; did you mean {near[0]}?" if near else "."),
            example=f"{near[0]}={examples[near[0]]}" if near else "",
        )


def _bindings(file: Path) -> list[Binding]:
    try:
        with file.open(encoding="utf-8") as stream:
            return [binding for binding in parse_stream(stream) if binding.error or binding.key is not None]
    except (OSError, UnicodeDecodeError) as error:
        problem = f"cannot be read as UTF-8 text ({type(error).__name__})."
    raise Misconfigured(str(file), problem, example="a copy of config.example.env")


def _name(binding: Binding, where: str) -> str:
    if binding.error or binding.key is None or binding.value is None:
        raise Misconfigured(where, "is not of the form NAME=value.", example="SMONEY_HOLD_DAYS=7")
    return binding.key


def _line(binding: Binding) -> int:
    """Where it stands: the blank lines before it belong to the binding too."""
    text = binding.original.string
    return binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")
