"""What there is at the processor. Amounts are minor units of the object's currency (small letters, as the API writes it); times are
aware. Changed ones are new ones: what an event shows is how it was."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

Json = dict[str, Any]


class SessionStatus(StrEnum):
    OPEN = "open"
    COMPLETE = "complete"
    EXPIRED = "expired"


class PaymentStatus(StrEnum):
    """Of a payment intent."""

    REQUIRES_PAYMENT_METHOD = "requires_payment_method"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True)
class SessionOrder:
    """What a session is asked for, checked."""

    amount: int
    currency: str
    product: str
    success_url: str
    cancel_url: str
    expires_at: datetime
    quantity: int = 1
    reference: str = ""
    locale: str = "auto"
    metadata: Mapping[str, str] = field(default_factory=dict)
    payment_metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Session:
    """A page to pay on. `paid` only once the money came."""

    id: str
    created: datetime
    order: SessionOrder
    status: SessionStatus = SessionStatus.OPEN
    paid: bool = False
    payment_id: str | None = None

    @property
    def total(self) -> int:
        return self.order.amount * self.order.quantity


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment intent."""

    id: str
    created: datetime
    session_id: str
    amount: int
    currency: str
    metadata: Mapping[str, str]
    status: PaymentStatus = PaymentStatus.REQUIRES_PAYMENT_METHOD
    latest_charge_id: str | None = None
    decline_code: str = ""
    """Why the last attempt failed; empty where it did not."""


@dataclass(frozen=True, slots=True)
class Charge:
    """One attempt to charge a card, of which only brand and last four digits are kept. `status` is pending, succeeded or failed."""

    id: str
    created: datetime
    payment_id: str
    amount: int
    currency: str
    brand: str
    last4: str
    status: str
    decline_code: str = ""
    movement_id: str | None = None
    refunded: int = 0
    disputed: bool = False


@dataclass(frozen=True, slots=True)
class Movement:
    """A balance transaction: what one thing did to the balance. `net` is `amount` less `fee`."""

    id: str
    created: datetime
    amount: int
    fee: int
    currency: str
    kind: str
    """charge, refund, adjustment or payout."""
    source_id: str
    payout_id: str = ""
    description: str = ""

    @property
    def net(self) -> int:
        return self.amount - self.fee


@dataclass(frozen=True, slots=True)
class Refund:
    id: str
    created: datetime
    charge_id: str
    payment_id: str
    amount: int
    currency: str
    movement_id: str
    reason: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Dispute:
    """`status` is needs_response, won or lost."""

    id: str
    created: datetime
    charge_id: str
    payment_id: str
    amount: int
    currency: str
    movement_ids: tuple[str, ...]
    status: str = "needs_response"


@dataclass(frozen=True, slots=True)
class Payout:
    id: str
    created: datetime
    amount: int
    currency: str
    movement_id: str


@dataclass(frozen=True, slots=True)
class Event:
    """`shown` is the object it is about, as it was then."""

    id: str
    created: datetime
    kind: str
    shown: Json


class DueKind(StrEnum):
    EXPIRE = "expire"
    SUCCEED = "succeed"
    FAIL = "fail"
    DISPUTE = "dispute"


@dataclass(frozen=True, slots=True)
class Due:
    """Something that happens by itself when its time has come; `about` is a session's id, or for a dispute a payment's."""

    at: datetime
    kind: DueKind
    about: str
