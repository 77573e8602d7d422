"""Direct messages are scarce: fifteen in a quarter of an hour, questions before receipts, nothing lost by waiting."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.demo.town import demo_settings, open_town
from bot.sandbox.core import World as SandboxWorld
from bot.sandbox.faults import FaultKind
from bot.sandbox.ground import StoppedClock
from bot.sandbox.limits import WIDE, Operation
from tests.integration.payments.conftest import NOON, RESIDENTS, Street

SCARCE = replace(WIDE, quarter_hour={**WIDE.quarter_hour, Operation.SEND_MESSAGE: 15})


@pytest.fixture
def scarce(sqlite_url: str, tmp_path: Path) -> Iterator[Street]:
    """As `street`, where X lets the bot send fifteen messages in fifteen minutes and refuses the sixteenth."""
    sandbox = SandboxWorld(StoppedClock(NOON), limits=SCARCE)
    settings = demo_settings(
        tmp_path,
        os.urandom,
        database_url=SecretStr(sqlite_url),
        messages_per_quarter_hour=15,
        messages_per_day=1440,
    )
    with open_town(settings, sandbox, entropy=os.urandom, residents=RESIDENTS) as town:
        street = Street(town)
        street.passes(minutes=16)
        yield street


def asked(street: Street) -> int:
    return sum("To pay, answer" in words for name in ("bob", "carol") for words in street.heard(name))


class TestScarceMessages:
    def test_are_never_asked_of_x_beyond_what_it_allows(self, scarce):
        scarce.world.plan_fault(FaultKind.REFUSE, Operation.SEND_MESSAGE, skip=15, times=100, status=429)
        for number in range(10):
            scarce.tweets("bob", f"@smoney send 1€ @alice for number {number}")
            scarce.tweets("carol", f"@smoney send 1€ @alice for number {number}")
        assert asked(scarce) == 15
        assert scarce.count("SELECT count(*) FROM outbox WHERE state = 'waiting' AND reason IS NOT NULL") == 0

    def test_wait_and_none_is_lost(self, scarce):
        for number in range(10):
            scarce.tweets("bob", f"@smoney send 1€ @alice for number {number}")
            scarce.tweets("carol", f"@smoney send 1€ @alice for number {number}")
        scarce.passes(minutes=16)
        assert asked(scarce) == 20
        for _ in range(3):  # each unanswered question is told to have ended, in its turn
            scarce.passes(minutes=16)
        assert scarce.count("SELECT count(*) FROM outbox WHERE state = 'waiting'") == 0

    def test_are_kept_for_questions_before_receipts(self, scarce):
        for number in range(12):
            scarce.says("bob", "balance" if number % 2 else "history")
        scarce.tweets("bob", "@smoney send 2€ @alice")
        scarce.answers("bob")
        assert not any(words.startswith("Paid") for words in scarce.heard("bob"))
        scarce.tweets("bob", "@smoney send 3€ @alice")
        scarce.answers("bob")
        assert scarce.has("alice") == 5_00
        scarce.passes(minutes=16)
        assert sum(words.startswith("Paid") for words in scarce.heard("bob")) == 2

    def test_x_saying_wait_is_believed(self, scarce):
        scarce.world.plan_fault(
            FaultKind.REFUSE, Operation.SEND_MESSAGE, status=429, title="Too Many Requests"
        )
        scarce.tweets("bob", "@smoney send 2€ @alice")
        assert asked(scarce) == 0
        scarce.passes(minutes=16)
        assert asked(scarce) == 1
        scarce.answers("bob")
        assert scarce.has("alice") == 2_00
