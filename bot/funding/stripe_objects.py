"""What Stripe's objects say, in our words. Pure: it takes plain JSON, and reads no more of it than is needed."""

import json
import re
from datetime import UTC, datetime
from typing import Any, Final

from bot.funding.processor import (
    CardMovement,
    Checkout,
    CheckoutState,
    Hint,
    MovementKind,
    NotFromProcessor,
    OrderRefused,
)
from ledger.errors import Invalid
from ledger.money import Currency, Money, currency_of

OTHER_MINOR_UNITS: Final = frozenset({"ISK", "MGA", "UGX"})
"""Stripe counts these in other minor units than ISO 4217 does: https://docs.stripe.com/currencies"""
LONGEST_ID: Final = 255
CHECKOUT_ID: Final = re.compile(r"cs_[A-Za-z0-9_]{1,240}")
_OF_CHECKOUTS: Final = frozenset(
    f"checkout.session.{what}"
    for what in ("completed", "async_payment_succeeded", "async_payment_failed", "expired")
)
_ENDED: Final = frozenset({"canceled", "requires_payment_method"})
"""States of a payment in which nothing is under way any more, once its page is done with."""


_KINDS: Final = {
    MovementKind.CHARGE: ("charge", "payment"),
    MovementKind.RETURN: (
        "refund", "payment_refund", "refund_failure", "payment_failure_refund", "payment_reversal", "adjustment",
    ),
    MovementKind.PAYOUT: ("payout", "payout_cancel", "payout_failure"),
    MovementKind.FEE: ("stripe_fee", "stripe_fx_fee", "tax_fee", "network_cost"),
}  # fmt: skip
"""Types of balance transactions: https://docs.stripe.com/reports/balance-transaction-types"""


class Nonsense(Exception):
    """Something in an answer is not what it must be; says what."""


def checkout_of(session: Any, *, is_test: bool) -> Checkout:
    """A Checkout Session of Stripe's as JSON, in our words. Raises `Nonsense` and `LedgerError`."""
    session = _object(session, "checkout.session")
    if session.get("livemode") is is_test:
        raise Nonsense("test and live money are mixed up")
    payment = _expanded(session.get("payment_intent"), "payment_intent")
    state = _state(session, payment)
    url = text_of(session.get("url")) if state is CheckoutState.OPEN else ""
    if state is CheckoutState.OPEN and not url.startswith(("https://", "http://")):
        raise Nonsense("an open checkout without an address")
    charged = state in (CheckoutState.PAID, CheckoutState.PENDING)
    return Checkout(
        id=_named(session.get("id"), CHECKOUT_ID),
        reference=text_of(session.get("client_reference_id")),
        amount=_money(session.get("amount_total"), session.get("currency")),
        state=state,
        url=url,
        payment_id=_id_of(session.get("payment_intent")) if charged else "",
        fee=_fee(payment) if state is CheckoutState.PAID else None,
    )


def _state(session: dict[str, Any], payment: dict[str, Any] | None) -> CheckoutState:
    """Money that came is told first, whatever else is said. `FAILED` only where nothing can come any more."""
    match session.get("status"), session.get("payment_status"):
        case _, "paid":
            return CheckoutState.PAID
        case "open", "unpaid":
            return CheckoutState.OPEN
        case "expired", "unpaid":
            return CheckoutState.FAILED
        case "complete", "unpaid":
            ended = payment is not None and payment.get("status") in _ENDED
            return CheckoutState.FAILED if ended else CheckoutState.PENDING
    raise Nonsense("a checkout in no state that is known")


def _fee(payment: dict[str, Any] | None) -> Money | None:
    """What Stripe keeps, in the currency it settles in, once that is known."""
    charge = _expanded((payment or {}).get("latest_charge"), "charge")
    movement = _expanded((charge or {}).get("balance_transaction"), "balance_transaction")
    return _money(movement.get("fee"), movement.get("currency")) if movement else None


def movements_of(page: Any) -> tuple[list[CardMovement], bool]:
    """A page of balance transactions, their sources in full, newest first; whether there are more. Raises `Nonsense` and
    `LedgerError`."""
    page = _object(page, "list")
    listed = page.get("data")
    if not isinstance(listed, list):
        raise Nonsense("a list of nothing")
    return [_movement(each) for each in listed], page.get("has_more") is True


def _movement(value: Any) -> CardMovement:
    found = _object(value, "balance_transaction")
    kind, created, identity = found.get("type"), found.get("created"), found.get("id")
    if not isinstance(identity, str) or not 0 < len(identity) <= LONGEST_ID or type(created) is not int:
        raise Nonsense("a movement without a name or a time")
    source = found.get("source")
    payment = _id_of(source.get("payment_intent")) if isinstance(source, dict) else ""
    known = next((name for name, types in _KINDS.items() if kind in types), MovementKind.OTHER)
    if known is MovementKind.RETURN and not payment:
        known = MovementKind.OTHER  # an adjustment of something else
    return CardMovement(
        id=identity,
        kind=known,
        amount=_money(found.get("amount"), found.get("currency")),
        fee=_money(found.get("fee"), found.get("currency")),
        at=datetime.fromtimestamp(created, UTC),
        payment_id=payment,
    )


def _object(value: Any, kind: str) -> dict[str, Any]:
    if not isinstance(value, dict) or value.get("object") != kind:
        raise Nonsense(f"no {kind}")
    return value


def _expanded(value: Any, kind: str) -> dict[str, Any] | None:
    """The object itself; None where there is nothing, or only its id."""
    return None if value is None or isinstance(value, str) else _object(value, kind)


def _id_of(value: Any) -> str:
    return text_of(value.get("id") if isinstance(value, dict) else value)


def _named(value: Any, form: re.Pattern[str]) -> str:
    if not isinstance(value, str) or not form.fullmatch(value):
        raise Nonsense("an id of no known form")
    return value


def text_of(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _money(amount: Any, currency: Any) -> Money:
    if not isinstance(currency, str) or currency.upper() in OTHER_MINOR_UNITS:
        raise Nonsense("an amount in no currency that can be read")
    return Money(amount, currency_of(currency.upper()))


def code_of(currency: Currency) -> str:
    """Stripe's code of a currency it counts as we do. Raises `OrderRefused` for others."""
    try:
        known = currency_of(currency.code) == currency and currency.code not in OTHER_MINOR_UNITS
    except Invalid:
        known = False
    if not known:
        raise OrderRefused(
            f"Stripe does not take {currency.code} as it is counted here", parameter="currency"
        )
    return currency.code.lower()


def event_of(body: bytes) -> dict[str, Any]:
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        event = None
    if not isinstance(event, dict) or event.get("object") != "event":
        raise NotFromProcessor("the body is no event")
    return event


def hint_about(event: dict[str, Any]) -> Hint:
    identity, kind = event.get("id"), event.get("type")
    if not isinstance(identity, str) or not isinstance(kind, str) or not identity or not kind:
        raise NotFromProcessor("an event without a name or a kind")
    if kind not in _OF_CHECKOUTS:
        return Hint(identity[:255], kind[:255])
    data = event.get("data")
    session = data.get("object") if isinstance(data, dict) else None
    checkout_id = session.get("id") if isinstance(session, dict) else None
    if not isinstance(checkout_id, str) or not CHECKOUT_ID.fullmatch(checkout_id):
        raise NotFromProcessor("an event about a checkout that does not say which")
    return Hint(identity[:255], kind, checkout_id)
