"""Stripe as the card processor, through its own library; the only file that knows the library.

People type their card on Stripe's hosted page (Checkout). Here a page is made, looked up, and a webhook's signature is
checked. No key, secret or signed body ever stands in an error, a log or a `repr`.
"""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, TypeVar

import stripe

from bot.errors import Misconfigured, TryLater
from bot.funding.cards_wire import Send, over_http
from bot.funding.processor import (
    CardMovement,
    Checkout,
    CheckoutOrder,
    Hint,
    NotFromProcessor,
    OrderRefused,
    UnknownCheckout,
)
from bot.funding.stripe_objects import (
    CHECKOUT_ID,
    Nonsense,
    checkout_of,
    code_of,
    event_of,
    hint_about,
    movements_of,
    text_of,
)
from ledger.clock import Clock
from ledger.errors import LedgerError

T = TypeVar("T")
STRIPE: Final = "https://api.stripe.com"
KEY_SETTING: Final = "SMONEY_CARDS_API_KEY"
KEY_EXAMPLE: Final = "sk_test_ followed by letters and digits, from Stripe's dashboard"
MOST_LISTED: Final = 100
MOST_PAGES: Final = 1_000
TOLERANCE: Final = timedelta(minutes=5)
"""How far a webhook's time may be from ours: Stripe's own advice, https://docs.stripe.com/webhooks"""
EXPANDED: Final = "payment_intent.latest_charge.balance_transaction"
_KEY: Final = re.compile(r"(?:sk|rk)_(?:test|live)_[A-Za-z0-9_]{1,240}")
_LANGUAGES = (
    "bg cs da de el en es et fi fil fr hr hu id it ja ko lt lv ms mt nb nl pl pt ro ru sk sl sv th tr vi zh"
)
_LOCALES: Final = frozenset(_LANGUAGES.split())


class StripeCards:
    """A `Processor`. An order may ask for a page that stays open between 30 minutes and 24 hours, as Stripe's do; it must be the
    very same one when it is asked again. Stripe keeps what it answered for a day: an order that old has expired.

    Without a `webhook_secret` nothing that is pushed is believed. `base_url` has no slash at the end. `send` takes the place of HTTP where the processor is in the same process. Raises
    `Misconfigured` for what cannot be a secret key.
    """

    __slots__ = ("_client", "_clock", "_is_test", "_product", "_webhook_secret")

    def __init__(
        self,
        *,
        api_key: str,
        webhook_secret: str | None,
        clock: Clock,
        base_url: str = STRIPE,
        timeout_seconds: float = 20.0,
        product: str = "Top-up of your smoney account",
        send: Send | None = None,
    ) -> None:
        if not _KEY.fullmatch(api_key):
            raise Misconfigured(KEY_SETTING, "this is no secret key of Stripe's.", example=KEY_EXAMPLE)
        _quiet_the_library()
        self._client = stripe.StripeClient(
            api_key,
            base_addresses={"api": base_url},
            http_client=_Line(send or over_http(timeout_seconds)),
            max_network_retries=0,  # who asks again, and when, is decided outside
        )
        self._webhook_secret = webhook_secret
        self._clock = clock
        self._product = product
        self._is_test = api_key.startswith(("sk_test_", "rk_test_"))

    def __repr__(self) -> str:
        return f"StripeCards({'test' if self._is_test else 'live'})"

    @property
    def is_test(self) -> bool:
        return self._is_test

    def create(self, order: CheckoutOrder) -> Checkout:
        """Raises `OrderRefused` where Stripe takes no such order, or took another one under the same reference."""
        session = self._ask(
            lambda: self._client.v1.checkout.sessions.create(
                params=self._parameters(order),  # type: ignore[arg-type]  # a plain dict of what is documented
                options={"idempotency_key": f"smoney-checkout-{order.reference}"},
            )
        )
        made = self._checkout(session)
        replayed = session.last_response and session.last_response.headers.get("idempotent-replayed")
        return self.fetch(made.id) if replayed == "true" else made  # an answer given before is as old as that

    def fetch(self, checkout_id: str) -> Checkout:
        if not CHECKOUT_ID.fullmatch(checkout_id):
            raise UnknownCheckout("this is no id of a checkout")
        session = self._ask(
            lambda: self._client.v1.checkout.sessions.retrieve(checkout_id, params={"expand": [EXPANDED]})
        )
        found = self._checkout(session)
        if found.id != checkout_id:
            raise TryLater("Stripe answered with another checkout than the one asked for")
        return found

    def movements(self, since: datetime) -> Sequence[CardMovement]:
        found: list[CardMovement] = []
        asked: dict[str, Any] = {
            "created": {"gte": int(since.timestamp())},
            "limit": MOST_LISTED,
            "expand": ["data.source"],
        }
        for _ in range(MOST_PAGES):
            page = self._ask(
                partial(self._client.v1.balance_transactions.list, params=asked)  # type: ignore[arg-type]
            )
            listed, has_more = self._movements(page)
            found += listed
            if not has_more or not listed:
                return sorted(found, key=lambda each: (each.at, each.id))
            asked = asked | {"starting_after": listed[-1].id}
        raise TryLater("Stripe's list of movements has no end")

    def _movements(self, page: stripe.StripeObject) -> tuple[list[CardMovement], bool]:
        try:
            return movements_of(page.to_dict())
        except (Nonsense, LedgerError, ValueError, OverflowError, RecursionError) as error:
            reason = f"Stripe's answer cannot be read: {error}"[:200]
        raise TryLater(reason)

    def hint_of(self, body: bytes, signature: str) -> Hint:
        if not self._webhook_secret:  # anybody can sign with an empty one
            raise NotFromProcessor("no webhook is expected")
        try:
            stripe.WebhookSignature.verify_header(body, signature, self._webhook_secret)
            genuine = True
        except (stripe.SignatureVerificationError, ValueError, TypeError):
            genuine = False  # the error holds the body
        if not genuine:
            raise NotFromProcessor("the signature is not the processor's")
        self._check_age(signature)
        return hint_about(event_of(body))

    def _check_age(self, signature: str) -> None:
        """By our clock. The signature has been verified, so there is a time, and the first one is what was signed."""
        times = [int(item.split("=")[1]) for item in signature.split(",") if item.startswith("t=")]
        if abs(int(self._clock().timestamp()) - times[0]) > TOLERANCE.total_seconds():
            raise NotFromProcessor("the signature is too old, or of another time than ours")

    def _parameters(self, order: CheckoutOrder) -> dict[str, Any]:
        return {
            "mode": "payment",
            "payment_method_types": ["card"],
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": code_of(order.amount.currency),
                        "unit_amount": order.amount.amount_minor,
                        "product_data": {"name": self._product},
                    },
                }
            ],
            "client_reference_id": order.reference,
            "metadata": {"reference": order.reference},
            "payment_intent_data": {"metadata": {"reference": order.reference}},
            "locale": order.language if order.language in _LOCALES else "auto",
            "expires_at": int(order.expires_at.timestamp()),
            "success_url": order.return_url,
            "cancel_url": order.turned_back_url or order.return_url,
        }

    def _checkout(self, session: stripe.StripeObject) -> Checkout:
        """Raises `TryLater` for an answer that makes no sense."""
        try:
            return checkout_of(session.to_dict(), is_test=self._is_test)
        except (Nonsense, LedgerError, ValueError, RecursionError) as error:
            reason = f"Stripe's answer cannot be read: {error}"[:200]
        raise TryLater(reason)

    def _ask(self, call: Callable[[], T]) -> T:
        """The library's answer. Its errors hold requests and bodies: ours are raised apart from them."""
        try:
            answer = call()
        except stripe.StripeError as error:
            failure = self._translated(error)
        except (AttributeError, TypeError, ValueError, KeyError, RecursionError):
            failure = TryLater("Stripe's answer cannot be read")  # the library stumbled over it
        else:
            if isinstance(answer, stripe.StripeObject):
                return answer
            failure = TryLater("Stripe's answer is no object")
        raise failure

    def _translated(self, error: stripe.StripeError) -> Exception:
        """What the library raised, in our words: tried again, an admin's to mend, unknown, or a fault of ours."""
        match error:
            case stripe.AuthenticationError():
                return Misconfigured(KEY_SETTING, "Stripe does not know this key.", example=KEY_EXAMPLE)
            case stripe.PermissionError():
                return Misconfigured(
                    KEY_SETTING,
                    "Stripe does not let this key do what is needed.",
                    example="a restricted key with write access to Checkout Sessions and read access to charges",
                )
            case stripe.RateLimitError():
                return TryLater("Stripe asks for fewer requests", at=self._told_when(error))
            case stripe.InvalidRequestError() if "a similar object exists in" in str(error):
                return Misconfigured(
                    KEY_SETTING, "this key is a test key where a live one was used, or the other way round."
                )
            case stripe.InvalidRequestError(http_status=404, code="resource_missing"):
                return UnknownCheckout("Stripe knows nothing of this checkout")
            case stripe.InvalidRequestError(http_status=400):
                return OrderRefused(self._words_of(error), parameter=text_of(error.param))
            case stripe.IdempotencyError():
                return OrderRefused("another order was made under this reference")
            case stripe.APIConnectionError():
                return TryLater("no answer came from Stripe")
        return TryLater(f"Stripe answered with HTTP status {error.http_status}", at=self._told_when(error))

    def _told_when(self, error: stripe.StripeError) -> Any:
        wait = (error.headers or {}).get("retry-after", "")
        return self._clock() + timedelta(seconds=int(wait)) if re.fullmatch(r"[0-9]{1,5}", wait) else None

    def _words_of(self, error: stripe.StripeError) -> str:
        return re.sub(r"(?:sk|rk|pk|whsec)_\w+", "(a key)", text_of(error.user_message))[:300]


def _quiet_the_library() -> None:
    """It would write a file into the home directory, tell about this machine, and log whole bodies at DEBUG."""
    stripe.enable_telemetry = False
    logger = logging.getLogger("stripe")
    logger.setLevel(max(logger.level, logging.WARNING))


class _Line(stripe.HTTPClient):
    """How the library reaches Stripe: through `send`, and without a word about this machine."""

    name = "requests"

    def __init__(self, send: Send) -> None:
        super().__init__()
        self._send = send

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[Any, int, Mapping[str, str]]:  # bytes, though its type says text
        spoken = {name: value for name, value in (headers or {}).items() if "client" not in name.lower()}
        spoken["User-Agent"] = f"smoney stripe-python/{stripe.VERSION}"
        body = post_data.encode() if isinstance(post_data, str) else b""
        try:
            return self._send(method.upper(), url, spoken, body)
        except ConnectionError as error:
            reason = str(error)
        raise stripe.APIConnectionError(reason)  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """Nothing is kept open."""
