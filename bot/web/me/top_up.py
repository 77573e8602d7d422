"""Money put in by card from a person's own page: an amount here, the card on the processor's page."""

import structlog
from fastapi import APIRouter, HTTPException, Request
from starlette.responses import Response

from bot.admin.amounts import amount_of
from bot.cashier import Cashier
from bot.errors import Misconfigured, Refusal
from bot.language.voice import say
from bot.payments.topping_up import Due
from bot.web.me.given import Form, Here
from bot.web.me.seats import Seat, Seats
from bot.web.site import Site
from ledger.money import Money

log = structlog.get_logger(__name__)


class TopUpPages:
    def __init__(self, site: Site) -> None:
        self.cashier, self.pages, self.seats = site.bot.cashier, site.pages, Seats(site)

    def routes(self) -> APIRouter:
        router = APIRouter(prefix="/me")
        router.add_api_route("/top-up", self.ask, methods=["POST"])
        return router

    def ask(self, request: Request, seat: Here, form: Form) -> Response:
        """Leads on by a link and not by a jump: no form of ours is sent anywhere else (form-action)."""
        cashier = self.cashier
        if cashier is None:
            raise HTTPException(404)
        self.seats.counts_try(request)
        amount = _amount(form.get("amount", ""))
        try:
            due = self._asked(seat, cashier, amount)
        except Refusal as refusal:
            said = say(
                refusal.phrase,
                language=seat.language,
                parameters=refusal.parameters,
                time_zone=seat.time_zone,
            )
            return self._show(request, seat, status=400, said=said)
        return self._show(request, seat, amount=amount, link=_page_for(cashier, due))

    @staticmethod
    def _asked(seat: Seat, cashier: Cashier, amount: Money | None) -> Due:
        """Raises what stands in its way, as a `Refusal`."""
        minor = amount.amount_minor if amount is not None else None
        return seat.acts(
            lambda session, person: cashier.top_ups.ask_now(session, person, minor, language=seat.language)
        )

    def _show(self, request: Request, seat: Seat, *, status: int = 200, **facts: object) -> Response:
        shown = {"said": None, "amount": None, "link": None} | facts
        return self.pages.show(
            request,
            "me/top_up.html",
            status=status,
            language=seat.language,
            time_zone=seat.time_zone,
            **shown,
        )


def _amount(written: str) -> Money | None:
    """None for what could be read in two ways, or not at all."""
    try:
        return amount_of(written)
    except Misconfigured:
        return None


def _page_for(cashier: Cashier, due: Due) -> str | None:
    """The address of the processor's page; None while there is none: then it follows in a message."""
    try:
        return cashier.page_for(due)
    except Misconfigured as problem:
        log.error("cashier.misconfigured", problem=str(problem))
        return None
