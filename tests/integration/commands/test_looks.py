"""Who looked at what is about one person is in the audit log: by command, once an hour, before it is shown."""

import os

import pytest
from sqlalchemy.exc import DBAPIError

from bot.admin.acts import Role
from bot.admin.log import LOOKS, Actor
from bot.admin.looking import Looking
from bot.admin.office import open_office
from bot.wiring import World

ANNA = Actor("anna", Role.READ)


@pytest.fixture
def rita(smoney, monkeypatch):
    """A reader types."""
    monkeypatch.setenv("SUDO_USER", "olga")
    for name, role in (("olga", "owner"), ("rita", "read")):
        added = smoney("admin", "add", name, "--role", role, "--login", name, "--reason", "the team")
        assert added.code == 0, added.err
    monkeypatch.setenv("SUDO_USER", "rita")
    return smoney


def looks(smoney, *words):
    rows = smoney("audit", "--looks", "--json", *words).rows
    return [(row["by"], row["action"], row["subject"]) for row in rows if row["action"] in LOOKS]


class TestALook:
    def test_at_a_payment_a_member_or_a_row_is_noted(self, street, rita):
        bob, reference = street.world.person("bob").id, street.reference("bob")
        inbox, outbox = street.count("SELECT max(id) FROM inbox"), street.count("SELECT max(id) FROM outbox")
        seen = (
            (("payment", "show", reference.lower()), ("payment.look", f"payment {reference}")),
            (("member", "show", "@bob"), ("member.look", f"person {bob}")),
            (("inbox", "show", str(inbox)), ("inbox.look", f"inbox {inbox}")),
            (("outbox", "show", str(outbox)), ("outbox.look", f"outbox {outbox}")),
        )
        for words, noted in seen:
            assert rita(*words).code == 0
            assert looks(rita)[0] == ("rita", *noted)
        assert len(looks(rita)) == len(seen)

    @pytest.mark.parametrize(
        "words",
        [("member", "find", "@bob"), ("member", "limits", "@bob"), ("payment", "find", "--who", "@bob")],
    )
    def test_by_another_way_at_a_member_is_one_too(self, street, rita, words):
        assert rita(*words).code == 0
        assert looks(rita) == [("rita", "member.look", f"person {street.world.person('bob').id}")]

    def test_again_within_the_hour_is_not_noted_again(self, rita):
        for _ in range(3):
            assert rita("member", "show", "@bob").code == 0
        assert len(looks(rita)) == 1

    def test_at_nobody_is_none(self, rita):
        assert rita("member", "show", "@nobody").code == 2
        assert rita("payment", "show", "P-AAAAAA").code == 2
        assert rita("payment", "find").code == 0
        assert looks(rita) == []

    def test_of_who_is_no_admin_is_noted_under_their_login(self, rita, monkeypatch):
        monkeypatch.setenv("SUDO_USER", "eve")
        assert rita("member", "show", "@bob").code == 0
        assert looks(rita)[0][:2] == ("eve (system)", "member.look")

    def test_is_not_among_what_was_done_unless_asked_for(self, street, rita):
        assert rita("member", "show", "@bob").code == 0
        assert "member.look" not in rita("audit").out
        assert "member.look" not in rita("member", "show", "@bob").out
        bob = street.world.person("bob").id
        assert len(looks(rita, "--subject", f"person {bob}")) == 1
        assert looks(rita, "--subject", "person 1") == []

    def test_that_cannot_be_noted_shows_nothing(self, rita, monkeypatch):
        def is_full(*_, **__):
            raise DBAPIError("INSERT", {}, OSError("disk full"))

        monkeypatch.setattr("bot.admin.log.AuditLog.look", is_full)
        said = rita("member", "show", "@bob")
        assert (said.code, "Bob Martin" in said.out) == (1, False)

    def test_an_hour_later_or_by_the_page_is_another_one(self, street):
        office = open_office(street.town.settings, World(clock=street.world.now, entropy=os.urandom))
        database, looking = street.town.bot.database, Looking(office.log)

        def noted(actor):
            looking.note(database, actor, "member.look", ["person 7"])
            return len(database.read(lambda session: office.log.newest(session, looks=True)))

        assert [noted(ANNA), noted(ANNA)] == [1, 1]
        assert noted(Actor("anna", Role.READ, "page")) == 2
        assert noted(Actor("bert", Role.READ)) == 3
        street.sleeps(hours=1)
        assert noted(ANNA) == 4
