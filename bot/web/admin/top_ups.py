"""Money put in by card: who, how much, what became of it; and closing what was set aside."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request
from starlette.responses import Response

from bot.admin.pages import LARGEST_ID, LONG
from bot.admin.top_ups import MOVEMENT_STATES, STATES
from bot.web.admin.house import House, done
from bot.web.admin.routes import Does, Looks
from bot.web.admin.seats import Before, Form, Here


@dataclass(frozen=True, slots=True)
class TopUpPages:
    house: House

    def routes(self) -> "Sequence[Looks | Does]":
        return (
            Looks("/top-ups", self.listed),
            Looks("/top-ups/movements", self.movements),
            Does("/top-ups/{reference}/close", "top_up.close", self.close),
        )

    def listed(self, request: Request, seat: Here, state: str = "", before: Before = LARGEST_ID) -> Response:
        chosen, desk = state if state in STATES else None, self.house.office.top_ups
        rows = seat.reads(lambda session: desk.listed(session, state=chosen, limit=LONG + 1, before=before))
        return self.house.show(
            request,
            "admin/top_ups.html",
            actor=seat.actor,
            rows=rows[:LONG],
            older_id=rows[LONG - 1]["id"] if len(rows) > LONG else None,
            states=STATES,
            state=chosen,
        )

    def movements(
        self, request: Request, seat: Here, state: str = "", before: Before = LARGEST_ID
    ) -> Response:
        chosen, desk = state if state in MOVEMENT_STATES else None, self.house.office.top_ups
        rows = seat.reads(
            lambda session: desk.movements(session, state=chosen, limit=LONG + 1, before=before)
        )
        return self.house.show(
            request,
            "admin/card_movements.html",
            actor=seat.actor,
            rows=rows[:LONG],
            older_id=rows[LONG - 1]["id"] if len(rows) > LONG else None,
            states=MOVEMENT_STATES,
            state=chosen,
        )

    def close(self, seat: Here, form: Form, reference: str) -> Response:
        desk, reason = self.house.office.top_ups, form.get("reason", "")
        seat.acts(lambda session, actor: desk.close(session, actor, reference, reason=reason))
        return done("/admin/top-ups")
