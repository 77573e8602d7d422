"""Payments that wait for somebody to look at them: let one through, or give one back."""

from collections.abc import Sequence

from fastapi import Request
from starlette.responses import Response

from bot.ledger_views import money_text
from bot.web.admin.house import House, done
from bot.web.admin.routes import Does, Looks
from bot.web.admin.seats import Form, Here, asked


class ReviewPages:
    def __init__(self, house: House) -> None:
        self.house, self.guarding = house, house.office.guarding

    def routes(self) -> "Sequence[Looks | Does]":
        return (
            Looks("/reviews", self.waiting),
            Does("/reviews/{reference}/release", "review.release", self.release),
            Does("/reviews/{reference}/refuse", "review.refuse", self.refuse),
        )

    def waiting(self, request: Request, seat: Here) -> Response:
        return self.house.show(
            request,
            "admin/reviews.html",
            actor=seat.actor,
            waiting=seat.reads(self.guarding.waiting),
            money=money_text,
        )

    def release(self, seat: Here, form: Form, reference: str) -> Response:
        return self._decide(seat, form, reference, release=True)

    def refuse(self, seat: Here, form: Form, reference: str) -> Response:
        return self._decide(seat, form, reference, release=False)

    def _decide(self, seat: Here, form: Form, reference: str, *, release: bool) -> Response:
        wanted, reason = asked(reference).upper(), form.get("reason", "")
        seat.acts(
            lambda session, actor: self.guarding.decide(
                session, actor, wanted, release=release, reason=reason
            )
        )
        return done("/admin/reviews")
