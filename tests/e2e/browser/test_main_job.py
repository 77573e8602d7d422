"""The main job in the browser, with the whole bot behind the page: tweet as bob, answer the question, see the money move."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
DEMO = "from bot.cli import main; main()"
CODE = re.compile(r"\b([A-Z]) (\d{6})\b")


@pytest.fixture
def demo() -> Iterator[str]:
    """The address of a `smoney demo` of this test's own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SMONEY_")}
    command = [sys.executable, "-c", DEMO, "demo", "--no-browser", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as running:
        assert running.stdout
        address = next(found[0] for line in running.stdout if (found := re.search(r"http://127[^\s]*", line)))
        yield address
        running.send_signal(signal.SIGTERM)
        running.stdout.read()
        assert running.wait(15) == 0


class TestTheMainJob:
    def test_a_tweet_pays_once_bob_has_answered(self, browser, demo):
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(demo)
        expect(page.get_by_text("100.00 €").first).to_be_visible()
        page.locator("textarea").first.fill("@smoney send 10€ to @alice for pizza")
        page.get_by_role("button", name="Tweet", exact=True).click()
        question = page.get_by_text("To pay, answer").last
        expect(question).to_be_visible()
        code = CODE.search(page.inner_text("body"))
        assert code
        answer = page.get_by_label("Direct message to the bot")
        answer.fill(code[0])
        answer.press("Enter")
        expect(page.get_by_text("Paid:").last).to_be_visible()
        expect(page.get_by_text("90.00 €").first).to_be_visible()
        expect(page.get_by_text("30.00 €").first).to_be_visible()
        page.close()

    def test_a_stranger_finds_bobs_own_page_from_the_thread(self, browser, demo):
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        page = context.new_page()
        page.goto(demo)
        expect(page.get_by_role("link", name="The bot's own pages")).to_be_visible()
        box = page.get_by_label("Direct message to the bot")
        box.fill("devices")
        box.press("Enter")
        with context.expect_page() as opened:
            page.get_by_role("link", name="/me/link").click()
        own = opened.value
        own.get_by_role("button", name="Sign in").click()
        expect(own.get_by_role("heading", name="@bob")).to_be_visible()
        expect(own.get_by_text("€100.00")).to_be_visible()
        context.close()
