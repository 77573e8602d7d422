"""Whole programs as an operator runs them: real processes, the sandbox over HTTP, and bounded waiting for what they do.

Every process a test starts is ended with it, by its own id.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot.demo.playing import credentials_of
from bot.demo.town import Resident, Town, demo_settings, open_town
from bot.sandbox.core import World
from bot.sandbox.http import Served, serve
from bot.sandbox.people import Person
from bot.settings import Settings
from tests.judged_program import WHERE

ROOT = Path(__file__).parents[2]
SMONEY = (sys.executable, "-c", "from bot.cli import main; main()")
JUDGED = (sys.executable, "-c", "from tests.judged_program import main; main()")
"""The same for what brings a sandbox of its own: its answers are held against X's description."""
HAVE_SANDBOXES = ("demo", "sandbox")
DEMO_DAEMON = (
    sys.executable,
    "-c",
    "from bot.running import run_daemon; from bot.settings import load; exit(3 * run_daemon(load(), is_demo=True))",
)
"""`smoney run` on a demo's book, which the command itself refuses."""
PATIENCE_SECONDS = 60
SOON_SECONDS = 10
"""How long a program may take to end when it is told to: less than any of the time limits it could be waiting for."""


def wait_until(true: Callable[[], Any], what: str, seconds: float = PATIENCE_SECONDS) -> Any:
    """Looks again and again, as real processes must be waited for; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (found := true()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)
    return found


@dataclass
class Program:
    """A process of ours, and what it says."""

    process: subprocess.Popen[str]
    said_in: Path

    @property
    def said(self) -> str:
        return self.said_in.read_text(encoding="utf-8", errors="replace")

    def says(self, words: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Waits until it has said so."""

        def heard() -> bool:
            return words in self.said or self.process.poll() is not None

        wait_until(heard, f"“{words}” from\n{self.said}", seconds)
        assert words in self.said, (
            f"it ended with {self.process.poll()} before it said “{words}”:\n{self.said}"
        )

    def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def ends(self, seconds: float = PATIENCE_SECONDS) -> int:
        """Its exit code."""
        return self.process.wait(seconds)

    def is_told(self, number: signal.Signals) -> float:
        """Sends a signal; after how many seconds it had ended."""
        began = time.monotonic()
        self.process.send_signal(number)
        self.ends()
        return time.monotonic() - began

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@dataclass
class Programs:
    """Starts programs in a directory of their own, with nothing of ours in their environment but what is given."""

    home: Path
    started: list[Program] = field(default_factory=list)

    @property
    def objections(self) -> Path:
        """Where sandboxes in these programs write down what they said and X would not."""
        return self.home / "objections.txt"

    def start(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> Program:
        """Both its outputs go into one file."""
        said_in = self.home / f"said-{len(self.started)}.txt"
        bare = {name: value for name, value in os.environ.items() if not name.startswith("SMONEY_")}
        with said_in.open("w") as out:
            process = subprocess.Popen(
                command,
                cwd=self.home,
                env=bare
                | {"PYTHONPATH": str(ROOT), "COLUMNS": "200", WHERE: str(self.objections)}
                | dict(environment or {}),
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=subprocess.STDOUT,
                text=True,
            )
        self.started.append(Program(process, said_in))
        return self.started[-1]

    def smoney(self, *arguments: str, environment: Mapping[str, str] | None = None) -> Program:
        command = JUDGED if arguments[0] in HAVE_SANDBOXES else SMONEY
        return self.start([*command, *arguments], environment)

    def end(self) -> None:
        for program in self.started:
            program.kill()
            if program.process.stdin is not None:
                try:
                    program.process.stdin.close()
                except BrokenPipeError:
                    continue


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Programs]:
    home = tmp_path / "programs"
    home.mkdir()
    started = Programs(home)
    yield started
    started.end()
    assert not started.objections.exists(), started.objections.read_text(encoding="utf-8")


def environment_of(settings: Settings, served: Served, bot: Person, **chosen: object) -> dict[str, str]:
    """What a daemon in a process of its own needs to be the bot of this town."""
    keys = credentials_of(served.world, bot)
    values: dict[str, object] = {
        "home": settings.home,
        "database_url": settings.database_url.get_secret_value(),
        "keys": settings.required("keys"),
        "x_base_url": served.address,
        "x_api_key": keys.api_key,
        "x_api_secret": keys.api_secret,
        "x_access_token": keys.access_token,
        "x_access_token_secret": keys.access_token_secret,
        "x_timeout_seconds": 3,
        "x_settle_seconds": 1,
        "mentions_poll_seconds": 0.1,
        "messages_poll_seconds": 0.1,
        "work_poll_seconds": 0.1,
        "deliver_poll_seconds": 0.1,
        "sweep_poll_seconds": 1,
        "web_port": settings.web_port,
        "messages_per_quarter_hour": 1_000_000,
        "messages_per_day": 1_000_000,
    }
    return {f"SMONEY_{name.upper()}": str(value) for name, value in (values | chosen).items()}


@dataclass
class Place:
    """A sandbox X over HTTP, a demo's book with people in it, and no daemon yet."""

    served: Served
    settings: Settings
    bot: Person

    @property
    def world(self) -> World:
        return self.served.world

    def environment(self, **chosen: object) -> dict[str, str]:
        return environment_of(self.settings, self.served, self.bot, **chosen)

    def open(self) -> Any:
        """The town as it is now, in this process."""
        return open_town(self.settings, self.world, entropy=os.urandom)

    def available(self, username: str) -> int | None:
        with self.open() as town:
            assert isinstance(town, Town)
            return town.available_minor(username)

    def heard_by(self, username: str) -> list[str]:
        """What the bot has said to someone in private."""
        thread = self.world.thread(self.bot, self.world.person(username))
        return [message.text for message in thread if message.sender_id == self.bot.id]


RESIDENTS = (
    Resident("bob", "Bob", 100_00),
    Resident("alice", "Alice", 0),
    Resident("carol", "Carol", 50_00),
)


@contextmanager
def a_place(home: Path, **chosen: object) -> Iterator[Place]:
    world = World()
    bot = world.create_person("smoney", "smoney", open_messages=True)
    settings = demo_settings(home, os.urandom, **chosen)
    with open_town(settings, world, entropy=os.urandom, residents=RESIDENTS):
        pass
    with serve(world) as served:
        yield Place(served, settings, bot)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A place whose book is a SQLite file."""
    with a_place(tmp_path / "home") as made:
        yield made


@pytest.fixture
def place_on_postgresql(tmp_path: Path, postgresql_url: str) -> Iterator[Place]:
    with a_place(tmp_path / "home", database_url=SecretStr(postgresql_url)) as made:
        yield made
