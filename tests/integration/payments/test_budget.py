"""Direct messages are scarce: fifteen in a quarter of an hour, questions before receipts, nothing lost by waiting."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from bot.demo.town import demo_settings, open_town
from bot.sandbox.core import World as SandboxWorld
from bot.sandbox.faults import FaultKind
from bot.sandbox.ground import StoppedClock
from bot.sandbox.limits import WIDE, Operation
from bot.store.outbox import Priority
from bot.x.budget import SEND, Budget, own_rules
from bot.x.usage import bill
from ledger.clock import microseconds_of
from tests.integration.payments.conftest import NOON, RESIDENTS, Street, town_at

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
        assert "\n".join(scarce.heard("bob")).count("Paid") == 2

    @pytest.mark.parametrize("window", [900, 86_400])
    @pytest.mark.parametrize("allowed", [2, 4, 15])
    def test_are_kept_for_questions_however_few_there_are(self, scarce, window, allowed):
        """The last one of a window is no notice's, in a quarter of an hour and in a day."""
        bot = scarce.town.bot
        bot.database.write(lambda session: bot.budget.reserve(session, SEND, Priority.CHALLENGE) and None)
        scarce.change(f"UPDATE call_windows SET used = 0, ends_at = {microseconds_of(NOON)}")
        scarce.change(f"UPDATE call_windows SET allowed = {allowed} WHERE window_seconds = {window}")
        taken = 0
        while bot.database.write(lambda session: bot.budget.reserve(session, SEND, Priority.NOTICE)) is None:
            taken += 1
        assert 0 < taken < allowed
        for _ in range(allowed - taken):
            assert (
                bot.database.write(lambda session: bot.budget.reserve(session, SEND, Priority.ANSWER)) is None
            )
        assert bot.database.write(lambda session: bot.budget.reserve(session, SEND, Priority.CHALLENGE))

    def test_are_taken_in_the_transaction_that_claims_the_send(self, scarce, monkeypatch):
        """What dies while it claims has taken nothing; what dies while it sends has taken one."""
        bot = scarce.town.bot

        def used() -> int:
            return int(scarce.count("SELECT sum(used) FROM call_windows WHERE window_seconds = 900"))

        scarce.says("bob", "balance")
        before = used()
        scarce.says("bob", "history", settle=False)
        bot.listening.read_messages()
        bot.work.run()
        for at, taken, state in ((bot.courier.together, 0, "waiting"), (bot.courier.gateway, 1, "sending")):
            with monkeypatch.context() as patch:
                name = "word" if taken == 0 else "send_message"
                patch.setattr(type(at), name, _dies)
                with pytest.raises(KeyboardInterrupt):
                    bot.courier.deliver()
            assert used() - before == taken
            assert scarce.count(f"SELECT count(*) FROM outbox WHERE state = '{state}'") == 1

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

    def test_of_one_person_that_had_to_wait_come_as_one(self, scarce):
        self._spend(scarce)
        for amount in (2, 3):
            scarce.tweets("bob", f"@smoney send {amount}€ @alice")
            scarce.answers("bob")
        before = len(scarce.heard("alice"))
        scarce.passes(minutes=16)
        (together,) = scarce.heard("alice")[before:]
        assert together.count("You received") == 2
        assert "had me wait" in together
        assert (
            scarce.count("SELECT count(*) FROM outbox WHERE merged_into IS NOT NULL AND state = 'sent'") >= 2
        )

    def test_are_asked_one_by_one(self, scarce):
        """Beside a code stands nothing else."""
        for number in range(17):
            scarce.says("bob", "history", settle=number == 16)
        self._spend(scarce, left=0)
        scarce.tweets("bob", "@smoney send 2€ @alice")
        scarce.tweets("bob", "@smoney send 3€ @alice")
        scarce.passes(minutes=16)
        asked = [words for words in scarce.heard("bob") if "To pay, answer" in words]
        assert [words.count("To pay, answer") for words in asked] == [1, 1]

    def test_that_was_lost_is_found_again_with_all_that_went_with_it(self, scarce):
        self._spend(scarce)
        for amount in (2, 3):
            scarce.tweets("bob", f"@smoney send {amount}€ @alice")
            scarce.answers("bob")
        before = len(scarce.heard("alice"))
        scarce.world.plan_fault(FaultKind.LOSE, Operation.SEND_MESSAGE, times=2)
        scarce.passes(minutes=16)
        scarce.passes(minutes=1)
        (together,) = scarce.heard("alice")[before:]
        assert together.count("You received") == 2
        assert scarce.count("SELECT count(*) FROM outbox WHERE state NOT IN ('sent', 'dropped')") == 0

    def test_say_under_the_post_how_long_the_question_takes(self, scarce):
        self._spend(scarce, left=0)
        scarce.tweets("bob", "@smoney send 2€ @alice")
        scarce.tweets("carol", "@smoney send 2€ @alice")
        told = [words for words in scarce.replies() if "takes about" in words]
        assert len(told) == 2
        assert all("takes about 15" in words for words in told)
        scarce.passes(minutes=16)
        assert any("This took 1" in words for words in scarce.heard("bob"))

    def test_limits_that_x_tells_are_believed_and_outlast_a_restart(self, scarce):
        scarce.world.windows.limits = replace(
            WIDE, quarter_hour={**WIDE.quarter_hour, Operation.SEND_MESSAGE: 40}
        )
        scarce.world.windows.clear()
        for number in range(20):
            scarce.says("bob", "balance" if number % 2 else "history")
        bot = scarce.town.bot
        again = Budget(bot.budget.rules, bot.clock)  # nothing of it is in memory
        row = next(row for row in bot.database.read(again.windows) if row.call == SEND)
        assert (row.allowed, row.used) == (40, 20)

    @staticmethod
    def _spend(street: Street, *, left: int = 3) -> None:
        """Until X lets the bot send only so many more."""
        for number in range(12):
            street.says("carol", "balance" if number % 2 else "history")
        row = {"left": left}
        street.town.bot.database.write(
            lambda session: (
                session.connection().execute(
                    text(
                        "UPDATE call_windows SET used = allowed - :left"
                        " WHERE call = 'send_message' AND window_seconds = 900"
                    ),
                    row,
                )
                and None
            )
        )


def _dies(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


class TestUsage:
    def test_is_what_the_sandbox_would_have_charged(self, scarce):
        town = scarce.town
        town.bot.usage.note()
        spent = town.world.meter.thousandths
        scarce.tweets("bob", "@smoney send 2€ @alice")
        scarce.answers("bob")
        before = town.bot.database.read(lambda session: bill(session, now=NOON, days=1))
        town.bot.usage.note()
        after = town.bot.database.read(lambda session: bill(session, now=NOON, days=1))
        assert after.microdollars - before.microdollars == (town.world.meter.thousandths - spent) * 1000
        assert after.payments == 1
        assert after.microdollars > 0


class TestTwoCouriers:
    @pytest.mark.race
    def test_never_take_more_than_x_allows(self, postgresql_url, tmp_path):
        """The limit's row is locked while a send is taken from it: sixteen threads, fifteen sends."""
        settings = demo_settings(tmp_path, os.urandom, database_url=SecretStr(postgresql_url))
        with open_town(settings, SandboxWorld(StoppedClock(NOON), limits=WIDE), entropy=os.urandom) as town:
            budget = Budget(
                own_rules(messages_per_quarter_hour=15, messages_per_day=1440, replies_per_minute=10),
                lambda: NOON,
            )
            with ThreadPoolExecutor(8) as pool:
                taken = list(
                    pool.map(
                        lambda _: town.bot.database.write(lambda session: budget.reserve(session, SEND, 0)),
                        range(24),
                    )
                )
        assert taken.count(None) == 15

    @pytest.mark.race
    def test_never_tell_one_person_two_things_at_once(self, postgresql_url, tmp_path):
        """What one person is told stays in order, however many tell; others need not wait for it."""
        with town_at(postgresql_url, tmp_path) as town:
            street, bot = Street(town), town.bot
            street.tweets("bob", "@smoney send 2€ @alice", settle=False)
            street.says("bob", "balance", settle=False)
            street.says("carol", "balance", settle=False)
            bot.listening.read_mentions()
            bot.listening.read_messages()
            bot.work.run()
            bob, carol = (town.world.person(name).id for name in ("bob", "carol"))
            claims = [
                bot.database.write(lambda session: bot.courier._claim(session, "message")) for _ in range(3)
            ]
            assert [getattr(claim, "person_id", claim) for claim in claims] == [bob, carol, False]
            for claim in claims:
                if not isinstance(claim, bool):
                    bot.courier._send(claim)
            town.settle()
            told = street.heard("bob")
            assert "To pay, answer" in told[-2]
            assert "balance" in told[-1].lower()


class TestManyCommands:
    def test_are_answered_in_public_at_a_measured_pace(self, sqlite_url, tmp_path):
        """Three hundred in ten minutes, of thirty strangers: ten replies a minute at most, and six an hour to each."""
        sandbox = SandboxWorld(StoppedClock(NOON), limits=WIDE)
        settings = demo_settings(
            tmp_path,
            os.urandom,
            database_url=SecretStr(sqlite_url),
            replies_per_minute=10,
            replies_per_author_per_hour=6,
        )
        with open_town(settings, sandbox, entropy=os.urandom, residents=RESIDENTS) as town:
            street = Street(town)
            people = [sandbox.create_person(f"stranger{number}") for number in range(30)]
            said = [0]
            for minute in range(30):
                for number in range(30 if minute < 10 else 0):
                    sandbox.post(people[number].id, f"@smoney send {minute + 1}€ @alice")
                street.passes(minutes=1)
                said.append(len(street.replies()))
            paces = [later - earlier for earlier, later in pairwise(said)]
            assert max(paces) == 10
            assert said[-1] == 30 * 6
            assert street.count("SELECT count(*) FROM outbox WHERE state = 'waiting'") == 0
