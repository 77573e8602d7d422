"""How long to wait between two tries of the same work: growing pauses, to a total."""

from collections.abc import Iterator
from itertools import count

_FIRST_SECONDS = 0.005
_LONGEST_SECONDS = 1.0


def pauses(total_seconds: float, *, each_try_seconds: float = 0.0) -> Iterator[float]:
    """0.005, 0.01, 0.02 ... seconds, none longer than a second, until their sum would pass the total.

    `each_try_seconds` is what a try itself waits before it fails, counted in.
    """
    spent = 0.0
    for attempt in count():
        seconds = min(_FIRST_SECONDS * 2**attempt, _LONGEST_SECONDS)
        spent += seconds + each_try_seconds
        if spent > total_seconds:
            return
        yield seconds
