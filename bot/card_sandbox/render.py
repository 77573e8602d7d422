"""The objects as the API shows them, in the fields Stripe's have (those a card payment fills), and expanded where asked.

`url` and the like are made from `address`, where the processor is served.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bot.card_sandbox.ground import seconds_of
from bot.card_sandbox.objects import (
    Charge,
    Dispute,
    Event,
    Json,
    Movement,
    Payment,
    Payout,
    Refund,
    Session,
    SessionStatus,
)
from bot.card_sandbox.refusals import invalid

if TYPE_CHECKING:
    from datetime import datetime

    from bot.card_sandbox.core import CardProcessor

API_VERSION: Final = "2026-10-28.endive"
"""The version the library speaks."""
AVAILABLE_AFTER: Final = timedelta(days=2)
PAGE: Final = "/c/pay/"
EXPANDABLE: Final = {
    "checkout.session": {"payment_intent"},
    "payment_intent": {"latest_charge"},
    "charge": {"balance_transaction", "payment_intent"},
    "refund": {"balance_transaction", "charge", "payment_intent"},
    "dispute": {"charge", "payment_intent"},
    "balance_transaction": {"source"},
}
_DECLINED: Final = {
    "generic_decline": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
    "authentication_required": "We are unable to authenticate your payment method.",
}


def session(shown: Session, address: str) -> Json:
    order = shown.order
    return {
        "id": shown.id,
        "object": "checkout.session",
        "amount_subtotal": shown.total,
        "amount_total": shown.total,
        "automatic_tax": {"enabled": False, "liability": None, "status": None},
        "cancel_url": order.cancel_url,
        "client_reference_id": order.reference or None,
        "created": seconds_of(shown.created),
        "currency": order.currency,
        "customer": None,
        "customer_details": None,
        "customer_email": None,
        "expires_at": seconds_of(order.expires_at),
        "livemode": False,
        "locale": order.locale,
        "metadata": dict(order.metadata),
        "mode": "payment",
        "payment_intent": shown.payment_id,
        "payment_method_types": ["card"],
        "payment_status": "paid" if shown.paid else "unpaid",
        "status": shown.status.value,
        "success_url": order.success_url,
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": f"{address}{PAGE}{shown.id}" if shown.status is SessionStatus.OPEN else None,
    }


def payment(shown: Payment) -> Json:
    succeeded = shown.status == "succeeded"
    return {
        "id": shown.id,
        "object": "payment_intent",
        "amount": shown.amount,
        "amount_capturable": 0,
        "amount_received": shown.amount if succeeded else 0,
        "canceled_at": None,
        "capture_method": "automatic_async",
        "confirmation_method": "automatic",
        "created": seconds_of(shown.created),
        "currency": shown.currency,
        "customer": None,
        "last_payment_error": _payment_error(shown.decline_code),
        "latest_charge": shown.latest_charge_id,
        "livemode": False,
        "metadata": dict(shown.metadata),
        "payment_method_types": ["card"],
        "status": shown.status.value,
    }


def charge(shown: Charge) -> Json:
    succeeded = shown.status == "succeeded"
    return {
        "id": shown.id,
        "object": "charge",
        "amount": shown.amount,
        "amount_captured": shown.amount if succeeded else 0,
        "amount_refunded": shown.refunded,
        "balance_transaction": shown.movement_id,
        "captured": succeeded,
        "created": seconds_of(shown.created),
        "currency": shown.currency,
        "disputed": shown.disputed,
        "failure_code": "card_declined" if shown.decline_code else None,
        "failure_message": _DECLINED.get(shown.decline_code),
        "livemode": False,
        "metadata": {},
        "paid": succeeded,
        "payment_intent": shown.payment_id,
        "payment_method_details": {"card": {"brand": shown.brand, "last4": shown.last4}, "type": "card"},
        "refunded": shown.refunded == shown.amount,
        "status": shown.status,
    }


def movement(shown: Movement, now: "datetime") -> Json:
    details = [{"amount": shown.fee, "application": None, "currency": shown.currency, "type": "stripe_fee"}]
    return {
        "id": shown.id,
        "object": "balance_transaction",
        "amount": shown.amount,
        "available_on": seconds_of(available_on(shown)),
        "created": seconds_of(shown.created),
        "currency": shown.currency,
        "description": shown.description or None,
        "exchange_rate": None,
        "fee": shown.fee,
        "fee_details": details if shown.fee else [],
        "net": shown.net,
        "reporting_category": "dispute" if shown.kind == "adjustment" else shown.kind,
        "source": shown.source_id,
        "status": "available" if available_on(shown) <= now else "pending",
        "type": shown.kind,
    }


def available_on(shown: Movement) -> "datetime":
    """When it can be paid out."""
    return shown.created + (AVAILABLE_AFTER if shown.kind == "charge" else timedelta())


def refund(shown: Refund) -> Json:
    return {
        "id": shown.id,
        "object": "refund",
        "amount": shown.amount,
        "balance_transaction": shown.movement_id,
        "charge": shown.charge_id,
        "created": seconds_of(shown.created),
        "currency": shown.currency,
        "metadata": dict(shown.metadata),
        "payment_intent": shown.payment_id,
        "reason": shown.reason or None,
        "status": "succeeded",
    }


def dispute(shown: Dispute) -> Json:
    return {
        "id": shown.id,
        "object": "dispute",
        "amount": shown.amount,
        "balance_transactions": list(shown.movement_ids),
        "charge": shown.charge_id,
        "created": seconds_of(shown.created),
        "currency": shown.currency,
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": shown.payment_id,
        "reason": "fraudulent",
        "status": shown.status,
    }


def payout(shown: Payout) -> Json:
    return {
        "id": shown.id,
        "object": "payout",
        "amount": shown.amount,
        "arrival_date": seconds_of(shown.created),
        "automatic": False,
        "balance_transaction": shown.movement_id,
        "created": seconds_of(shown.created),
        "currency": shown.currency,
        "livemode": False,
        "metadata": {},
        "method": "standard",
        "status": "paid",
        "type": "bank_account",
    }


def event(shown: Event) -> Json:
    return {
        "id": shown.id,
        "object": "event",
        "api_version": API_VERSION,
        "created": seconds_of(shown.created),
        "data": {"object": shown.shown},
        "livemode": False,
        "pending_webhooks": 0,
        "request": {"id": None, "idempotency_key": None},
        "type": shown.kind,
    }


def page(shown: list[Json], url: str, *, has_more: bool) -> Json:
    """A list."""
    return {"object": "list", "data": shown, "has_more": has_more, "url": url}


def expanded(processor: "CardProcessor", shown: Json, paths: list[str]) -> Json:
    """The same with objects in the place of ids, where a path leads. Raises `StripeRefusal` for what cannot be expanded."""
    for path in paths:
        keys = path.split(".")
        if not path or len(keys) > 4:
            raise invalid("expand", "You cannot expand more than 4 levels of a property.")
        places = [shown]
        if shown["object"] == "list":
            places = shown["data"]
            keys = keys[1:] if keys[0] == "data" else [path]
        for place in places:
            _expand(processor, place, keys, path)
    return shown


def _expand(processor: "CardProcessor", place: Json, keys: list[str], path: str) -> None:
    for key in keys:
        if key not in EXPANDABLE.get(place["object"], ()):
            raise invalid("expand", f"This property cannot be expanded ({path}).")
        if isinstance(place[key], str):
            place[key] = _by_id(processor, place[key])
        if place[key] is None:
            return
        place = place[key]


def _by_id(processor: "CardProcessor", identity: str) -> Json:
    match identity.partition("_")[0]:
        case "pi":
            return payment(processor.payments[identity])
        case "ch":
            return charge(processor.charges[identity])
        case "txn":
            return movement(processor.movements[identity], processor.now())
        case "re":
            return refund(processor.refunds[identity])
        case "du":
            return dispute(processor.disputes[identity])
    return payout(processor.payouts[identity])


def _payment_error(code: str) -> Json | None:
    if not code:
        return None
    shown = "payment_intent_authentication_failure" if code == "authentication_required" else "card_declined"
    return {"code": shown, "decline_code": code, "message": _DECLINED[code], "type": "card_error"}
