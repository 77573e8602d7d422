"""A person's own brake, on their page: at once and without a code; let go of with the second factor, else by message."""

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from bot.web.me.given import Form, Here
from bot.web.me.seats import Seats
from bot.web.site import Site


class ControlPages:
    def __init__(self, site: Site) -> None:
        self.freezing, self.pages, self.seats = site.bot.freezing, site.pages, Seats(site)

    def routes(self) -> APIRouter:
        router = APIRouter(prefix="/me")
        router.add_api_route("/freeze", self.freeze, methods=["POST"])
        router.add_api_route("/thaw", self.thaw, methods=["POST"])
        return router

    def freeze(self, seat: Here, _form: Form) -> Response:
        seat.acts(self.freezing.freeze)
        return RedirectResponse("/me", 303)

    def thaw(self, request: Request, seat: Here, form: Form) -> Response:
        self.seats.counts_try(request)
        tried = seat.acts(
            lambda session, person: self.freezing.with_factor(session, person, form.get("code", ""))
        )
        if tried.accepted:
            return RedirectResponse("/me", 303)
        return self.pages.show(
            request,
            "me/wrong_code.html",
            status=403,
            language=seat.language,
            time_zone=seat.time_zone,
            tried=tried,
        )
