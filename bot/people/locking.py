"""How long somebody who guesses has to wait. Pure."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Locking:
    """`tries` wrong ones in a row lock for `first`; each further lock doubles, up to `longest`."""

    tries: int = 5
    first: timedelta = timedelta(minutes=15)
    longest: timedelta = timedelta(days=1)

    def lasts(self, locks_before: int) -> timedelta:
        doubled: timedelta = self.first * 2 ** min(locks_before, 20)
        return min(doubled, self.longest)
