"""Finding a member, all about them, and what an admin may do for them."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from fastapi import Request
from sqlmodel import Session
from starlette.responses import RedirectResponse, Response

from bot.admin.log import Actor
from bot.errors import Misconfigured
from bot.people.tiers import Tier
from bot.store.tables import PersonRow
from bot.web.admin.house import House, done
from bot.web.admin.routes import Does, Looks
from bot.web.admin.seats import Form, Here, Id, asked

NEWEST = 10


class MemberPages:
    def __init__(self, house: House) -> None:
        self.house, self.office = house, house.office

    def routes(self) -> "Sequence[Looks | Does]":
        return (
            Looks("/members", self.find),
            Looks("/members/{user_id}", self.member),
            Does("/members/{user_id}/unlock", "person.unlock", self.unlock),
            Does("/members/{user_id}/tier", "person.tier", self.tier),
            Does("/members/{user_id}/end-factor", "person.end-factor", self.end_factor),
            Does("/members/{user_id}/data", "member.data", self.data),
        )

    def find(self, request: Request, seat: Here, find: str = "") -> Response:
        wanted, members = asked(find), self.office.members
        found = seat.reads(lambda session: members.find(session, wanted)) if wanted else []
        if len(found) == 1:
            return RedirectResponse(f"/admin/members/{found[0]['id']}", 303)
        return self.house.show(request, "admin/members.html", actor=seat.actor, wanted=wanted, found=found)

    def member(self, request: Request, seat: Here, user_id: Id) -> Response:
        def read(session: Session) -> dict[str, Any]:
            member = self.office.members.show(session, str(user_id))
            person = session.get_one(PersonRow, user_id)
            return {
                "member": member,
                "factor": self.house.bot.factors.standing(session, person),
                "payments": self.office.listing.of_person(session, user_id, limit=NEWEST),
                "actions": self.office.log.newest(session, subject=f"person {user_id}", limit=NEWEST),
            }

        return self.house.show(
            request, "admin/member.html", actor=seat.actor, tiers=list(Tier), **seat.reads(read)
        )

    def unlock(self, seat: Here, form: Form, user_id: Id) -> Response:
        guarding = self.office.guarding
        return self._done(
            seat,
            user_id,
            lambda session, actor: guarding.unlock(
                session, actor, str(user_id), reason=form.get("reason", "")
            ),
        )

    def tier(self, seat: Here, form: Form, user_id: Id) -> Response:
        chosen, guarding = form.get("tier", ""), self.office.guarding
        if chosen not in set(Tier):
            raise Misconfigured("tier", "is none there is.", example=", ".join(Tier))
        return self._done(
            seat,
            user_id,
            lambda session, actor: guarding.set_tier(
                session, actor, str(user_id), Tier(chosen), reason=form.get("reason", "")
            ),
        )

    def end_factor(self, seat: Here, form: Form, user_id: Id) -> Response:
        guarding = self.office.guarding
        return self._done(
            seat,
            user_id,
            lambda session, actor: guarding.end_factor(
                session, actor, str(user_id), reason=form.get("reason", "")
            ),
        )

    def data(self, seat: Here, form: Form, user_id: Id) -> Response:
        """Everything kept about them, as the file they could fetch themselves."""
        content = seat.acts(
            lambda session, actor: self.office.handing_out.data_of(
                session, actor, str(user_id), reason=form.get("reason", "")
            )
        )
        name = f"smoney-{json.dumps(user_id)}.json"
        named = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(content, media_type="application/json", headers=named)

    @staticmethod
    def _done(seat: Here, user_id: int, act: Callable[[Session, Actor], None]) -> Response:
        seat.acts(act)
        return done(f"/admin/members/{user_id}")
