"""Who may do something here. A word for somebody new is shown once, in the answer to the form, to be told in person."""

from collections.abc import Sequence

from fastapi import Request
from starlette.responses import Response

from bot.admin.acts import Role
from bot.errors import Misconfigured
from bot.web.admin.house import House, done
from bot.web.admin.routes import Does, Looks
from bot.web.admin.seats import Form, Here, asked


class AdminPages:
    def __init__(self, house: House) -> None:
        self.house, self.admins = house, house.office.admins

    def routes(self) -> "Sequence[Looks | Does]":
        return (
            Looks("/admins", self.all),
            Does("/admins", "admin.add", self.add),
            Does("/admins/{name}/role", "admin.role", self.role),
            Does("/admins/{name}/invite", "admin.invite", self.invite),
            Does("/admins/{name}/end", "admin.end", self.end),
        )

    def all(self, request: Request, seat: Here) -> Response:
        return self._shown(request, seat)

    def _shown(self, request: Request, seat: Here, *, invited: str = "", word: str = "") -> Response:
        return self.house.show(
            request,
            "admin/admins.html",
            actor=seat.actor,
            admins=seat.reads(self.admins.all),
            roles=list(Role),
            invited=invited,
            word=word,
            where=f"{self.house.site.settings.web_address}/admin/welcome",
        )

    def add(self, request: Request, seat: Here, form: Form) -> Response:
        name, role, reason = asked(form.get("name", "")), _role(form.get("role", "")), form.get("reason", "")
        login = asked(form.get("login", "")) or None
        word = seat.acts(
            lambda session, actor: self.admins.add(session, actor, name, role, login=login, reason=reason)
        )
        return self._shown(request, seat, invited=name, word=word)

    def invite(self, request: Request, seat: Here, form: Form, name: str) -> Response:
        wanted, reason = asked(name), form.get("reason", "")
        word = seat.acts(lambda session, actor: self.admins.invite(session, actor, wanted, reason=reason))
        return self._shown(request, seat, invited=wanted, word=word)

    def role(self, seat: Here, form: Form, name: str) -> Response:
        wanted, role, reason = asked(name), _role(form.get("role", "")), form.get("reason", "")
        seat.acts(lambda session, actor: self.admins.set_role(session, actor, wanted, role, reason=reason))
        return done("/admin/admins")

    def end(self, seat: Here, form: Form, name: str) -> Response:
        wanted, reason = asked(name), form.get("reason", "")
        seat.acts(lambda session, actor: self.admins.end(session, actor, wanted, reason=reason))
        return done("/admin/admins")


def _role(chosen: str) -> Role:
    if chosen not in set(Role):
        raise Misconfigured("role", "is none there is.", example=", ".join(Role))
    return Role(chosen)
