"""The audit log: who did what, to what, when and why."""

from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query, Request
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
        self,
        request: Request,
        seat: Here,
        subject: str = "",
        before: Before = LARGEST_ID,
        looks: Annotated[str, Query(pattern="^(|yes)$")] = "",
    ) -> Response:
        wanted = asked(subject)
        found = seat.reads(
            lambda session: self.log.newest(
                session, subject=wanted or None, limit=LONG, before=before, looks=bool(looks)
            )
        )
        return self.house.show(
            request,
            "admin/audit.html",
            actor=seat.actor,
            actions=found,
            subject=wanted,
            looks=looks,
            same=urlencode({"subject": wanted, "looks": looks}),
            other=urlencode({"subject": wanted, "looks": "" if looks else "yes"}),
            older=min(each.id for each in found) if len(found) == LONG else None,
        )
