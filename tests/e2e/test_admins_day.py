"""An admin's day by command, against a running daemon: whoever writes in is helped, and all of it stands in the audit log.

The pages' side of the same day stands in `browser/test_admins_day.py`.
"""

import json
import os
import re
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.faults import FaultKind
from bot.sandbox.limits import Operation
from tests.e2e.conftest import DEMO_DAEMON, ROOT, SMONEY, Place, Programs, wait_until

CODE = re.compile(r"answer ([A-Z] \d{6})")
REFERENCE = re.compile(r"\bP-[0-9A-Z]{6}\b")


@dataclass
class Day:
    """The street, and the office above it. Each command is a process of its own, given by a user of the system."""

    place: Place
    environment: Mapping[str, str]
    home: Path

    def types(self, login: str, *words: str, code: int = 0, at: Mapping[str, str] | None = None) -> str:
        bare = {name: value for name, value in os.environ.items() if not name.startswith("SMONEY_")}
        given = bare | dict(self.environment) | dict(at or {}) | {"SUDO_USER": login, "PYTHONPATH": str(ROOT)}
        ended = subprocess.run(
            [*SMONEY, *words],
            cwd=self.home,
            env=given,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ended.returncode == code, f"{words}: {ended.returncode}\n{ended.stdout}\n{ended.stderr}"
        return ended.stdout + ended.stderr

    def rows(self, login: str, *words: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.types(login, *words, "--json").splitlines()]

    # The street

    def tweets(self, username: str, words: str) -> None:
        self.place.world.post(self.place.world.person(username), words)

    def says(self, username: str, words: str) -> None:
        self.place.world.send_message(self.place.world.person(username), self.place.bot, words)

    def hears(self, username: str, words: str, times: int = 1) -> str:
        def heard() -> list[str]:
            found = [text for text in self.place.heard_by(username) if words in text]
            return found[times - 1 :]

        return str(wait_until(heard, f"@{username} to hear “{words}” {times} times")[0])

    def codes(self, username: str) -> list[str]:
        return [match[1] for text in self.place.heard_by(username) for match in CODE.finditer(text)]

    def pays(self, username: str, words: str) -> str:
        """Ordered, answered, paid; its reference."""
        asked, paid = len(self.codes(username)), self.paid(username)
        self.tweets(username, words)
        wait_until(lambda: len(self.codes(username)) > asked, f"a code for @{username}")
        self.says(username, self.codes(username)[-1])
        receipt = self.hears(username, "Paid:", paid + 1)
        return str(REFERENCE.findall(receipt)[-1])

    def paid(self, username: str) -> int:
        return sum("Paid:" in text for text in self.place.heard_by(username))

    def has(self, who: str) -> str:
        (row,) = self.rows("sam", "member", "show", who)
        return str(row["wallet"]["available"])


@pytest.fixture
def day(place: Place, programs: Programs) -> Day:
    chosen = place.environment(allowance_per_payment_minor=250_00, allowance_per_day_minor=500_00)
    day = Day(place, chosen, programs.home)
    programs.start(DEMO_DAEMON, day.environment).says("daemon.started")
    day.types(
        "root", "admin", "add", "olga", "--role", "owner", "--login", "olga", "--reason", "runs the service"
    )
    for name, role in (("tom", "treasurer"), ("sam", "support"), ("rita", "read")):
        day.types("olga", "admin", "add", name, "--role", role, "--login", name, "--reason", "the team")
    return day


@pytest.mark.prove
def test_an_admins_day_by_command(day: Day, programs: Programs, tmp_path: Path) -> None:
    _a_complaint(day)
    _a_stuck_message(day)
    _a_stolen_account(day)
    _a_wrong_reading(day)
    _a_limit_raised(day)
    _a_refund_by_two(day)
    _a_pause(day)
    _the_log(day)
    _a_restore(day, programs, tmp_path)


def _a_complaint(day: Day) -> None:
    """bob: "I paid the wrong one"."""
    reference = day.pays("bob", "@smoney send 30€ @alice")
    story = day.types("rita", "payment", "show", reference)
    for words in ("send 30€ @alice", "question", "authorisation", "transfer", "receipt_payee"):
        assert words in story
    assert "needs the role" in day.types(
        "rita", "payment", "refund", reference, "--reason", "x", "--yes", code=1
    )
    day.types("sam", "payment", "refund", reference, "--reason", "it was meant for carol", "--yes")
    day.hears("bob", "it was meant for carol")
    day.hears("alice", "it was meant for carol")
    assert day.has("@bob") == "100.00 €"


def _a_stuck_message(day: Day) -> None:
    """carol: "I was never asked for a code"."""
    day.place.world.plan_fault(
        FaultKind.REFUSE,
        Operation.SEND_MESSAGE,
        status=403,
        title="Forbidden",
        detail="You cannot send messages to this user.",
    )
    day.says("carol", "balance")
    row = wait_until(
        lambda: day.rows("sam", "outbox", "list", "--state", "failed"), "a message that X refused"
    )[0]
    assert row["phrase"] == "balance"
    day.types("sam", "outbox", "retry", str(row["id"]), "--reason", "she has opened her messages")
    day.hears("carol", "50.00")


def _a_stolen_account(day: Day) -> None:
    """carol, by telephone: "somebody has my account"."""
    day.types("sam", "member", "freeze", "@carol", "--reason", "she called, her session was stolen")
    day.hears("carol", "frozen by those who run me")
    before = day.codes("carol")
    day.tweets("carol", "@smoney send 20€ @bob")
    day.hears("carol", "frozen", 2)
    assert day.codes("carol") == before
    day.types("sam", "member", "note", "@carol", "will send her passport")
    day.types("sam", "member", "thaw", "@carol", "--reason", "passport seen, new password at X")
    assert day.pays("carol", "@smoney send 21€ @bob")


def _a_wrong_reading(day: Day) -> None:
    """bob: "it did not understand me"."""
    day.tweets("bob", "@smoney send 5,5 or 6€ @alice")
    day.hears("bob", "more than one amount")
    looked = day.rows("sam", "inbox", "list", "--state", "done")
    newest = max(
        looked, key=lambda row: int(row["x_id"])
    )  # ids of two programs tell half a minute apart, no less
    shown = day.types("sam", "inbox", "show", str(newest["id"]))
    assert "5,5 or 6" in shown
    assert day.place.world.person("alice")


def _a_limit_raised(day: Day) -> None:
    """alice sells flowers, and her wallet is to hold more."""
    before = {row["what"]: row["most"] for row in day.rows("sam", "member", "limits", "@alice")}
    day.types("sam", "member", "tier", "@alice", "merchant", "--reason", "register of commerce seen")
    after = {row["what"]: row["most"] for row in day.rows("sam", "member", "limits", "@alice")}
    assert (before["held"], after["held"]) == ("3000.00 €", "20000.00 €")


def _a_refund_by_two(day: Day) -> None:
    reference = day.pays("bob", "@smoney send 60€ @alice")
    (proposal,) = day.rows(
        "sam", "payment", "refund", reference, "--reason", "the flowers never came", "--yes"
    )
    assert proposal["state"] == "open"
    number = str(proposal["id"])
    day.types("sam", "proposals", "approve", number, "--reason", "mine", "--yes", code=1)
    day.types("tom", "proposals", "approve", number, "--reason", "alice agrees", "--yes")
    day.hears("bob", "the flowers never came")


def _a_pause(day: Day) -> None:
    day.types("sam", "pause", "payments", "--reason", "the bank's balance does not fit")
    assert "payments paused" in day.types("rita", "status")
    day.tweets("bob", "@smoney send 7€ @alice")
    day.hears("bob", "Payments are paused")
    day.types("sam", "resume", "payments", "--reason", "it does", code=1)
    day.types("olga", "resume", "payments", "--reason", "the bank had booked twice, mended")
    day.pays("bob", "@smoney send 8€ @alice")


def _the_log(day: Day) -> None:
    """Who, when, what and why, newest first, and nothing of what was refused."""
    acts = [(row["by"], row["action"]) for row in day.rows("rita", "audit")]
    assert acts == [
        ("olga", "payments.resume"),
        ("sam", "payments.pause"),
        ("tom", "refund.approve"),
        ("sam", "refund.propose"),
        ("sam", "person.tier"),
        ("sam", "member.thaw"),
        ("sam", "member.note"),
        ("sam", "member.freeze"),
        ("sam", "outbox.retry"),
        ("sam", "refund.alone"),
        ("olga", "admin.add"),
        ("olga", "admin.add"),
        ("olga", "admin.add"),
        (acts[-1][0], "admin.add"),
    ]
    assert all(row["reason"] and row["at"] and row["subject"] for row in day.rows("rita", "audit"))


def _a_restore(day: Day, programs: Programs, tmp_path: Path) -> None:
    """The disk is gone; yesterday's backup is there."""
    keys = day.types("olga", "keys", "backup")
    recipient = re.findall(r"age1[0-9a-z]+", keys)[0]
    (tmp_path / "backup.key").write_text(re.findall(r"AGE-SECRET-KEY-1[0-9A-Z]+", keys)[0] + "\n")
    backup = tmp_path / "day.age"
    day.types("olga", "backup", str(backup), at={"SMONEY_BACKUP_RECIPIENT": recipient})
    running = programs.started[0]
    assert running.is_told(signal.SIGTERM) < 30
    place = tmp_path / "new-home"
    elsewhere = {"SMONEY_HOME": str(place), "SMONEY_DATABASE_URL": "sqlite:///smoney.sqlite"}
    day.types(
        "olga",
        "restore",
        str(backup),
        "--key",
        str(tmp_path / "backup.key"),
        "--reason",
        "the disk is gone",
        at=elsewhere,
    )
    started = programs.start(DEMO_DAEMON, dict(day.environment) | elsewhere)
    started.says("daemon.started")
    assert "restored" in day.types("rita", "status", at=elsewhere)
    wait_until(
        lambda: "go on" in _reconciled(day, elsewhere), "X to be read to its end, so that payments can go on"
    )
    day.environment = dict(day.environment) | elsewhere
    day.pays("bob", "@smoney send 9€ @alice")
    assert "all holds" in day.types("rita", "ledger", "verify")


def _reconciled(day: Day, elsewhere: Mapping[str, str]) -> str:
    try:
        return day.types("olga", "reconcile", "--done", "--reason", "looked through it", at=elsewhere)
    except AssertionError as not_yet:
        return "" if "not read to their end" in str(not_yet) else str(not_yet)
