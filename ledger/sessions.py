"""The session a work is given: an ordinary SQLModel session that cannot commit, and the driver's door under it.

The hot path (one statement for each transfer) goes straight to the driver's connection. This module keeps the two in
step: what the session rolls back, the driver's statements share, and the other way round.
"""

import sqlite3
from typing import Any

from psycopg import Connection as PsycopgConnection
from sqlalchemy import event
from sqlmodel import Session

from ledger.errors import CommitInWork, TransactionLost

DRIVER = "ledger.driver"
USED = "ledger.used"
HELD = "ledger.held"


class WriterConnection(sqlite3.Connection):
    """SQLite's one writing connection. `in_work` tells whether a work's savepoint is open on it."""

    in_work = False

    def undo_work(self) -> None:
        """Take back what the running work did so far; its neighbours in the same commit keep theirs."""
        if self.in_work and self.in_transaction:
            self.execute("ROLLBACK TO work")


class WorkSession(Session):
    """What `write` gives a work. `rollback` takes back the whole work so far; `commit` is refused.

    With a list as `info[HELD]` it holds on to every row it has loaded until the work ends: a session by itself forgets
    a row that nobody refers to, and would ask the database for it again at the next `get`.
    """

    def commit(self) -> None:
        raise CommitInWork("only `write` commits; a work just returns")

    def rollback(self) -> None:
        super().rollback()
        driver = self.info.get(DRIVER)
        if isinstance(driver, WriterConnection):
            driver.undo_work()


def _hold(session: Session, row: object) -> None:
    if (held := session.info.get(HELD)) is not None:
        held.append(row)


event.listen(WorkSession, "loaded_as_persistent", _hold)


def check_usable(session: Session) -> None:
    """Raise `TransactionLost` if a flush failed in it and the work went on as if nothing were: that undid the work."""
    if not session.is_active:
        raise TransactionLost(
            "a flush failed, which takes back the whole work, and the work swallowed the error"
        )


def driver_of(session: Session) -> "sqlite3.Connection | PsycopgConnection[Any]":
    """The driver's connection under a session, in the session's own transaction and innermost savepoint."""
    known = session.info.get(DRIVER)
    if known is None or session.in_nested_transaction():
        connection = session.connection()
        connection.info[USED] = True
        known = connection.connection.driver_connection
    if not isinstance(known, sqlite3.Connection | PsycopgConnection):
        raise TypeError(f"no driver for {type(known)}")
    return known
