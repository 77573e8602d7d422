"""After a restore: what X still has is held against the book, before an admin lets payments go on.

Paused, the daemon only listens (`bot.book.is_paused`). What people said since the backup thus waits in the inbox, and is
worked afterwards as if it had just come: answers still pay, orders too old are refused. What the bot itself said since
the backup stands at X too: whatever it told people of a payment that this book does not have was lost with the old one,
and they hear so. Nothing is booked from it: a wallet is debited by its owner's answer and by nothing else.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from bot.admin.log import Actor, AuditLog
from bot.book import unreconciled
from bot.errors import Misconfigured
from bot.language.catalogue import Parameters
from bot.payments.intents import REFERENCE_ALPHABET, REFERENCE_LENGTH, IntentState
from bot.store.outbox import Outbox, Priority
from bot.store.tables import CursorRow, InboxRow, IntentRow, PersonRow
from bot.x.gateway import DirectMessage, Gateway, UserId
from bot.x.snowflake import first_id_at
from ledger.clock import Clock
from ledger.database import Database

_REFERENCE = re.compile(rf"\bP-[{REFERENCE_ALPHABET}]{{{REFERENCE_LENGTH}}}\b")
_STILL_TO_BE_WORKED = {IntentState.PAID, IntentState.ASKING, IntentState.PARKED}
LISTS = ("mentions", "messages")


@dataclass(frozen=True, slots=True)
class Promise:
    """Something people were told of after the backup and that is not in this book. `person_id` None: in a group."""

    reference: str
    person_id: UserId | None
    said_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a restored book has come to terms with X. `read_at`: when each list was read to its end since; None where not."""

    made_at: datetime
    restored_at: datetime
    read_at: dict[str, datetime | None]
    waiting: int
    lost: tuple[Promise, ...]

    @property
    def unread(self) -> tuple[str, ...]:
        return tuple(name for name, at in self.read_at.items() if at is None)


@dataclass(frozen=True, slots=True)
class Reconciling:
    database: Database
    gateway: Gateway
    outbox: Outbox
    log: AuditLog
    clock: Clock

    def look(self) -> Standing | None:
        """Where things stand; None for a book that needs no reconciling. Asks X for the bot's own messages."""
        made_at = self.database.read(_made_at)
        if made_at is None:
            return None
        said = [message for message in self._own_messages(made_at) if _REFERENCE.search(message.text)]
        return self.database.read(lambda session: self._standing(session, said))

    def _own_messages(self, since: datetime) -> Iterator[DirectMessage]:
        me, oldest = self.gateway.me().id, first_id_at(since)
        token, seen = None, set[str]()
        while True:
            page = self.gateway.direct_messages(page_token=token)
            yield from (item for item in page.items if item.sender_id == me and item.id >= oldest)
            token = page.next_token
            if token is None or token in seen or any(item.id < oldest for item in page.items):
                return
            seen.add(token)

    def _standing(self, session: Session, said: list[DirectMessage]) -> Standing:
        restore = unreconciled(session)
        if restore is None:
            raise _nothing_to_do()
        waiting = select(func.count()).select_from(InboxRow).where(InboxRow.state == "waiting")
        return Standing(
            made_at=restore.made_at,
            restored_at=restore.restored_at,
            read_at={name: _read_since(session, name, restore.restored_at) for name in LISTS},
            waiting=session.exec(waiting).one(),
            lost=tuple(_lost(session, said)),
        )

    def finish(self, actor: Actor, standing: Standing, *, reason: str) -> int:
        """Lets payments go on and tells people what was lost; how many were told.

        Raises `Misconfigured` where X was not read to its end since the restore.
        """
        if standing.unread:
            raise Misconfigured(
                " and ".join(standing.unread),
                "were not read to their end since the backup was restored.",
                example="start the daemon, and try again after a minute or two",
            )
        return self.database.write(lambda session: self._finish(session, actor, standing, reason))

    def _finish(self, session: Session, actor: Actor, standing: Standing, reason: str) -> int:
        restore = unreconciled(session)
        if restore is None:
            raise _nothing_to_do()
        told = sum(self._tell(session, promise, standing.made_at) for promise in standing.lost)
        restore.reconciled_at = max(self.clock(), restore.restored_at)
        session.add(restore)
        facts: dict[str, str | int] = {
            "made_at": standing.made_at.isoformat(),
            "lost": len(standing.lost),
            "told": told,
        }
        self.log.record(session, actor, "book.reconcile", "book", reason=reason, facts=facts)
        return told

    def _tell(self, session: Session, promise: Promise, made_at: datetime) -> bool:
        """False for somebody this book does not know as a member: they enrolled since, and will again."""
        person = session.get(PersonRow, promise.person_id) if promise.person_id else None
        if person is None or person.standing != "enrolled":
            return False
        facts: Parameters = {"reference": promise.reference, "until": made_at}
        self.outbox.tell(session, person, "payment_lost", facts, priority=Priority.NOTICE)
        return True


def _made_at(session: Session) -> datetime | None:
    restore = unreconciled(session)
    return restore.made_at if restore else None


def _read_since(session: Session, name: str, restored_at: datetime) -> datetime | None:
    cursor = session.get(CursorRow, name)
    return cursor.read_at if cursor and cursor.read_at >= restored_at else None


def _lost(session: Session, said: list[DirectMessage]) -> Iterator[Promise]:
    """Each reference once for each person. One that is still asked or parked here is settled by what waits in the inbox."""
    seen = set[tuple[str, UserId | None]]()
    for message in sorted(said, key=lambda one: one.id):
        for reference in _REFERENCE.findall(message.text):
            if (reference, message.with_id) in seen:
                continue
            seen.add((reference, message.with_id))
            intent = session.exec(select(IntentRow).where(col(IntentRow.reference) == reference)).first()
            if intent is None or intent.state not in _STILL_TO_BE_WORKED:
                yield Promise(reference, message.with_id, message.created_at)


def _nothing_to_do() -> Misconfigured:
    return Misconfigured(
        "this book", "was not restored, or was reconciled before.", example="`smoney restore`"
    )
