"""Every route of the admins' pages, tried with every role and with none: who may only look changes nothing."""

import os
import re
from typing import Any

import pytest
from sqlalchemy import text

from bot.admin.acts import Role
from bot.web.admin.house import house_of
from bot.web.admin.routes import PREFIX, Does, Looks
from bot.web.admin.site import table_of
from bot.web.app import build_app
from bot.web.site import site_of
from tests.integration.web.admins import an_admin

OPEN = {("GET", "/in"), ("POST", "/in"), ("POST", "/out"), ("GET", "/welcome"), ("POST", "/welcome"),
        ("POST", "/welcome/done")}  # fmt: skip
"""The only routes that ask for nobody's seat."""
PARAMETERS = {"reference": "P-AAAAAA"}


def routes(served) -> list[tuple[str, str]]:
    """Method and path of every route there is under /admin, as the application itself has them."""
    town = served.street.town
    app: Any = build_app(town.bot, town.settings, entropy=os.urandom)
    found = [
        (method, route.path.removeprefix(PREFIX))
        for route in _flat(app._app.routes)
        if route.path.startswith(PREFIX)
        for method in route.methods - {"HEAD"}
    ]
    assert len(found) > len(OPEN)
    return found


def _flat(found):
    """The routes of an application and of the routers it holds."""
    for route in found:
        if hasattr(route, "methods"):
            yield route
        elif inner := getattr(route, "original_router", None) or getattr(route, "router", None):
            yield from _flat(inner.routes)


def table(served) -> list[Looks | Does]:
    town = served.street.town
    return table_of(house_of(site_of(town.bot, town.settings, os.urandom)))


def filled(path: str) -> str:
    return PREFIX + re.sub(r"\{(\w+)\}", lambda name: PARAMETERS.get(name[1], "7"), path)


NO_LOOKS = {"admin_actions": " WHERE action NOT LIKE '%.look'"}


def book(served) -> str:
    """All that stands in the database, but for who is signed in, and who looked at whom."""

    def work(session):
        connection = session.connection()
        names = (
            connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars().all()
        )
        return repr(
            [
                (name, connection.execute(text(f'SELECT * FROM "{name}"{NO_LOOKS.get(name, "")}')).all())
                for name in sorted(names)
                if name != "admin_sessions"
            ]
        )

    found: str = served.street.town.bot.database.read(work)
    return found


class TestEveryRoute:
    def test_is_in_the_table_or_one_of_those_that_let_in(self, served_on_sqlite):
        named = {
            ("POST" if isinstance(entry, Does) else "GET", entry.path) for entry in table(served_on_sqlite)
        }
        assert set(routes(served_on_sqlite)) == named | OPEN

    def test_sends_who_is_not_signed_in_to_the_sign_in(self, served_on_sqlite):
        visitor = served_on_sqlite.visitor()
        visitor.gets("/admin/in")
        for method, path in routes(served_on_sqlite):
            if (method, path) in OPEN:
                continue
            answer = visitor.session.request(
                method,
                visitor.address + filled(path),
                data={"form_token": visitor.token} if method == "POST" else None,
                allow_redirects=False,
                timeout=20,
            )
            assert (answer.status_code, answer.headers["location"]) == (303, "/admin/in"), path

    def test_that_acts_refuses_a_form_without_its_token(self, served_on_sqlite):
        admin = an_admin(served_on_sqlite)
        before = book(served_on_sqlite)
        for entry in table(served_on_sqlite):
            if isinstance(entry, Does):
                assert admin.posts(filled(entry.path), token="0" * 64, reason="x").status_code == 403
        assert book(served_on_sqlite) == before

    @pytest.mark.parametrize("role", Role)
    def test_lets_each_role_do_what_it_may_and_no_more(self, served_on_sqlite, role):
        """Without a reason nothing is done; that it is asked for says that the role was enough."""
        admin = an_admin(served_on_sqlite, "ben", role)
        for entry in table(served_on_sqlite):
            path = filled(entry.path)
            if isinstance(entry, Looks):
                assert admin.gets(path).status_code in {200, 400, 404}, path
            else:
                answer = admin.posts(path)
                assert (answer.status_code == 403) == (not role.may(entry.act)), (path, answer.text[-900:])

    def test_changes_nothing_for_who_may_only_look(self, served_on_sqlite):
        admin = an_admin(served_on_sqlite, "ben", Role.READ)
        before = book(served_on_sqlite)
        for entry in table(served_on_sqlite):
            if isinstance(entry, Does):
                assert admin.posts(filled(entry.path), reason="because I can").status_code == 403, entry.path
            else:
                admin.gets(filled(entry.path))
        assert book(served_on_sqlite) == before
