"""The audit log: who did what, to what, when and why."""

from collections.abc import Sequence

from fastapi import Request
from starlette.responses import Response

from bot.admin.pages import LARGEST_ID, LONG
from bot.web.admin.house import House
from bot.web.admin.routes import Does, Looks
from bot.web.admin.seats import Before, Here, asked


class AuditPages:
    def __init__(self, house: House) -> None:
        self.house, self.log = house, house.office.log

    def routes(self) -> "Sequence[Looks | Does]":
        return (Looks("/audit", self.newest),)

    def newest(
        self, request: Request, seat: Here, subject: str = "", before: Before = LARGEST_ID
    ) -> Response:
        wanted = asked(subject)
        found = seat.reads(
            lambda session: self.log.newest(session, subject=wanted or None, limit=LONG, before=before)
        )
        return self.house.show(
            request,
            "admin/audit.html",
            actor=seat.actor,
            actions=found,
            subject=wanted,
            older=min(each.id for each in found) if len(found) == LONG else None,
        )
