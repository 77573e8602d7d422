"""Trusting somebody: asked for in a message, confirmed on the page with the second factor, taken back with a word."""

from collections.abc import Iterator

import pytest

from tests.integration.web.conftest import Served, serving_town
from tests.integration.web.test_own_pages import App, signed_in


@pytest.fixture
def offered(sqlite_url, tmp_path) -> Iterator[Served]:
    with serving_town(sqlite_url, tmp_path, trusted_payees=True) as served:
        yield served


def with_factor(served):
    visitor = signed_in(served)
    app = App(served, visitor)
    served.street.passes(hours=49)
    visitor.gets("/me")
    visitor.posts("/me/again", proof=app.code())
    return visitor, app


class TestTrusting:
    def test_takes_the_active_factor_on_the_page_and_a_word_to_take_back(self, offered):
        street = offered.street
        street.says("bob", "trust @alice")
        assert "you need an authenticator app" in street.heard("bob")[-1]
        visitor, app = with_factor(offered)
        street.says("bob", "trust @alice")
        assert "confirm it on my page" in street.heard("bob")[-1]
        street.tweets("bob", "@smoney send 1€ @alice")
        street.answers("bob")
        assert "Pay without a code?" in visitor.gets("/me").text
        question = street.count("SELECT id FROM questions WHERE kind = 'trust'")
        assert visitor.posts(f"/me/trust/{question}", code="000000").status_code == 403
        visitor.gets("/me")
        assert visitor.posts(f"/me/trust/{question + 1}", code=app.next()).status_code == 403
        assert street.count("SELECT count(*) FROM trusted_payees") == 0
        visitor.gets("/me")
        visitor.posts(f"/me/trust/{question}", code=app.next())
        street.passes(seconds=1)
        assert "without a code" in street.heard("bob")[-1]
        street.tweets("bob", "@smoney send 2€ @alice")
        assert street.has("alice") == 3_00
        street.says("bob", "settings")
        assert "Trusted: @alice" in street.heard("bob")[-1]
        street.says("bob", "untrust @alice")
        street.tweets("bob", "@smoney send 4€ @alice")
        assert street.has("alice") == 3_00

    def test_ends_with_a_block_and_asks_for_nothing_after_an_hour(self, offered):
        street = offered.street
        visitor, app = with_factor(offered)
        street.says("bob", "trust @alice")
        visitor.gets("/me")
        visitor.posts(f"/me/trust/{street.count('SELECT id FROM questions')}", code=app.next())
        assert street.count("SELECT count(*) FROM trusted_payees") == 1
        for words in ("block @alice", "trust @carol"):
            street.says("bob", words)
        assert street.count("SELECT count(*) FROM trusted_payees") == 0
        street.passes(minutes=20)
        assert "Pay without a code?" in visitor.gets("/me").text
        street.passes(minutes=25)
        visitor.gets("/me")
        street.passes(minutes=16)
        assert "Pay without a code?" not in visitor.gets("/me").text

    def test_is_refused_kindly_where_it_is_not_offered(self, served_on_sqlite):
        street = served_on_sqlite.street
        street.says("bob", "trust @alice")
        assert "every payment is confirmed with a code" in street.heard("bob")[-1]
        street.says("bob", "trust")
        assert "Whom do you mean?" in street.heard("bob")[-1]
