"""Money put in by card in a browser, with all of the demo behind it: a message on the small X, the processor's page, and back.
However people go about it, what was charged is credited, once."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlmodel import Session, select

from bot.auditing import verify
from bot.card_sandbox.cards import ASKS_APPROVAL, DECLINED, SUCCEEDS
from bot.card_sandbox.core import CardProcessor
from bot.daemon import Daemon
from bot.demo.bank import DemoBank
from bot.demo.cards import cards_taken, settings_for
from bot.demo.playing import over_http
from bot.demo.town import Resident, Town, demo_settings, open_town
from bot.payments.topping_up import TOP_UP
from bot.sandbox.core import World
from bot.sandbox.http import serve
from bot.sandbox.limits import WIDE
from bot.web.app import build_app
from bot.web.server import listener_on, serving
from ledger.tables import TransferRow
from tests.e2e.conftest import wait_until
from tests.e2e.test_card_crash import nothing_waits

pytestmark = pytest.mark.browser
QUICK = (
    "mentions_poll_seconds",
    "messages_poll_seconds",
    "work_poll_seconds",
    "deliver_poll_seconds",
    "cards_poll_seconds",
)


class LateBank:
    """The page is there before the bot is: until then there is no money to show."""

    bank: DemoBank | None = None

    def wallets(self) -> list[dict[str, Any]]:
        return self.bank.wallets() if self.bank else []

    def transfers(self, limit: int) -> list[dict[str, Any]]:
        return self.bank.transfers(limit) if self.bank else []


@dataclass
class Demo:
    """All of it, running: `address` is the small X's page."""

    address: str
    town: Town
    processor: CardProcessor

    def rests(self) -> None:
        """Waits until all is heard, asked and told."""

        def is_quiet() -> bool:
            return not self.processor.post.letters and self.town.bot.database.read(nothing_waits)

        wait_until(is_quiet, "everything done")

    def check(self, *amounts: int) -> None:
        """These were charged and credited, each once, and the books hold."""
        self.rests()
        charged = [each.amount for each in self.processor.charges.values() if each.status == "succeeded"]
        assert sorted(charged) == sorted(amounts)
        assert self.town.bot.database.read(credited) == sorted(amounts)
        assert self.town.available_minor("bob") == 100_00 + sum(amounts)
        receipts = [words for words in self.heard if "Ref T-" in words]
        assert len(receipts) == len(set(receipts)) == len(amounts)
        assert verify(self.town.bot.database, self.town.settings).findings == ()

    @property
    def heard(self) -> list[str]:
        """What the bot has told bob in private, one thing after the other."""
        thread = self.town.world.thread(self.town.bot_person, self.town.world.person("bob"))
        mine = [message.text for message in thread if message.sender_id == self.town.bot_person.id]
        return [said for words in mine for said in words.split("\n\n")]


def credited(session: Session) -> list[int]:
    booked = select(TransferRow.amount_minor).where(TransferRow.code == TOP_UP)
    return sorted(session.exec(booked).all())


@pytest.fixture
def busy_demo(demo: Demo) -> Iterator[Demo]:
    """The same with its daemon at work."""
    with running(demo.town):
        yield demo


@contextmanager
def running(town: Town) -> Iterator[None]:
    daemon = Daemon(town.bot, town.settings)
    daemon.start()
    try:
        yield
    finally:
        daemon.stop()
        daemon.wait()


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    world, bank = World(limits=WIDE), LateBank()
    bot_person = world.create_person("smoney", "smoney", open_messages=True)
    pages = listener_on("127.0.0.1", 0)
    port = pages.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    with (
        serve(world, bot_id=bot_person.id, bank=bank, bot_pages=f"{address}/status") as served,
        cards_taken(world.clock, pages=address) as cards,
    ):
        settings = demo_settings(
            tmp_path / "home",
            os.urandom,
            x_base_url=served.address,
            web_port=port,
            **(dict(settings_for(cards)) | dict.fromkeys(QUICK, 0.1)),
        )
        people = [Resident("bob", "Bob Martin", 100_00)]
        with open_town(
            settings, world, entropy=os.urandom, residents=people, gateway=over_http(served)
        ) as town:
            bank.bank = DemoBank(town.bot.database, town.bot.people)
            with serving(build_app(town.bot, settings, entropy=os.urandom), pages):
                yield Demo(served.address, town, cards.processor)


def writes(page: Page, words: str) -> None:
    expect(page.locator("#messages-sub")).to_contain_text("Bob Martin")  # the page knows by now who writes
    box = page.get_by_label("Direct message to the bot")
    box.fill(words)
    box.press("Enter")


def asks(page: Page, amount: str, *, before: int = 0) -> str:
    """Writes that they want to put so much in; the address they get, after so many before."""
    writes(page, f"top up {amount}€")
    link = page.locator("#log a", has_text="/c/pay/")
    expect(link).to_have_count(before + 1)
    address = link.last.get_attribute("href")
    assert address
    return address


def follows(page: Page, address: str) -> Page:
    """The page a link in the conversation leads to, in a tab of its own."""
    with page.context.expect_page() as opened:
        page.locator(f'#log a[href="{address}"]').click()
    expect(opened.value.get_by_label("Card number")).to_be_focused()
    return opened.value


def types(page: Page, number: str) -> None:
    page.get_by_label("Card number").fill(number)
    page.get_by_label("Expires").fill("09/31")
    page.get_by_label("CVC").fill("123")
    page.get_by_label("Name on the card").fill("Bob Martin")


def pays(page: Page, number: str = SUCCEEDS) -> None:
    types(page, number)
    page.get_by_role("button", name="Pay €").click()


def is_thanked(page: Page) -> None:
    expect(page.get_by_text("Thank you. The money is in your account")).to_be_visible()


def has(page: Page, purse: str) -> None:
    expect(page.locator(".role", has_text="Bob").locator(".purse")).to_have_text(purse)


def is_told(page: Page, amount: str, balance: str) -> None:
    told = page.locator("#log").get_by_text(f"€{amount} has arrived in your account. Balance: €{balance}.")
    expect(told).to_have_count(1)


class TestTopUpInABrowser:
    def test_declined_then_paid_with_another_card_and_opened_again_is_credited_once(
        self, busy_demo, open_page
    ):
        page = open_page(busy_demo.address)
        address = asks(page, "20")
        tab = follows(page, address)
        pays(tab, DECLINED)
        expect(tab.get_by_role("alert")).to_contain_text("was declined")
        has(page, "100.00 €")
        pays(tab)
        is_thanked(tab)
        has(page, "120.00 €")
        is_told(page, "20.00", "120.00")
        tab.goto(address)
        expect(tab.get_by_role("heading", name="This is paid")).to_be_visible()
        busy_demo.check(20_00)

    def test_tried_again_from_the_way_back_is_credited_once(self, busy_demo, open_page):
        page = open_page(busy_demo.address)
        tab = follows(page, asks(page, "20"))
        pays(tab)
        is_thanked(tab)
        tab.go_back()
        expect(tab.get_by_role("heading", name="This is paid")).to_be_visible()
        tab.get_by_role("link", name="Back to smoney").click()
        is_thanked(tab)
        is_told(page, "20.00", "120.00")
        has(page, "120.00 €")
        busy_demo.check(20_00)

    def test_in_two_tabs_of_one_link_is_credited_once_and_a_second_one_after_its_approval(
        self, busy_demo, open_page
    ):
        page = open_page(busy_demo.address)
        address = asks(page, "20")
        tabs = [follows(page, address) for _ in range(2)]
        for tab in tabs:
            types(tab, SUCCEEDS)
        for tab in tabs:
            tab.get_by_role("button", name="Pay €20.00").click()
        for tab in tabs:
            is_thanked(tab)
        is_told(page, "20.00", "120.00")
        tab = follows(page, asks(page, "30", before=1))
        pays(tab, ASKS_APPROVAL)
        expect(tab.get_by_role("heading", name="Your bank asks: is this you?")).to_be_visible()
        has(page, "120.00 €")
        tab.get_by_role("button", name="Approve").click()
        is_thanked(tab)
        is_told(page, "30.00", "150.00")
        has(page, "150.00 €")
        busy_demo.check(20_00, 30_00)

    def test_from_ones_own_page_leads_there_and_back_and_the_balance_is_there(self, demo, open_page):
        page = open_page(demo.address)
        writes(page, "devices")
        expect(page.locator("#log .own")).to_have_count(2)
        demo.town.settle()
        with page.context.expect_page() as opened:
            page.get_by_role("link", name="/me/link").click()
        own = opened.value
        own.get_by_role("button", name="Sign in").click()
        expect(own.locator(".balance")).to_have_text("€100.00")
        own.get_by_label("Amount in euros").fill("20.50")
        own.get_by_role("button", name="Go to the card page").click()
        expect(own.locator(".balance")).to_have_text("€20.50")
        own.get_by_role("link", name="Go to the card page").click()
        with running(demo.town):
            pays(own)
            is_thanked(own)
            is_told(page, "20.50", "120.50")
            own.locator("main").get_by_role("link").click()
            expect(own.locator(".balance")).to_have_text("€120.50")
            has(page, "120.50 €")
            assert page.locator("#log a", has_text="/c/pay/").count() == 0
            demo.check(20_50)
