"""A served card sandbox, the real library pointed at it, and a visitor who pays there like a browser without scripts."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random

import pytest
import requests

from bot.card_sandbox.core import CardProcessor
from bot.card_sandbox.http import serve
from bot.funding.processor import CheckoutOrder
from bot.funding.stripe_cards import StripeCards
from bot.sandbox.ground import StoppedClock
from ledger.money import EUR, Money

NOON = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
BACK = "http://127.0.0.1:9/me/top-ups?done=1"


class Visitor:
    """Somebody with a browser: opens a page, fills in the form that is there, and follows nothing by itself."""

    def __init__(self) -> None:
        self._session = requests.Session()
        self._session.trust_env = False

    def open(self, url: str) -> requests.Response:
        return self._session.get(url, timeout=10, allow_redirects=False)

    def fill(self, url: str, *, number: str = "4242 4242 4242 4242", **typed: str) -> requests.Response:
        """Opens the page, types a card, presses the button."""
        return self.send(url, self.token_on(self.open(url)), number=number, **typed)

    def send(self, url: str, token: str, *, site: str = "", **typed: str) -> requests.Response:
        fields = {"form_token": token, "expiry": "09 / 31", "cvc": "123", "name": "Ada Lovelace"} | typed
        headers = {"sec-fetch-site": site} if site else {}
        return self._session.post(url, data=fields, headers=headers, timeout=10, allow_redirects=False)

    def decide(self, url: str, decision: str) -> requests.Response:
        token = self.token_on(self.open(url + "/approval"))
        fields = {"form_token": token, "decision": decision}
        return self._session.post(url + "/approval", data=fields, timeout=10, allow_redirects=False)

    @staticmethod
    def token_on(page: requests.Response) -> str:
        found = re.search(r'name="form_token" value="([0-9a-f]+)"', page.text)
        assert found, page.text
        return found[1]

    @staticmethod
    def text_of(page: requests.Response) -> str:
        return unescape(re.sub(r"<[^>]+>|\s+", " ", page.text))


@dataclass(frozen=True, slots=True)
class Receiver:
    """An address events are brought to. `statuses` are answered one after another, then 200."""

    url: str
    statuses: list[int]
    received: list[tuple[bytes, str]]
    """Body and signature."""


@contextmanager
def receiving() -> Iterator[Receiver]:
    statuses: list[int] = []
    received: list[tuple[bytes, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            received.append((body, self.headers["stripe-signature"]))
            self.send_response(statuses.pop(0) if statuses else 200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(f"http://127.0.0.1:{server.server_address[1]}/webhooks/cards", statuses, received)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def clock():
    return StoppedClock(NOON)


@pytest.fixture
def processor(clock):
    return CardProcessor(clock, Random(1).randbytes)


@pytest.fixture
def served(processor):
    with serve(processor, courier=False) as served:
        yield served


@pytest.fixture
def cards_with(served, processor, clock):
    """StripeCards at the served sandbox, with other arguments where they are given."""

    def make(**other) -> StripeCards:
        given = {
            "api_key": processor.api_key,
            "webhook_secret": processor.webhook_secret,
            "clock": clock,
            "base_url": served.address,
            "timeout_seconds": 5,
        }
        return StripeCards(**(given | other))

    return make


@pytest.fixture
def cards(cards_with):
    return cards_with()


@pytest.fixture
def order():
    def make(reference: str = "T-7K3F9Q", amount_minor: int = 2000, **other) -> CheckoutOrder:
        usual = CheckoutOrder(reference, Money(amount_minor, EUR), "fr", NOON + timedelta(hours=1), BACK)
        return replace(usual, **other)

    return make


@pytest.fixture
def checkout(cards, order):
    """An open page for 20 euros."""
    return cards.create(order())


@pytest.fixture
def visitor():
    return Visitor()


@pytest.fixture
def receiver():
    with receiving() as receiver:
        yield receiver
