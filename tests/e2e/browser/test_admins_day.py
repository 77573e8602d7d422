"""An admin's day on the pages, in a real browser: whoever writes in is helped, and all of it stands in the audit log.

The same day by command stands in `../test_admins_day.py`. Four admins sit at browsers of their own; the bot, its book and its
pages are those that run in earnest, on a street whose clock stands still between one thing and the next.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pydantic import SecretStr

from bot.admin.acts import Role
from bot.admin.log import Action
from bot.admin.office import open_office
from bot.demo.town import open_town
from bot.keeping.parcel import new_key
from bot.sandbox.faults import FaultKind
from bot.sandbox.limits import Operation
from bot.watching.watch import open_watch
from bot.web.server import listener_on, serving
from bot.wiring import World, utc_now
from tests.e2e.browser.admins import (
    ROOT,
    address,
    admins,
    another,
    app_of,
    does,
    fits,
    serving_street,
    sets_up,
    signs_in,
)
from tests.e2e.browser.test_sandbox_page import CONTRAST
from tests.integration.keeping.test_commands import env_of, smoney
from tests.integration.payments.conftest import Street

pytestmark = [pytest.mark.browser, pytest.mark.prove, pytest.mark.timeout(1_200)]

BANK = Path(__file__).parents[2] / "data" / "bank"
ROLES = {"olga": Role.OWNER, "tom": Role.TREASURER, "sam": Role.SUPPORT, "rita": Role.READ}
LOOKS: dict[str, dict[str, Any]] = {
    "olga": {"scheme": "dark"},
    "tom": {},
    "sam": {"width": 390, "height": 844},
    "rita": {"width": 390, "height": 844, "scheme": "dark"},
}
"""Each at a screen of another kind."""


@dataclass
class Day:
    street: Street
    open_page: Callable[..., Page]
    pictures: Path
    pages: dict[str, Page] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)

    def sits_down(self, name: str, word: str) -> None:
        page = self.open_page(address(self.street, "/welcome"), **LOOKS[name])
        self.pages[name], self.secrets[name] = page, sets_up(self.street, page, word)

    def at(self, name: str, path: str) -> Page:
        """This admin's browser, on one of the pages; the clock has gone on meanwhile."""
        self.street.passes(minutes=1)
        page = self.pages[name]
        page.goto(address(self.street, path))
        return page

    def finds(self, name: str, path: str, label: str, wanted: str) -> Page:
        page = self.at(name, path)
        page.get_by_label(label).first.fill(wanted)
        page.get_by_role("button", name="Find").first.click()
        return page

    def pays(self, username: str, words: str) -> str:
        self.street.tweets(username, words)
        self.street.answers(username)
        return self.street.reference(username)

    def hears(self, username: str, words: str) -> None:
        self.street.town.settle()
        assert any(words in said for said in self.street.heard(username)), self.street.heard(username)[-3:]

    def shoots(self, name: str, what: str) -> None:
        page = self.pages[name]
        page.screenshot(path=self.pictures / f"day-{what}.png", full_page=True)
        assert fits(page), what
        assert page.evaluate(CONTRAST) == [], what


@pytest.fixture
def day(sqlite_url: str, tmp_path: Path, open_page: Callable[..., Page], pictures: Path) -> Iterator[Day]:
    (tmp_path / "home").mkdir()
    with serving_street(sqlite_url, tmp_path / "home", review_new_payees=0) as street:
        day, write = Day(street, open_page, pictures), street.town.bot.database.write
        room = admins(street)
        word = write(lambda s: room.add(s, ROOT, "olga", Role.OWNER, login="olga", reason="runs the service"))
        day.sits_down("olga", word)
        for name in ("tom", "sam", "rita"):
            day.sits_down(name, another(street, name, ROLES[name]))
        yield day


def test_an_admins_day_by_page(day, seen, tmp_path, monkeypatch):
    _a_complaint(day)
    _a_stuck_message(day)
    _a_stolen_account(day)
    _a_wrong_reading(day)
    _a_limit_raised(day)
    _a_refund_by_two(day)
    _a_statement_of_the_bank(day)
    _an_alarm(day)
    _a_pause(day)
    acts = _the_log(day)
    _a_restore(day, tmp_path, monkeypatch, acts)
    assert [each for each in seen.complaints if not re.search("40[03]", each)] == []


def _a_complaint(day):
    """bob: "I paid the wrong one"."""
    reference = day.pays("bob", "@smoney send 30€ @alice")
    rita = day.finds("rita", "/payments", "A payment or a member", reference)
    expect(rita.get_by_text("“@smoney send 30€ @alice”")).to_be_visible()
    expect(rita.locator("summary", has_text="Refund")).to_have_count(0)
    sam = day.finds("sam", "/payments", "A payment or a member", reference)
    sam.locator("summary", has_text="Refund").click()
    day.shoots("sam", "complaint")
    sam.locator("summary", has_text="Refund").click()
    does(sam, "Refund", "it was meant for carol")
    expect(sam.get_by_text("Done: the money has moved.")).to_be_visible()
    for username in ("bob", "alice"):
        day.hears(username, "it was meant for carol")
    assert (day.street.has("bob"), day.street.has("alice")) == (100_00, 0)


def _a_stuck_message(day):
    """carol: "it never told me my balance"."""
    refusal = {"status": 403, "title": "Forbidden", "detail": "You cannot send messages to this user."}
    day.street.world.plan_fault(FaultKind.REFUSE, Operation.SEND_MESSAGE, **refusal)
    day.street.says("carol", "balance")
    sam = day.at("sam", "")
    sam.get_by_role("link", name="failed 1").click()
    sam.locator("tbody a").first.click()
    expect(sam.get_by_text("You cannot send messages to this user").first).to_be_visible()
    does(sam, "Try again", "she has opened her messages")
    expect(sam.get_by_text("Done, and written into the audit log.")).to_be_visible()
    day.hears("carol", "20.00")


def _a_stolen_account(day):
    """carol, by telephone: "somebody has my account"."""
    sam = day.finds("sam", "/members", "Who", "@carol")
    expect(sam.get_by_role("heading", name="@carol")).to_be_visible()
    does(sam, "Freeze", "she called, her session was stolen")
    expect(sam.locator(".state.frozen")).to_be_visible()
    day.hears("carol", "frozen by those who run me")
    before = day.street.count("SELECT count(*) FROM challenges")
    day.street.tweets("carol", "@smoney send 5€ @bob")
    assert day.street.count("SELECT count(*) FROM challenges") == before
    does(sam, "Add a note", "will send her passport")
    expect(sam.get_by_text("will send her passport")).to_be_visible()
    day.shoots("sam", "stolen")
    does(sam, "Thaw", "passport seen, new password at X")
    expect(sam.locator(".state.frozen")).to_have_count(0)
    assert day.pays("carol", "@smoney send 6€ @bob")
    assert day.street.has("carol") == 14_00


def _a_wrong_reading(day):
    """bob: "it did not understand me"."""
    day.street.tweets("bob", "@smoney send 5,5 or 6€ @alice")
    day.hears("bob", "more than one amount")
    sam = day.at("sam", "/inbox?state=done")
    sam.locator("tbody a").first.click()
    expect(sam.get_by_text("5,5 or 6")).to_be_visible()


def _a_limit_raised(day):
    """alice sells flowers, and her wallet is to hold more."""
    sam = day.finds("sam", "/members", "Who", "@alice")
    expect(sam.get_by_text("of 3000.00 €").first).to_be_visible()
    sam.locator("summary", has_text="Set the tier").click()
    sam.get_by_label("Tier").select_option("merchant")
    sam.locator("details[open]").get_by_label("Why").fill("register of commerce seen")
    sam.locator("details[open]").get_by_role("button", name="Set the tier").click()
    expect(sam.get_by_text("of 20000.00 €").first).to_be_visible()


def _a_refund_by_two(day):
    reference = day.pays("bob", "@smoney send 60€ @alice")
    sam = day.finds("sam", "/payments", "A payment or a member", reference)
    does(sam, "Refund", "the flowers never came")
    expect(sam.get_by_text("nothing has moved yet")).to_be_visible()
    expect(sam.get_by_text("You proposed it; another admin approves it.")).to_be_visible()
    assert day.street.has("alice") == 60_00
    tom = day.at("tom", "")
    tom.get_by_role("link", name="1 proposals").click()
    tom.get_by_role("link", name="60.00 €").click()
    does(tom, "Approve", "alice agrees")
    expect(tom.get_by_text("Done: the money has moved.")).to_be_visible()
    day.hears("bob", "the flowers never came")
    assert day.street.has("alice") == 0


def _a_statement_of_the_bank(day):
    """Money came in for alice; the file comes twice, and another one is broken."""
    tom = day.at("tom", "/bank")

    def imports(name: str, data: bytes) -> None:
        tom.locator("input[type=file]").set_input_files(
            {"name": name, "mimeType": "text/csv", "buffer": data}
        )
        tom.get_by_role("button", name="Import").click()

    good = (BANK / "english.csv").read_bytes()
    imports("broken.csv", good.replace(b"1,250.00", b"a lot", 1))
    expect(tom.get_by_role("heading", name="Not imported")).to_be_visible()
    expect(tom.get_by_text("Line 2")).to_be_visible()
    imports("november.csv", good)
    expect(tom.get_by_text("2 lines, 2 of them new: 1 proposed, 0 matched, 1 open.")).to_be_visible()
    day.shoots("tom", "statement")
    imports("november.csv", good)
    expect(tom.get_by_text("2 lines, 0 of them new")).to_be_visible()
    tom = day.at("tom", "/bank")
    does(tom, "Nobody's here", "the bank's fee")
    olga = day.at("olga", "/proposals")
    olga.get_by_role("link", name="1250.00 €").click()
    does(olga, "Approve", "compared with the statement")
    expect(olga.get_by_text("Done: the money has moved.")).to_be_visible()
    day.shoots("olga", "approved")
    assert day.street.has("alice") == 1250_00


def _an_alarm(day):
    """Something that carol said could not be worked; the alarm leads to what to do."""
    street = day.street
    street.says("carol", "balance", settle=False)
    street.town.bot.listening.read_messages()
    street.change("UPDATE inbox SET state = 'set_aside', reason = 'a fault' WHERE state = 'waiting'")
    watch = open_watch(street.town.bot, street.town.settings, World(clock=street.world.clock))
    watch.look()
    sam = day.at("sam", "")
    expect(sam.get_by_text("rows set aside").first).to_be_visible()
    day.shoots("sam", "alarm")
    sam.get_by_role("link", name="what to do").first.click()
    expect(sam.locator("#rows_set_aside").get_by_text("open now")).to_be_visible()
    expect(sam.locator("#rows_set_aside").get_by_text("mend the cause and retry")).to_be_visible()
    day.shoots("sam", "runbook")
    sam = day.at("sam", "/inbox?state=set_aside")
    sam.locator("tbody a").first.click()
    does(sam, "Try again", "the fault is mended")
    heard = len(street.heard("carol"))
    street.town.settle()
    assert len(street.heard("carol")) == heard + 1
    watch.look()
    expect(day.at("sam", "").get_by_text("rows set aside")).to_have_count(0)


def _a_pause(day):
    does(day.at("sam", "/switches"), "Pause payments", "the bank's balance does not fit")
    expect(day.pages["sam"].get_by_text("Payments are paused.")).to_be_visible()
    expect(day.at("rita", "").get_by_text("Payments are paused: no money moves")).to_be_visible()
    day.shoots("rita", "paused")
    day.street.tweets("bob", "@smoney send 7€ @alice")
    day.hears("bob", "Payments are paused")
    expect(day.at("sam", "/switches").locator("summary", has_text="Let payments go on")).to_have_count(0)
    does(day.at("olga", "/switches"), "Let payments go on", "the bank had booked twice, mended")
    expect(day.pages["olga"].get_by_text("Payments go on.")).to_be_visible()
    day.pays("bob", "@smoney send 8€ @alice")


EXPECTED = (
    ("olga", "payments.resume", "the bank had booked twice, mended"),
    ("sam", "payments.pause", "the bank's balance does not fit"),
    ("sam", "inbox.retry", "the fault is mended"),
    ("olga", "fund.approve", "compared with the statement"),
    ("tom", "bank.ignore", "the bank's fee"),
    ("tom", "bank.import", "november.csv, sha256 "),
    ("tom", "bank.import", "november.csv, sha256 "),
    ("tom", "fund.propose", "on the bank's statement of 2026-11-26"),
    ("tom", "refund.approve", "alice agrees"),
    ("sam", "refund.propose", "the flowers never came"),
    ("sam", "person.tier", "register of commerce seen"),
    ("sam", "member.thaw", "passport seen, new password at X"),
    ("sam", "member.note", "will send her passport"),
    ("sam", "member.freeze", "she called, her session was stolen"),
    ("sam", "outbox.retry", "she has opened her messages"),
    ("sam", "refund.alone", "it was meant for carol"),
)
"""Who did what on the pages and why, the newest first; nothing of what was refused."""


def _actions(street: Street) -> list[Action]:
    log = open_office(street.town.settings, World(clock=street.world.clock)).log
    return street.town.bot.database.read(lambda session: log.newest(session, limit=200))


def _the_log(day) -> list[Action]:
    """Each act with who, when, what and why, in the book and on the page."""
    found = _actions(day.street)
    by_page = [each for each in found if each.channel == "page"]
    assert [(each.by, each.action) for each in by_page] == [(by, act) for by, act, _ in EXPECTED]
    for each, (_, _, why) in zip(by_page, EXPECTED, strict=True):
        assert each.reason.startswith(why)
        assert each.subject
    assert [each.at for each in found] == sorted((each.at for each in found), reverse=True)
    rita = day.at("rita", "/audit")
    shown = rita.locator("ol.timeline > li")
    expect(shown).to_have_count(len(found))
    for entry, each in zip(shown.all_inner_texts(), found, strict=True):
        for words in (each.action, each.by, each.reason, f"{each.at:%Y-%m-%d %H:%M:%S}", each.subject):
            assert words in entry
    day.shoots("rita", "audit")
    return found


def _a_restore(day, tmp_path, monkeypatch, acts):
    """The disk is gone; the backup of a minute ago is there. Backup and restore are commands, of the machine itself."""
    street = day.street
    _catches_up(street)
    private, public = new_key()
    (tmp_path / "backup.key").write_text(private + "\n")
    for name in [name for name in os.environ if name.startswith("SMONEY_")]:  # such as where Chromium is
        monkeypatch.delenv(name)
    monkeypatch.setenv("SUDO_USER", "olga")
    settings = street.town.settings.model_copy(update={"backup_recipient": public})
    backup = tmp_path / "day.age"
    said = smoney("backup", str(backup), env=env_of(settings, tmp_path / "town.env"))
    assert said.exit_code == 0, said.stderr
    _catches_up(street)
    day.pays("bob", "@smoney send 9€ @alice")
    lost = street.reference("bob")
    home = tmp_path / "new-home"
    elsewhere = {"home": home, "database_url": SecretStr(f"sqlite:///{home / 'smoney.sqlite'}")}
    empty = settings.model_copy(update=elsewhere)
    said = smoney(
        "restore",
        str(backup),
        "--key",
        str(tmp_path / "backup.key"),
        "--reason",
        "the disk is gone",
        env=env_of(empty, tmp_path / "empty.env"),
    )
    assert said.exit_code == 0, said.stderr
    _catches_up(street)
    with _served_again(street, empty) as again:
        day.street = again
        _a_restored_book(day, lost)
        found = _actions(again)
        assert [(each.by, each.action, each.channel, each.reason) for each in found[:2]] == [
            ("olga", "book.reconcile", "page", "looked through it"),
            ("olga", "book.restore", "command", "the disk is gone"),
        ]
        assert found[2:] == acts


def _catches_up(street: Street) -> None:
    """Commands go by the machine's clock, the street by its own."""
    street.world.advance(utc_now() - street.world.now())
    street.town.settle()


@contextmanager
def _served_again(street: Street, settings) -> Iterator[Street]:
    """The same street, with the restored book and its pages."""
    listener = listener_on("127.0.0.1", 0)
    port = listener.getsockname()[1]
    chosen = {"web_port": port, "web_public_url": f"http://127.0.0.1:{port}"}
    with (
        open_town(
            settings.model_copy(update=chosen), street.world, entropy=World().entropy, residents=()
        ) as town,
        serving(app_of(town), listener),
    ):
        yield Street(town)


def _a_restored_book(day, lost):
    """Nobody is signed in any more; the page says what is halted and what to do, and afterwards that all is well."""
    again, sam = day.street, day.pages["sam"]
    for name in ("sam", "rita"):
        day.pages[name].goto(address(again))
        expect(day.pages[name].get_by_role("heading", name="Sign in as an admin")).to_be_visible()
    signs_in(again, sam, day.secrets["sam"], "sam")
    expect(sam.get_by_text("This book was restored at")).to_be_visible()
    expect(sam.get_by_text("Payments are paused: X is read")).to_be_visible()
    expect(sam.get_by_role("heading", name="Look closer")).to_be_visible()
    day.shoots("sam", "restored")
    sam.get_by_role("link", name="What X still has").click()
    expect(sam.get_by_text("an owner lets payments go on")).to_be_visible()
    before = again.has("bob")
    again.town.settle()
    again.tweets("bob", "@smoney send 1€ @alice")
    assert again.has("bob") == before
    olga = day.pages["olga"]
    olga.goto(address(again))
    signs_in(again, olga, day.secrets["olga"], "olga")
    olga = day.at("olga", "/restored")
    expect(olga.get_by_text(lost).first).to_be_visible()
    day.shoots("olga", "reconcile")
    does(olga, "Let payments go on", "looked through it")
    expect(olga.get_by_text("there is nothing to do")).to_be_visible()
    again.town.settle()
    sam = day.at("sam", "")
    expect(sam.get_by_text("This book was restored at")).to_have_count(0)
    day.hears("bob", lost)
    again.answers("bob")
    assert again.has("bob") == before - 1_00
