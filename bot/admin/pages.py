"""Long lists, a page at a time: each page is found by an index, from the place where the one before ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

LONG: Final = 50
LARGEST_ID: Final = 2**63 - 1
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """`older` is where the next page begins; None on the last one."""

    rows: Sequence[T]
    older: int | None


def page_of(rows: "Sequence[Any]", key: str = "id", *, long: int = LONG) -> "Page[Any]":
    """Of one row more than fits, which tells that there is a next page."""
    shown = rows[:long]
    return Page(shown, getattr(shown[-1], key) if len(rows) > long else None)
