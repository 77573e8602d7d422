"""One way to write, one way to read, on two engines.

`Database` chooses the engine by URL: SQLite (the default: a file, nothing to install) or PostgreSQL 15 and later.
Everything that changes the database goes through `write`, everything the bot keeps beside the ledger too, so that one
event is one transaction. Nothing here knows what an account is.
"""

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol, Self, TypeVar

from sqlalchemy import make_url
from sqlmodel import Session

from ledger.errors import Invalid
from ledger.postgresql import PostgresqlEngine
from ledger.sqlite import SqliteEngine

T = TypeVar("T")
Dialect = Literal["sqlite", "postgresql"]


class _Engine(Protocol):
    def write(self, work: Callable[[Session], T], timeout_seconds: float | None) -> T: ...
    def write_one_statement(self, work: Callable[[Session], T]) -> T: ...
    def read(self, work: Callable[[Session], T]) -> T: ...
    def backup(self, path: Path) -> None: ...
    def close(self) -> None: ...


class Database:
    """A database of accounts and transfers, and whatever its user keeps beside them.

    `url` is `sqlite:///relative.db`, `sqlite:////absolute.db` or `postgresql://user:password@host/name`; it is never
    printed. `busy_seconds` is how long a write waits for others in all before `DatabaseBusy`. `connections` bounds
    the simultaneous ones on PostgreSQL. `pause` is how it waits between two tries. Safe to share among threads.
    """

    def __init__(
        self,
        url: str,
        *,
        busy_seconds: int = 30,
        connections: int = 16,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        parsed = make_url(url)
        self.dialect: Dialect
        self._engine: _Engine
        if parsed.get_backend_name() == "sqlite":
            self.dialect = "sqlite"
            self._engine = SqliteEngine(parsed, busy_seconds=busy_seconds, pause=pause)
        elif parsed.get_backend_name() == "postgresql":
            self.dialect = "postgresql"
            self._engine = PostgresqlEngine(
                parsed, busy_seconds=busy_seconds, connections=connections, pause=pause
            )
        else:
            raise Invalid(f"a database is sqlite:/// or postgresql://, not {parsed.get_backend_name()}")

    def write(self, work: Callable[[Session], T], *, timeout_seconds: float | None = None) -> T:
        """Run `work(session)` in a transaction of its own, commit, and return what it returned.

        When this returns, the work is durable; until then nothing of it is visible to anyone. If `work` raises,
        nothing of it is kept and the error comes out here. The work is run again, whole, when the engine asks for it
        (a lock held by another process, a deadlock, a serialisation failure, a lost connection), so it must be
        idempotent and must touch nothing but the session. On SQLite, calls that wait at the same moment share one
        commit, and a work may be run by another caller's thread.

        Raises `NestedWrite` inside a work, `DatabaseBusy` and `DatabaseClosed` (nothing happened), `TransactionLost`
        (the work ended or poisoned the transaction; nothing of it was kept), and `OutcomeUnknown` after
        `timeout_seconds` or if the commit itself failed: ask again under the same idempotency keys.
        """
        return self._engine.write(work, timeout_seconds)

    def write_one_statement(self, work: Callable[[Session], T]) -> T:
        """As `write`, for a work that is exactly one statement, and is not run again if the engine asks for it.

        On PostgreSQL it commits by itself, in one round trip for three.
        """
        return self._engine.write_one_statement(work)

    def read(self, work: Callable[[Session], T]) -> T:
        """Run `work(session)` on one consistent snapshot and return what it returned.

        Raises `WriteInRead`, and `DatabaseClosed`.
        """
        return self._engine.read(work)

    def backup(self, path: Path) -> None:
        """Copy a SQLite database, as it stands, to a new file, while it is in use; the copy is a database of its own.

        Raises `Invalid` if the file exists, and on PostgreSQL, which brings `pg_dump`.
        """
        self._engine.backup(path)

    def close(self) -> None:
        """Close every connection. Waits for what is running or queued; whoever comes later gets `DatabaseClosed`."""
        self._engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
