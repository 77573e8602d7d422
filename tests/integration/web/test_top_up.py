"""Money put in from a person's own page, over HTTP from end to end: our page, the processor's, its webhook, and back."""

import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.card_sandbox.core import CardProcessor
from bot.card_sandbox.courier import deliver, over_http
from bot.card_sandbox.faults import ApiFault
from bot.card_sandbox.http import serve
from bot.demo.cards import settings_for
from bot.sandbox.faults import FaultKind
from bot.x.gateway import UserId
from tests.integration.cards.conftest import Visitor as CardHolder
from tests.integration.payments.test_topping_up import LateClock
from tests.integration.web.conftest import Served, serving_town
from tests.integration.web.test_own_pages import signed_in

PAGE = re.compile(r'href="(http://127\.0\.0\.1:\d+/c/pay/cs_test_\w+)"')


@dataclass
class Shop:
    served: Served
    processor: CardProcessor

    def brings(self) -> int:
        """Its webhooks, to the bot's web server."""
        return deliver(self.processor, over_http)

    def goes_on(self) -> None:
        self.brings()
        self.served.street.town.settle()


@contextmanager
def a_shop(url: str, home: Path, **chosen) -> Iterator[Shop]:
    clock = LateClock()
    processor = CardProcessor(clock, random.Random(1).randbytes)
    with (
        serve(processor, courier=False) as cards,
        serving_town(url, home, **(dict(settings_for(cards)) | chosen)) as served,
    ):
        clock.street = served.street
        processor.post.add_endpoint(served.address + "/webhooks/cards")
        yield Shop(served, processor)


@pytest.fixture
def shop(sqlite_url: str, tmp_path: Path) -> Iterator[Shop]:
    with a_shop(sqlite_url, tmp_path) as shop:
        yield shop


class TestTheFormOnOnesPage:
    def test_leads_to_the_processors_page_and_back_and_the_money_is_there(self, shop):
        visitor = signed_in(shop.served)
        assert "5.00" in visitor.gets("/me").text
        page = visitor.posts("/me/top-up", amount="20,50")
        (link,) = PAGE.findall(page.text)
        back = CardHolder().fill(link)
        assert back.status_code == 303
        assert back.headers["location"] == shop.served.address + "/topped-up"
        assert "Thank you" in visitor.gets("/topped-up").text
        shop.goes_on()
        assert "120.50" in visitor.gets("/me").text
        assert "€20.50" in shop.served.street.heard("bob")[-1]
        assert not any(link in words for words in shop.served.street.heard("bob"))

    def test_is_nobody_elses_to_take_while_its_person_waits(self, shop):
        """A daemon that looks just then leaves it alone."""
        bot = shop.served.street.town.bot
        bob = UserId(shop.served.street.world.person("bob").id)

        def ask(session):
            return bot.cashier.top_ups.ask_now(session, bot.people.get(session, bob), 20_00, language="en")

        due = bot.database.write(ask)
        assert bot.cashier.run() == 0
        assert bot.cashier.page_for(due)

    def test_turned_back_from_says_that_nothing_was_charged(self, shop):
        visitor = signed_in(shop.served)
        (link,) = PAGE.findall(visitor.posts("/me/top-up", amount="20").text)
        cancel = shop.served.address + "/topped-up?turned=back"
        assert f'href="{cancel}"' in CardHolder().open(link).text
        assert "Nothing was charged" in visitor.gets("/topped-up?turned=back").text

    @pytest.mark.parametrize("amount", ["", "twenty", "1.234,56", "-20", "20.5", "4", "251", "9" * 30])
    def test_takes_no_amount_that_could_be_read_in_two_ways_or_is_out_of_bounds(self, shop, amount):
        visitor = signed_in(shop.served)
        visitor.gets("/me")
        answer = visitor.posts("/me/top-up", amount=amount)
        assert answer.status_code == 400
        assert "€5.00" in answer.text
        assert shop.processor.sessions == {}

    def test_sends_the_link_in_a_message_where_the_processor_is_away(self, shop):
        shop.processor.faults.plan(ApiFault(FaultKind.FAIL, "POST", "/v1/checkout/sessions"))
        visitor = signed_in(shop.served)
        visitor.gets("/me")
        assert "direct message" in visitor.posts("/me/top-up", amount="20").text
        shop.served.street.passes(minutes=2)
        assert "/c/pay/cs_test_" in shop.served.street.heard("bob")[-1]

    def test_needs_the_forms_token(self, shop):
        visitor = signed_in(shop.served)
        assert visitor.posts("/me/top-up", token="0" * 64, amount="20").status_code == 403
        assert shop.processor.sessions == {}

    def test_is_not_there_where_no_cards_are_taken(self, served_on_sqlite):
        visitor = signed_in(served_on_sqlite)
        assert "/me/top-up" not in visitor.gets("/me").text
        assert visitor.posts("/me/top-up", amount="20").status_code == 404


class TestTheWebhook:
    def test_without_the_processors_signature_is_refused(self, shop):
        visitor = shop.served.visitor()
        for headers in ({}, {"stripe-signature": "t=1,v1=00"}):
            answer = visitor.session.post(
                shop.served.address + "/webhooks/cards", data=b'{"id": "evt_1"}', headers=headers, timeout=20
            )
            assert answer.status_code == 400

    def test_is_nobodys_where_no_cards_are_taken(self, served_on_sqlite):
        address = served_on_sqlite.address + "/webhooks/cards"
        assert served_on_sqlite.visitor().session.post(address, data=b"{}", timeout=20).status_code == 404

    def test_is_not_believed_where_no_secret_is_known_and_the_money_comes_all_the_same(
        self, sqlite_url, tmp_path
    ):
        with a_shop(sqlite_url, tmp_path, cards_webhook_secret=None) as shop:
            visitor = signed_in(shop.served)
            visitor.gets("/me")
            (link,) = PAGE.findall(visitor.posts("/me/top-up", amount="20").text)
            CardHolder().fill(link)
            assert shop.brings() == 0
            shop.served.street.passes(minutes=5)
            assert shop.served.street.has("bob") == 120_00
