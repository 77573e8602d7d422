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
_DRIVERS = (sqlite3.Connection, PsycopgConnection)


class WriterConnection(sqlite3.Connection):
    """SQLite's one writing connection. It knows what must be taken back with the work that runs on it, and only that.

    A savepoint is opened where a work first needs one, since each makes SQLite keep every page that is changed under
    it once more. Until a work has touched anything there is nothing to take back, and what was done through the
    driver by a work with nobody before it in the transaction is taken back with the transaction. SQLAlchemy's
    statements always have a savepoint under them: a COMMIT among them would end it, and so is found out.
    """

    in_work = False
    touched = False
    _alone = False  # nobody before it has done anything in this transaction
    _saved = False
    _unsaved = False  # something was done before there was a savepoint, or there is none

    def begin_work(self, *, alone: bool) -> None:
        self.in_work, self._alone = True, alone
        self.touched = self._saved = self._unsaved = False

    def touch(self) -> bool:
        """To be called before anything is done through the driver. Is it the first that this work does at all?"""
        if self.touched:
            return False
        self.touched = True
        if self._alone:
            self._unsaved = True
        else:
            self.save()
        return True

    def save(self) -> None:
        """To be called before anything is done through SQLAlchemy."""
        if self.in_work and not self._saved:
            self.execute("SAVEPOINT work")
            self._saved = self.touched = True

    def undo_work(self) -> None:
        """Take back what the running work did so far; its neighbours in the same commit keep theirs.

        With nobody before it, and no savepoint under all it did, the transaction ends and another begins: other
        processes may write between the two, as they may on PostgreSQL after a rollback.
        """
        if not self.in_work or not self.in_transaction:
            return
        if self._unsaved:
            self.execute("ROLLBACK")
            self.execute("BEGIN IMMEDIATE")
            self.touched = self._saved = self._unsaved = False
        elif self._saved:
            self.execute("ROLLBACK TO work")

    def end_work(self) -> None:
        """Raise `sqlite3.Error` if the work has ended its transaction, or left it unfinished."""
        self.in_work = False
        if self._saved:
            self.execute("RELEASE work")
        elif not self.in_transaction:
            raise sqlite3.OperationalError("there is no transaction")


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
    if not isinstance(known, _DRIVERS):
        raise TypeError(f"no driver for {type(known)}")
    return known
