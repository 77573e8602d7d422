"""The work: one inbox row, everything that follows from it, one transaction.

It commits together or not at all, so there is no moment at which money has moved and the record of why has not. A row
that cannot be worked is set aside with its reason, and the rest goes on.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

import psycopg
import structlog
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlmodel import Session

from bot.book import is_paused
from bot.desk import Desk
from bot.errors import InvariantBroken, TryLater, UnreadableRow
from bot.store.inbox import Inbox
from bot.tracing import following
from ledger import errors as ledger_errors
from ledger.database import Database

log = structlog.get_logger(__name__)

THE_DATABASE = (
    ledger_errors.DatabaseBusy,
    ledger_errors.OutcomeUnknown,
    ledger_errors.TransactionLost,
    DBAPIError,
    sqlite3.OperationalError,  # the statement that moves money goes to the driver itself
    psycopg.OperationalError,
    OSError,
    MemoryError,
)
"""Faults of the machine and not of the row: the row waits, and is worked when they are over."""
Taken = tuple[int, int]
"""An inbox row's id, and the order's or message's."""
THE_ROW = (IntegrityError, DataError)
"""What the database says of what is written, and not of itself: it will say so again, however long the row waits."""


@dataclass(frozen=True, slots=True)
class Work:
    database: Database
    inbox: Inbox
    desk: Desk

    def run(self, keep_going: Callable[[], bool] = lambda: True) -> int:
        """Works off what waits; how many rows. Raises `TryLater` for a fault of the database, `InvariantBroken`."""
        done = 0
        while keep_going() and self.step():
            done += 1
        return done

    def step(self) -> bool:
        """Works one row; False where none waits."""
        taken: list[Taken] = []
        try:
            return self.database.write(lambda session: self._work_one(session, taken))
        except InvariantBroken:
            raise
        except ledger_errors.InvariantBroken as broken:
            raise InvariantBroken(str(broken)) from broken
        except UnreadableRow as error:
            self._set_aside(taken[-1], str(error))
        except Exception as error:
            if isinstance(error, THE_DATABASE) and not isinstance(error, THE_ROW):
                raise TryLater(f"the database: {in_one_line(error)}") from error
            # A fault of ours, whatever it is, must cost no other row: it is kept, shown to the admin, and logged.
            if not taken:
                log.exception("work.fault")
                raise
            with following(taken[-1][1]):
                log.exception("work.fault", row=taken[-1][0])
            self._set_aside(taken[-1], in_one_line(error))
        return True

    def _work_one(self, session: Session, taken: list[Taken]) -> bool:
        if is_paused(session):
            return False
        row = self.inbox.next(session)
        if row is None:
            return False
        taken.append((row.id, row.chain_id))
        with following(row.chain_id):
            received = self.inbox.open(row)
            self.desk.handle(session, received)
            self.inbox.finish(session, received.id)
            log.info("work.done", row=received.id, kind=received.kind, x_id=received.x_id)
        return True

    def _set_aside(self, taken: Taken, reason: str) -> None:
        row_id, chain_id = taken
        self.database.write(lambda session: self.inbox.set_aside(session, row_id, reason))
        with following(chain_id):
            log.error("work.set_aside", row=row_id, reason=reason)


def in_one_line(error: BaseException) -> str:
    """What went wrong, for a log: the database's own words, without the statement and its values."""
    said = getattr(error, "orig", None) or error
    words = f"{type(said).__name__}: {' '.join(str(said).split())[:300]}"
    if isinstance(error, ledger_errors.LedgerError) and error.__cause__ is not None:
        return f"{words} ({in_one_line(error.__cause__)})"
    return words
