"""What was asked of X, day by day, what that costs, and how much of X's limits is left."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import Query, Request
from sqlmodel import Session
from starlette.responses import Response

from bot.admin.glance import windows_of
from bot.web.admin.house import House
from bot.web.admin.overview import duration
from bot.web.admin.routes import Does, Looks
from bot.web.admin.seats import Here
from bot.x.prices import READ_ON, SOURCE
from bot.x.usage import bill, dollars

CHOICES: Final = (1, 7, 30, 90, 365)


class UsagePages:
    def __init__(self, house: House) -> None:
        self.house = house

    def routes(self) -> "Sequence[Looks | Does]":
        return (Looks("/usage", self.all),)

    def all(self, request: Request, seat: Here, days: Annotated[int, Query(ge=1, le=366)] = 7) -> Response:
        now = self.house.bot.clock()

        def read(session: Session) -> dict[str, Any]:
            return {"bill": bill(session, now=now, days=days), "windows": windows_of(session, now)}

        return self.house.show(
            request,
            "admin/usage.html",
            actor=seat.actor,
            days=days,
            choices=CHOICES,
            dollars=dollars,
            duration=duration,
            prices=f"{SOURCE}, read {READ_ON.isoformat()}",
            **seat.reads(read),
        )
