"""Coming in and going out: the link's page, the code, signing out."""

from fastapi import APIRouter, Request
from sqlmodel import Session
from starlette.responses import RedirectResponse, Response

from bot.language.catalogue import Label
from bot.people.factor_states import Outcome, Tried
from bot.store.tables import PersonRow
from bot.web.me.given import Form
from bot.web.me.seats import Seats, device_name
from bot.web.site import Site


class EntryPages:
    def __init__(self, site: Site) -> None:
        self.site, self.bot, self.pages, self.seats = site, site.bot, site.pages, Seats(site)

    def routes(self) -> APIRouter:
        router = APIRouter(prefix="/me")
        router.add_api_route("/link", self.opened, methods=["GET"])
        router.add_api_route("/link", self.pressed, methods=["POST"])
        router.add_api_route("/link/lost", self.lost, methods=["POST"])
        router.add_api_route("/again", self.again, methods=["POST"])
        router.add_api_route("/out", self.out, methods=["POST"])
        return router

    def link_page(self, request: Request, token: str, tried: Tried | None = None) -> Response:
        def look(session: Session) -> tuple[Label, str, bool] | None:
            person = self.bot.devices.invited(session, token)
            if person is None:
                return None
            return (
                self.bot.people.label(person),
                self.bot.people.language(person),
                self.bot.devices.needs_code(session, person),
            )

        found = self.bot.database.read(look)
        if found is None:
            return self.pages.show(request, "me/stale_link.html", status=410)
        label, language, needs_code = found
        return self.pages.show(
            request,
            "me/link.html",
            language=language,
            label=label,
            needs_code=needs_code,
            token=token,
            tried=tried,
            status=200 if tried is None else 403,
        )

    def opened(self, request: Request, t: str = "") -> Response:
        """Shows a button; acts on nothing."""
        self.seats.counts_try(request)
        return self.link_page(request, t[:100])

    def pressed(self, request: Request, form: Form) -> Response:
        self.seats.counts_try(request)
        token = form.get("t", "")[:100]
        let_in = self.bot.database.write(
            lambda session: self.bot.devices.let_in(
                session, token, proof=form.get("proof", ""), name=device_name(request)
            )
        )
        if let_in.secret is None:
            return self.link_page(request, token, let_in.tried)
        response = RedirectResponse("/me", 303)
        self.seats.give(response, let_in.secret)
        return response

    def lost(self, request: Request, form: Form) -> Response:
        """No code any more: the removal of the factor begins, with its 48 hours and notices."""
        self.seats.counts_try(request)
        token = form.get("t", "")[:100]
        if not self.bot.database.write(lambda session: self.bot.devices.lost(session, token)):
            return self.pages.show(request, "me/stale_link.html", status=410)
        return self.pages.show(request, "me/lost.html")

    def again(self, request: Request, form: Form) -> Response:
        """A known device whose time is over shows a code."""
        self.seats.counts_try(request)
        seat = self.seats.known(request)
        if seat is None:
            return RedirectResponse("/me", 303)
        tried = self.bot.database.write(
            lambda session: self.bot.devices.prove(
                session, self.bot.people.get(session, seat.person_id), seat.device_id, form.get("proof", "")
            )
        )
        if tried.accepted:
            return RedirectResponse("/me", 303)
        return self.pages.show(
            request,
            "me/again.html",
            status=403,
            language=self.seats.language(seat),
            tried=tried,
            has_factor=True,
        )

    def out(self, request: Request, _form: Form) -> Response:
        seat = self.seats.known(request)
        response = RedirectResponse("/me", 303)
        if seat is not None:
            self.bot.database.write(
                lambda session: self.bot.devices.sign_out(
                    session, self.bot.people.get(session, seat.person_id), seat.device_id
                )
            )
        self.seats.take_away(response)
        return response


def sign_in_page(site: Site, seats: Seats, request: Request) -> Response:
    """For who is not signed in: how to get a link, or the field for a code where the device is known."""
    seat = seats.known(request)
    if seat is None:
        return site.pages.show(request, "me/sign_in.html", status=401)
    bot = site.bot
    has_factor = bot.database.read(
        lambda session: bot.devices.needs_code(session, session.get_one(PersonRow, seat.person_id))
    )
    return site.pages.show(
        request,
        "me/again.html",
        status=401,
        language=seats.language(seat),
        has_factor=has_factor,
        tried=None if has_factor else Tried(Outcome.NOTHING),
    )
