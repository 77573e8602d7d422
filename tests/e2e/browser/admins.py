"""Admins at browsers of their own, and the town they look after: served by the bot itself, entered with password and app."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyotp
from playwright.sync_api import Page, expect

from bot.admin.acts import Role
from bot.admin.admins import Admins
from bot.admin.log import Actor
from bot.admin.office import open_office
from bot.demo.town import Town
from bot.web.app import build_app
from bot.web.server import listener_on, serving
from bot.wiring import World
from tests.integration.payments.conftest import Street, town_at

PASSWORD = "correct horse battery"
ROOT = Actor("root (system)", Role.OWNER)
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}


@contextmanager
def serving_street(url: str, home: Path, **chosen: object) -> Iterator[Street]:
    """bob has 100 €, alice 0 €, carol 20 €; zoe has not enrolled."""
    listener = listener_on("127.0.0.1", 0)
    port = listener.getsockname()[1]
    where = {"web_port": port, "web_public_url": f"http://127.0.0.1:{port}"}
    with town_at(url, home, **(where | chosen)) as town, serving(app_of(town), listener):
        yield Street(town)


def app_of(town: Town):
    return build_app(town.bot, town.settings, entropy=os.urandom)


def admins(street: Street) -> Admins:
    return open_office(street.town.settings, World(clock=street.world.clock)).admins


def invited(street: Street, name: str = "anna") -> str:
    room, write = admins(street), street.town.bot.database.write
    write(lambda s: room.add(s, ROOT, "root", Role.OWNER, login="root", reason="runs the machine"))
    return write(lambda s: room.add(s, ROOT, name, Role.OWNER, login=None, reason="runs the service"))


def another(street: Street, name: str, role: Role = Role.TREASURER) -> str:
    room = admins(street)
    return street.town.bot.database.write(
        lambda s: room.add(s, ROOT, name, role, login=None, reason="one of the team")
    )


def code(street: Street, secret: str) -> str:
    """Of a step that was not used yet."""
    street.passes(seconds=61)
    return pyotp.TOTP(secret).at(street.world.now())


def address(street: Street, path: str = "") -> str:
    return f"{street.town.settings.web_address}/admin{path}"


def sets_up(street: Street, page: Page, word: str) -> str:
    page.get_by_label("The word you were given").fill(word)
    page.get_by_role("button", name="Go on").click()
    expect(page.locator(".qr svg")).to_be_visible()
    secret = page.locator("#secret").inner_text()
    page.get_by_label("A new password").fill(PASSWORD)
    page.get_by_label("The code the app shows now").fill(code(street, secret))
    page.get_by_role("button", name="Finish").click()
    expect(page.get_by_role("heading", name="Queues")).to_be_visible()
    return secret


def signs_in(street: Street, page: Page, secret: str, name: str = "anna") -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Code of your authenticator app").fill(code(street, secret))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Queues")).to_be_visible()


def comes_in(street: Street, open_page, **look) -> Page:
    page: Page = open_page(address(street, "/welcome"), **look)
    sets_up(street, page, invited(street))
    return page


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def does(page: Page, what: str, why: str, *, button: str = "", **fields: str) -> None:
    """Opens the form of an act, fills it in and sends it."""
    page.locator("summary", has_text=what).first.click()
    form = page.locator("details[open] form")
    for label, value in fields.items():
        form.get_by_label(label).fill(value)
    form.get_by_label("Why").fill(why)
    form.get_by_role("button", name=button or what).click()


def presses(page: Page, tag: str, words: str) -> None:
    """Goes from one thing to the next until it is there, and presses it."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("[document.activeElement.tagName, document.activeElement.textContent.trim()]") == [
            tag,
            words,
        ]:
            break
    page.keyboard.press("Enter")
