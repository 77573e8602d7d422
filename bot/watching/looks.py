"""What a look of the self-check has before it, and how far the looks before it have come."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlmodel import Session

from bot.payments.authorisations import Authorisations
from bot.watching.figures import Figures


@dataclass(slots=True)
class Place:
    """Where the next look goes on. Kept in memory: a new program begins at the last seal, and with the first account."""

    transfer: int | None = None
    """The next transfer to look at; None where the last seal ends."""
    account: int = 0
    seal: int = 0
    """The seal that was looked at last in the round over all of them."""
    newest_seal: int = 0
    """The newest one whose content was recomputed."""
    sums_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Bounds:
    """From when on something is an alarm."""

    seal_late: timedelta
    disk_free_bytes: int
    review_ending: timedelta


@dataclass(frozen=True, slots=True)
class Look:
    """One snapshot of the database, and what is known beside it. `place` is this look's own copy, to be moved on."""

    session: Session
    figures: Figures
    place: Place
    bounds: Bounds
    authorisations: Authorisations
    public_keys: tuple[Ed25519PublicKey, ...]
    began_at: datetime
    """When this program began to watch: what waited while nobody was there is not late because of that."""
    clock_ahead: timedelta | None
    """By how much our clock is ahead of X's."""
    disk_free_bytes: int

    @property
    def now(self) -> datetime:
        return self.figures.at

    def waited(self, since: datetime) -> timedelta:
        return self.now - max(since, self.began_at)
