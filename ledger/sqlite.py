"""Writing and reading on SQLite: one connection writes, and callers who wait at the same moment share one commit.

There is no writer thread. The caller who finds nobody writing carries everyone who waits: BEGIN IMMEDIATE, each work in a
savepoint of its own, one COMMIT (one flush of the disk), and only then does anyone hear of it. Transactions are made
on the driver's connection itself; SQLAlchemy is told that it has one and never gets to end it.
"""

import sqlite3
from collections.abc import Callable
from contextvars import Context, copy_context
from pathlib import Path
from threading import Lock, local
from typing import Any, Generic, TypeVar

from sqlalchemy import URL, create_engine, event, exc
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.pool import QueuePool, StaticPool
from sqlmodel import Session

from ledger.errors import (
    CommitInWork,
    DatabaseBusy,
    Invalid,
    NestedWrite,
    OutcomeUnknown,
    TransactionLost,
    WriteInRead,
)
from ledger.retries import pauses
from ledger.sessions import DRIVER, WorkSession, WriterConnection

T = TypeVar("T")

_MOST_IN_ONE_COMMIT = 64
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_WAIT_IN_SQLITE_SECONDS = 1.0


class CarriedDialect(SQLiteDialect_pysqlite):
    """SQLite for a connection whose transactions are made by hand, under SQLAlchemy."""

    supports_statement_cache = True

    def do_begin(self, dbapi_connection: Any) -> None:
        """There is a transaction already."""

    def do_rollback(self, dbapi_connection: Any) -> None:
        if isinstance(dbapi_connection, WriterConnection):
            dbapi_connection.undo_work()

    def do_commit(self, dbapi_connection: Any) -> None:  # noqa: ARG002 (SQLAlchemy's form)
        raise CommitInWork("only `write` commits; a work just returns")


class _Call(Generic[T]):
    """One caller's work, and what became of it."""

    __slots__ = ("context", "error", "gate", "leads", "value", "work")

    def __init__(self, work: Callable[[Session], T]) -> None:
        self.work = work
        self.context: Context = copy_context()
        self.gate = Lock()
        self.gate.acquire()
        self.leads = False
        self.value: T | None = None
        self.error: BaseException | None = None


class _Lost(Exception):
    """The shared transaction is gone; `by` is the call whose work it went with."""

    def __init__(self, by: "_Call[Any]") -> None:
        super().__init__()
        self.by = by


class SqliteEngine:
    def __init__(self, url: URL, *, busy_seconds: int, pause: Callable[[float], None]) -> None:
        if url.database in {None, "", ":memory:"}:
            raise Invalid("a ledger in SQLite is a file, such as sqlite:///smoney.db")
        self._path = str(Path(str(url.database)).absolute())
        self._busy_seconds = busy_seconds
        self._pause = pause
        self._local = local()
        self._mutex = Lock()
        self._writing = False
        self._waiting: list[_Call[Any]] = []
        registry.register("sqlite.carried", __name__, "CarriedDialect")
        self._driver = self._open(WriterConnection)
        self._driver.execute("PRAGMA journal_mode = WAL")
        self._writer = create_engine(
            "sqlite+carried://", creator=lambda: self._driver, poolclass=StaticPool
        ).connect()
        self._readers = create_engine(
            "sqlite://", creator=self._open_reader, poolclass=QueuePool, pool_size=8
        )
        event.listen(self._readers, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))

    def write(self, work: Callable[[Session], T], timeout_seconds: float | None) -> T:
        if getattr(self._local, "inside", False):
            raise NestedWrite("a work must not call `write`")
        call = _Call(work)
        with self._mutex:
            call.leads = not self._writing
            self._writing = True
            if not call.leads:
                self._waiting.append(call)
        if not call.leads:
            self._wait(call, timeout_seconds)
        if call.leads:
            self._lead(call)
        if call.error is not None:
            raise call.error
        return call.value  # type: ignore[return-value]

    def read(self, work: Callable[[Session], T]) -> T:
        with WorkSession(self._readers) as session:
            try:
                return work(session)
            except (exc.OperationalError, sqlite3.OperationalError) as error:
                if _code(error) == sqlite3.SQLITE_READONLY:
                    raise WriteInRead("`read` is for reading") from error
                raise

    def close(self) -> None:
        with self._mutex:
            self._writing = True
        self._writer.close()
        self._driver.close()
        self._readers.dispose()

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
        return connection

    def _open_reader(self) -> Any:
        connection = self._open()
        connection.execute("PRAGMA query_only = ON")
        return connection

    def _wait(self, call: _Call[Any], timeout_seconds: float | None) -> None:
        try:
            served = call.gate.acquire(timeout=-1 if timeout_seconds is None else timeout_seconds)
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
        with self._mutex:
            batch = [own, *self._waiting[: _MOST_IN_ONE_COMMIT - 1]]
            del self._waiting[: _MOST_IN_ONE_COMMIT - 1]
        self._local.inside = True
        left_over = batch[1:]
        try:
            self._carry(batch)
            left_over = []
        finally:
            self._local.inside = False
            self._hand_over(left_over)
            for call in batch[1:]:
                if call not in left_over:
                    call.gate.release()

    def _hand_over(self, left_over: list[_Call[Any]]) -> None:
        with self._mutex:
            self._waiting[:0] = left_over
            self._writing = bool(self._waiting)
            if self._writing:
                leader = self._waiting.pop(0)
                leader.leads = True
                leader.gate.release()

    def _carry(self, batch: list[_Call[Any]]) -> None:
        """Run the batch until it is committed, or each call of it has an error of its own."""
        going = list(batch)
        tries = pauses(self._busy_seconds)
        while going:
            try:
                self._transact(going)
            except _Lost as lost:
                going.remove(lost.by)
            except (sqlite3.OperationalError, exc.OperationalError) as error:
                if _code(error) not in _BUSY or (seconds := next(tries, None)) is None:
                    _fail(going, error)
                    return
                self._pause(seconds)
            else:
                return

    def _transact(self, batch: list[_Call[Any]]) -> None:
        driver = self._driver
        try:
            driver.execute("BEGIN IMMEDIATE")
            for call in batch:
                self._run(call)
            try:
                driver.execute("COMMIT")
            except sqlite3.Error as error:
                if _code(error) in _BUSY:
                    raise
                for call in batch:
                    call.error = call.error or OutcomeUnknown(f"the commit failed: {error}")
                    call.error.__cause__ = call.error.__cause__ or error
        finally:
            if driver.in_transaction:
                driver.execute("ROLLBACK")

    def _run(self, call: _Call[Any]) -> None:
        """Run one work in a savepoint of its own: what it raises is its own, and undoes nothing of its neighbours."""
        driver = self._driver
        call.value = call.error = None
        driver.execute("SAVEPOINT work")
        driver.in_work = True
        try:
            with WorkSession(self._writer, expire_on_commit=False, info={DRIVER: driver}) as session:
                try:
                    call.value = call.context.run(call.work, session)
                    session.flush()
                    driver.in_work = False
                finally:
                    self._check_alive(call)
        except _Lost:
            raise
        except (sqlite3.OperationalError, exc.OperationalError) as error:
            if _code(error) in _BUSY:
                raise
            call.error = error
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 (whatever it is, it belongs to this caller)
            call.error = error
        finally:
            driver.in_work = False
        self._end(call)

    def _check_alive(self, call: _Call[Any]) -> None:
        if not self._driver.in_transaction:
            self._driver.in_work = False
            call.error = TransactionLost("the work ended its transaction, or the disk did")
            raise _Lost(call)

    def _end(self, call: _Call[Any]) -> None:
        try:
            if call.error is not None:
                self._driver.execute("ROLLBACK TO work")
            self._driver.execute("RELEASE work")
        except sqlite3.OperationalError as error:
            if call.error is None or _code(error) == sqlite3.SQLITE_ERROR:
                call.error = TransactionLost(f"the work ended its transaction: {error}")
            raise _Lost(call) from error


def _fail(calls: list[_Call[Any]], error: Exception) -> None:
    for call in calls:
        call.error = DatabaseBusy(f"not done in time: {error}") if _code(error) in _BUSY else error
        call.error.__cause__ = error


def _code(error: Exception) -> int | None:
    """SQLite's primary error code, whoever wrapped it."""
    original = error.orig if isinstance(error, exc.DBAPIError) else error
    code = getattr(original, "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else None
