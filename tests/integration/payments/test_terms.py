"""Terms that change are shown and agreed to again, in private, before the next payment."""

import pytest
from sqlalchemy import text

from bot.errors import Misconfigured
from bot.settings import load
from tests.integration.payments.conftest import a_street

URL = "https://pay.example.org/terms"


def at(url, home, version):
    return a_street(url, home, terms_version=version, terms_url=URL)


def agreed_to(street, version):
    """As if that had been in force when they agreed."""
    past = text("UPDATE people SET terms_version = :it, terms_shown_version = :it").bindparams(it=version)
    street.town.bot.database.write(lambda session: session.connection().execute(past) and None)


class TestTerms:
    def test_that_change_are_agreed_to_before_the_next_payment_and_the_order_waits(
        self, sqlite_url, tmp_path
    ):
        with at(sqlite_url, tmp_path, 3) as street:
            agreed_to(street, 2)
            street.says("bob", "balance")
            assert "€100.00" in street.heard("bob")[-1]
            street.says("bob", "start")
            assert "(version 3)" in street.heard("bob")[-1]
            assert URL in street.heard("bob")[-1]
            street.tweets("bob", "@smoney send 10€ @alice")
            assert "Your order waits" in street.heard("bob")[-1]
            street.tweets("bob", "@smoney start")
            street.says("bob", "yes")
            assert street.count("SELECT count(*) FROM challenges") == 0
            street.says("bob", "start")
            assert "you agreed to the terms" in "".join(street.heard("bob")[-2:])
            street.answers("bob")
            assert street.payments == 1
            street.tweets("bob", "@smoney send 5€ @alice")
            street.answers("bob")
            assert street.payments == 2

    def test_are_not_agreed_to_before_they_were_shown(self, sqlite_url, tmp_path):
        with at(sqlite_url, tmp_path, 1) as street:
            street.says("zoe", "start")
            assert "(version 1)" in street.heard("zoe")[-1]
            assert street.count("SELECT count(*) FROM people WHERE terms_version = 1 AND user_id = "
                                f"{street.world.person('zoe').id}") == 0  # fmt: skip
            street.says("zoe", "start")
            assert "you agreed" in street.heard("zoe")[-1]

    def test_stand_in_the_welcome_and_start_is_then_enough(self, sqlite_url, tmp_path):
        with at(sqlite_url, tmp_path, 1) as street:
            street.says("zoe", "hello")
            assert f"The terms: {URL}" in street.heard("zoe")[-1]
            street.says("zoe", "start")
            assert street.count("SELECT count(*) FROM people WHERE terms_version = 1 AND user_id = "
                                f"{street.world.person('zoe').id}") == 1  # fmt: skip

    def test_that_change_between_question_and_answer_stop_the_payment(self, sqlite_url, tmp_path):
        with at(sqlite_url, tmp_path, 1) as street:
            street.says("bob", "start")
            street.says("bob", "start")
            street.tweets("bob", "@smoney send 10€ @alice")
            agreed_to(street, 0)
            street.answers("bob")
            assert street.payments == 0
            assert "Without that nothing is paid" in street.heard("bob")[-1]

    def test_have_a_place_where_they_can_be_read(self):
        with pytest.raises(Misconfigured, match="SMONEY_TERMS_URL"):
            load(terms_version=2)
