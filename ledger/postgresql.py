"""Writing and reading on PostgreSQL: one transaction for each work, run again when the server asks for it.

Works run side by side, each on its own connection; the ledger's rows are locked in the order of their ids. There is no
global lock and no sequence on the way.
"""

from collections.abc import Callable
from pathlib import Path
from threading import local
from typing import TypeVar

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import URL, Connection, create_engine, event, exc, text
from sqlmodel import Session

from ledger.entrance import Entrance
from ledger.errors import DatabaseBusy, Invalid, NestedWrite, TransactionLost, WriteInRead
from ledger.retries import pauses
from ledger.sessions import HELD, USED, WorkSession, check_usable

T = TypeVar("T")

_RUN_AGAIN = {"40001", "40P01", "55P03"}  # serialisation failure, deadlock, lock not available
_READ_ONLY = "25006"
_CANCELLED = "57014"


class PostgresqlEngine:
    def __init__(
        self, url: URL, *, busy_seconds: int, connections: int, pause: Callable[[float], None]
    ) -> None:
        self._busy_seconds = busy_seconds
        self._pause = pause
        self._local = local()
        self._entrance = Entrance()
        self._engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_size=connections,
            max_overflow=0,
            connect_args={"prepare_threshold": 1},
        )
        event.listen(self._engine, "begin", _begins)
        event.listen(self._engine, "before_cursor_execute", _is_used)
        self._by_statement = self._engine.execution_options(isolation_level="AUTOCOMMIT")

    def write(self, work: Callable[[Session], T], timeout_seconds: float | None) -> T:
        if getattr(self._local, "inside", False):
            raise NestedWrite("a work must not call `write`")
        self._local.inside = True
        try:
            with self._entrance:
                return self._write(work, timeout_seconds)
        finally:
            self._local.inside = False

    def write_one_statement(self, work: Callable[[Session], T]) -> T:
        """As `write`, for a work that is a single statement: it commits by itself, and saves two round trips."""
        if getattr(self._local, "inside", False):
            raise NestedWrite("a work must not call `write`")
        with self._entrance, WorkSession(self._by_statement) as session:
            return work(session)

    def read(self, work: Callable[[Session], T]) -> T:
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with (
            self._entrance,
            self._engine.connect().execution_options(**options) as connection,
            WorkSession(connection) as session,
        ):
            try:
                return work(session)
            except (exc.DBAPIError, psycopg.Error) as error:
                if _sqlstate_of(error) == _READ_ONLY:
                    raise WriteInRead("`read` is for reading") from error
                raise

    def backup(self, path: Path) -> None:
        raise Invalid(f"on PostgreSQL, pg_dump makes the backup, not {path}")

    def close(self) -> None:
        self._entrance.close()
        self._engine.dispose()

    def _write(self, work: Callable[[Session], T], timeout_seconds: float | None) -> T:
        tries = pauses(self._busy_seconds)
        while True:
            try:
                return self._once(work, timeout_seconds)
            except exc.TimeoutError as error:
                raise DatabaseBusy("every connection is in use") from error
            except (exc.DBAPIError, psycopg.Error) as error:
                if timeout_seconds is not None and _sqlstate_of(error) == _CANCELLED:
                    raise DatabaseBusy(f"not done within {timeout_seconds} s, and undone") from error
                if not _asks_again(error):
                    raise
                if (seconds := next(tries, None)) is None:
                    raise DatabaseBusy(f"not done within {self._busy_seconds} s: {error}") from error
            self._pause(seconds)

    def _once(self, work: Callable[[Session], T], timeout_seconds: float | None) -> T:
        with WorkSession(self._engine, expire_on_commit=False, info={HELD: []}) as session:
            if timeout_seconds is not None:
                milliseconds = int(timeout_seconds * 1000)
                session.execute(text(f"SET LOCAL statement_timeout = {milliseconds}"))
            value = work(session)
            session.flush()
            check_usable(session)
            if session.in_transaction():
                _check_alive(session)
                super(WorkSession, session).commit()
            return value


def _begins(connection: Connection) -> None:
    connection.info[USED] = False


def _is_used(connection: Connection, *_: object) -> None:
    connection.info[USED] = True


def _check_alive(session: Session) -> None:
    """COMMIT of a transaction in which a statement failed is silently a ROLLBACK, so ask first."""
    connection = session.connection()
    if not connection.info.get(USED):
        return  # BEGIN goes out with the first statement, and there was none
    driver = connection.connection.driver_connection
    if isinstance(driver, psycopg.Connection) and driver.info.transaction_status != TransactionStatus.INTRANS:
        raise TransactionLost("the work swallowed an error of the database, or ended the transaction itself")


def _asks_again(error: Exception) -> bool:
    state = _sqlstate_of(error)
    original = error.orig if isinstance(error, exc.DBAPIError) else error
    lost = isinstance(original, psycopg.OperationalError) and (state is None or state[:2] in {"08", "57"})
    return state in _RUN_AGAIN or (lost and state != _CANCELLED)


def _sqlstate_of(error: Exception) -> str | None:
    original = error.orig if isinstance(error, exc.DBAPIError) else error
    return getattr(original, "sqlstate", None)
