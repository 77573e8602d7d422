"""Writing and reading on SQLite: one connection writes, and callers who wait at the same moment share one commit.

There is no writer thread. The caller who finds nobody writing carries everyone who waits: BEGIN IMMEDIATE, each work in a
savepoint of its own, one COMMIT (one flush of the disk), and only then does anyone hear of it. Transactions are made
on the driver's connection itself; SQLAlchemy is told that it has one and never gets to end it.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from contextvars import Context, copy_context
from pathlib import Path
from threading import Lock, get_ident
from typing import Any, Generic, TypeVar

from sqlalchemy import URL, create_engine, event, exc
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.pool import QueuePool, StaticPool
from sqlmodel import Session

from ledger.entrance import Entrance
from ledger.errors import (
    CommitInWork,
    DatabaseBusy,
    DatabaseClosed,
    Invalid,
    NestedWrite,
    OutcomeUnknown,
    TransactionLost,
    WriteInRead,
)
from ledger.retries import pauses
from ledger.sessions import DRIVER, HELD, WorkSession, WriterConnection, check_usable

T = TypeVar("T")

_MOST_IN_ONE_COMMIT = 64
_UNFETCHED = (
    "statements in progress"  # SQLite says "busy" of itself as well: a work left rows of a RETURNING unread
)
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_WAIT_IN_SQLITE_SECONDS = 1.0
_GLANCE_SECONDS = 0.01


class CarriedDialect(SQLiteDialect_pysqlite):
    """SQLite for a connection whose transactions are made by hand, under SQLAlchemy."""

    supports_statement_cache = True

    def do_begin(self, dbapi_connection: Any) -> None:
        """There is a transaction already; what SQLAlchemy does in it has a savepoint under it."""
        driver = dbapi_connection.driver_connection
        if isinstance(driver, WriterConnection):
            driver.save()

    def do_rollback(self, dbapi_connection: Any) -> None:
        """`WorkSession.rollback` takes the work back; closing a session does not."""

    def do_commit(self, dbapi_connection: Any) -> None:  # noqa: ARG002 (SQLAlchemy's form)
        raise CommitInWork("only `write` commits; a work just returns")


class _Call(Generic[T]):
    """One caller's work, and what became of it."""

    __slots__ = ("context", "error", "gate", "leads", "value", "work")

    def __init__(self, work: Callable[[Session], T]) -> None:
        self.work = work
        self.context: Context = copy_context()
        self.gate: Lock | None = None  # closed, where the call has to wait
        self.leads = False
        self.value: T | None = None
        self.error: BaseException | None = None

    def close_gate(self) -> None:
        """To be called before anyone else knows of the call, if it has to wait."""
        self.gate = Lock()
        self.gate.acquire()

    def wait(self, timeout_seconds: float | None) -> bool:
        """Until it is let go; False if that took too long."""
        return self.gate is None or self.gate.acquire(
            timeout=-1 if timeout_seconds is None else timeout_seconds
        )

    def let_go(self) -> None:
        if self.gate is not None:
            self.gate.release()


class _Lost(Exception):
    """The shared transaction is gone; `by` is the call whose work it went with."""

    def __init__(self, by: "_Call[Any]") -> None:
        super().__init__()
        self.by = by


class _CommitFailed(Exception):
    """COMMIT said no."""

    def __init__(self, error: sqlite3.Error) -> None:
        super().__init__()
        self.error = error

    def told(self) -> Exception:
        """What its caller hears: a broken constraint as itself; for anything else nobody knows what is on the disk."""
        if isinstance(self.error, sqlite3.IntegrityError):
            return self.error
        unknown = OutcomeUnknown(f"the commit failed: {self.error}")
        unknown.__cause__ = self.error
        return unknown


class SqliteEngine:
    def __init__(self, url: URL, *, busy_seconds: int, pause: Callable[[float], None]) -> None:
        if url.database in {None, "", ":memory:"}:
            raise Invalid("a ledger in SQLite is a file, such as sqlite:///smoney.db")
        self._path = str(Path(str(url.database)).absolute())
        self._busy_seconds = busy_seconds
        self._pause = pause
        self._carrier = 0  # the thread that carries at this moment, by its id; no thread has 0
        self._mutex = Lock()
        self._writing = False
        self._closed = False
        self._reading = Entrance()
        self._waiting: list[_Call[Any]] = []
        registry.register("sqlite.carried", __name__, "CarriedDialect")
        self._open_writer()
        self._readers = create_engine(
            "sqlite://", creator=self._open_reader, poolclass=QueuePool, pool_size=8
        )
        event.listen(self._readers, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))

    def write(self, work: Callable[[Session], T], timeout_seconds: float | None) -> T:
        if self._carrier == get_ident():
            raise NestedWrite("a work must not call `write`")
        call = _Call(work)
        with self._mutex:
            if self._closed:
                raise DatabaseClosed("the database was closed")
            if self._writing:
                call.close_gate()
                self._waiting.append(call)
            else:
                self._writing = call.leads = True
        if not call.leads:
            self._wait(call, timeout_seconds)
        if call.leads:
            self._lead(call)
        if call.error is not None:
            raise call.error
        return call.value  # type: ignore[return-value]

    def write_one_statement(self, work: Callable[[Session], T]) -> T:
        return self.write(work, None)

    def read(self, work: Callable[[Session], T]) -> T:
        with self._reading, WorkSession(self._readers) as session:
            try:
                return work(session)
            except (exc.OperationalError, sqlite3.OperationalError) as error:
                if _code(error) == sqlite3.SQLITE_READONLY:
                    raise WriteInRead("`read` is for reading") from error
                raise

    def close(self) -> None:
        with self._mutex:
            closed, self._closed = self._closed, True
        if closed:
            return
        while self._writing:  # who was in the queue before the door closed is still served
            time.sleep(_GLANCE_SECONDS)
        self._writer.close()
        self._driver.close()
        self._reading.close()
        self._readers.dispose()

    def backup(self, path: Path) -> None:
        if path.exists():
            raise Invalid(f"{path} exists; a backup is written to a new file")
        source, target = self._open(), sqlite3.connect(path)
        try:
            source.backup(target)
        finally:
            target.close()
            source.close()

    def _open(self, factory: type[sqlite3.Connection] = sqlite3.Connection) -> Any:
        connection = sqlite3.connect(
            self._path,
            timeout=_WAIT_IN_SQLITE_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            factory=factory,
            cached_statements=512,
        )
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(
            "PRAGMA temp_store = MEMORY"
        )  # what savepoints may have to give back stays off the disk
        return connection

    def _open_writer(self) -> None:
        self._unused: WorkSession | None = None
        driver = self._driver = self._open(WriterConnection)
        driver.execute("PRAGMA journal_mode = WAL")
        driver.execute(
            "PRAGMA secure_delete = ON"
        )  # what is wiped leaves no copy in a freed page; not every build of SQLite has it on
        self._writer = create_engine(
            "sqlite+carried://", creator=lambda: driver, poolclass=StaticPool
        ).connect()
        self._writer_is_gone = False

    def _reopen_writer(self) -> None:
        """A new connection in place of one a work has broken: whatever it left open or unread on it is gone.

        If the file cannot be opened at this moment either, the next write tries again.
        """
        self._writer_is_gone = True
        self._writer.close()
        self._driver.close()
        with suppress(sqlite3.Error):
            self._open_writer()

    def _open_reader(self) -> Any:
        connection = self._open()
        connection.execute("PRAGMA query_only = ON")
        return connection

    def _wait(self, call: _Call[Any], timeout_seconds: float | None) -> None:
        try:
            served = call.wait(timeout_seconds)
        except BaseException:
            self._give_up(call)
            raise
        if not served and not self._give_up(call):
            raise OutcomeUnknown(f"no answer within {timeout_seconds} s; the same idempotency keys settle it")

    def _give_up(self, call: _Call[Any]) -> bool:
        """Leave the queue; True if the call was given the lead at this very moment, and so must carry on."""
        with self._mutex:
            if call in self._waiting:
                self._waiting.remove(call)
            return call.leads

    def _lead(self, own: _Call[Any]) -> None:
        """Carry one's own work and that of all who wait, then hand over to the next who came meanwhile."""
        batch = [own]
        self._carrier = get_ident()
        done = False
        try:
            self._carry(batch)
            done = True
        finally:
            self._carrier = 0
            others = batch[1:]
            self._hand_over([] if done else others)
            if done:
                for call in others:
                    call.let_go()

    def _take_waiting(self, room: int) -> list[_Call[Any]]:
        with self._mutex:
            taken = self._waiting[:room]
            del self._waiting[:room]
        return taken

    def _hand_over(self, left_over: list[_Call[Any]]) -> None:
        with self._mutex:
            if left_over:
                self._waiting[:0] = left_over
            if self._waiting:
                leader = self._waiting.pop(0)
                leader.leads = True
                leader.let_go()
            else:
                self._writing = False

    def _carry(self, batch: list[_Call[Any]]) -> None:
        """Run the batch, and who comes while it runs, until each call is committed or has an error of its own."""
        try:
            self._carry_together(batch)
        except _CommitFailed as failed:
            self._reopen_writer()
            if len(batch) == 1:
                batch[0].error = failed.told()
                return
            # Each alone, so that only the one it comes from is hurt; works are idempotent.
            for call in tuple(batch):
                alone = [call]
                try:
                    self._carry(alone)
                finally:
                    # Who came meanwhile is waited for by nobody else: `_lead` lets them go.
                    batch += alone[1:]

    def _carry_together(self, batch: list[_Call[Any]]) -> None:
        lost_calls: list[_Call[Any]] = []
        tries: Iterator[float] | None = None
        while len(lost_calls) < len(batch):
            try:
                self._transact(batch, without=lost_calls)
            except _Lost as lost:
                self._reopen_writer()
                lost_calls.append(lost.by)
            except (sqlite3.OperationalError, exc.OperationalError) as error:
                tries = tries or pauses(self._busy_seconds, each_try_seconds=_WAIT_IN_SQLITE_SECONDS)
                if _code(error) not in _BUSY or (seconds := next(tries, None)) is None:
                    _fail([call for call in batch if call not in lost_calls], error)
                    return
                self._pause(seconds)
            else:
                return

    def _transact(self, batch: list[_Call[Any]], *, without: list[_Call[Any]]) -> None:
        if self._writer_is_gone:
            self._open_writer()
        driver = self._driver
        try:
            driver.execute("BEGIN IMMEDIATE")
            alone = True
            for call in batch:  # which grows on the way
                if call not in without:
                    self._run(call, alone=alone)
                    alone = alone and (call.error is not None or not driver.touched)
                # A look without the lock: who comes a moment later waits for the next commit.
                if self._waiting and call is batch[-1]:
                    batch += self._take_waiting(_MOST_IN_ONE_COMMIT - len(batch))
            self._commit()
        finally:
            if driver.in_transaction:
                driver.execute("ROLLBACK")

    def _commit(self) -> None:
        try:
            self._driver.execute("COMMIT")
        except sqlite3.Error as error:
            if _code(error) in _BUSY and _UNFETCHED not in str(error):
                raise
            raise _CommitFailed(error) from error

    def _run(self, call: _Call[Any], *, alone: bool) -> None:
        """Run one work so that what it raises is its own, and undoes nothing of its neighbours."""
        call.value = call.error = None
        self._driver.begin_work(alone=alone)
        try:
            call.value = self._work(call)
        except KeyboardInterrupt:  # meant for the thread that carries, not for this work
            raise
        except BaseException as error:  # noqa: BLE001 (whatever it is, it belongs to this caller)
            call.error = error
        if call.error is not None and _code(call.error) in _BUSY:
            raise call.error  # the whole batch is run again
        self._end(call)

    def _work(self, call: _Call[T]) -> T:
        session = self._unused or self._new_session()
        self._unused = None
        try:
            value = call.context.run(call.work, session)
            if not session.in_transaction():  # it was not used at all: the next work may have it as it is
                self._unused = session
                return value
            session.flush()
            check_usable(session)
            return value
        finally:
            if self._unused is None:
                session.close()

    def _new_session(self) -> WorkSession:
        return WorkSession(self._writer, expire_on_commit=False, info={DRIVER: self._driver, HELD: []})

    def _end(self, call: _Call[Any]) -> None:
        """Take back what failed. If there is no transaction any more, or it is not free, the work has broken it."""
        try:
            if call.error is not None:
                self._driver.undo_work()
            self._driver.end_work()
        except sqlite3.Error as broken:
            if _code(broken) in _BUSY and _UNFETCHED not in str(broken):
                raise  # the whole batch is run again
            lost = TransactionLost(
                f"the work, or the disk, ended its transaction, or left it unfinished: {broken}"
            )
            lost.__cause__ = call.error or broken
            call.error = lost
            raise _Lost(call) from broken


def _fail(calls: list[_Call[Any]], error: Exception) -> None:
    for call in calls:
        call.error = DatabaseBusy(f"not done in time: {error}") if _code(error) in _BUSY else error
        call.error.__cause__ = error


def _code(error: BaseException) -> int | None:
    """SQLite's primary error code, whoever wrapped it."""
    original = error.orig if isinstance(error, exc.DBAPIError) else error
    code = getattr(original, "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else None
