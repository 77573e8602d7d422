"""The bot's database on a file, with a disk that can fail and a program that can die at any statement.

`write` and `read` are the product's own; only the connections under them are ours. After a crash the file is as it was
at the last commit, and nothing else of the engine is left.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, make_url
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

from ledger.database import Database
from ledger.sessions import WriterConnection
from ledger.sqlite import CarriedDialect, SqliteEngine
from tests.simulation.ground import Crash

BUSY, FULL, BROKEN, LOCKED = "busy", "full disk", "I/O error", "locked"
CANNOT_OPEN = "file cannot be opened"
CODES = {
    BUSY: sqlite3.SQLITE_BUSY,
    LOCKED: sqlite3.SQLITE_LOCKED,
    FULL: sqlite3.SQLITE_FULL,
    BROKEN: sqlite3.SQLITE_IOERR,
    CANNOT_OPEN: sqlite3.SQLITE_CANTOPEN,
}
WORDS = {
    BUSY: "database is locked",
    LOCKED: "database table is locked",
    FULL: "database or disk is full",
    BROKEN: "disk I/O error",
    CANNOT_OPEN: "unable to open database file",
}
COMMIT_FAILS, COMMIT_UNHEARD = "commit fails", "commit done, error told"


@dataclass
class DiskTrouble:
    """One fault that is on its way: it strikes at the statement that brings `statements_left` to nothing."""

    kind: str
    statements_left: int
    rolls_back: bool = False
    """SQLite may end the whole transaction by itself after such an error."""
    at: str = ""
    """Only a statement with these words counts."""


@dataclass
class Disk:
    """What goes wrong at the database, and what went wrong."""

    planned: DiskTrouble | None = None
    struck: Counter[str] = field(default_factory=Counter)
    crash_in: int | None = None
    """So many statements from now on the program dies."""
    crash_at: str = ""
    """Only statements with these words are counted."""
    dead: bool = False

    def opening(self) -> None:
        """Called before a connection is opened. A program that died opens none."""
        if self.dead:
            raise Crash
        if self.planned is not None and self.planned.kind == CANNOT_OPEN:
            self.planned = None
            self.struck[CANNOT_OPEN] += 1
            raise _error(CANNOT_OPEN)

    def before(self, connection: sqlite3.Connection, sql: str) -> None:
        """Called before each statement. Raises what strikes."""
        if self.dead:
            raise Crash
        if self.crash_in is not None and self.crash_at in sql:
            self.crash_in -= 1
            if self.crash_in <= 0:
                self._die("crash at COMMIT, before" if sql == "COMMIT" else "crash at a statement")
        if self.planned is not None and self._strikes(self.planned, sql):
            self._strike(connection, self.planned)

    def after(self, sql: str) -> None:
        """Called after each statement that went well."""
        if sql == "COMMIT":
            if (
                self.crash_in == 1 and not self.crash_at
            ):  # it would have been the next statement's: the commit has just been made
                self._die("crash at COMMIT, after")
            if self.planned is not None and self.planned.kind == COMMIT_UNHEARD:
                self.planned = None
                self.struck[COMMIT_UNHEARD] += 1
                raise _error(BROKEN)

    def _die(self, how: str) -> None:
        self.crash_in = None
        self.dead = True
        self.struck[how] += 1
        raise Crash

    @staticmethod
    def _strikes(trouble: DiskTrouble, sql: str) -> bool:
        if trouble.kind in (COMMIT_UNHEARD, CANNOT_OPEN):
            return False
        if trouble.kind == COMMIT_FAILS:
            return sql == "COMMIT"
        if trouble.at not in sql or sql.startswith(("ROLLBACK", "PRAGMA")):
            return False
        trouble.statements_left -= 1
        return trouble.statements_left <= 0

    def _strike(self, connection: sqlite3.Connection, trouble: DiskTrouble) -> None:
        self.planned = None
        self.struck[trouble.kind] += 1
        if trouble.kind == COMMIT_FAILS and trouble.rolls_back:
            self.planned = DiskTrouble(CANNOT_OPEN, 0)  # what is tried next is a new connection
        if trouble.rolls_back and trouble.kind in (FULL, BROKEN, COMMIT_FAILS) and connection.in_transaction:
            self.struck["transaction ended by SQLite"] += 1
            sqlite3.Cursor(connection).execute("ROLLBACK")
        raise _error(FULL if trouble.kind == COMMIT_FAILS else trouble.kind)


def _error(kind: str) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(WORDS[kind])
    error.sqlite_errorcode = CODES[kind]
    error.sqlite_errorname = kind
    return error


class _Cursor(sqlite3.Cursor):
    """A cursor under which the disk may fail."""

    connection: "_Watched"

    def execute(self, sql: str, parameters: Any = (), /) -> Any:
        return self._on_disk(sql, lambda: sqlite3.Cursor.execute(self, sql, parameters))

    def executemany(self, sql: str, parameters: Any, /) -> Any:
        return self._on_disk(sql, lambda: sqlite3.Cursor.executemany(self, sql, parameters))

    def _on_disk(self, sql: str, act: Callable[[], sqlite3.Cursor]) -> sqlite3.Cursor:
        disk = self.connection.disk
        if disk is None:
            return act()
        disk.before(self.connection, sql)
        done = act()
        disk.after(sql)
        return done


class _Watched(sqlite3.Connection):
    disk: Disk | None = None

    def cursor(self, factory: Any = None) -> Any:
        return super().cursor(_Cursor if factory is None else factory)

    def execute(self, sql: str, parameters: Any = (), /) -> Any:
        """By our cursor, which the connection's own short cut would pass by."""
        return self.cursor().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Any, /) -> Any:
        return self.cursor().executemany(sql, parameters)


class _WatchedWriter(_Watched, WriterConnection):
    pass


def _same_kind(self: object, other: object) -> bool:
    return type(other) is type(self)


def _hash_of_kind(self: object) -> int:
    return hash(type(self))


class _WriterDialect(CarriedDialect):
    """Equal to all of its kind, so that what was compiled under one engine serves its successor after a restart."""

    supports_statement_cache = True
    __hash__ = _hash_of_kind
    __eq__ = _same_kind


class _ReaderDialect(SQLiteDialect_pysqlite):
    """The same for readers."""

    supports_statement_cache = True
    __hash__ = _hash_of_kind
    __eq__ = _same_kind


COMPILED: Any = LRUCache(2_000)
"""What SQLAlchemy made of the program's statements: the same for every engine of a process, and no state of a run."""


def _compiled_once(engine: Engine, kind: type[Any]) -> None:
    """Gives it a dialect of its own: other engines may share the one it has, and what they know it by must not change."""
    engine.dialect = copy(engine.dialect)
    engine.dialect.__class__ = kind
    engine._compiled_cache = COMPILED


class SimulatedSqlite(SqliteEngine):
    """The product's engine on connections that can fail."""

    def __init__(self, path: Path, disk: Disk, pause: Callable[[float], None]) -> None:
        self._disk = disk
        self._connections: list[_Watched] = []
        super().__init__(make_url(f"sqlite:///{path}"), busy_seconds=30, pause=pause)
        _compiled_once(self._readers, _ReaderDialect)

    def _open(self, factory: type[sqlite3.Connection] = sqlite3.Connection) -> Any:
        self._disk.opening()
        connection = super()._open(_WatchedWriter if factory is WriterConnection else _Watched)
        connection.disk = self._disk
        self._connections.append(connection)
        return connection

    def _open_writer(self) -> None:
        super()._open_writer()
        _compiled_once(self._writer.engine, _WriterDialect)

    @property
    def changes(self) -> int:
        """Rows written since the file was opened; none while it could not be."""
        return 0 if self._writer_is_gone else int(self._driver.total_changes)

    def let_go(self) -> None:
        """As the system does for a program that died: no statement is run, what was not committed is gone."""
        for connection in self._connections:
            connection.disk = None
            connection.close()


class SimulatedDatabase(Database):
    """`Database` over an engine of ours."""

    def __init__(self, path: Path, disk: Disk, pause: Callable[[float], None] = lambda _: None) -> None:
        self.dialect = "sqlite"
        self.engine = SimulatedSqlite(path, disk, pause)
        self._engine = self.engine
