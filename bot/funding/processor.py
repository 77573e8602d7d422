"""The port to a card processor: what the bot asks of one, and what it hears, in our words.

A processor's own account of a thing is fetched, never taken from what it pushes: a webhook's body only says which
checkout to look at. So it makes no difference whether it comes once, twice, late, out of order, or never.

Card data never comes near this program: people type it in on the processor's own page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from ledger.money import Money


class CheckoutState(StrEnum):
    OPEN = "open"
    """Its page can still be paid on."""
    PENDING = "pending"
    """Its page is done with, and the money is still on its way."""
    PAID = "paid"
    FAILED = "failed"
    """Nothing was charged, and nothing will be."""


@dataclass(frozen=True, slots=True)
class CheckoutOrder:
    """What a page is made for. `reference` is ours: asked again with the same one, the processor makes no second page. All the
    rest must then be the same as well."""

    reference: str
    amount: Money
    language: str
    """Two letters."""
    expires_at: datetime
    """Between half an hour and a day after it is asked for: what is known to be taken."""
    return_url: str
    """Where the page sends people when they are done."""
    turned_back_url: str = ""
    """Where it sends those who turn back without paying; the same where it is empty."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """One page of the processor's, as it is now. `payment_id` is there once something was charged, `fee` once it is
    known what the processor keeps of it, in the currency it settles in. `url` is there while it is open."""

    id: str
    reference: str
    amount: Money
    state: CheckoutState
    url: str = ""
    payment_id: str = ""
    fee: Money | None = None


class MovementKind(StrEnum):
    CHARGE = "charge"
    """What a page brought."""
    RETURN = "return"
    """What went back to a card, given back or disputed; above zero where it came again."""
    PAYOUT = "payout"
    """What went to our bank; above zero where it came back."""
    FEE = "fee"
    """What the processor took beside the fee of each charge."""
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class CardMovement:
    """One change of what the processor holds for us. `amount` and `fee` are below zero where it has less, or gave a fee
    back; what it holds changes by `amount` less `fee`. `payment_id` is there for what is about one payment."""

    id: str
    kind: MovementKind
    amount: Money
    fee: Money
    at: datetime
    payment_id: str = ""


@dataclass(frozen=True, slots=True)
class Hint:
    """A webhook's body, believed: something happened to this checkout. `checkout_id` is empty where it is about
    something else."""

    event_id: str
    kind: str
    checkout_id: str = ""


class NotFromProcessor(Exception):
    """A body without the processor's signature, or too old: answered with 4xx, and nothing of it is kept."""


class Processor(Protocol):
    """Each call raises `TryLater` where nothing is known to have happened and it may be asked again, and `Misconfigured` where
    the processor does not know our key."""

    @property
    def is_test(self) -> bool:
        """Whether it moves test money only."""
        ...

    def create(self, order: CheckoutOrder) -> Checkout:
        """A new page, or the one there is for this reference. Raises `OrderRefused`."""
        ...

    def fetch(self, checkout_id: str) -> Checkout:
        """Raises `UnknownCheckout`."""
        ...

    def movements(self, since: datetime) -> Sequence[CardMovement]:
        """What has changed what the processor holds for us from then on, oldest first."""
        ...

    def hint_of(self, body: bytes, signature: str) -> Hint:
        """Raises `NotFromProcessor`."""
        ...


class UnknownCheckout(Exception):
    """The processor knows nothing of this page."""


class OrderRefused(Exception):
    """The processor makes no page for this order, now or later; says why, in its own words. `parameter` is what it stumbled
    over, where it says so. Asked for as documented, this is a fault of ours."""

    def __init__(self, reason: str, *, parameter: str = "") -> None:
        super().__init__(f"{parameter}: {reason}" if parameter else reason)
        self.parameter = parameter
