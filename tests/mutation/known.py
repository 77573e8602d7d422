"""Mutants that no test can notice, each with the reason: read one by one, and written down in `known.toml`."""

import tomllib
from collections.abc import Iterable
from pathlib import Path

FILE = Path(__file__).with_name("known.toml")


def known() -> dict[str, str]:
    """Name of the mutant -> why it changes nothing that could be seen."""
    table = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return {row["mutant"]: row["why"] for row in table.get("known", [])}


def unexplained(survivors: Iterable[str]) -> list[str]:
    explained = known()
    return [name for name in survivors if name not in explained]
