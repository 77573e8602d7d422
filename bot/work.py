"""The work: one inbox row, everything that follows from it, one transaction.

It commits together or not at all, so there is no moment at which money has moved and the record of why has not. A row
that cannot be worked is set aside with its reason, and the rest goes on.
"""

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from bot.desk import Desk
from bot.errors import InvariantBroken, TryLater, UnreadableRow
from bot.store.inbox import Inbox
from ledger.database import Database
from ledger.errors import DatabaseBusy, OutcomeUnknown, TransactionLost
from ledger.errors import InvariantBroken as LedgerBroken

log = structlog.get_logger(__name__)

THE_DATABASE = (DatabaseBusy, OutcomeUnknown, TransactionLost, DBAPIError, OSError, MemoryError)
"""Faults of the machine and not of the row: the row waits, and is worked when they are over."""


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
        taken: list[int] = []
        try:
            return self.database.write(lambda session: self._work_one(session, taken))
        except InvariantBroken:
            raise
        except LedgerBroken as broken:
            raise InvariantBroken(str(broken)) from broken
        except THE_DATABASE as error:
            raise TryLater(f"the database: {type(error).__name__}: {error}") from error
        except UnreadableRow as error:
            self._set_aside(taken[-1], str(error))
        except Exception as error:
            # A fault of ours, whatever it is, must cost no other row: it is kept, shown to the admin, and logged.
            log.exception("work.fault", row=taken[-1] if taken else None)
            if not taken:
                raise
            self._set_aside(taken[-1], f"{type(error).__name__}: {error}")
        return True

    def _work_one(self, session: Session, taken: list[int]) -> bool:
        row = self.inbox.next(session)
        if row is None:
            return False
        taken.append(row.id)
        received = self.inbox.open(row)
        self.desk.handle(session, received)
        self.inbox.finish(session, received.id)
        log.info("work.done", row=received.id, kind=received.kind, x_id=received.x_id)
        return True

    def _set_aside(self, row_id: int, reason: str) -> None:
        self.database.write(lambda session: self.inbox.set_aside(session, row_id, reason))
        log.error("work.set_aside", row=row_id, reason=reason)
