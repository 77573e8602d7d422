"""What the simulated world stands on: a clock and chance of its own, and the ways in which a program can die.

Nothing else in a run reads a clock or draws a random number, so that a seed is a whole story.
"""

import random
from datetime import datetime, timedelta

from bot.sandbox.ground import MovableClock


class Crash(BaseException):
    """The whole program is gone at this very point: nothing of it runs any further."""


class WorkerDied(BaseException):
    """One worker is gone, the others go on."""


class Chance(random.Random):
    """Chance that is begun anew at each step, so that a step draws the same whatever was left out before it."""

    def begin(self, seed: int, step: int) -> None:
        self.seed(f"{seed}/{step}")

    def happens(self, probability: float) -> bool:
        return self.random() < probability


class Clock(MovableClock):
    """Stands still until it is moved."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        super().__init__(lambda: at)

    def __call__(self) -> datetime:
        return self.at

    def advance(self, by: timedelta) -> datetime:
        self.at += by
        return self.at


class Entropy:
    """What the program takes for the system's random numbers."""

    def __init__(self) -> None:
        self.chance = random.Random(0)

    def begin(self, seed: int, step: int) -> None:
        self.chance.seed(f"entropy {seed}/{step}")

    def __call__(self, size: int) -> bytes:
        return self.chance.randbytes(size)
