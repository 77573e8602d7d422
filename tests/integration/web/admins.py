"""Admins of a served town: invited, set up and signed in as they would be, each with an authenticator app."""

import os
import re
from dataclasses import dataclass, field

import pyotp

from bot.admin.acts import Role
from bot.admin.entry import Entry
from bot.admin.log import Actor
from bot.admin.office import Office, open_office
from bot.keys import keyring_from
from bot.wiring import World
from ledger.clock import IdSource
from tests.integration.web.conftest import Served, Visitor

PASSWORD = "correct horse battery"
ROOT = Actor("root (system)", Role.OWNER)
SECRET = re.compile(r'id="secret">(\w+)<')


def office_of(served: Served) -> Office:
    return open_office(served.street.town.settings, World(clock=served.street.world.clock))


def entry_of(served: Served) -> Entry:
    bot = served.street.town.bot
    keyring = keyring_from(served.street.town.settings)
    return Entry(bot.database, bot.vault, keyring, bot.clock, IdSource(bot.clock, os.urandom), os.urandom)


def invite(served: Served, name: str, role: Role) -> str:
    """Adds them, and the first owner before them; returns their word."""
    admins, database = office_of(served).admins, served.street.town.bot.database
    if not database.read(admins.all):
        database.write(lambda s: admins.add(s, ROOT, "root", Role.OWNER, login="root", reason="the first"))
    return database.write(lambda s: admins.add(s, ROOT, name, role, login=None, reason="as agreed"))


@dataclass
class Admin:
    """One of them at a browser of their own."""

    served: Served
    name: str = "anna"
    visitor: Visitor = field(init=False)
    secret: str = ""

    def __post_init__(self) -> None:
        self.visitor = self.served.visitor()
        self.gets = self.visitor.gets
        self.posts = self.visitor.posts
        self.sends = self.visitor.sends

    def code(self) -> str:
        """Of the app, and of a step that was not used yet."""
        self.served.street.passes(seconds=61)
        return pyotp.TOTP(self.secret).at(self.served.street.world.now())

    def begins(self, word: str) -> str:
        self.gets("/admin/welcome")
        page = self.posts("/admin/welcome", word=word).text
        self.secret = SECRET.search(page)[1]  # type: ignore[index]
        return page

    def sets_up(self, word: str) -> "Admin":
        self.begins(word)
        answer = self.posts("/admin/welcome/done", word=word, password=PASSWORD, code=self.code())
        assert answer.status_code == 200, answer.text
        return self

    def signs_in(self, *, password: str = PASSWORD, code: str | None = None, name: str = ""):
        self.gets("/admin/in")
        given = {"name": name or self.name, "password": password, "code": code or self.code()}
        return self.posts("/admin/in", **given)

    @property
    def is_in(self) -> bool:
        return "Sign out" in self.gets("/admin").text


def an_admin(served: Served, name: str = "anna", role: Role = Role.OWNER) -> Admin:
    return Admin(served, name).sets_up(invite(served, name, role))
