"""Setting up, replacing and giving up the second factor. What is shown once is shown in the answer to a POST only."""

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from bot.people.factor_states import Outcome, Tried
from bot.web.me.given import Form, Here
from bot.web.me.seats import Seat, Seats
from bot.web.qr import qr_of
from bot.web.site import Site


class FactorPages:
    def __init__(self, site: Site) -> None:
        self.site, self.bot, self.pages, self.seats = site, site.bot, site.pages, Seats(site)
        self.factors = site.bot.factors

    def routes(self) -> APIRouter:
        router = APIRouter(prefix="/me/factor")
        router.add_api_route("", self.factor, methods=["GET"])
        router.add_api_route("/begin", self.begin, methods=["POST"])
        router.add_api_route("/verify", self.verify, methods=["POST"])
        router.add_api_route("/remove", self.remove, methods=["POST"])
        router.add_api_route("/keep", self.keep, methods=["POST"])
        return router

    def shown(self, request: Request, seat: Seat, tried: Tried | None = None) -> Response:
        return self.pages.show(
            request,
            "me/factor.html",
            status=200 if tried is None else 403,
            language=seat.language,
            time_zone=seat.time_zone,
            factor=seat.reads(self.factors.standing),
            tried=tried,
            not_now=tried is not None and tried.outcome is Outcome.NOTHING,
        )

    def factor(self, request: Request, seat: Here) -> Response:
        return self.shown(request, seat)

    def begin(self, request: Request, seat: Here, form: Form) -> Response:
        self.seats.counts_try(request)
        proof = form.get("proof", "").strip() or None
        begun = seat.acts(lambda session, person: self.factors.begin(session, person, proof=proof))
        if begun.secret is None or begun.uri is None:
            return self.shown(request, seat, begun.tried)
        return self.pages.show(
            request,
            "me/factor_begun.html",
            language=seat.language,
            time_zone=seat.time_zone,
            secret=begun.secret,
            picture=qr_of(begun.uri),
            tried=None,
        )

    def verify(self, request: Request, seat: Here, form: Form) -> Response:
        self.seats.counts_try(request)
        done = seat.acts(lambda session, person: self.factors.verify(session, person, form.get("code", "")))
        if done.tried.accepted:
            return self.pages.show(
                request,
                "me/recovery_codes.html",
                language=seat.language,
                time_zone=seat.time_zone,
                codes=done.recovery_codes,
                active_from=done.active_from,
            )
        if done.tried.outcome is Outcome.NOTHING:
            return self.shown(request, seat, done.tried)
        return self.pages.show(
            request,
            "me/factor_begun.html",
            status=403,
            language=seat.language,
            time_zone=seat.time_zone,
            secret=None,
            picture=None,
            tried=done.tried,
        )

    def remove(self, request: Request, seat: Here, form: Form) -> Response:
        self.seats.counts_try(request)
        proof = form.get("proof", "").strip() or None
        removed = seat.acts(lambda session, person: self.factors.remove(session, person, proof=proof))
        if not removed.tried.accepted:
            return self.shown(request, seat, removed.tried)
        return RedirectResponse("/me/factor", 303)

    def keep(self, request: Request, seat: Here, form: Form) -> Response:
        self.seats.counts_try(request)
        tried = seat.acts(lambda session, person: self.factors.keep(session, person, form.get("proof", "")))
        if not tried.accepted:
            return self.shown(request, seat, tried)
        return RedirectResponse("/me/factor", 303)
