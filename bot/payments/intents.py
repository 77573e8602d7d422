"""What an order is and which way it may go. Pure.

    parked ──> asking ──> paid          parked: waiting for its payer to enrol
       │          ├──> cancelled        asking: a challenge is queued or open
       │          ├──> expired          paid:   the answer was right; each line is posted or held
       ├──────────┼──> lapsed
       └──────────┴──> refused, withdrawn ──> asking again, by an edit

Nothing leaves `paid` or `cancelled`: what the payer answered stands.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Literal, NewType

from bot.errors import Refusal
from bot.language.reading import Mode
from bot.x.gateway import PostId, UserId
from ledger.money import Money

IntentId = NewType("IntentId", int)


class IntentState(StrEnum):
    PARKED = "parked"
    ASKING = "asking"
    PAID = "paid"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    LAPSED = "lapsed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


OPEN = frozenset({IntentState.PARKED, IntentState.ASKING})
REVIVED_BY_EDIT = frozenset(
    {IntentState.EXPIRED, IntentState.LAPSED, IntentState.REFUSED, IntentState.WITHDRAWN}
)
"""Closed without an answer: an edit is a new try. What was answered, paid or cancelled, an edit cannot change."""


class LineState(StrEnum):
    ASKED = "asked"
    PAID = "paid"
    HELD = "held"
    CANCELLED = "cancelled"
    DECLINED = "declined"
    EXPIRED = "expired"
    RETURNED = "returned"
    UNDOABLE = "undoable"
    """Answered, and pending for as long as its payer can still take it back."""
    REVIEW = "review"
    """Answered, and pending until somebody of the operator's has looked at it."""
    REFUSED = "refused"
    """Not let through by that review: its payer has it back."""


SET_ASIDE = frozenset({LineState.HELD, LineState.UNDOABLE, LineState.REVIEW})
"""A pending transfer: the payer can still take it back."""
CAME_BACK = frozenset({LineState.CANCELLED, LineState.DECLINED, LineState.EXPIRED, LineState.REFUSED})
"""Set aside once, and back with its payer."""


@dataclass(frozen=True, slots=True)
class OrderKey:
    """What an order is known by through all its versions: a post's first id, or a message's id."""

    kind: Literal["post", "message"]
    id: int


@dataclass(frozen=True, slots=True)
class OrderedPayee:
    """`username` is the handle the payer wrote; the id is who holds it, from the text's own entity or one look-up."""

    user_id: UserId
    username: str


@dataclass(frozen=True, slots=True)
class Order:
    """One version of an order to pay, read and with every payee known by id.

    `amount` is each payee's (Mode.EACH) or what they share (Mode.SPLIT). `said_at` is the time in the version's own id.
    """

    key: OrderKey
    version: int
    payer_id: UserId
    payees: Sequence[OrderedPayee]
    amount: Money
    mode: Mode
    note: str | None
    language: str
    said_at: datetime
    post_id: PostId | None = None


@dataclass(frozen=True, slots=True)
class PlannedLine:
    payee: OrderedPayee
    amount: Money


class PayeeIsPayer(Refusal):
    phrase: ClassVar[str] = "payee_is_payer"


class PayeeIsBot(Refusal):
    phrase: ClassVar[str] = "payee_is_bot"


class TooManyPayees(Refusal):
    phrase: ClassVar[str] = "too_many_payees"


class AmountTooSmall(Refusal):
    """A share of the split would be less than one minor unit."""

    phrase: ClassVar[str] = "reason_zero_or_negative"


def plan(order: Order, *, bot_id: UserId, most_payees: int) -> tuple[PlannedLine, ...]:
    """Who gets what. A payee named twice is one payee.

    Raises `PayeeIsPayer`, `PayeeIsBot`, `TooManyPayees`, `AmountTooSmall`.
    """
    payees = tuple({payee.user_id: payee for payee in order.payees}.values())
    if any(payee.user_id == order.payer_id for payee in payees):
        raise PayeeIsPayer
    if any(payee.user_id == bot_id for payee in payees):
        raise PayeeIsBot
    if len(payees) > most_payees:
        raise TooManyPayees(limit=most_payees)
    amounts = _amounts(order, len(payees))
    if any(amount.amount_minor <= 0 for amount in amounts):
        raise AmountTooSmall
    return tuple(PlannedLine(payee, amount) for payee, amount in zip(payees, amounts, strict=True))


def _amounts(order: Order, count: int) -> Sequence[Money]:
    if order.mode is Mode.SPLIT:
        return order.amount.split([1] * count)
    return [order.amount] * count


def total_of(lines: Sequence[PlannedLine]) -> Money:
    """What the payer gives in all; `lines` has at least one."""
    currency = lines[0].amount.currency
    return Money(sum(line.amount.amount_minor for line in lines), currency)


REFERENCE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""No 0/O, 1/I/L, U: it is read aloud and typed on phones."""
REFERENCE_LENGTH = 6


def new_reference(entropy: Callable[[int], bytes], *, letter: str = "P") -> str:
    """Short and not to be misread, like `P-7K3F9Q`: one of 729 million, made unique by the table."""
    number = int.from_bytes(entropy(8), "big")
    letters = []
    for _ in range(REFERENCE_LENGTH):
        number, index = divmod(number, len(REFERENCE_ALPHABET))
        letters.append(REFERENCE_ALPHABET[index])
    return f"{letter}-" + "".join(letters)
