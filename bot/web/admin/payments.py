"""Payments to look through, one person's on either side, those of an amount and a time, and the whole story of one in order."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import Query, Request
from sqlmodel import Session
from starlette.responses import RedirectResponse, Response

from bot.admin.amounts import amount_of
from bot.admin.listing import PaymentLine
from bot.admin.pages import LARGEST_ID, LONG
from bot.ledger_files import proof_file, proofs
from bot.web.admin.house import House
from bot.web.admin.routes import Does, Looks
from bot.web.admin.seats import Before, Day, Here, asked, midnight

REFERENCE: Final = re.compile(r"[PR]-[0-9A-Z]{6}", re.IGNORECASE)
FOUND_IN: Final = timedelta(days=30)
"""How far back payments are looked for where nobody says since when."""
Side = Annotated[str, Query(pattern="^(out|in)$")]


class PaymentPages:
    def __init__(self, house: House) -> None:
        self.house, self.office = house, house.office

    def routes(self) -> "Sequence[Looks | Does]":
        return (
            Looks("/payments", self.listed),
            Looks("/payments/found", self.found),
            Looks("/payments/{reference}", self.story),
            Looks("/payments/{reference}/proof", self.proof),
        )

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
        if person is not None:
            seat.notes("member.look", f"person {person}")
        return self.house.show(
            request, "admin/payments.html", actor=seat.actor, found=found, person=person, side=side
        )

    def story(self, request: Request, seat: Here, reference: str) -> Response:
        wanted, stories = asked(reference), self.office.stories
        story = seat.reads(lambda session: stories.of(session, wanted))
        seat.notes("payment.look", f"payment {story.reference}")
        return self.house.show(request, "admin/story.html", actor=seat.actor, story=story)

    def found(
        self,
        request: Request,
        seat: Here,
        who: str = "",
        amount: str = "",
        since: Day = None,
        until: Day = None,
    ) -> Response:
        """By person, amount and time, the newest of them; both days count whole."""
        wanted, written, now = asked(who), asked(amount), self.house.bot.clock()
        exact = amount_of(written).amount_minor if written else None
        begin = midnight(since) if since else now - FOUND_IN
        end = midnight(until) + timedelta(days=1) if until else now + timedelta(days=1)

        def read(session: Session) -> Sequence[PaymentLine]:
            person = self.office.members.one(session, wanted).user_id if wanted else None
            return self.office.listing.found(
                session, person_id=person, amount_minor=exact, since=begin, until=end, limit=LONG + 1
            )

        rows = seat.reads(read)
        return self.house.show(
            request,
            "admin/payments_found.html",
            actor=seat.actor,
            rows=rows[:LONG],
            more=len(rows) > LONG,
            asked_for={"who": wanted, "amount": written, "since": since or "", "until": until or ""},
        )

    def proof(self, _seat: Here, reference: str) -> Response:
        """That its transfers stand in the sealed book: the file that `smoney ledger prove` writes."""
        wanted = asked(reference)
        content = proof_file(proofs(self.house.bot.database, wanted))
        name = wanted.upper() if wanted.isascii() else "payment"
        named = {"content-disposition": f'attachment; filename="{name}.json"'}
        return Response(content, media_type="application/json", headers=named)
