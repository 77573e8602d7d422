"""`smoney member ...` and `smoney reviews ...`: each act is done and written down, with who and why."""

import pytest

from bot.admin.office import open_office
from tests.integration.commands.conftest import smoney_of
from tests.integration.payments.conftest import a_street
from tests.integration.payments.test_second_factor import Page
from tests.integration.payments.test_wrong_answers import asks_again, is_barred


def actions(street):
    office = open_office(street.town.settings)
    newest = street.town.bot.database.read(office.log.newest)
    return [(action.action, action.reason) for action in newest]


class TestATier:
    def test_is_set_by_handle_and_written_down(self, street, smoney):
        assert smoney("member", "tier", "@alice", "merchant", "--reason", "register seen").code == 0
        assert street.count("SELECT count(*) FROM people WHERE tier = 'merchant'") == 1
        assert actions(street) == [("person.tier", "register seen")]

    def test_is_set_by_id(self, street, smoney):
        alice = street.world.person("alice").id
        assert smoney("member", "tier", str(alice), "new", "--reason", "a mistake").code == 0
        assert street.count("SELECT count(*) FROM people WHERE tier = 'new'") >= 1

    @pytest.mark.parametrize("who", ["@nobody_at_all", "42"])
    def test_of_nobody_is_said(self, street, smoney, who):
        said = smoney("member", "tier", who, "identified", "--reason", "seen")
        assert said.code == 2
        assert "nobody here" in said.err
        assert actions(street) == []

    def test_needs_a_reason(self, street, smoney):
        assert smoney("member", "tier", "@alice", "merchant", "--reason", " ").code == 2
        assert street.count("SELECT count(*) FROM people WHERE tier = 'merchant'") == 0


class TestAPerson:
    def test_who_is_barred_is_unlocked(self, street, smoney):
        is_barred(street)
        assert smoney("member", "unlock", "@bob", "--reason", "called back").code == 0
        asks_again(street, 100)
        street.answers("bob")
        assert street.payments == 2

    def test_who_lost_everything_has_no_second_factor_any_more(self, street, smoney):
        page = Page(street).is_active()
        assert smoney("member", "end-factor", "@bob", "--reason", "came with a passport").code == 0
        assert page.state == "none"


class TestAReview:
    def test_that_is_not_there_is_said(self, street, smoney):
        for act in ("release", "refuse"):
            said = smoney("reviews", act, street.reference("bob"), "--reason", "looked at")
            assert said.code == 2
            assert "is not under review" in said.err
        assert actions(street) == []
        assert smoney("reviews", "list", "--json").rows == []

    @pytest.mark.parametrize(("act", "carol"), [("release", 21_00), ("refuse", 20_00)])
    def test_is_listed_and_decided(self, database_url, tmp_path, act, carol):
        with a_street(database_url, tmp_path, review_new_payees=1) as street:
            street.tweets("bob", "@smoney send 1€ @carol")
            street.answers("bob")
            smoney = smoney_of(street, tmp_path / "town.env")
            (row,) = smoney("reviews", "list", "--json").rows
            assert (row["amount_minor"], row["alarms"]) == (1_00, "new_payees")
            assert smoney("reviews", act, row["reference"], "--reason", "looked at").code == 0
            assert street.has("carol") == carol
            assert actions(street) == [(f"review.{act}", "looked at")]
