"""The card sandbox's page in a real browser: by keyboard, on a phone, in the dark, twice at once."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random

import pytest
from playwright.sync_api import expect

from bot.card_sandbox.cards import ASKS_APPROVAL, DECLINED, SUCCEEDS
from bot.card_sandbox.core import CardProcessor
from bot.card_sandbox.http import serve
from bot.card_sandbox.objects import Session, SessionOrder
from bot.sandbox.ground import MovableClock

pytestmark = pytest.mark.browser


@pytest.fixture
def back() -> Iterator[str]:
    """Where the page leads when it is done: another address, as in life."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"Welcome back")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/done"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def processor():
    return CardProcessor(MovableClock(), Random(1).randbytes)


@pytest.fixture
def session(processor, back) -> Session:
    expires_at = processor.now() + timedelta(hours=1)
    order = SessionOrder(
        2000, "eur", "Top-up of your smoney account", back, back, expires_at, reference="T-1"
    )
    made: Session = processor.create_session(order)
    return made


@pytest.fixture
def address(processor, session):
    with serve(processor, courier=False) as served:
        yield f"{served.address}/c/pay/{session.id}"


def fill(page, number: str, *, name: str = "Ada Lovelace") -> None:
    page.get_by_label("Card number").fill(number)
    page.get_by_label("Expires").fill("09/31")
    page.get_by_label("CVC").fill("123")
    page.get_by_label("Name on the card").fill(name)


class TestCardPage:
    @pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
    def test_is_paid_on_by_keyboard_alone_and_leads_back(
        self, open_page, address, processor, session, width, scheme, seen
    ):
        page = open_page(address, width=width, scheme=scheme)
        expect(page.get_by_text("TEST MONEY", exact=True)).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") == 0
        expect(page.get_by_label("Card number")).to_be_focused()
        for typed in (SUCCEEDS, "0931", "123", "Ada"):
            page.keyboard.type(typed)
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_text("Welcome back")).to_be_visible()
        assert processor.session(session.id).paid
        assert [each for each in seen.complaints if "favicon" not in each] == []

    def test_is_approved_on_a_second_page_and_the_way_back_charges_nothing_more(
        self, open_page, address, processor
    ):
        page = open_page(address)
        fill(page, ASKS_APPROVAL)
        page.get_by_role("button", name="Pay €20.00").click()
        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_text("Welcome back")).to_be_visible()
        page.go_back()
        expect(page.get_by_role("heading", name="This is paid")).to_be_visible()
        assert len(processor.charges) == 1

    def test_declined_keeps_the_name_and_says_why(self, open_page, address):
        page = open_page(address)
        fill(page, DECLINED, name="Zoë <b>")
        page.get_by_role("button", name="Pay €20.00").click()
        expect(page.get_by_role("alert")).to_contain_text("was declined")
        expect(page.get_by_label("Name on the card")).to_have_value("Zoë <b>")
        expect(page.get_by_label("Card number")).to_have_value("")
        expect(page.get_by_label("CVC")).to_have_value("")

    def test_a_mistake_is_tied_to_its_field_and_focused(self, open_page, address):
        page = open_page(address)
        fill(page, "4242 4242 4242 4241")
        page.get_by_role("button", name="Pay €20.00").click()
        number = page.get_by_label("Card number")
        expect(number).to_be_focused()
        expect(number).to_have_attribute("aria-invalid", "true")
        expect(number).to_have_accessible_description("This is no card number: look at its digits again.")

    def test_in_two_tabs_charges_once(self, open_page, address, processor):
        tabs = [open_page(address) for _ in range(2)]
        for tab in tabs:
            fill(tab, SUCCEEDS)
        for tab in tabs:
            tab.get_by_role("button", name="Pay €20.00").click()
            expect(tab.get_by_text("Welcome back")).to_be_visible()
        assert len(processor.charges) == 1
