"""The bank's lines that are not settled: whose each is, or that it is nobody's here. Statements are imported by command."""

from collections.abc import Sequence
from typing import Any

from fastapi import Request
from sqlmodel import Session
from starlette.responses import RedirectResponse, Response

from bot.admin.bank_lines import UNDECIDED
from bot.admin.pages import LONG
from bot.ledger_views import money_text
from bot.web.admin.house import House, done
from bot.web.admin.routes import Does, Looks
from bot.web.admin.seats import Form, Here, Id, asked


class BankPages:
    def __init__(self, house: House) -> None:
        self.house, self.bank = house, house.office.bank

    def routes(self) -> "Sequence[Looks | Does]":
        return (
            Looks("/bank", self.lines),
            Does("/bank/{line_id}/match", "bank.match", self.match),
            Does("/bank/{line_id}/ignore", "bank.ignore", self.ignore),
        )

    def lines(self, request: Request, seat: Here) -> Response:
        def read(session: Session) -> dict[str, Any]:
            found = self.bank.lines.newest(session, states=UNDECIDED, limit=LONG + 1)
            return {
                "lines": found[:LONG],
                "more": len(found) > LONG,
                "unseen": self.house.office.bank_reconciling.unseen(session),
            }

        return self.house.show(
            request, "admin/bank.html", actor=seat.actor, money=money_text, **seat.reads(read)
        )

    def match(self, seat: Here, form: Form, line_id: Id) -> Response:
        who, reason = asked(form.get("who", "")), form.get("reason", "")
        made = seat.acts(lambda session, actor: self.bank.match(session, actor, line_id, who, reason=reason))
        return RedirectResponse(f"/admin/proposals/{made.id}?said=proposal_{made.state}", 303)

    def ignore(self, seat: Here, form: Form, line_id: Id) -> Response:
        reason = form.get("reason", "")
        seat.acts(lambda session, actor: self.bank.ignore(session, actor, line_id, reason=reason))
        return done("/admin/bank")
