"""The operator's pages in a browser: an admin is invited, sets up, signs in, helps a member and finds it in the audit log;
wide and narrow, light and dark, by keyboard, without a complaint of the browser."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.browser.admins import (
    SIZES,
    address,
    another,
    comes_in,
    fits,
    invited,
    presses,
    serving_street,
    sets_up,
    signs_in,
)
from tests.e2e.browser.test_sandbox_page import CONTRAST
from tests.integration.payments.conftest import Street
from tests.integration.payments.test_wrong_answers import guesses_until_locked

pytestmark = pytest.mark.browser
BANK = Path(__file__).parents[2] / "data" / "bank"

PAGES = (
    "", "/payments", "/members", "/reviews", "/proposals", "/bank", "/inbox?state=set_aside", "/outbox", "/ledger", "/audit",
    "/switches", "/admins", "/usage", "/runbook",
)  # fmt: skip


@pytest.fixture
def street(sqlite_url: str, tmp_path: Path) -> Iterator[Street]:
    with serving_street(sqlite_url, tmp_path, review_new_payees=3) as made:
        yield made


def a_day(street: Street) -> None:
    """Something of everything there is to see."""
    street.tweets("bob", "@smoney send 12,50€ @alice for pizza and two coffees")
    street.answers("bob")
    street.tweets("bob", "@smoney send 5€ @zoe for the concert")
    street.answers("bob")
    street.passes(hours=3)
    street.tweets("alice", "@smoney send 2€ @carol")
    street.answers("alice")
    street.tweets("carol", "@smoney send 900€ @alice")
    street.tweets("carol", "@smoney send 1€ @bob for the bus")
    street.answers("carol")
    street.passes(hours=2)
    for payee in ("alice", "bob", "zoe"):
        street.tweets("carol", f"@smoney send 1€ @{payee}")
        street.answers("carol")
    street.town.bot.usage.note()


class TestTheOperatorsPages:
    def test_lead_from_an_invite_to_a_member_who_is_helped(self, street, open_page, seen, pictures):
        guesses_until_locked(street, 0)
        page = open_page(address(street))
        page.get_by_role("link", name="Set your password and app").click()
        secret = sets_up(street, page, invited(street))
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_text("You are signed out.")).to_be_visible()
        signs_in(street, page, secret)
        page.get_by_role("link", name="Members").click()
        page.get_by_label("Who").fill("@bob")
        page.get_by_role("button", name="Find").click()
        expect(page.get_by_role("heading", name="@bob")).to_be_visible()
        page.locator("summary", has_text="Unlock").click()
        page.locator("details[open]").get_by_label("Why").fill("called back, knew the last payment")
        page.screenshot(path=pictures / "admin-unlock.png", full_page=True)
        page.locator("details[open]").get_by_role("button", name="Unlock").click()
        expect(page.get_by_text("Done, and written into the audit log.")).to_be_visible()
        page.get_by_role("link", name="Audit log").click()
        expect(page.get_by_text("person.unlock").first).to_be_visible()
        expect(page.get_by_text("called back, knew the last payment")).to_be_visible()
        assert street.count("SELECT count(*) FROM people WHERE locked_until IS NOT NULL") == 0
        assert [each for each in seen.complaints if "403" not in each] == []
        assert all(request.startswith(street.town.settings.web_address) for request in seen.requests)

    @pytest.mark.prove
    def test_give_a_payment_back_at_the_word_of_two(self, street, open_page, seen, pictures):
        """bob writes: I paid the wrong one. anna looks and proposes, tom approves at a browser of his own."""
        street.tweets("bob", "@smoney send 80€ @alice for the flat")
        street.answers("bob")
        anna = comes_in(street, open_page)
        tom = open_page(address(street, "/welcome"))
        sets_up(street, tom, another(street, "tom"))
        anna.goto(address(street, "/payments"))
        anna.get_by_label("A payment or a member").fill(street.reference("bob"))
        anna.get_by_role("button", name="Find").click()
        expect(anna.get_by_text("“@smoney send 80€ @alice for the flat”")).to_be_visible()
        anna.locator("summary", has_text="Refund").click()
        anna.get_by_label("Why").fill("paid the wrong Alice")
        anna.get_by_role("button", name="Refund").click()
        expect(anna.get_by_text("nothing has moved yet")).to_be_visible()
        expect(anna.get_by_text("You proposed it; another admin approves it.")).to_be_visible()
        tom.get_by_role("link", name="1 proposals").click()
        tom.get_by_role("link", name="80.00 €").click()
        tom.locator("summary", has_text="Approve").click()
        tom.locator("details[open]").get_by_label("Why").fill("asked Alice, she agrees")
        tom.screenshot(path=pictures / "admin-approve.png", full_page=True)
        tom.locator("details[open]").get_by_role("button", name="Approve").click()
        expect(tom.get_by_text("Done: the money has moved.")).to_be_visible()
        assert (street.has("bob"), street.has("alice")) == (100_00, 0)
        assert seen.complaints == []

    def test_take_in_a_statement_of_the_bank(self, street, open_page, seen, pictures):
        page = comes_in(street, open_page, width=390, height=844, scheme="dark")
        page.goto(address(street, "/bank"))
        for file, heading in (("camt053-08.xml", "camt053-08.xml"), ("english.csv", "Not imported")):
            page.get_by_label("The file").set_input_files(BANK / file)
            page.get_by_role("button", name="Import").click()
            expect(page.get_by_role("heading", name=heading)).to_be_visible()
            page.screenshot(path=pictures / f"admin-import-{file}.png", full_page=True)
            assert fits(page)
            assert page.evaluate(CONTRAST) == []
        expect(page.get_by_text("that came as camt053 before")).to_be_visible()
        kept = street.count("SELECT count(*) FROM bank_lines")
        assert (kept > 0, [each for each in seen.complaints if "400" not in each]) == (True, [])

    def test_are_used_with_the_keyboard_alone(self, street, open_page):
        page = comes_in(street, open_page)
        page.goto(address(street, "/switches"))
        presses(page, "SUMMARY", "Pause payments")
        page.keyboard.press("Tab")
        page.keyboard.type("a storm of wrong answers")
        page.keyboard.press("Enter")
        expect(page.get_by_text("Payments are paused.")).to_be_visible()

    @pytest.mark.prove
    def test_are_reached_through_a_tunnel_where_the_pages_have_an_https_address(
        self, sqlite_url, tmp_path, open_page
    ):
        """The cookies are for https only then; the browser takes this machine's own address for as safe."""
        with serving_street(sqlite_url, tmp_path, web_public_url="https://pay.example") as street:
            page = open_page(f"http://127.0.0.1:{street.town.settings.web_port}/admin/welcome")
            sets_up(street, page, invited(street))

    @pytest.mark.prove
    def test_stay_live_and_go_to_the_sign_in_when_the_time_is_over(self, street, open_page):
        page = comes_in(street, open_page)
        street.tweets("bob", "@smoney send 10€ @alice")
        street.answers("bob")
        expect(page.get_by_text("Paid since the book began").locator("..")).to_contain_text(
            "1", timeout=30_000
        )
        street.passes(minutes=31)
        expect(page.get_by_role("heading", name="Sign in as an admin")).to_be_visible(timeout=30_000)

    @pytest.mark.prove
    @pytest.mark.parametrize("size", SIZES)
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_fit_on_every_screen(self, street, open_page, seen, pictures, size, scheme):
        width, height = SIZES[size]
        a_day(street)
        page = comes_in(street, open_page, width=width, height=height, scheme=scheme)

        def shoot(name: str) -> None:
            page.screenshot(path=pictures / f"admin-{name}-{size}-{scheme}.png", full_page=True)
            assert fits(page), name
            assert page.evaluate(CONTRAST) == [], name

        for path in PAGES:
            page.goto(address(street, path))
            shoot(re.sub(r"\W.*", "", path[1:]) or "overview")
        for path, name in (
            (f"/payments/{street.reference('alice')}", "story"),
            (f"/members/{street.world.person('bob').id}", "member"),
            (f"/ledger/{street.count('SELECT min(wallet_id) FROM people')}", "account"),
            (f"/outbox/{street.count('SELECT max(id) FROM outbox')}", "row"),
            ("/payments/P-AAAAAA", "problem"),
            ("/payments/found?who=&amount=1&since=&until=", "found"),
            ("/bank/balance?balance=100", "balance"),
            ("/ledger/totals", "totals"),
            ("/ledger/transfers", "transfers"),
        ):
            page.goto(address(street, path))
            shoot(name)
        page.get_by_role("button", name="Sign out").click()
        shoot("signin")
        assert [each for each in seen.complaints if "400" not in each] == []
