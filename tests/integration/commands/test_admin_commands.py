"""`smoney admin ...`: the first owner comes from the machine itself, an owner always remains, and roles count at once."""

import json

import pytest

from bot.admin.admins import hash_of_invite, login_name
from bot.admin.office import open_office

WHY = ("--reason", "as agreed")


def acts(street):
    newest = street.town.bot.database.read(open_office(street.town.settings).log.newest)
    return [(action.action, action.subject, action.by) for action in newest]


@pytest.fixture
def anna(smoney) -> str:
    """The first owner, whose commands are those of who runs this test; her word."""
    said = smoney("admin", "add", "anna", "--role", "owner", "--login", login_name(), "--json", *WHY)
    return str(json.loads(said.out)["word"])


class TestTheFirst:
    @pytest.mark.parametrize("given", [("--role", "support", "--login", "anna"), ("--role", "owner")])
    def test_is_an_owner_with_a_login(self, smoney, given):
        said = smoney("admin", "add", "anna", *given, *WHY)
        assert said.code == 2
        assert "has to be an owner" in said.err
        assert smoney("admin", "list", "--json").rows == []

    def test_gets_a_word_of_which_a_hash_is_kept(self, street, smoney, anna):
        assert len(anna) == 32
        found = street.town.bot.database.read(
            lambda session: (
                session.connection().exec_driver_sql("SELECT invite_hash FROM admins").scalar_one()
            )
        )
        assert bytes(found) == hash_of_invite(anna)
        assert acts(street) == [("admin.add", "admin anna", f"{login_name()} (system)")]

    def test_is_told_where_to_type_it(self, smoney):
        said = smoney("admin", "add", "anna", "--role", "owner", "--login", "anna", *WHY)
        assert "/admin/welcome" in said.out


@pytest.mark.usefixtures("anna")
class TestOthers:
    def test_are_listed_with_role_and_login(self, smoney):
        smoney("admin", "add", "ben", "--role", "support", *WHY)
        anna, ben = smoney("admin", "list", "--json").rows
        assert (anna["name"], anna["role"], anna["login"]) == ("anna", "owner", login_name())
        assert (ben["name"], ben["role"], ben["login"], ben["page"]) == ("ben", "support", "", "not set up")

    def test_get_another_role_and_are_invited_anew_and_ended(self, street, smoney):
        smoney("admin", "add", "ben", "--role", "read", *WHY)
        assert smoney("admin", "role", "ben", "treasurer", *WHY).code == 0
        assert smoney("admin", "list", "--json").rows[1]["role"] == "treasurer"
        assert smoney("admin", "invite", "ben", *WHY).code == 0
        assert smoney("admin", "end", "ben", *WHY).code == 0
        assert len(smoney("admin", "list", "--json").rows) == 1
        assert [name for name, _, by in acts(street) if by == "anna"] == [
            "admin.end", "admin.invite", "admin.role", "admin.add",
        ]  # fmt: skip

    @pytest.mark.parametrize("name", ["anna", "Ben", "a b", ""])
    def test_have_names_of_their_own(self, smoney, name):
        assert smoney("admin", "add", name, "--role", "read", *WHY).code == 2
        assert len(smoney("admin", "list", "--json").rows) == 1

    def test_who_were_ended_leave_their_name_taken(self, smoney):
        smoney("admin", "add", "ben", "--role", "read", *WHY)
        smoney("admin", "end", "ben", *WHY)
        assert "is or was" in smoney("admin", "add", "ben", "--role", "read", *WHY).err


@pytest.mark.usefixtures("anna")
class TestTheLastOwner:
    @pytest.mark.parametrize("act", [("end", "anna"), ("role", "anna", "read")])
    def test_stays(self, smoney, act):
        smoney("admin", "add", "ben", "--role", "owner", *WHY)  # one without a login gives no commands
        said = smoney("admin", *act, *WHY)
        assert said.code == 2
        assert "last owner" in said.err
        assert smoney("admin", "list", "--json").rows[0]["role"] == "owner"

    def test_may_go_when_another_can_give_commands(self, smoney):
        smoney("admin", "add", "ben", "--role", "owner", "--login", "ben", *WHY)
        assert smoney("admin", "role", "anna", "read", *WHY).code == 0
        said = smoney("admin", "role", "anna", "owner", *WHY)
        assert said.code == 1
        assert "needs the role owner; yours is read" in said.err
