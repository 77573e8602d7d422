"""Where a second factor stands, and what comes of trying a code. Pure: decided by the times in its rows alone, so that
nothing depends on when anybody tidies up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, StrEnum, auto

from bot.store.factor_tables import SecondFactorRow

WAIT = timedelta(hours=48)
REMINDED_AFTER = timedelta(hours=24)
BEGUN_LASTS = timedelta(hours=1)
"""How long a secret that was shown can be verified."""


class FactorState(StrEnum):
    NONE = "none"
    PENDING = "pending"
    NEW = "new"
    ACTIVE = "active"


@dataclass(frozen=True, slots=True)
class Factor:
    """Where a person's second factor stands. `active_from` is when a new one (alone, or beside the one it is to
    replace) becomes active; `removal_at` when the present one is to go."""

    state: FactorState
    verified_at: datetime | None = None
    active_from: datetime | None = None
    removal_at: datetime | None = None
    locked_until: datetime | None = None

    @property
    def active(self) -> bool:
        return self.state is FactorState.ACTIVE


class Outcome(Enum):
    ACCEPTED = auto()
    WRONG = auto()
    LOCKED = auto()
    NOTHING = auto()
    """There is no factor this could belong to."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a code. `remaining` tries are left before a lock, which ends at `locked_until`."""

    outcome: Outcome
    remaining: int | None = None
    locked_until: datetime | None = None

    @property
    def accepted(self) -> bool:
        return self.outcome is Outcome.ACCEPTED


@dataclass(frozen=True, slots=True, repr=False)
class Begun:
    """`secret` and `uri` where it was begun; None where the proof was not accepted. `waits` tells of the 48 hours."""

    tried: Tried
    secret: str | None = None
    uri: str | None = None
    waits: bool = True


@dataclass(frozen=True, slots=True, repr=False)
class Verified:
    tried: Tried
    recovery_codes: tuple[str, ...] = ()
    active_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class Removed:
    """`at` is when it is gone: now, or in 48 hours; None where the proof was not accepted or there is nothing."""

    tried: Tried
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Live:
    """A person's rows that count now: the one that is asked for, one that waits to replace it, one not verified yet."""

    current: SecondFactorRow | None
    waiting: SecondFactorRow | None
    begun: SecondFactorRow | None


def sort_out(rows: Sequence[SecondFactorRow], now: datetime) -> Live:
    by_age = sorted(rows, key=lambda row: (row.verified_at or row.begun_at, row.id))
    trusted = [row for row in by_age if row.trusted_at is not None and row.trusted_at <= now]
    new = [row for row in by_age if row.trusted_at is not None and row.trusted_at > now]
    begun = [row for row in by_age if row.verified_at is None and row.begun_at > now - BEGUN_LASTS]
    current = max(trusted, key=lambda row: (row.trusted_at, row.id), default=None)
    if current is not None and current.removal_at is not None and current.removal_at <= now:
        current = None
    waiting = new[-1] if new else None
    if current is None:
        current, waiting = waiting, None
    return Live(current, waiting, begun[-1] if begun else None)
