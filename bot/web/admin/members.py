"""Finding a member, all about them, and what an admin may do for them."""

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import Request
from sqlmodel import Session
from starlette.responses import RedirectResponse, Response

from bot.admin.log import Actor
from bot.errors import Misconfigured
from bot.ledger_views import money_text
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
            Does("/members/{user_id}/freeze", "member.freeze", self.freeze),
            Does("/members/{user_id}/thaw", "member.thaw", self.thaw),
            Does("/members/{user_id}/note", "member.note", self.note),
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
        seat.notes("member.look", *(f"person {row['id']}" for row in found))
        return self.house.show(request, "admin/members.html", actor=seat.actor, wanted=wanted, found=found)

    def member(self, request: Request, seat: Here, user_id: Id) -> Response:
        def read(session: Session) -> dict[str, Any]:
            member = self.office.members.show(session, str(user_id))
            person = session.get_one(PersonRow, user_id)
            return {
                "member": member,
                "factor": self.house.bot.factors.standing(session, person),
                "payments": self.office.listing.of_person(session, user_id, limit=NEWEST),
                "limits": self.office.helping.limits(session, str(user_id)),
                "proposals": self.office.treasury.proposals.newest(
                    session, state=None, person_id=user_id, limit=NEWEST
                ),
                "actions": self.office.log.newest(session, subject=f"person {user_id}", limit=NEWEST),
            }

        facts = seat.reads(read)
        seat.notes("member.look", f"person {user_id}")
        return self.house.show(
            request,
            "admin/member.html",
            actor=seat.actor,
            tiers=list(Tier),
            money=money_text,
            **facts,
        )

    def freeze(self, seat: Here, form: Form, user_id: Id) -> Response:
        who, reason, helping = str(user_id), form.get("reason", ""), self.office.helping
        return self._done(seat, user_id, lambda s, actor: helping.freeze(s, actor, who, reason=reason))

    def thaw(self, seat: Here, form: Form, user_id: Id) -> Response:
        who, reason, helping = str(user_id), form.get("reason", ""), self.office.helping
        return self._done(seat, user_id, lambda s, actor: helping.thaw(s, actor, who, reason=reason))

    def note(self, seat: Here, form: Form, user_id: Id) -> Response:
        who, words, helping = str(user_id), form.get("reason", ""), self.office.helping
        return self._done(seat, user_id, lambda s, actor: helping.note(s, actor, who, words=words))

    def unlock(self, seat: Here, form: Form, user_id: Id) -> Response:
        who, reason, guarding = str(user_id), form.get("reason", ""), self.office.guarding
        return self._done(seat, user_id, lambda s, actor: guarding.unlock(s, actor, who, reason=reason))

    def tier(self, seat: Here, form: Form, user_id: Id) -> Response:
        who, reason, guarding = str(user_id), form.get("reason", ""), self.office.guarding
        chosen = form.get("tier", "")
        if chosen not in set(Tier):
            raise Misconfigured("tier", "is none there is.", example=", ".join(Tier))
        return self._done(
            seat, user_id, lambda s, actor: guarding.set_tier(s, actor, who, Tier(chosen), reason=reason)
        )

    def end_factor(self, seat: Here, form: Form, user_id: Id) -> Response:
        who, reason, guarding = str(user_id), form.get("reason", ""), self.office.guarding
        return self._done(seat, user_id, lambda s, actor: guarding.end_factor(s, actor, who, reason=reason))

    def data(self, seat: Here, form: Form, user_id: Id) -> Response:
        """Everything kept about them, as the file they could fetch themselves."""
        who, reason, handing_out = str(user_id), form.get("reason", ""), self.office.handing_out
        content = seat.acts(lambda s, actor: handing_out.data_of(s, actor, who, reason=reason))
        named = {"content-disposition": f'attachment; filename="smoney-{user_id}.json"'}
        return Response(content, media_type="application/json", headers=named)

    @staticmethod
    def _done(seat: Here, user_id: int, act: Callable[[Session, Actor], None]) -> Response:
        seat.acts(act)
        return done(f"/admin/members/{user_id}")
