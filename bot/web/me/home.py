"""A person's own page: what waits for their answer, balance, payments, devices, language."""

import re
from typing import Any, Final

from fastapi import APIRouter, HTTPException, Request
from sqlmodel import Session
from starlette.responses import RedirectResponse, Response

from bot.language import reader
from bot.language.lexicon import language_files
from bot.language.voice import say
from bot.payments.page_answers import Question
from bot.store.tables import PersonRow
from bot.web.me.given import Form, Here
from bot.web.me.seats import Seat, Seats
from bot.web.site import Site

SHOWN: Final = 20
REFERENCE: Final = re.compile(r"P-[0-9A-Z]{6}")
SAID: Final = frozenset(
    {"question_not_paid", "question_was_refused", "question_gone", "settings_saved", "erase_not_now"}
)
"""What a page may be told to say after something was done: nothing else comes from an address."""


class HomePages:
    def __init__(self, site: Site) -> None:
        self.site, self.bot, self.pages, self.seats = site, site.bot, site.pages, Seats(site)

    def routes(self) -> APIRouter:
        router = APIRouter(prefix="/me")
        router.add_api_route("", self.home, methods=["GET"])
        router.add_api_route("/questions", self.questions, methods=["GET"])
        router.add_api_route("/questions/{challenge_id}/pay", self.pay, methods=["POST"])
        router.add_api_route("/questions/{challenge_id}/refuse", self.refuse, methods=["POST"])
        router.add_api_route("/devices/{device_id}/out", self.device_out, methods=["POST"])
        router.add_api_route("/language", self.language, methods=["POST"])
        return router

    def home(self, request: Request, seat: Here, said: str = "", ref: str = "") -> Response:
        cashier = self.bot.cashier

        def read(session: Session, person: PersonRow) -> dict[str, Any]:
            return {
                "label": self.bot.people.label(person),
                "balance": self.bot.wallets.balance(session, person),
                "entries": self.bot.inquiries.entries(session, person, limit=SHOWN),
                "frozen_by": person.frozen_by,
                "locked": self.bot.unlocking.is_needed(person),
                "factor": self.bot.factors.standing(session, person),
                "trust_asked": self.bot.trusting.asked(session, person),
                "devices": self.bot.devices.of(session, person),
                "top_up": cashier.top_ups.bounds(session, person) if cashier else None,
            }

        questions = seat.acts(self.bot.page_answers.questions)
        return self.pages.show(
            request,
            "me/home.html",
            language=seat.language,
            time_zone=seat.time_zone,
            languages={code: _name_of(code) for code in reader.LANGUAGES},
            questions=[_shown(question, seat) for question in questions],
            this_device=seat.signed_in.device_id,
            said=said if said in SAID else None,
            paid=ref if REFERENCE.fullmatch(ref) and said == "question_paid" else None,
            **seat.acts(read),
        )

    def questions(self, request: Request, seat: Here) -> Response:
        """For the page to ask again by itself while nothing waits; never while somebody types."""
        found = seat.acts(self.bot.page_answers.questions)
        return self.pages.show(
            request,
            "me/questions.html",
            language=seat.language,
            time_zone=seat.time_zone,
            questions=[_shown(question, seat) for question in found],
            factor=seat.reads(self.bot.factors.standing),
        )

    def pay(self, request: Request, seat: Here, form: Form, challenge_id: int) -> Response:
        self.seats.counts_try(request)
        answered = seat.acts(
            lambda session, person: self.bot.page_answers.answer(
                session, person, challenge_id, answer=form.get("answer", ""), code=form.get("code", "")
            )
        )
        if answered.state is not None:
            paid = answered.state == "paid"
            there = f"question_paid&ref={answered.reference}" if paid else "question_not_paid"
            return RedirectResponse(f"/me?said={there}", 303)
        if answered.tried.remaining is None and answered.tried.locked_until is None:
            return RedirectResponse("/me?said=question_gone", 303)
        return self.pages.show(
            request,
            "me/wrong_code.html",
            status=403,
            language=seat.language,
            time_zone=seat.time_zone,
            tried=answered.tried,
        )

    def refuse(self, seat: Here, _form: Form, challenge_id: int) -> Response:
        done = seat.acts(lambda session, person: self.bot.page_answers.cancel(session, person, challenge_id))
        return RedirectResponse(f"/me?said={'question_was_refused' if done else 'question_gone'}", 303)

    def device_out(self, seat: Here, _form: Form, device_id: int) -> Response:
        seat.acts(lambda session, person: self.bot.devices.sign_out(session, person, device_id))
        return RedirectResponse("/me", 303)

    def language(self, seat: Here, form: Form) -> Response:
        chosen = form.get("language", "")
        if chosen not in reader.LANGUAGES:
            raise HTTPException(404)

        def choose(session: Session, person: PersonRow) -> None:
            person.chosen_language = chosen
            session.add(person)

        seat.acts(choose)
        return RedirectResponse("/me?said=settings_saved", 303)


def _shown(question: Question, seat: Seat) -> dict[str, object]:
    """The facts in the very words of the message; how to answer is the page's own."""
    words = say("challenge", language=seat.language, parameters=question.facts, time_zone=seat.time_zone)
    return {
        "id": question.challenge_id,
        "answer": question.answer,
        "words": words.partition("\n\n")[0],
        "facts": question.facts,
    }


def _name_of(code: str) -> str:
    return str(language_files()[code]["name"])
