"""A real browser for tests marked `browser`: the machine's own Chromium, driven by playwright.

Where there is none, those tests are left out, and the last lines of the run name each of them and say how to run them
(the reasons of skips are shown there, by several workers as by one). A Chromium that is there and does not start is
an error.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from bot.sandbox.core import World
from bot.sandbox.ground import MovableClock
from bot.sandbox.http import serve
from bot.sandbox.people import Person

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HOW_TO = "needs Chromium: install it (on Debian: apt-get install chromium) or name it in SMONEY_CHROMIUM, then `make test`"


def chromium() -> str | None:
    """Where Chromium is: as SMONEY_CHROMIUM says, else on the path; None if nowhere."""
    named = os.environ.get("SMONEY_CHROMIUM")
    return named or next((found for name in NAMES if (found := shutil.which(name))), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leaves the browser's tests out where there is no browser, each with its name, so that none is lost in a count."""
    if chromium() is not None:
        return
    for item in items:
        if item.get_closest_marker("browser") is not None:
            name = item.nodeid.partition("::")[2].replace("::", ".")
            item.add_marker(pytest.mark.skip(reason=f"{name} {HOW_TO}"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The browser, started once for all tests of a worker."""
    expect.set_options(timeout=20_000)  # a busy machine is no fault of the page
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=FLAGS.split())
        yield started
        started.close()


@dataclass
class Seen:
    """What a page did beside showing itself."""

    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


OpenPage = Callable[..., Page]


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def open_page(browser: Browser, seen: Seen) -> Iterator[OpenPage]:
    """Opens pages of any size and colour scheme; what a page complains of in its console fails the test at the end."""
    contexts: list[BrowserContext] = []

    def open_at(
        address: str, *, width: int = 1280, height: int = 900, scheme: Any = "light", before: Any = None
    ) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("request", lambda request: seen.requests.append(request.url))
        page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        page.on(
            "console",
            lambda message: seen.complaints.append(message.text) if message.type == "error" else None,
        )
        if before is not None:
            before(page)
        page.goto(address)
        return page

    yield open_at
    for context in contexts:
        context.close()


@dataclass
class Stage:
    """A served world with the usual people."""

    address: str
    world: World
    bot: Person
    alice: Person
    bob: Person
    bank: "StageBank"


@dataclass
class StageBank:
    """Wallets and transfers as a test wants them."""

    purses: list[dict[str, Any]] = field(default_factory=list)
    moved: list[dict[str, Any]] = field(default_factory=list)

    def wallets(self) -> list[dict[str, Any]]:
        return list(self.purses)

    def transfers(self, limit: int) -> list[dict[str, Any]]:
        return self.moved[:limit]

    def pays(self, person: Person, available: str, *, held: str = "") -> None:
        self.purses = [purse for purse in self.purses if purse["person_id"] != person.id]
        self.purses.append({"person_id": person.id, "available": available, "held": held, "enrolled": True})

    def moves(self, debit: str, credit: str, amount: str, state: str = "posted") -> None:
        number = len(self.moved) + 1
        at = datetime.now(UTC).isoformat()
        transfer = {
            "id": number,
            "debit": debit,
            "credit": credit,
            "amount": amount,
            "state": state,
            "at": at,
        }
        self.moved.insert(0, transfer | {"reference": f"P-{number:06d}"})


def read_preview(text: str, author: str) -> dict[str, Any]:
    """Stands in for the bot's reader."""
    if "send" in text:
        return {"tone": "order", "says": f"An order by {author}."}
    return {"tone": "chatter", "says": "Not an order."}


@pytest.fixture
def stage() -> Iterator[Stage]:
    world = World(MovableClock(), chance=Random(7))
    bot = world.create_person("smoney", "S-money", open_messages=True)
    bob, alice = world.create_person("bob", "Bob"), world.create_person("alice", "Alice")
    bank = StageBank()
    with serve(world, bot_id=bot.id, bank=bank, read_preview=read_preview) as served:
        yield Stage(served.address, world, bot, alice, bob, bank)


@pytest.fixture
def bare_stage() -> Iterator[Stage]:
    """The same with no bank and no reader behind the page."""
    world = World(MovableClock(), chance=Random(7))
    bot = world.create_person("smoney", "S-money", open_messages=True)
    bob, alice = world.create_person("bob", "Bob"), world.create_person("alice", "Alice")
    with serve(world, bot_id=bot.id) as served:
        yield Stage(served.address, world, bot, alice, bob, StageBank())


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where screenshots go: the folder named in SMONEY_PICTURES, to be looked at, or one that is thrown away."""
    return Path(os.environ.get("SMONEY_PICTURES", tmp_path))
