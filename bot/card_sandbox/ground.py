"""What every part stands on: one clock, one source of chance. Nothing else here reads a clock or draws a number."""

from collections.abc import Callable
from datetime import datetime

from bot.sandbox.ground import Clock

Entropy = Callable[[int], bytes]
"""`entropy(n)` is n unpredictable bytes."""


class Ground:
    def __init__(self, clock: Clock, entropy: Entropy) -> None:
        self.clock = clock
        self._entropy = entropy

    def now(self) -> datetime:
        return self.clock()

    def new_id(self, prefix: str) -> str:
        return f"{prefix}_{self._entropy(12).hex()}"

    def secret(self) -> str:
        """A random text that plainly comes from here and from nowhere else."""
        return f"sandbox{self._entropy(16).hex()}"


def seconds_of(instant: datetime) -> int:
    """Whole seconds since 1970, as all times of the API are."""
    return int(instant.timestamp())
