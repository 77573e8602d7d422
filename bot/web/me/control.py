"""A person's own brake, on their page: at once and without a code; let go of with the second factor, else by message. So is
being forgotten, and a lock after too many wrong codes. And everything kept about them, to take away."""

import json

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from bot.errors import Refusal
from bot.people.factor_states import Tried
from bot.web.me.given import Form, Here
from bot.web.me.seats import Seat, Seats
from bot.web.site import Site


class ControlPages:
    def __init__(self, site: Site) -> None:
        self.own_data, self.trusting, self.unlocking = (
            site.bot.own_data,
            site.bot.trusting,
            site.bot.unlocking,
        )
        self.freezing, self.erasing, self.pages, self.seats = (
            site.bot.freezing,
            site.bot.erasing,
            site.pages,
            Seats(site),
        )

    def routes(self) -> APIRouter:
        router = APIRouter(prefix="/me")
        router.add_api_route("/freeze", self.freeze, methods=["POST"])
        router.add_api_route("/thaw", self.thaw, methods=["POST"])
        router.add_api_route("/unlock", self.unlock, methods=["POST"])
        router.add_api_route("/trust/{question_id}", self.trust, methods=["POST"])
        router.add_api_route("/data", self.data, methods=["POST"])
        router.add_api_route("/erase", self.erase, methods=["POST"])
        return router

    def freeze(self, seat: Here, _form: Form) -> Response:
        seat.acts(self.freezing.freeze)
        return RedirectResponse("/me", 303)

    def thaw(self, request: Request, seat: Here, form: Form) -> Response:
        self.seats.counts_try(request)
        tried = seat.acts(
            lambda session, person: self.freezing.with_factor(session, person, form.get("code", ""))
        )
        return RedirectResponse("/me", 303) if tried.accepted else self._wrong(request, seat, tried)

    def unlock(self, request: Request, seat: Here, form: Form) -> Response:
        """After too many wrong codes in messages."""
        self.seats.counts_try(request)
        tried = seat.acts(
            lambda session, person: self.unlocking.with_factor(session, person, form.get("code", ""))
        )
        return RedirectResponse("/me", 303) if tried.accepted else self._wrong(request, seat, tried)

    def trust(self, request: Request, seat: Here, form: Form, question_id: int) -> Response:
        self.seats.counts_try(request)
        code = form.get("code", "")
        try:
            tried = seat.acts(
                lambda session, person: self.trusting.confirm(session, person, question_id, code)
            )
        except Refusal:
            return RedirectResponse("/me?said=question_gone", 303)
        return RedirectResponse("/me", 303) if tried.accepted else self._wrong(request, seat, tried)

    def data(self, request: Request, seat: Here, _form: Form) -> Response:
        """Everything kept about them, as a file."""
        self.seats.counts_try(request)
        content = json.dumps(seat.reads(self.own_data.of), indent=1, ensure_ascii=True)
        named = {"content-disposition": 'attachment; filename="smoney-my-data.json"'}
        return Response(content, media_type="application/json", headers=named)

    def erase(self, request: Request, seat: Here, form: Form) -> Response:
        self.seats.counts_try(request)
        try:
            tried = seat.acts(
                lambda session, person: self.erasing.with_factor(session, person, form.get("code", ""))
            )
        except Refusal:
            return RedirectResponse("/me?said=erase_not_now", 303)
        if not tried.accepted:
            return self._wrong(request, seat, tried)
        response = RedirectResponse("/", 303)
        self.seats.take_away(response)
        return response

    def _wrong(self, request: Request, seat: Seat, tried: Tried) -> Response:
        return self.pages.show(
            request,
            "me/wrong_code.html",
            status=403,
            language=seat.language,
            time_zone=seat.time_zone,
            tried=tried,
        )
