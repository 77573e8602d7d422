"""Payments to look through, one person's on either side, and the whole story of one in order."""

import re
from collections.abc import Sequence
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import Query, Request
from starlette.responses import RedirectResponse, Response

from bot.admin.pages import LARGEST_ID
from bot.web.admin.house import House
from bot.web.admin.routes import Does, Looks
from bot.web.admin.seats import Before, Here, asked

REFERENCE: Final = re.compile(r"[PR]-[0-9A-Z]{6}", re.IGNORECASE)
Side = Annotated[str, Query(pattern="^(out|in)$")]


class PaymentPages:
    def __init__(self, house: House) -> None:
        self.house, self.office = house, house.office

    def routes(self) -> "Sequence[Looks | Does]":
        return (Looks("/payments", self.listed), Looks("/payments/{reference}", self.story))

    def listed(
        self,
        request: Request,
        seat: Here,
        find: str = "",
        person: Annotated[int | None, Query(ge=-LARGEST_ID, le=LARGEST_ID)] = None,
        side: Side = "out",
        before: Before = LARGEST_ID,
    ) -> Response:
        wanted, listing = asked(find), self.office.listing
        if REFERENCE.fullmatch(wanted):
            return RedirectResponse(f"/admin/payments/{wanted.upper()}", 303)
        if wanted:
            return RedirectResponse(f"/admin/members?find={quote(wanted)}", 303)
        if person is None:
            found = seat.reads(lambda session: listing.newest(session, before=before))
        elif side == "out":
            found = seat.reads(lambda session: listing.paid_by(session, person, before=before))
        else:
            found = seat.reads(lambda session: listing.paid_to(session, person, before=before))
        return self.house.show(
            request, "admin/payments.html", actor=seat.actor, found=found, person=person, side=side
        )

    def story(self, request: Request, seat: Here, reference: str) -> Response:
        wanted, stories = asked(reference), self.office.stories
        story = seat.reads(lambda session: stories.of(session, wanted))
        return self.house.show(request, "admin/story.html", actor=seat.actor, story=story)
