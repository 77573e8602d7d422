"""The hosted page: where people type in a card. It works without a script, and says in large letters that the money is not real.

A card's number and CVC are read, judged and dropped: they are in no answer, no object and no log. Only a form that this page made
is taken, and only an open session pays, so that a button pressed twice, two tabs or the way back charge once.
"""

import hmac
from decimal import Decimal
from importlib.resources import files
from typing import Any, Final
from urllib.parse import urlsplit

from babel.numbers import format_currency, get_currency_precision
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bot.card_sandbox import cards
from bot.card_sandbox.cards import MOST_NAME, Typed, read_card
from bot.card_sandbox.core import CardProcessor
from bot.card_sandbox.objects import PaymentStatus, Session, SessionStatus
from bot.card_sandbox.paying import Outcome, approve, awaits_approval, pay, refuse
from bot.card_sandbox.refusals import StripeRefusal
from bot.card_sandbox.render import PAGE

MOST_BYTES: Final = 16 * 1024
HEADERS: Final = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "cache-control": "no-store",
    "x-robots-tag": "noindex",
}
TOLD: Final = {
    "generic_decline": "This card was declined, and nothing was charged. Try another one.",
    "insufficient_funds": "There is not enough money on this card, and nothing was charged. Try another one.",
    "authentication_required": "The payment was not approved, and nothing was charged. Try again, or take another card.",
}
TEST_CARDS: Final = (
    (cards.SUCCEEDS, "is charged"),
    (cards.ASKS_APPROVAL, "asks for approval first"),
    (cards.DECLINED, "is declined"),
    (cards.INSUFFICIENT_FUNDS, "has not enough money on it"),
    (cards.SUCCEEDS_LATE, "is charged a little later"),
    (cards.FAILS_LATE, "is declined a little later"),
    (cards.DISPUTED, "is charged, later disputed"),
)


class Page:
    """The pages' application."""

    def __init__(self, processor: CardProcessor) -> None:
        self._processor = processor
        self._templates = Environment(
            loader=PackageLoader("bot.card_sandbox"), autoescape=True, undefined=StrictUndefined
        )
        self._starlette = Starlette(
            routes=[
                Route(PAGE + "{session_id}", self._show),
                Route(PAGE + "{session_id}", self._pay, methods=["POST"]),
                Route(PAGE + "{session_id}/approval", self._show_approval),
                Route(PAGE + "{session_id}/approval", self._decide, methods=["POST"]),
                Route("/static/card.css", _style),
            ],
            exception_handlers={StripeRefusal: self._unknown, 404: self._unknown},
        )

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._starlette if _is_here(scope) else PlainTextResponse("This host is not ours.", 421)
        await app(scope, receive, send)

    async def _show(self, request: Request) -> Response:
        session = self._processor.session(request.path_params["session_id"])
        if session.status is not SessionStatus.OPEN:
            return self._closed(session)
        if awaits_approval(self._processor, session.id):
            return self._to_approval(session)
        return self._form(session, Typed(), {}, told=TOLD.get(self._last_decline(session), ""))

    async def _pay(self, request: Request) -> Response:
        session = self._processor.session(request.path_params["session_id"])
        fields = await _fields(request)
        if not self._is_ours(request, fields, session, "pay"):
            return self._foreign(session)
        if session.status is not SessionStatus.OPEN:
            return self._done(session)
        typed = Typed(*(fields.get(name, "") for name in ("number", "expiry", "cvc", "name")))
        card = read_card(typed, self._processor.now())
        if isinstance(card, dict):
            return self._form(session, typed, card, status=422)
        outcome = pay(self._processor, session.id, card)
        if outcome is Outcome.NEEDS_APPROVAL:
            return self._to_approval(session)
        session = self._processor.session(session.id)
        if outcome is Outcome.DECLINED:
            return self._form(session, typed, {}, told=TOLD[self._last_decline(session)], status=402)
        return self._done(session)

    async def _show_approval(self, request: Request) -> Response:
        session = self._processor.session(request.path_params["session_id"])
        card = awaits_approval(self._processor, session.id)
        if card is None:
            return _to(f"{PAGE}{session.id}")
        return self._page("approval.html", session, card=card, token=self._token(session, "approval"))

    async def _decide(self, request: Request) -> Response:
        session = self._processor.session(request.path_params["session_id"])
        fields = await _fields(request)
        if not self._is_ours(request, fields, session, "approval"):
            return self._foreign(session)
        decide = {"approve": approve, "refuse": refuse}.get(fields.get("decision", ""))
        if decide is None:
            return self._to_approval(session)
        decide(self._processor, session.id)
        session = self._processor.session(session.id)
        return _to(f"{PAGE}{session.id}") if session.status is SessionStatus.OPEN else self._done(session)

    def _form(
        self, session: Session, typed: Typed, problems: dict[str, str], *, told: str = "", status: int = 200
    ) -> Response:
        return self._page(
            "pay.html",
            session,
            status=status,
            problems=problems,
            told=told,
            name=typed.name[:MOST_NAME],
            expiry=typed.expiry[:10],
            token=self._token(session, "pay"),
            test_cards=TEST_CARDS,
        )

    def _closed(self, session: Session) -> Response:
        return self._page("closed.html", session, failed=bool(self._last_decline(session)))

    def _done(self, session: Session) -> Response:
        """Where people go when they are done; to the page itself where nothing came of it."""
        if session.status is SessionStatus.COMPLETE:
            return _to(session.order.success_url.replace("{CHECKOUT_SESSION_ID}", session.id))
        return _to(f"{PAGE}{session.id}")

    def _to_approval(self, session: Session) -> Response:
        return _to(f"{PAGE}{session.id}/approval")

    def _foreign(self, session: Session) -> Response:
        return self._page("foreign.html", session, status=403)

    def _unknown(self, _request: Request, _error: Exception) -> Response:
        body = self._templates.get_template("unknown.html").render()
        return HTMLResponse(body, 404, HEADERS | {"content-security-policy": _policy()})

    def _page(self, template: str, session: Session, *, status: int = 200, **more: Any) -> Response:
        order = session.order
        body = self._templates.get_template(template).render(
            session=session,
            amount=_amount_text(session.total, order.currency),
            payee=self._processor.payee,
            product=order.product,
            back=order.success_url.replace("{CHECKOUT_SESSION_ID}", session.id),
            cancel=order.cancel_url,
            path=f"{PAGE}{session.id}",
            **more,
        )
        policy = _policy(order.success_url)
        return HTMLResponse(body, status, HEADERS | {"content-security-policy": policy})

    def _last_decline(self, session: Session) -> str:
        payment = self._processor.payments.get(session.payment_id or "")
        failed = payment is not None and payment.status is PaymentStatus.REQUIRES_PAYMENT_METHOD
        return payment.decline_code if payment is not None and failed else ""

    def _token(self, session: Session, step: str) -> str:
        return self._processor.form_token(session.id, step)

    def _is_ours(self, request: Request, fields: dict[str, str], session: Session, step: str) -> bool:
        """A form this page made, sent from this page: its token says so, and the browser's own word where it gives one."""
        from_here = request.headers.get("sec-fetch-site", "same-origin") == "same-origin"
        given = fields.get("form_token", "")
        return from_here and hmac.compare_digest(given.encode(), self._token(session, step).encode())


async def _style(_request: Request) -> Response:
    content = (files("bot.card_sandbox") / "static" / "card.css").read_bytes()
    return Response(content, media_type="text/css; charset=utf-8", headers=HEADERS)


async def _fields(request: Request) -> dict[str, str]:
    length = request.headers.get("content-length", "")
    kind = request.headers.get("content-type", "")
    if not length.isdecimal() or int(length) > MOST_BYTES or not kind.startswith("application/x-www-form"):
        return {}
    form = await request.form(max_fields=20)
    return {name: value for name, value in form.items() if not isinstance(value, UploadFile)}


def _to(url: str) -> Response:
    return RedirectResponse(url, 303, HEADERS)


def _policy(success_url: str = "") -> str:
    """A browser asks this of the address a form leads on to as well."""
    parts = urlsplit(success_url)
    onward = f" {parts.scheme}://{parts.netloc}" if success_url else ""
    return f"default-src 'none'; style-src 'self'; form-action 'self'{onward}; base-uri 'none'; frame-ancestors 'none'"


def _is_here(scope: Scope) -> bool:
    """Asked by a name of this machine: a foreign name that leads here is somebody's trick."""
    hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
    return urlsplit(f"//{hosts[0]}").hostname in {"127.0.0.1", "localhost", "::1"} if hosts else False


def _amount_text(amount: int, currency: str) -> str:
    exact = Decimal(amount).scaleb(-get_currency_precision(currency.upper()))
    return format_currency(exact, currency.upper(), locale="en")
