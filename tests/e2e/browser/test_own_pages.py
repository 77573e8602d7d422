"""The bot's own pages in a browser: signing in, the second factor, a question answered, the status; wide and narrow,
light and dark, by keyboard, without a complaint of the browser."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Page, expect

from bot.web.app import build_app
from bot.web.server import listener_on, serving
from tests.integration.payments.conftest import Street, town_at

pytestmark = pytest.mark.browser

LINK = re.compile(r"http://127\.0\.0\.1:\d+/me/link\?t=[\w-]+")
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}


@pytest.fixture
def street(sqlite_url: str, tmp_path: Path) -> Iterator[Street]:
    listener = listener_on("127.0.0.1", 0)
    port = listener.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    with (
        town_at(sqlite_url, tmp_path, web_port=port, web_public_url=address) as town,
        serving(build_app(town.bot, town.settings, entropy=os.urandom), listener),
    ):
        yield Street(town)


def link_of(street: Street) -> str:
    street.passes(minutes=2)
    street.says("bob", "devices")
    return str(LINK.findall("\n".join(street.heard("bob")))[-1])


def sign_in(street: Street, open_page, **look) -> Page:
    page: Page = open_page(link_of(street), **look)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Waiting for your answer")).to_be_visible()
    return page


def sets_up_factor(street: Street, page: Page) -> str:
    page.get_by_role("link", name="Set one up").click()
    page.get_by_role("button", name="Set one up").click()
    secret = page.locator("#secret").inner_text()
    expect(page.locator(".qr svg")).to_be_visible()
    page.get_by_label("Then type the code the app shows.").fill(app(street, secret))
    page.get_by_role("button", name="Check the code").click()
    expect(page.locator(".codes li")).to_have_count(10)
    return secret


def app(street: Street, secret: str) -> str:
    return pyotp.TOTP(secret).at(street.world.now())


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


class TestOwnPages:
    def test_lead_from_a_message_to_a_paid_order(self, street, open_page, seen, pictures):
        page = sign_in(street, open_page)
        secret = sets_up_factor(street, page)
        page.get_by_role("link", name="I have written them down").click()
        street.passes(minutes=1)
        street.tweets("bob", "@smoney send 10€ @alice for pizza")
        page.reload()
        expect(page.get_by_text("First payment to @alice")).to_be_visible()
        page.screenshot(path=pictures / "question.png", full_page=True)
        page.get_by_label("Code of your authenticator app").fill(app(street, secret))
        page.get_by_role("button", name="Pay").click()
        expect(page.get_by_text("Paid. Ref P-")).to_be_visible()
        assert street.has("alice") == 10_00
        assert seen.complaints == []
        assert all(request.startswith(street.town.settings.web_address) for request in seen.requests)

    @pytest.mark.prove
    def test_show_a_new_question_by_themselves(self, street, open_page):
        page = sign_in(street, open_page)
        street.tweets("bob", "@smoney send 10€ @alice")
        expect(page.get_by_text("First payment to @alice")).to_be_visible(timeout=30_000)

    def test_are_used_with_the_keyboard_alone(self, street, open_page):
        street.tweets("bob", "@smoney send 10€ @alice")
        page = sign_in(street, open_page)
        for _ in range(30):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.textContent") == "Refuse":
                break
        page.keyboard.press("Enter")
        expect(page.get_by_text("Refused. Nothing was paid.")).to_be_visible()

    @pytest.mark.prove
    @pytest.mark.parametrize("size", SIZES)
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_fit_on_every_screen(self, street, open_page, seen, pictures, size, scheme):
        width, height = SIZES[size]
        street.tweets("bob", "@smoney send 1€ @alice")
        street.answers("bob")
        street.tweets("bob", "@smoney send 5€ @zoe for the concert")
        street.answers("bob")
        street.tweets("bob", "@smoney send 12,50€ @alice for pizza and two coffees")
        look = {"width": width, "height": height, "scheme": scheme}

        def shoot(page: Page, name: str) -> None:
            page.screenshot(path=pictures / f"{name}-{size}-{scheme}.png", full_page=True)
            assert fits(page), name

        page = open_page(street.town.settings.web_address + "/status", **look)
        shoot(page, "status")
        page = open_page(link_of(street), **look)
        shoot(page, "link")
        page.get_by_role("button", name="Sign in").click()
        shoot(page, "home")
        page.get_by_role("link", name="Set one up").click()
        shoot(page, "factor")
        page.get_by_role("button", name="Set one up").click()
        shoot(page, "factor-begun")
        secret = page.locator("#secret").inner_text()
        page.get_by_label("Then type the code the app shows.").fill(app(street, secret))
        page.get_by_role("button", name="Check the code").click()
        shoot(page, "recovery")
        page.get_by_role("link", name="I have written them down").click()
        shoot(page, "home-with-factor")
        page.goto(street.town.settings.web_address + "/nowhere")
        shoot(page, "missing")
        assert [each for each in seen.complaints if "404" not in each] == []
