"""The routes that change something. Each checks all it is given first and returns what carries it out: what fails the check has
not been begun."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Concatenate, Final, TypeAlias

from bot.card_sandbox import balance, render
from bot.card_sandbox.core import CardProcessor
from bot.card_sandbox.ground import seconds_of
from bot.card_sandbox.objects import Json, SessionOrder
from bot.card_sandbox.parameters import Fields
from bot.card_sandbox.refusals import invalid, missing, no_such

CarryOut: TypeAlias = Callable[[], Json]
Route: TypeAlias = Callable[Concatenate[CardProcessor, Fields, ...], CarryOut]
LEAST_AMOUNT: Final = 50
MOST_AMOUNT: Final = 99_999_999
SHORTEST: Final = timedelta(minutes=30)
LONGEST: Final = timedelta(hours=24)
_TAKEN = "aed aud bgn brl cad chf cny czk dkk eur gbp hkd huf ils inr jpy mxn myr nok nzd pln ron sek sgd thb try usd zar"
_SPOKEN = (
    "auto bg cs da de el en en-GB es es-419 et fi fil fr fr-CA hr hu id it ja ko lt lv ms mt nb nl pl pt pt-BR ro ru sk sl sv "
    "th tr vi zh zh-HK zh-TW"
)
_CURRENCIES: Final = frozenset(_TAKEN.split())
_LOCALES: Final = frozenset(_SPOKEN.split())


def create_session(processor: CardProcessor, asked: Fields) -> CarryOut:
    order, expand = _session_order(processor, asked), asked.texts("expand")
    asked.finish()

    def carry_out() -> Json:
        made = processor.create_session(order)
        return render.expanded(processor, render.session(made, processor.address), expand)

    return carry_out


def expire_session(processor: CardProcessor, asked: Fields, session_id: str) -> CarryOut:
    asked.finish()
    return lambda: render.session(processor.expire(session_id), processor.address)


def create_refund(processor: CardProcessor, asked: Fields) -> CarryOut:
    payment_id = _payment_named(processor, asked)
    amount = asked.whole("amount") if asked.has("amount") else None
    if amount is not None and amount < 1:
        raise invalid("amount", "This value must be greater than or equal to 1.", "parameter_invalid_integer")
    reason = asked.choice("reason", ["", "duplicate", "fraudulent", "requested_by_customer"], default="")
    metadata, expand = asked.metadata(), asked.texts("expand")
    asked.finish()

    def carry_out() -> Json:
        made = balance.refund(processor, payment_id, amount, reason=reason, metadata=metadata)
        return render.expanded(processor, render.refund(made), expand)

    return carry_out


ROUTES: Final[list[tuple[str, Route]]] = [
    ("/v1/checkout/sessions", create_session),
    (r"/v1/checkout/sessions/(\w+)/expire", expire_session),
    ("/v1/refunds", create_refund),
]


def _session_order(processor: CardProcessor, asked: Fields) -> SessionOrder:
    asked.choice("mode", ["payment"])
    asked.choice("ui_mode", ["hosted_page"], default="hosted_page")
    if asked.has("payment_method_types") and asked.texts("payment_method_types") != ["card"]:
        raise invalid("payment_method_types", "The sandbox takes cards only.")
    amount, currency, quantity, product = _line_item(asked)
    reference = asked.text("client_reference_id", default="", longest=200)
    payment = asked.fields("payment_intent_data", required=False)
    payment_metadata = payment.metadata()
    payment.text("description", default="", longest=1000)
    payment.text("statement_descriptor_suffix", default="", longest=22)
    payment.finish()
    return SessionOrder(
        amount=amount,
        currency=currency,
        quantity=quantity,
        product=product,
        success_url=asked.url("success_url"),
        cancel_url=asked.url("cancel_url") if asked.has("cancel_url") else "",
        expires_at=_expiry(processor.now(), asked),
        reference=reference,
        locale=asked.choice("locale", _LOCALES, default="auto"),
        metadata=asked.metadata(),
        payment_metadata=payment_metadata,
    )


def _line_item(asked: Fields) -> tuple[int, str, int, str]:
    """Amount of one, currency, how many, and what it is. The sandbox takes one line."""
    items = asked.items("line_items")
    if len(items) != 1:
        raise invalid("line_items", "The sandbox takes one line item.")
    (item,) = items
    quantity = item.whole("quantity")
    if not 1 <= quantity <= 999_999:
        raise invalid(
            item.name("quantity"), "This value must be between 1 and 999999.", "parameter_invalid_integer"
        )
    price = item.fields("price_data")
    item.finish()
    currency = price.text("currency")
    if currency not in _CURRENCIES:
        raise invalid(price.name("currency"), f"Invalid currency: {currency[:10]}.")
    amount = price.whole("unit_amount")
    _check_amount(price.name("unit_amount"), amount * quantity, currency)
    product = price.fields("product_data")
    price.finish()
    name = product.text("name", longest=250)
    product.text("description", default="", longest=1000)
    product.finish()
    return amount, currency, quantity, name


def _check_amount(parameter: str, amount: int, currency: str) -> None:
    if amount < LEAST_AMOUNT:
        message = (
            f"The Checkout Session's total amount must be at least {LEAST_AMOUNT} minor units of {currency}."
        )
        raise invalid(parameter, message, "amount_too_small")
    if amount > MOST_AMOUNT:
        raise invalid(parameter, f"The total amount must be no more than {MOST_AMOUNT}.", "amount_too_large")


def _expiry(now: datetime, asked: Fields) -> datetime:
    seconds = asked.whole("expires_at", default=seconds_of(now + LONGEST))
    if seconds < seconds_of(now + SHORTEST):
        raise invalid(
            "expires_at",
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.",
        )
    if seconds > seconds_of(now + LONGEST):
        raise invalid(
            "expires_at",
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.",
        )
    return datetime.fromtimestamp(seconds, UTC)


def _payment_named(processor: CardProcessor, asked: Fields) -> str:
    """By payment or by charge."""
    if asked.has("charge"):
        charge = processor.charges.get(identity := asked.text("charge"))
        if charge is None:
            raise no_such("charge", identity, "charge")
        return charge.payment_id
    if not asked.has("payment_intent"):
        raise missing("payment_intent")
    return processor.payment(asked.text("payment_intent")).id
