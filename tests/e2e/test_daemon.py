"""The daemon as a real process: how it starts, ends, waits, and goes on when something around it breaks."""

import json
import re
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import make_url

from bot.demo.town import Town
from bot.sandbox.faults import FaultKind
from bot.sandbox.http import serve
from bot.sandbox.limits import Operation
from bot.sandbox.refusals import XRefusal
from tests.e2e.conftest import DEMO_DAEMON, SOON_SECONDS, Place, Program, Programs, a_place, wait_until

CODE = re.compile(r"answer ([A-Z] \d{6})")
STARTED = "daemon.started"
DISK_BYTES = 8_000_000


def code_for(place: Place, username: str, nth: int = 0) -> str:
    """The nth code that someone was sent."""

    def sent() -> list[str]:
        return [match[1] for text in place.heard_by(username) for match in CODE.finditer(text)][nth:]

    return str(wait_until(sent, f"a code for @{username}")[0])


def pay(place: Place, amount: str = "10€", *, nth: int = 0) -> None:
    """bob pays alice, and both have been told."""
    place.world.post(place.world.person("bob"), f"@smoney send {amount} @alice")
    confirm(place, nth=nth)


def confirm(place: Place, *, nth: int = 0) -> None:
    world = place.world
    world.send_message(world.person("bob"), place.bot, code_for(place, "bob", nth))
    told(place, "alice", "You received", nth + 1)
    told(place, "bob", "Paid:", nth + 1)


def told(place: Place, username: str, words: str, times: int = 1) -> None:
    def heard() -> bool:
        return sum(words in text for text in place.heard_by(username)) >= times

    wait_until(heard, f"@{username} told “{words}” {times} times")


@pytest.fixture
def daemon(programs: Programs, place: Place) -> Program:
    """Started and at work."""
    started = programs.start(DEMO_DAEMON, place.environment())
    started.says(STARTED)
    return started


class TestStopping:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_a_signal_ends_it_cleanly_within_seconds(self, daemon: Program, number: signal.Signals):
        assert daemon.is_told(number) < SOON_SECONDS
        assert daemon.ends() == 0
        assert "daemon.stopped" in daemon.said
        assert "Traceback" not in daemon.said

    @pytest.mark.prove
    def test_ends_in_the_middle_of_a_send_that_x_is_slow_to_answer_and_loses_nothing(
        self, programs: Programs, place: Place
    ):
        daemon = programs.start(DEMO_DAEMON, place.environment(x_timeout_seconds=30))
        daemon.says(STARTED)
        slow = place.world.plan_fault(FaultKind.DELAY, Operation.SEND_MESSAGE, seconds=20)
        place.world.post(place.world.person("bob"), "@smoney send 10€ @alice")
        wait_until(lambda: slow not in place.world.faults.waiting, "the slow send")
        assert daemon.is_told(signal.SIGTERM) < SOON_SECONDS
        assert daemon.ends() == 0
        programs.start(DEMO_DAEMON, place.environment()).says(STARTED)
        confirm(place)
        assert place.available("alice") == 10_00

    def test_ends_while_it_still_waits_for_x_to_say_who_it_is(self, programs: Programs, place: Place):
        slow = place.world.plan_fault(FaultKind.DELAY, Operation.ME, seconds=20)
        daemon = programs.start(DEMO_DAEMON, place.environment(x_timeout_seconds=30))
        wait_until(lambda: slow not in place.world.faults.waiting, "the slow answer")
        assert daemon.is_told(signal.SIGTERM) < SOON_SECONDS
        assert daemon.ends() == 0


class TestStarting:
    def test_a_second_daemon_on_the_same_file_is_refused_with_a_sentence(
        self, programs: Programs, place: Place, daemon: Program
    ):
        second = programs.smoney("run", environment=place.environment())
        assert second.ends() == 2
        assert "another smoney daemon already works on this file" in second.said
        assert "Traceback" not in second.said
        pay(place)

    @pytest.mark.parametrize(
        "missing", ["KEYS", "X_API_KEY", "X_API_SECRET", "X_ACCESS_TOKEN", "X_ACCESS_TOKEN_SECRET"]
    )
    def test_without_a_key_it_names_the_setting_and_touches_nothing(
        self, programs: Programs, place: Place, tmp_path: Path, missing: str
    ):
        home = tmp_path / "untouched"
        environment = place.environment(home=home)
        del environment[f"SMONEY_{missing}"]
        started = programs.smoney("run", environment=environment)
        assert started.ends() == 2
        assert f"SMONEY_{missing}" in started.said
        assert "Traceback" not in started.said
        assert not home.exists()

    def test_a_misspelt_setting_is_named_and_nothing_is_touched(
        self, programs: Programs, place: Place, tmp_path: Path
    ):
        home = tmp_path / "untouched"
        environment = place.environment(home=home) | {"SMONEY_HOLD_DAY": "7"}
        started = programs.smoney("run", environment=environment)
        assert started.ends() == 2
        assert "SMONEY_HOLD_DAY" in started.said
        assert "SMONEY_HOLD_DAYS" in started.said
        assert not home.exists()

    def test_a_demos_book_is_refused_for_real_work(self, programs: Programs, place: Place):
        started = programs.smoney("run", environment=place.environment())
        assert started.ends() == 2
        assert "a demo's book with test money" in started.said

    def test_keys_that_x_does_not_know_are_a_sentence(self, programs: Programs, place: Place, tmp_path: Path):
        wrong = place.environment(home=tmp_path / "other", x_access_token="sandbox-not-a-token")
        started = programs.smoney("run", environment=wrong)
        assert started.ends() == 2
        assert "SMONEY_X_ACCESS_TOKEN" in started.said
        assert "Traceback" not in started.said

    def test_a_database_that_cannot_be_opened_is_a_sentence(self, programs: Programs, place: Place):
        url = "sqlite:////proc/nowhere/smoney.sqlite"
        started = programs.smoney("run", environment=place.environment(database_url=url))
        assert started.ends() == 1
        assert "cannot be used" in started.said
        assert "Traceback" not in started.said

    def test_a_file_that_is_no_database_is_a_sentence(self, programs: Programs, place: Place, tmp_path: Path):
        file = tmp_path / "letter.sqlite"
        file.write_text("Dear bank, " * 1000)
        started = programs.smoney("run", environment=place.environment(database_url=f"sqlite:///{file}"))
        assert started.ends() == 1
        assert "file is not a database" in started.said
        assert "Traceback" not in started.said
        assert file.read_text().startswith("Dear bank")


class TestXInTrouble:
    @pytest.mark.prove
    def test_down_at_the_start_it_waits_with_growing_pauses_and_then_goes_on(
        self, programs: Programs, place: Place
    ):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        daemon = programs.start(
            DEMO_DAEMON, place.environment(x_base_url=f"http://127.0.0.1:{port}", x_timeout_seconds=1)
        )
        wait_until(lambda: daemon.said.count("waiting_for_x") >= 3, f"three tries\n{daemon.said}")
        pauses = [float(each) for each in re.findall(r"waiting_for_x.*seconds=([\d.]+)", daemon.said)]
        assert pauses[:3] == [1, 2, 4]
        place.world.post(place.world.person("bob"), "@smoney send 10€ @alice")
        with serve(place.world, port=port):
            daemon.says(STARTED)
            confirm(place)
            assert daemon.is_told(signal.SIGTERM) < SOON_SECONDS
        assert place.available("alice") == 10_00

    @pytest.mark.prove
    def test_down_later_it_waits_and_loses_nothing(self, programs: Programs, place: Place):
        with serve(place.world) as served:
            port = int(served.address.rpartition(":")[2])
            daemon = programs.start(DEMO_DAEMON, place.environment(x_base_url=served.address))
            daemon.says(STARTED)
            pay(place)
        place.world.post(place.world.person("bob"), "@smoney send 5€ @alice")
        wait_until(lambda: daemon.said.count("listen.mentions.later") >= 2, "two tries in vain")
        with serve(place.world, port=port):
            confirm(place, nth=1)
            assert daemon.is_told(signal.SIGTERM) < SOON_SECONDS
        assert place.available("alice") == 15_00

    @pytest.mark.prove
    def test_nonsense_in_every_place_costs_nothing_but_time(self, place: Place, daemon: Program):
        bodies = ["<html>Over capacity</html>", "null", "", '{"data": 7}', '{"data": [{"id": []}]}']
        for operation in (Operation.MENTIONS, Operation.MESSAGES):
            for body in bodies[:2]:
                place.world.plan_fault(FaultKind.NONSENSE, operation, body=body)
        for body in bodies[2:]:
            place.world.plan_fault(FaultKind.NONSENSE, Operation.SEND_MESSAGE, body=body, skip=1)
        pay(place)
        told_bob = [text for text in place.heard_by("bob") if "Paid:" in text or CODE.search(text)]
        assert len(told_bob) == 2
        assert ".fault" not in daemon.said
        assert daemon.is_told(signal.SIGTERM) < SOON_SECONDS
        assert place.available("alice") == 10_00

    def test_half_a_character_in_a_text_holds_up_nobody(self, place: Place, daemon: Program):
        """A lone surrogate: JSON can say it, UTF-8 and every database cannot."""
        carol, x_id = place.world.person("carol").id, place.world.ground.next_id()
        post = {"id": str(x_id), "author_id": str(carol), "text": "@smoney \ud83d hello"}
        author = {"id": str(carol), "name": "\udc00", "username": "carol"}
        body = json.dumps({"data": [post], "includes": {"users": [author]}, "meta": {"result_count": 1}})
        odd = place.world.plan_fault(FaultKind.NONSENSE, Operation.MENTIONS, body=body)
        wait_until(lambda: odd not in place.world.faults.waiting, "the odd text")
        pay(place)
        assert daemon.is_told(signal.SIGTERM) < SOON_SECONDS
        assert rows(place, "SELECT state FROM inbox WHERE x_id = ?", x_id) == [("done",)]

    def test_the_same_answer_in_pages_that_never_end_does_not_hold_it_up(self, place: Place, daemon: Program):
        for operation in (Operation.MENTIONS, Operation.MESSAGES):
            place.world.plan_fault(
                FaultKind.NONSENSE,
                operation,
                body='{"meta": {"result_count": 0, "next_token": "again"}}',
                times=2,
            )
        pay(place)
        assert daemon.is_told(signal.SIGTERM) < SOON_SECONDS


class TestDatabaseInTrouble:
    @pytest.mark.prove
    def test_locked_by_another_process_it_waits_and_goes_on(
        self, programs: Programs, place: Place, daemon: Program
    ):
        lock = (
            "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); "
            "c.execute('BEGIN IMMEDIATE'); print('locked', flush=True); sys.stdin.readline(); c.execute('ROLLBACK')"
        )
        other = programs.start([sys.executable, "-c", lock, str(database_file(place))])
        other.says("locked")
        place.world.post(place.world.person("bob"), "@smoney send 10€ @alice")
        with pytest.raises(AssertionError, match="not within"):
            wait_until(lambda: code_in(place), "a code while it is locked", 3)
        other.tell("go on")
        assert other.ends() == 0
        confirm(place)
        assert ".fault" not in daemon.said
        assert daemon.is_told(signal.SIGTERM) < SOON_SECONDS
        assert place.available("alice") == 10_00

    @pytest.mark.prove
    def test_a_disk_that_takes_no_more_costs_nothing_but_time(self, place: Place, daemon: Program):
        pid = daemon.process.pid
        unlimited = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (60_000, unlimited[1]))
        place.world.post(place.world.person("bob"), "@smoney send 10€ @alice")
        daemon.says("listen.mentions.database")
        assert code_in(place) is None
        resource.prlimit(pid, resource.RLIMIT_FSIZE, unlimited)
        confirm(place)
        assert daemon.is_told(signal.SIGTERM) < SOON_SECONDS
        assert place.available("alice") == 10_00

    @pytest.mark.prove
    def test_a_full_disk_costs_nothing_but_time(self, programs: Programs, tmp_path: Path):
        with a_small_disk(tmp_path / "disk") as disk, a_place(disk / "home") as place:
            daemon = programs.start(DEMO_DAEMON, place.environment())
            daemon.says(STARTED)
            filler = disk / "filler"
            with suppress(OSError):
                filler.write_bytes(bytes(DISK_BYTES))
            place.world.post(place.world.person("bob"), "@smoney send 10€ @alice")
            daemon.says("disk is full")
            assert code_in(place) is None
            filler.unlink()
            confirm(place)
            assert daemon.is_told(signal.SIGTERM) < SOON_SECONDS
            assert place.available("alice") == 10_00

    @pytest.mark.prove
    @pytest.mark.postgresql
    def test_gone_for_a_while_it_waits_and_goes_on(
        self, programs: Programs, place_on_postgresql: Place, postgresql_server: str
    ):
        place = place_on_postgresql
        daemon = programs.start(DEMO_DAEMON, place.environment())
        daemon.says(STARTED)
        name = make_url(place.settings.database_address).database
        with psycopg.connect(postgresql_server, autocommit=True) as admin:
            admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
            place.world.post(place.world.person("bob"), "@smoney send 10€ @alice")
            wait_until(lambda: daemon.said.count(".database ") >= 3, "several tries in vain")
            assert code_in(place) is None
            admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        confirm(place)
        assert ".fault" not in daemon.said
        assert daemon.is_told(signal.SIGTERM) < SOON_SECONDS
        assert place.available("alice") == 10_00


class TestBrokenRows:
    def test_a_row_that_cannot_be_opened_is_set_aside_with_its_reason_and_the_rest_goes_on(
        self, programs: Programs, place: Place
    ):
        world = place.world
        broken = world.post(world.person("bob"), "@smoney send 99€ @carol")
        world.post(world.person("bob"), "@smoney send 10€ @alice")
        with place.open() as town:
            assert town.bot.listening.read_mentions() == 2
        change(place, "UPDATE inbox SET payload_sealed = zeroblob(100) WHERE x_id = ?", broken.id)
        daemon = programs.start(DEMO_DAEMON, place.environment())
        daemon.says(STARTED)
        confirm(place)
        assert "work.set_aside" in daemon.said
        assert daemon.is_told(signal.SIGTERM) < SOON_SECONDS
        [(state, reason)] = rows(place, "SELECT state, reason FROM inbox WHERE x_id = ?", broken.id)
        assert state == "set_aside"
        assert "does not open" in reason
        assert place.available("carol") == 50_00

    def test_a_row_the_database_will_not_have_is_set_aside_and_the_rest_goes_on(
        self, programs: Programs, place: Place
    ):
        """What a constraint refuses once, it refuses always: waiting would hold up everybody."""
        world = place.world
        change(
            place,
            "CREATE TRIGGER no_more BEFORE INSERT ON intents WHEN NEW.total_minor = 2900 "
            "BEGIN SELECT RAISE(ABORT, 'a constraint of some kind'); END",
        )
        broken = world.post(world.person("bob"), "@smoney send 29€ @carol")
        world.post(world.person("bob"), "@smoney send 10€ @alice")
        daemon = programs.start(DEMO_DAEMON, place.environment())
        daemon.says(STARTED)
        confirm(place)
        assert daemon.is_told(signal.SIGTERM) < SOON_SECONDS
        [(state, reason)] = rows(place, "SELECT state, reason FROM inbox WHERE x_id = ?", broken.id)
        assert state == "set_aside"
        assert "a constraint of some kind" in reason

    def test_what_the_ledger_will_not_have_stops_the_daemon_and_calls_an_admin(
        self, programs: Programs, place: Place
    ):
        daemon = programs.start(DEMO_DAEMON, place.environment())
        daemon.says(STARTED)
        change(
            place,
            "CREATE TRIGGER no_more BEFORE INSERT ON ledger_transfer BEGIN SELECT RAISE(ABORT, 'no more money'); END",
        )
        world = place.world
        world.post(world.person("bob"), "@smoney send 10€ @alice")
        world.send_message(world.person("bob"), place.bot, code_for(place, "bob"))
        assert daemon.ends() == 3
        assert "invariant_broken" in daemon.said
        assert place.available("alice") == 0
        # Whoever starts it again without looking moves no money.
        assert rows(place, "SELECT name, set_by FROM switches") == [("payments_paused", "self-check")]
        assert rows(place, "SELECT name FROM alarms WHERE cleared_at IS NULL") == [("invariant_broken",)]

    def test_what_is_broken_in_the_book_pauses_payments_and_is_told_while_it_goes_on(
        self, programs: Programs, place: Place
    ):
        world = place.world
        alarmed = {"self_check_seconds": 0.2, "alarm_accounts": "@carol"}
        daemon = programs.start(DEMO_DAEMON, place.environment(**alarmed))
        daemon.says(STARTED)
        change(place, "DROP TRIGGER ledger_account_moves_by_transfer")
        change(
            place,
            "UPDATE ledger_account SET debits_posted = 1, credits_posted = credits_posted + 1 WHERE code = 'wallet'",
        )
        daemon.says("alarm.raised")
        wait_until(lambda: any("ALARM" in words for words in place.heard_by("carol")), "carol is told")
        world.send_message(world.person("bob"), place.bot, "balance")
        wait_until(lambda: "Balance" in place.heard_by("bob")[-1], "bob is still answered")
        assert daemon.process.poll() is None
        assert daemon.is_told(signal.SIGTERM) < SOON_SECONDS
        assert ("payments_paused", "self-check") in rows(place, "SELECT name, set_by FROM switches")


PIECES = (
    "@smoney",
    "send",
    "10€",
    "@alice",
    "12,99 EUR",
    "start",
    "stop",
    "A 123456",
    "\x00",
    "\u202e",
    "P-7K3F9Q",
)
ANYTHING = st.one_of(
    st.text(max_size=60),
    st.binary(max_size=60).map(lambda data: data.decode("utf-8", "replace")),
    st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=8).map(" ".join),
)


class TestAnything:
    def test_as_a_tweet_or_a_message_neither_stops_the_work_nor_pays(self, place: Place):
        with place.open() as town:
            before = {name: town.available_minor(name) for name in ("bob", "alice", "carol")}
            said_to(town, place)
            assert {name: town.available_minor(name) for name in before} == before
        assert not rows(place, "SELECT reason FROM inbox WHERE state <> 'done'")
        assert not rows(place, "SELECT phrase, reason FROM outbox WHERE state NOT IN ('sent', 'dropped')")
        assert not rows(place, "SELECT 1 FROM ledger_transfer WHERE code <> 'test_money'")


def said_to(town: Town, place: Place) -> None:
    world = place.world

    @settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(author=st.sampled_from(["bob", "carol"]), text=ANYTHING, tweeted=st.booleans())
    def anything(author: str, text: str, tweeted: bool) -> None:
        with suppress(XRefusal):
            if tweeted:
                world.post(world.person(author), f"@smoney {text}")
            else:
                world.send_message(world.person(author), place.bot, text)
        town.settle()

    anything()


def code_in(place: Place) -> str | None:
    """The first code bob was sent, if there is one."""
    found = (CODE.search(text) for text in place.heard_by("bob"))
    return next((match[1] for match in found if match), None)


@contextmanager
def a_small_disk(where: Path) -> Iterator[Path]:
    """A file system of its own, which can be filled."""
    where.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "none", where], check=False
    ).returncode:
        pytest.skip("needs the right to mount a file system (root)")
    try:
        yield where
    finally:
        subprocess.run(["umount", "--lazy", where], check=True)


def database_file(place: Place) -> Path:
    return Path(place.settings.database_address.removeprefix("sqlite:///"))


def rows(place: Place, statement: str, *values: object) -> list[tuple]:
    with closing(sqlite3.connect(database_file(place))) as connection:
        return connection.execute(statement, values).fetchall()


def change(place: Place, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(database_file(place), timeout=30)) as connection, connection:
        connection.execute(statement, values)
