"""The one way to write: what is kept, what is not, and who hears of it."""

import contextvars
import gc
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import groupby
from time import monotonic, sleep
from typing import Any

import psycopg
import pytest
import sqlalchemy.exc
from sqlalchemy import event, text
from sqlmodel import Field, Session, SQLModel

from ledger import sqlite
from ledger.audit import verify
from ledger.database import Database
from ledger.errors import (
    CommitInWork,
    DatabaseBusy,
    DatabaseClosed,
    InsufficientFunds,
    Invalid,
    LedgerError,
    NestedWrite,
    OutcomeUnknown,
    TransactionLost,
    WriteInRead,
)
from ledger.sessions import DRIVER, WriterConnection, driver_of
from tests.integration.ledger.world import World


class NoteRow(SQLModel, table=True):
    """A table of the ledger's user, in the same database."""

    __tablename__ = "test_note"
    id: int | None = Field(default=None, primary_key=True)
    word: str = Field(unique=True)


@pytest.fixture
def world(database):
    def create(session):
        SQLModel.metadata.tables["test_note"].create(session.connection())

    database.write(create)
    world = World(database)
    world.alice, world.bob = world.wallet(1000), world.wallet()
    yield world
    assert verify(database).findings == ()


def words(database):
    return database.read(
        lambda session: [row[0] for row in session.execute(text("SELECT word FROM test_note ORDER BY 1"))]
    )


def add(word):
    def work(session):
        session.add(NoteRow(word=word))

    return work


def run(statement):
    def work(session):
        session.connection().exec_driver_sql(statement)

    return work


class TestWrite:
    def test_keeps_the_ledgers_transfers_and_its_users_rows_together(self, world):
        def work(session):
            session.add(NoteRow(word="paid"))
            return world.ledger.transfer(session, world.new(world.alice, world.bob, 10))

        assert world.database.write(work).amount.amount_minor == 10
        assert (words(world.database), world.available(world.bob)) == (["paid"], 10)

    def test_keeps_nothing_of_a_work_that_raises_and_lets_the_error_out(self, world):
        def work(session):
            session.add(NoteRow(word="paid"))
            session.flush()
            world.ledger.transfer(session, world.new(world.alice, world.bob, 10))
            raise KeyError("oh")

        with pytest.raises(KeyError, match="oh"):
            world.database.write(work)
        assert (words(world.database), world.available(world.bob)) == ([], 0)
        assert world.pay(world.alice, world.bob, 1)

    def test_keeps_the_rows_it_has_read_until_it_ends_and_a_read_does_not(self, world):
        world.database.write(add("kept"))

        def work(session):
            session.get(NoteRow, 1)
            gc.collect()
            return len(session.identity_map)

        assert (world.database.write(work), world.database.read(work)) == (1, 0)

    def test_shows_nothing_before_its_commit(self, world):
        seen = []

        def work(session):
            session.add(NoteRow(word="paid"))
            session.flush()
            world.ledger.transfer(session, world.new(world.alice, world.bob, 10))
            seen.extend([*words(world.database), world.available(world.bob)])

        world.database.write(work)
        assert seen == [0]

    def test_does_not_nest(self, world):
        with pytest.raises(NestedWrite):
            world.database.write(lambda _: world.database.write(add("inner")))
        assert words(world.database) == []

    def test_is_committed_by_nobody_else(self, world):
        with pytest.raises(CommitInWork):
            world.database.write(lambda session: (add("x")(session), session.commit()))
        assert words(world.database) == []

    def test_rollback_in_a_work_takes_back_the_whole_work_so_far(self, world):
        def work(session):
            world.ledger.transfer(session, world.new(world.alice, world.bob, 10))
            session.add(NoteRow(word="before"))
            session.flush()
            session.rollback()
            session.add(NoteRow(word="after"))
            world.ledger.transfer(session, world.new(world.alice, world.bob, 1))

        world.database.write(work)
        assert (words(world.database), world.available(world.bob)) == (["after"], 1)

    def test_rollback_takes_back_transfers_even_if_the_session_was_not_used_otherwise(self, world):
        def work(session):
            world.ledger.transfer(session, world.new(world.alice, world.bob, 10))
            session.rollback()

        world.database.write(work)
        assert world.available(world.bob) == 0

    def test_nested_transaction_of_a_session_holds_transfers_as_well(self, world):
        def work(session):
            world.ledger.transfer(session, world.new(world.alice, world.bob, 1))
            nested = session.begin_nested()
            world.ledger.transfer(session, world.new(world.alice, world.bob, 10))
            nested.rollback()
            with session.begin_nested():
                world.ledger.transfer(session, world.new(world.alice, world.bob, 100))

        world.database.write(work)
        assert world.available(world.bob) == 101

    def test_an_error_of_the_users_own_tables_comes_out_and_harms_nobody(self, world):
        def work(session):
            world.ledger.transfer(session, world.new(world.alice, world.bob, 1))
            add("once")(session)

        world.database.write(add("once"))
        with pytest.raises(sqlalchemy.exc.IntegrityError):
            world.database.write(work)
        assert world.available(world.bob) == 0
        world.database.write(add("twice"))

    def test_rows_stay_readable_after_it(self, world):
        def work(session):
            row = NoteRow(word="kept")
            session.add(row)
            return row

        row = world.database.write(work)
        assert (row.word, row.id is not None) == ("kept", True)

    def test_sees_the_callers_context(self, world):
        person = contextvars.ContextVar("person", default="nobody")
        person.set("alice")
        assert world.database.write(lambda _: person.get()) == "alice"

    def test_url_of_another_engine_is_refused(self):
        for url in ("mysql://x/y", "sqlite://", "sqlite:///:memory:"):
            with pytest.raises(Invalid):
                Database(url)

    def test_password_is_never_printed(self):
        with Database("postgresql://someone:secret@127.0.0.1:1/none", busy_seconds=0) as database:
            with pytest.raises(DatabaseBusy) as unreachable:
                database.write(add("x"))
            assert "secret" not in f"{unreachable.value} {database!r} {vars(database)}"

    def test_broken_key_that_is_looked_at_only_at_the_end_comes_out_as_itself(self, world):
        world.database.write(
            run(
                "CREATE TABLE child (id INTEGER REFERENCES test_note (id) DEFERRABLE INITIALLY DEFERRED)"
                if world.database.dialect == "sqlite"
                else "CREATE TABLE child (id bigint REFERENCES test_note (id) DEFERRABLE INITIALLY DEFERRED)"
            )
        )

        def work(session):
            run("INSERT INTO child VALUES (99)")(session)
            world.ledger.transfer(session, world.new(world.alice, world.bob, 5))

        with pytest.raises((sqlite3.IntegrityError, sqlalchemy.exc.IntegrityError), match=r"(?i)foreign key"):
            world.database.write(work)
        assert world.available(world.bob) == 0
        world.pay(world.alice, world.bob, 1)


class TestRead:
    def test_lets_any_other_error_out(self, world):
        with pytest.raises(sqlalchemy.exc.DBAPIError, match="nowhere"):
            world.database.read(run("SELECT * FROM nowhere"))
        assert words(world.database) == []

    def test_refuses_to_write(self, world):
        for work in (add("x"), run("DELETE FROM test_note"), run("CREATE TABLE oh (id INTEGER)")):
            with pytest.raises(WriteInRead):
                world.database.read(lambda session, work=work: (work(session), session.flush()))
        with pytest.raises(WriteInRead):
            world.database.read(
                lambda session: world.ledger.transfer(session, world.new(world.alice, world.bob, 1))
            )
        assert words(world.database) == []

    def test_is_one_snapshot(self, world):
        def work(session):
            before = world.ledger.account(session, world.alice)
            thread = threading.Thread(target=world.pay, args=(world.alice, world.bob, 10))
            thread.start()
            thread.join()
            return before == world.ledger.account(session, world.alice)

        assert world.database.read(work)
        assert world.available(world.bob) == 10

    def test_leaves_nothing_behind_for_the_next(self, world):
        for _ in range(50):
            with pytest.raises(KeyError):
                world.database.read(lambda _: dict[str, int]()["x"])
        assert words(world.database) == []


class TestConcurrentWrites:
    def test_lose_nothing_and_overdraw_nothing(self, world):
        """400 debits of 5 from a wallet with 1000, by 8 threads: exactly 200 are paid."""
        refused = []

        def pay(number):
            try:
                world.pay(world.alice, world.bob, 5, idempotency_key=f"c{number}")
            except InsufficientFunds:
                refused.append(number)

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(pay, range(400)))
        assert (len(refused), world.available(world.alice), world.available(world.bob)) == (200, 0, 1000)

    def test_of_one_key_book_once(self, world):
        with ThreadPoolExecutor(8) as threads:
            booked = list(
                threads.map(lambda _: world.pay(world.alice, world.bob, 5, idempotency_key="once"), range(40))
            )
        assert len({one.id for one in booked}) == 1
        assert world.available(world.bob) == 5

    def test_resolve_a_pending_transfer_once(self, world):
        held = world.hold(world.alice, world.bob, 100)
        world.clock.move(days=8)

        def resolve(number):
            try:
                getattr(world, ("post", "void", "expire")[number % 3])(held.id)
            except LedgerError as error:
                return type(error).__name__
            return "resolved"

        with ThreadPoolExecutor(8) as threads:
            outcomes = list(threads.map(resolve, range(24)))
        assert sorted(set(outcomes)) == ["AlreadyResolved", "resolved"]
        assert outcomes.count("resolved") == 1

    def test_in_both_directions_do_not_stay_deadlocked(self, world):
        world.pay(world.alice, world.bob, 500)

        def work(session, number):
            pair = (world.alice, world.bob) if number % 2 else (world.bob, world.alice)
            third = world.bank()
            world.ledger.transfer(session, world.new(*pair, 1, idempotency_key=f"d{number}"))
            world.ledger.transfer(session, world.new(pair[1], third, 1, idempotency_key=f"e{number}"))

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda n: world.database.write(lambda session: work(session, n)), range(80)))
        assert world.account(world.bank()).posted_minor == 1000 - 80


@pytest.fixture
def sqlite_world(sqlite_url):
    with Database(sqlite_url, busy_seconds=6) as database:
        database.write(run("CREATE TABLE test_note (id INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE)"))
        world = World(database)
        world.url = sqlite_url
        world.alice, world.bob = world.wallet(1000), world.wallet()
        yield world
        assert verify(database).findings == ()


def together(world, works, *, begun_by=None):
    """Give all works to `write` so that they share one commit: one before them holds the pen until all wait.

    That one is a work that does nothing, or `begun_by`, whose result then comes first.
    """
    database, engine = world.database, world.database._engine
    inside = threading.Event()
    results: dict[Any, Any] = {}

    def first(session):
        while not inside.is_set() or (len(engine._waiting) < len(works) and not results.get("all")):
            inside.set()
        results["all"] = True
        return None if begun_by is None else begun_by(session)

    def call(number, work):
        try:
            results[number] = database.write(work)
        except BaseException as error:  # noqa: BLE001 (the caller looks at it)
            results[number] = error

    threads = [threading.Thread(target=call, args=(-1, first))]
    threads[0].start()
    inside.wait()
    for number, work in enumerate(works):
        threads.append(threading.Thread(target=call, args=(number, work)))
        threads[-1].start()
        while len(engine._waiting) <= number < len(works) - 1:  # in this order
            pass
    for thread in threads:
        thread.join()
    return [results[number] for number in range(0 if begun_by is None else -1, len(works))]


class TestSharedCommit:
    """Calls that wait at the same moment, on SQLite."""

    def test_is_one_for_all_who_wait(self, sqlite_world):
        world, commits = sqlite_world, []
        world.database._engine._driver.set_trace_callback(
            lambda sql: commits.append(sql) if sql == "COMMIT" else None
        )
        together(world, [add(f"w{number}") for number in range(10)])
        assert len(commits) == 1
        assert len(words(world.database)) == 10

    def test_is_bounded(self, sqlite_world):
        world, commits = sqlite_world, []
        world.database._engine._driver.set_trace_callback(
            lambda sql: commits.append(sql) if sql == "COMMIT" else None
        )
        together(world, [add(f"w{number}") for number in range(100)])
        assert len(commits) == 2
        assert len(words(world.database)) == 100

    @pytest.mark.parametrize(
        "breaker",
        [
            "raises",
            "breaks a constraint",
            "swallows a broken constraint",
            "commits",
            "commits and begins",
            "rolls back",
            "inserts or rolls back",
            "leaves rows unfetched",
            "breaks a deferred key",
            "exits",
        ],
    )
    @pytest.mark.parametrize("place", ["between", "first"])
    @pytest.mark.parametrize("pays", ["before", "after"])
    def test_a_neighbour_that_fails_harms_only_itself(self, sqlite_world, breaker, place, pays):
        """Whether it is the first of the commit or not, and pays before it uses the session or after that."""
        world = sqlite_world
        world.database.write(add("there"))
        world.database.write(
            run("CREATE TABLE child (id REFERENCES test_note (id) DEFERRABLE INITIALLY DEFERRED)")
        )
        kept = []

        def broken(session):
            if pays == "before":
                world.ledger.transfer(session, world.new(world.alice, world.bob, 500))
            connection = session.connection()
            if pays == "after":
                world.ledger.transfer(session, world.new(world.alice, world.bob, 500))
            match breaker:
                case "raises":
                    raise KeyError("mine")
                case "breaks a constraint":
                    add("there")(session)
                case "swallows a broken constraint":
                    add("there")(session)
                    with pytest.raises(sqlalchemy.exc.IntegrityError):
                        session.flush()
                case "commits":
                    connection.exec_driver_sql("COMMIT")
                case "commits and begins":
                    connection.exec_driver_sql("COMMIT")
                    connection.exec_driver_sql("BEGIN")
                case "rolls back":
                    connection.exec_driver_sql("ROLLBACK")
                case "inserts or rolls back":
                    connection.exec_driver_sql("INSERT OR ROLLBACK INTO test_note (word) VALUES ('there')")
                case "leaves rows unfetched":
                    driver = connection.connection.driver_connection
                    kept.append(
                        driver.execute("INSERT INTO test_note (word) VALUES ('a'), ('b') RETURNING id")
                    )
                    next(kept[0])
                case "breaks a deferred key":
                    connection.exec_driver_sql("INSERT INTO child VALUES (99)")
                case "exits":
                    raise SystemExit(3)

        def pay(number):
            return lambda session: world.ledger.transfer(
                session, world.new(world.alice, world.bob, 1, idempotency_key=f"n{number}")
            )

        if place == "first":
            failed, before, after = together(world, [pay(1), pay(2)], begun_by=broken)
        else:
            before, failed, after = together(world, [pay(1), broken, pay(2)])
        assert before.id != after.id
        assert isinstance(failed, BaseException)
        expected = 502 if breaker.startswith("commits") else 2  # what a work commits by itself is committed
        assert world.available(world.bob) == expected
        assert words(world.database) == ["there"]
        world.pay(world.alice, world.bob, 1)

    def test_that_fails_is_told_to_all_it_carried_as_unknown(self, sqlite_world, monkeypatch):
        world = sqlite_world

        def fails(driver, statement, *parameters):
            if statement == "COMMIT":
                error = sqlite3.OperationalError("disk I/O error")
                error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
                raise error
            return sqlite3.Connection.execute(driver, statement, *parameters)

        with monkeypatch.context() as broken:
            broken.setattr(WriterConnection, "execute", fails)
            results = together(world, [add("x"), add("y")])
        assert [type(result) for result in results] == [OutcomeUnknown, OutcomeUnknown]
        assert words(world.database) == []
        world.database.write(add("z"))

    def test_that_fails_lets_go_of_who_comes_while_each_is_tried_alone(self, sqlite_world, monkeypatch):
        world = sqlite_world
        begun: list[str] = []
        late: list[threading.Thread] = []
        engine = world.database._engine

        def fails_once(driver, statement, *parameters):
            if statement == "COMMIT" and not late:
                error = sqlite3.OperationalError("disk I/O error")
                error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
                late.append(threading.Thread(target=world.database.write, args=(add("late"),), daemon=True))
                raise error
            if statement == "BEGIN IMMEDIATE" and late and not begun:
                begun.append(statement)
                late[0].start()
                while not engine._waiting:
                    pass
            return sqlite3.Connection.execute(driver, statement, *parameters)

        with monkeypatch.context() as broken:
            broken.setattr(WriterConnection, "execute", fails_once)
            assert together(world, [add("x"), add("y")]) == [None, None]
            late[0].join(10)
        assert not late[0].is_alive()
        assert words(world.database) == ["late", "x", "y"]

    @pytest.mark.parametrize("through", ["connection", "get_transaction"])
    def test_is_not_made_by_a_work_through_what_lies_under_its_session(self, sqlite_world, through):
        def work(session):
            add("x")(session)
            session.flush()
            getattr(session, through)().commit()

        with pytest.raises(CommitInWork):
            sqlite_world.database.write(work)
        assert words(sqlite_world.database) == []

    def test_file_that_cannot_be_opened_again_at_once_is_opened_by_the_next_write(
        self, sqlite_world, monkeypatch
    ):
        world = sqlite_world

        def fails(_):
            raise sqlite3.OperationalError("unable to open database file")

        with monkeypatch.context() as broken:
            broken.setattr(world.database._engine, "_open", fails)
            with pytest.raises(TransactionLost):
                world.database.write(run("ROLLBACK"))
        world.database.write(add("x"))
        assert words(world.database) == ["x"]

    def test_caller_interrupted_while_it_waits_hears_just_that_and_its_work_is_not_run(
        self, sqlite_world, monkeypatch
    ):
        world = sqlite_world
        inside, go_on = threading.Event(), threading.Event()

        def interrupted(*_):
            raise KeyboardInterrupt

        def holds(_):
            inside.set()
            assert go_on.wait(10)

        with ThreadPoolExecutor(1) as threads, monkeypatch.context() as broken:
            first = threads.submit(world.database.write, holds)
            assert inside.wait(10)
            broken.setattr(sqlite._Call, "wait", interrupted)
            with pytest.raises(KeyboardInterrupt):
                world.database.write(add("x"))
            go_on.set()
            first.result(10)
        world.database.write(add("y"))
        assert words(world.database) == ["y"]

    def test_is_run_again_when_the_file_is_busy(self, sqlite_world, monkeypatch):
        world = sqlite_world
        tries: list[Any] = []

        def fails(driver, statement, *parameters):
            if statement in {"BEGIN IMMEDIATE", "COMMIT"} and tries.count(statement) < 2:
                tries.append(statement)
                error = sqlite3.OperationalError("database is locked")
                error.sqlite_errorcode = (
                    sqlite3.SQLITE_BUSY if len(tries) % 2 else sqlite3.SQLITE_BUSY_SNAPSHOT
                )
                raise error
            return sqlite3.Connection.execute(driver, statement, *parameters)

        monkeypatch.setattr(WriterConnection, "execute", fails)
        world.database.write(add("x"))
        assert tries == ["BEGIN IMMEDIATE", "BEGIN IMMEDIATE", "COMMIT", "COMMIT"]
        assert words(world.database) == ["x"]

    def test_is_run_again_with_all_who_share_it_when_a_work_finds_the_file_busy(self, sqlite_world):
        world, tries = sqlite_world, []

        def busy_once(session):
            tries.append(1)
            if len(tries) == 1:
                error = sqlite3.OperationalError("database is locked")
                error.sqlite_errorcode = sqlite3.SQLITE_BUSY
                raise error
            add("busy")(session)

        assert together(world, [add("before"), busy_once, add("after")]) == [None, None, None]
        assert len(tries) == 2
        assert words(world.database) == ["after", "before", "busy"]

    def test_that_a_work_has_broken_is_told_with_the_works_own_error_if_it_had_one(self, sqlite_world):
        def raises(session):
            run("ROLLBACK")(session)
            raise KeyError("mine")

        for work, cause in ((run("ROLLBACK"), sqlite3.OperationalError), (raises, KeyError)):
            with pytest.raises(TransactionLost) as lost:
                sqlite_world.database.write(work)
            assert isinstance(lost.value.__cause__, cause)

    def test_is_not_made_once_more_for_a_single_work_that_has_broken_it(self, sqlite_world, monkeypatch):
        said = []

        def execute(driver, statement, *parameters):
            said.append(statement)
            return sqlite3.Connection.execute(driver, statement, *parameters)

        with monkeypatch.context() as told:
            told.setattr(WriterConnection, "execute", execute)
            with pytest.raises(TransactionLost):
                sqlite_world.database.write(run("ROLLBACK"))
        assert said.count("BEGIN IMMEDIATE") == 1

    def test_waits_for_another_process_and_then_says_busy(self, sqlite_world):
        world = sqlite_world
        other = sqlite3.connect(
            world.url.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False
        )
        other.execute("BEGIN IMMEDIATE")
        with Database(world.url, busy_seconds=1) as impatient, pytest.raises(DatabaseBusy):
            impatient.write(add("x"))
        timer = threading.Timer(0.2, lambda: other.execute("COMMIT"))
        timer.start()
        world.database.write(add("y"))
        timer.join()
        other.close()
        assert words(world.database) == ["y"]

    def test_full_disk_fails_its_work_and_no_neighbour(self, sqlite_world):
        world = sqlite_world
        pages = world.database.read(lambda session: session.execute(text("PRAGMA page_count")).scalar_one())
        world.database.write(run(f"PRAGMA max_page_count = {pages + 4}"))

        def fill(session):
            session.add(NoteRow(word="x" * 1_000_000))

        before, full, after = together(world, [add("before"), fill, add("after")])
        assert (before, after) == (None, None)
        assert isinstance(full, sqlalchemy.exc.OperationalError | TransactionLost)
        assert words(world.database) == ["after", "before"]

    def test_caller_who_gives_up_hears_unknown_and_the_key_settles_it(self, sqlite_world):
        world = sqlite_world
        inside, go_on = threading.Event(), threading.Event()

        def wait(_):
            inside.set()
            go_on.wait()

        slow = threading.Thread(target=world.database.write, args=(wait,))
        slow.start()
        inside.wait()
        started = monotonic()
        new = world.new(world.alice, world.bob, 5, idempotency_key="mine")
        with pytest.raises(OutcomeUnknown):
            world.database.write(lambda session: world.ledger.transfer(session, new), timeout_seconds=0.05)
        assert monotonic() - started < 2
        go_on.set()
        slow.join()
        assert world.read("by_idempotency_key", "mine") is None
        booked = world.database.write(lambda session: world.ledger.transfer(session, new))
        assert booked.idempotency_key == "mine"
        assert world.available(world.bob) == 5

    def test_interrupt_in_the_thread_that_carries_leaves_the_others_to_the_next(self, sqlite_world):
        """A Ctrl-C reaches the thread that happens to run another caller's work: that work is run again by its own."""
        world, carriers = sqlite_world, []

        def neighbour(session):
            carriers.append(threading.current_thread().name)
            if len(carriers) == 1:
                raise KeyboardInterrupt
            add("neighbour")(session)

        results = together(world, [neighbour, add("other")])
        assert results == [None, None]
        assert len(set(carriers)) == 2
        assert words(world.database) == ["neighbour", "other"]

    @pytest.mark.parametrize("carried", [0, 1])
    def test_interrupt_while_others_come_loses_none_of_them(self, sqlite_world, carried):
        """Those it carried go first, and then, in their order, who came meanwhile."""
        world = sqlite_world
        late: list[threading.Thread] = []
        engine = world.database._engine

        def interrupted(_):
            if late:  # run again, by a carrier of its own
                return
            for number in range(2):
                late.append(
                    threading.Thread(target=world.database.write, args=(add(f"late {number}"),), daemon=True)
                )
                late[-1].start()
                while len(engine._waiting) <= number:
                    pass
            raise KeyboardInterrupt

        if carried:
            assert together(world, [interrupted]) == [None]
        else:
            with pytest.raises(KeyboardInterrupt):
                world.database.write(interrupted)
        for thread in late:
            thread.join(10)
            assert not thread.is_alive()
        assert words(world.database) == ["late 0", "late 1"]

    def test_interrupt_leaves_the_pen_to_the_only_one_who_waits(self, sqlite_world):
        world = sqlite_world
        late: list[threading.Thread] = []

        def interrupted(_):
            late.append(threading.Thread(target=world.database.write, args=(add("late"),), daemon=True))
            late[0].start()
            while not world.database._engine._waiting:
                pass
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            world.database.write(interrupted)
        late[0].join(10)
        assert not late[0].is_alive()
        assert words(world.database) == ["late"]


def statements(world, work):
    """What `write` says to SQLite for this work, in two words each; the same again and again is told once."""
    said: list[str] = []
    driver = world.database._engine._driver
    driver.set_trace_callback(lambda sql: said.append(" ".join(sql.split()[:2])))
    try:
        with suppress(LedgerError):
            world.database.write(work)
    finally:
        driver.set_trace_callback(None)
    return [words for words, _ in groupby(said)]


class TestSavepoints:
    """A work has one only where it is needed, on SQLite; what is taken back is the same with and without."""

    def test_are_none_for_a_transfer_or_a_journal_that_comes_first(self, sqlite_world):
        world = sqlite_world
        news = [world.new(world.alice, world.bob, 1) for _ in range(3)]
        said = statements(world, lambda session: world.ledger.transfer(session, news[0]))
        assert said == ["BEGIN IMMEDIATE", "INSERT INTO", "COMMIT"]
        said = statements(world, lambda session: world.ledger.journal(session, news[1:]))
        assert said == ["BEGIN IMMEDIATE", "INSERT INTO", "SELECT id,", "COMMIT"]

    @pytest.mark.parametrize("before", ["does nothing", "is taken back"])
    def test_are_none_after_a_work_that_left_nothing_behind(self, sqlite_world, before):
        world = sqlite_world
        said: list[str] = []

        def fails(session):
            world.ledger.transfer(session, world.new(world.alice, world.bob, 10))
            raise KeyError("mine")

        def pays(session):
            return world.ledger.transfer(session, world.new(world.alice, world.bob, 1))

        world.database._engine._driver.set_trace_callback(said.append)
        together(world, [pays], begun_by=fails if before == "is taken back" else None)
        world.database._engine._driver.set_trace_callback(None)
        assert not [statement for statement in said if statement.startswith("SAVEPOINT")]
        assert world.available(world.bob) == 1

    def test_stand_under_whatever_goes_through_the_session(self, sqlite_world):
        said = statements(sqlite_world, add("x"))
        assert said == ["BEGIN IMMEDIATE", "SAVEPOINT work", "INSERT INTO", "RELEASE work", "COMMIT"]

    @pytest.mark.parametrize("place", ["first", "after another"])
    @pytest.mark.parametrize("before", ["nothing", "a transfer", "a row"])
    @pytest.mark.parametrize("refused", ["transfer", "journal"])
    def test_or_none_a_swallowed_refusal_leaves_nothing_and_the_rest_is_kept(
        self, sqlite_world, place, before, refused
    ):
        world = sqlite_world
        world.shy = world.wallet()

        def work(session):
            if before == "a transfer":
                world.ledger.transfer(session, world.new(world.alice, world.bob, 10))
            elif before == "a row":
                add("before")(session)
                session.flush()
            fits, too_much = world.new(world.alice, world.shy, 1), world.new(world.alice, world.shy, 5000)
            lines = [too_much] if refused == "transfer" else [fits, too_much]
            with pytest.raises(InsufficientFunds):
                world.ledger.journal(session, lines)
            add("after")(session)
            world.ledger.journal(session, [world.new(world.alice, world.bob, 100) for _ in range(2)])

        def pay(session):
            return world.ledger.transfer(session, world.new(world.alice, world.bob, 1000 - 300 - 20))

        results = together(world, [pay], begun_by=work) if place == "first" else together(world, [pay, work])
        assert not [result for result in results if isinstance(result, BaseException)]
        assert world.available(world.shy) == 0
        assert world.available(world.bob) == 680 + 200 + (10 if before == "a transfer" else 0)
        assert words(world.database) == (["after", "before"] if before == "a row" else ["after"])

    @pytest.mark.parametrize("place", ["first", "after another"])
    def test_or_none_a_rollback_takes_back_what_was_paid_before_and_after_the_session_was_used(
        self, sqlite_world, place
    ):
        world = sqlite_world

        def work(session):
            for amount in (1, 2):
                world.ledger.transfer(session, world.new(world.alice, world.bob, amount))
                add(f"gone {amount}")(session)
                session.flush()
            session.rollback()
            world.ledger.journal(session, [world.new(world.alice, world.bob, 10) for _ in range(2)])
            add("kept")(session)
            session.flush()
            session.rollback()
            world.ledger.transfer(session, world.new(world.alice, world.bob, 100))
            add("kept")(session)

        def pay(session):
            return world.ledger.transfer(session, world.new(world.alice, world.bob, 500))

        if place == "first":
            together(world, [pay], begun_by=work)
        else:
            together(world, [pay, work])
        assert (words(world.database), world.available(world.bob)) == (["kept"], 600)

    def test_works_that_fail_one_after_another_leave_the_next_its_own(self, sqlite_world):
        world = sqlite_world

        def fails(session):
            world.ledger.journal(session, [world.new(world.alice, world.bob, 10) for _ in range(2)])
            raise KeyError("mine")

        def pays(session):
            return world.ledger.transfer(session, world.new(world.alice, world.bob, 1))

        results = together(world, [fails, pays, fails, pays], begun_by=fails)
        assert [type(one).__name__ for one in results] == [
            "KeyError", "KeyError", "Transfer", "KeyError", "Transfer",
        ]  # fmt: skip
        assert world.available(world.bob) == 2

    def test_why_a_journal_is_refused_is_looked_up_before_another_process_can_change_it(
        self, sqlite_world, monkeypatch
    ):
        """To take it back without a savepoint the lock is given up for a moment, in which others may write."""
        world = sqlite_world
        rich: list[bool] = []
        with Database(world.url) as other:
            elsewhere = World(other)
            elsewhere._numbers, elsewhere._bank = world._numbers, world.bank()
            elsewhere.ledger = world.ledger

            def execute(driver, statement, *parameters):
                if statement == "BEGIN IMMEDIATE" and driver is world.database._engine._driver and rich:
                    rich.clear()
                    elsewhere.pay(world.bank(), world.alice, 5000)
                if statement == "ROLLBACK":
                    rich.append(True)
                return sqlite3.Connection.execute(driver, statement, *parameters)

            monkeypatch.setattr(WriterConnection, "execute", execute)
            booked = world.journal([world.new(world.alice, world.bob, amount) for amount in (1, 4000)])
        assert len(booked) == 2
        assert (world.available(world.alice), world.available(world.bob)) == (1999, 4001)

    def test_fault_in_the_middle_of_a_journal_comes_out_and_it_is_not_tried_again(
        self, sqlite_world, monkeypatch
    ):
        world, tries = sqlite_world, []

        def executemany(driver, statement, rows):
            tries.append(statement)
            sqlite3.Connection.executemany(driver, statement, list(rows)[:1])
            raise MemoryError

        def work(session):
            with pytest.raises(MemoryError):
                world.ledger.journal(session, [world.new(world.alice, world.bob, 10) for _ in range(2)])

        with monkeypatch.context() as broken:
            broken.setattr(WriterConnection, "executemany", executemany)
            world.database.write(work)
        assert (len(tries), world.available(world.bob)) == (1, 0)

    def test_file_that_is_busy_when_a_work_is_taken_back_has_all_run_again(self, sqlite_world, monkeypatch):
        world, said = sqlite_world, []

        def execute(driver, statement, *parameters):
            said.append(statement)
            if said[-2:] == ["ROLLBACK", "BEGIN IMMEDIATE"] and said.count("BEGIN IMMEDIATE") == 2:
                error = sqlite3.OperationalError("database is locked")
                error.sqlite_errorcode = sqlite3.SQLITE_BUSY
                raise error
            return sqlite3.Connection.execute(driver, statement, *parameters)

        def fails(session):
            world.ledger.transfer(session, world.new(world.alice, world.bob, 10))
            raise KeyError("mine")

        monkeypatch.setattr(WriterConnection, "execute", execute)
        failed, kept = together(world, [add("kept")], begun_by=fails)
        assert (type(failed), kept) == (KeyError, None)
        assert (words(world.database), world.available(world.bob)) == (["kept"], 0)

    def test_work_that_goes_on_although_its_transaction_could_not_be_begun_again_is_told(
        self, sqlite_world, monkeypatch
    ):
        world, said = sqlite_world, []

        def execute(driver, statement, *parameters):
            said.append(statement)
            if said[-2:] == ["ROLLBACK", "BEGIN IMMEDIATE"]:
                error = sqlite3.OperationalError("database is locked")
                error.sqlite_errorcode = sqlite3.SQLITE_BUSY
                raise error
            return sqlite3.Connection.execute(driver, statement, *parameters)

        def goes_on(session):
            world.ledger.transfer(session, world.new(world.alice, world.bob, 10))
            with suppress(sqlite3.OperationalError):
                session.rollback()

        with monkeypatch.context() as broken:
            broken.setattr(WriterConnection, "execute", execute)
            with pytest.raises(TransactionLost):
                world.database.write(goes_on)
        assert world.available(world.bob) == 0
        world.pay(world.alice, world.bob, 1)


class TestKeptSession:
    """What a work was given and did not give back."""

    def test_used_and_rolled_back_after_its_work_harms_nobody(self, world):
        kept: list[Any] = []

        def pays(session):
            kept.append(session)
            return world.ledger.transfer(session, world.new(world.alice, world.bob, 1))

        world.database.write(pays)
        kept[0].rollback()
        assert kept[0].execute(text("SELECT 7")).scalar_one() == 7
        kept[0].close()
        world.pay(world.alice, world.bob, 10)
        assert world.available(world.bob) == 11

    def test_whose_transaction_is_gone_has_nothing_to_take_back(self, sqlite_world):
        world, done = sqlite_world, []

        def work(session):
            world.ledger.transfer(session, world.new(world.alice, world.bob, 1))
            run("COMMIT")(session)
            session.rollback()
            done.append(True)

        with pytest.raises(TransactionLost):
            world.database.write(work)
        assert done == [True]

    def test_on_another_driver_is_not_taken(self):
        with pytest.raises(TypeError, match="no driver for"):
            driver_of(Session(info={DRIVER: object()}))


class TestClose:
    def test_lets_those_in_the_queue_finish_and_refuses_later_ones(self, sqlite_url):
        database = Database(sqlite_url)
        database.write(run("CREATE TABLE test_note (id INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE)"))
        inside, go_on = threading.Event(), threading.Event()

        def slow(session):
            inside.set()
            go_on.wait()
            add("slow")(session)

        with ThreadPoolExecutor(4) as threads:
            running = [threads.submit(database.write, slow)]
            inside.wait()
            running += [threads.submit(database.write, add(word)) for word in ("a", "b")]
            threading.Timer(0.1, go_on.set).start()
            database.close()
            for one in running:
                with suppress(DatabaseClosed):
                    one.result(10)
        with pytest.raises(DatabaseClosed):
            database.write(add("late"))
        database.close()
        with Database(sqlite_url) as again:
            assert {"slow"} <= set(words(again)) <= {"slow", "a", "b"}

    @pytest.mark.parametrize("use", ["write", "write_one_statement", "read"])
    def test_waits_for_who_is_at_work_and_refuses_who_comes_later(self, database_url, use):
        database = Database(database_url)
        inside, go_on, done = threading.Event(), threading.Event(), threading.Event()

        def slow(session):
            inside.set()
            assert go_on.wait(10)
            value = session.exec(text("SELECT 7")).scalar_one()
            done.set()
            return value

        with ThreadPoolExecutor(2) as threads:
            running = threads.submit(getattr(database, use), slow)
            assert inside.wait(10)
            closing = threads.submit(database.close)
            sleep(0.1)
            assert not closing.done()
            go_on.set()
            closing.result(10)
            assert done.is_set()
            assert running.result(10) == 7
        with pytest.raises(DatabaseClosed):
            getattr(database, use)(slow)
        database.close()


class TestBackup:
    def test_made_while_running_is_a_book_that_holds(self, sqlite_world, tmp_path):
        world = sqlite_world
        stop = threading.Event()

        def pay():
            while not stop.is_set():
                world.pay(world.bank(), world.bob, 1)

        thread = threading.Thread(target=pay)
        world.bank()
        thread.start()
        while world.account(world.bob).version < 20:
            pass
        world.database.backup(tmp_path / "backup.db")
        stop.set()
        thread.join()
        with Database(f"sqlite:///{tmp_path / 'backup.db'}") as copy:
            assert verify(copy).holds
            assert 20 <= World(copy).account(world.bob).version <= world.account(world.bob).version
        with pytest.raises(Invalid, match="exists"):
            world.database.backup(tmp_path / "backup.db")


@pytest.fixture
def postgresql_world(postgresql_url):
    with Database(postgresql_url, busy_seconds=5, pause=lambda _: None) as database:
        world = World(database)
        world.url = postgresql_url
        world.alice, world.bob = world.wallet(1000), world.wallet()
        yield world
        assert verify(database).findings == ()


@pytest.mark.postgresql
class TestPostgresqlTransaction:
    @pytest.mark.parametrize("state", ["40001", "40P01"])
    def test_is_run_again_whole_when_the_server_asks(self, postgresql_world, state):
        world = postgresql_world
        tries: list[Any] = []

        def work(session):
            tries.append(1)
            booked = world.ledger.transfer(session, world.new(world.alice, world.bob, 5, idempotency_key="k"))
            if len(tries) < 3:
                run(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}'; END $$")(session)
            return booked

        assert world.database.write(work).amount.amount_minor == 5
        assert len(tries) == 3
        assert world.available(world.bob) == 5

    def test_serialisation_failure_between_two_is_settled(self, postgresql_world):
        """Two serialisable works that each read what the other writes: one is told to run again, both are kept."""
        world = postgresql_world
        world.database.write(run("CREATE TABLE counter (id int, value int)"))
        world.database.write(run("INSERT INTO counter VALUES (1, 0), (2, 0)"))
        barrier, tries = threading.Barrier(2), []

        def work(session, mine):
            connection = session.connection()
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
            total = connection.exec_driver_sql("SELECT sum(value) FROM counter").scalar_one()
            tries.append(mine)
            if tries.count(mine) == 1:
                barrier.wait(10)
            connection.exec_driver_sql(f"UPDATE counter SET value = {total + 1} WHERE id = {mine}")

        with ThreadPoolExecutor(2) as threads:
            list(threads.map(lambda mine: world.database.write(lambda session: work(session, mine)), (1, 2)))
        assert len(tries) > 2
        counted = world.database.read(
            lambda s: s.execute(text("SELECT max(value) FROM counter")).scalar_one()
        )
        assert counted == 2

    def test_deadlock_between_two_is_settled(self, postgresql_world):
        world = postgresql_world
        world.database.write(run("CREATE TABLE pair (id int PRIMARY KEY, value int)"))
        world.database.write(run("INSERT INTO pair VALUES (1, 0), (2, 0)"))
        barrier, tries = threading.Barrier(2), []

        def work(session, order):
            tries.append(order)
            for step, row in enumerate(order):
                run(f"UPDATE pair SET value = value + 1 WHERE id = {row}")(session)
                if step == 0 and tries.count(order) == 1:
                    barrier.wait(10)

        with ThreadPoolExecutor(2) as threads:
            list(
                threads.map(
                    lambda order: world.database.write(lambda session: work(session, order)), ((1, 2), (2, 1))
                )
            )
        assert len(tries) > 2
        values = world.database.read(lambda s: [row[0] for row in s.execute(text("SELECT value FROM pair"))])
        assert values == [2, 2]

    @pytest.mark.parametrize("noticed_by", ["the driver", "the session"])
    def test_lost_connection_is_run_again(self, postgresql_world, noticed_by):
        world = postgresql_world
        tries: list[Any] = []

        def work(session):
            tries.append(1)
            pid = session.connection().exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
            if len(tries) == 1:
                with psycopg.connect(world.url, autocommit=True) as other:
                    other.execute("SELECT pg_terminate_backend(%s)", (pid,))
            if noticed_by == "the session":
                run("SELECT 1")(session)
            return world.ledger.transfer(session, world.new(world.alice, world.bob, 5, idempotency_key="k"))

        world.database.write(work)
        assert world.available(world.bob) == 5

    def test_work_that_swallows_an_error_of_the_database_is_told_that_all_is_lost(self, postgresql_world):
        world = postgresql_world

        def work(session):
            world.ledger.transfer(session, world.new(world.alice, world.bob, 5))
            with pytest.raises(sqlalchemy.exc.DBAPIError):
                run("SELECT 1 / 0")(session)

        with pytest.raises(TransactionLost):
            world.database.write(work)
        assert world.available(world.bob) == 0

    def test_work_that_ends_its_transaction_is_told(self, postgresql_world):
        with pytest.raises(TransactionLost):
            postgresql_world.database.write(run("ROLLBACK"))

    def test_caller_who_gives_up_hears_that_it_was_undone(self, postgresql_world):
        with pytest.raises(DatabaseBusy):
            postgresql_world.database.write(run("SELECT pg_sleep(20)"), timeout_seconds=0.1)

    def test_caller_in_a_hurry_hears_any_other_error_as_itself(self, postgresql_world):
        with pytest.raises(sqlalchemy.exc.DBAPIError, match="division by zero"):
            postgresql_world.database.write(run("SELECT 1 / 0"), timeout_seconds=5)

    def test_caller_in_a_hurry_has_just_the_time_that_was_said(self, postgresql_world):
        shown = postgresql_world.database.write(
            lambda session: session.execute(text("SHOW statement_timeout")).scalar_one(), timeout_seconds=2
        )
        assert shown == "2s"

    def test_that_was_begun_and_not_used_is_fine(self, postgresql_world):
        assert (
            postgresql_world.database.write(lambda session: session.connection().dialect.name) == "postgresql"
        )

    def test_work_that_swallows_an_error_of_the_driver_is_told_that_all_is_lost(self, postgresql_world):
        world = postgresql_world

        def work(session):
            with pytest.raises(psycopg.Error):
                world.ledger.transfer(session, world.new(world.alice, world.bob, 5, authorisation_id=2**70))

        with pytest.raises(TransactionLost):
            world.database.write(work)

    def test_books_with_one_statement_and_reads_nothing(self, postgresql_world):
        world, said = postgresql_world, []
        engine: Any = world.database._engine
        event.listen(engine._engine, "before_cursor_execute", lambda *told: said.append(told[2]))
        world.pay(world.alice, world.bob, 5)
        world.journal([world.new(world.alice, world.bob, 5) for _ in range(2)])
        assert said == []

    def test_backup_is_left_to_its_own_tool(self, postgresql_world, tmp_path):
        with pytest.raises(Invalid, match="pg_dump"):
            postgresql_world.database.backup(tmp_path / "backup.db")

    def test_with_every_connection_in_use_is_busy(self, postgresql_url):
        with Database(postgresql_url, connections=1) as database:
            pool: Any = database._engine
            pool._engine.pool._timeout = 0.1
            inside, go_on = threading.Event(), threading.Event()

            def holds(session):
                session.connection()
                inside.set()
                go_on.wait(10)

            thread = threading.Thread(target=database.write, args=(holds,))
            thread.start()
            inside.wait()
            with pytest.raises(DatabaseBusy, match="in use"):
                database.write(run("SELECT 1"))
            go_on.set()
            thread.join()

    def test_endless_conflict_ends_as_busy(self, postgresql_world):
        with pytest.raises(DatabaseBusy):
            postgresql_world.database.write(
                run("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40001'; END $$")
            )
