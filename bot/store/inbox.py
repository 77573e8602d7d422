"""What arrived, stored once, and taken one at a time.

Listeners only add rows; the work takes one, follows it to its end and marks it done in the same transaction. Nothing
is ever taken out: a row that makes no sense is set aside with its reason and the rest goes on. What somebody said before they
were erased is not stored again, however it arrives.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import structlog
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Integer, bindparam, cast, delete, func
from sqlmodel import Session, col, select

from bot.errors import UnreadableRow
from bot.people.erasures import Erasures
from bot.people.people import People
from bot.store.columns import literally
from bot.store.tables import InboxRow
from bot.store.vault import Vault
from bot.tracing import trace_of
from bot.x.gateway import DirectMessage, Post, Unreadable, UserId, XUser
from bot.x.snowflake import instant_of
from ledger.clock import Clock, IdSource

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 500
"""So many ids are asked about in one statement."""


@dataclass(frozen=True, slots=True)
class LookedUp:
    """The answer to a look-up of handles, and the row that waits for it. `found` leaves out handles nobody holds."""

    waiting_id: int
    asked_for: tuple[str, ...]
    found: tuple[XUser, ...]


TWINS_WITHIN = timedelta(seconds=5)
"""How far apart the two ids of one message may say that it was said."""
UNREADABLE = "X sent what cannot be read"

Arrival = Post | DirectMessage | LookedUp
_KINDS: dict[str, TypeAdapter[Arrival]] = {
    "post": TypeAdapter(Post),
    "message": TypeAdapter(DirectMessage),
    "lookup": TypeAdapter(LookedUp),
}


@dataclass(frozen=True, slots=True)
class Received:
    """One inbox row, opened."""

    id: int
    kind: Literal["post", "message", "lookup"]
    person_id: UserId
    x_id: int
    chain_id: int
    said_at: datetime
    content: Arrival


# Asked for each message, so built once.
_WAITING_PEOPLE = (
    select(InboxRow.person_id)
    .where(literally(InboxRow.state, "waiting"))
    .group_by(col(InboxRow.person_id))
    .order_by(func.max(cast(col(InboxRow.urgent), Integer)).desc(), func.min(col(InboxRow.said_at)))
    .limit(20)
)
_OLDEST = (
    select(InboxRow)
    .where(literally(InboxRow.state, "waiting"), InboxRow.person_id == bindparam("person"))
    .order_by(col(InboxRow.urgent).desc(), col(InboxRow.said_at), col(InboxRow.id))
    .limit(1)
)
_KNOWN = select(InboxRow.id, InboxRow.reason).where(
    InboxRow.kind == bindparam("kind"), InboxRow.x_id == bindparam("x_id")
)
_READ_BEFORE = (
    select(InboxRow.x_id)
    .where(InboxRow.kind == bindparam("kind"), col(InboxRow.x_id).in_(bindparam("x_ids", expanding=True)))
    .where(col(InboxRow.reason).is_(None) | ~col(InboxRow.reason).startswith(UNREADABLE))
)
_NEWER = select(InboxRow.id).where(
    InboxRow.kind == "post", InboxRow.chain_id == bindparam("chain"), InboxRow.x_id > bindparam("x_id")
)
_TWIN = select(InboxRow.id).where(InboxRow.twin_id == bindparam("x_id"))
_LIKE = (
    select(InboxRow)
    .where(InboxRow.person_id == bindparam("person"), InboxRow.kind == "message")
    .where(col(InboxRow.said_at).between(bindparam("earliest"), bindparam("latest")))
    .where(InboxRow.pushed == bindparam("other_way"), col(InboxRow.twin_id).is_(None))
    .where(InboxRow.x_id != bindparam("x_id"))
    .order_by(col(InboxRow.said_at), col(InboxRow.id))
)


class Inbox:
    def __init__(
        self,
        *,
        people: People,
        erasures: Erasures,
        vault: Vault,
        clock: Clock,
        ids: IdSource,
        is_urgent: Callable[[Arrival], bool] = lambda _: False,
    ) -> None:
        self._is_urgent = is_urgent
        self._people = people
        self._erasures = erasures
        self._vault = vault
        self._clock = clock
        self._ids = ids

    def store_posts(self, session: Session, posts: Sequence[Post]) -> int:
        """Adds the versions not seen before; the number of them."""
        before = self._read_before(session, "post", [post.id for post in posts])
        return sum(
            self._store(session, "post", post.author.id, post.id, post.first_id, post)
            for post in posts
            if post.id not in before
        )

    def store_messages(self, session: Session, messages: Sequence[DirectMessage]) -> int:
        """Adds the messages not seen before; the number of them."""
        before = self._read_before(session, "message", [message.id for message in messages])
        return sum(
            self._store(session, "message", message.sender_id, message.id, message.id, message)
            for message in messages
            if message.id not in before
        )

    def store_unreadable(
        self, session: Session, kind: Literal["post", "message"], items: Sequence[Unreadable], bot_id: UserId
    ) -> None:
        """Keeps what X sent and nobody could read, set aside from the beginning. Should X send the same item again in a
        form that can be read, that one is worked."""
        for item in items:
            if self._known(session, kind, item.x_id):
                continue
            person = item.person_id or bot_id
            self._people.ensure(session, person)
            row_id = self._ids()
            now = self._clock()
            session.add(
                InboxRow(
                    id=row_id,
                    kind=kind,
                    x_id=item.x_id,
                    chain_id=item.x_id,
                    person_id=person,
                    payload_sealed=self._vault.seal(item.raw, table="inbox", row_id=row_id, column="payload"),
                    said_at=now,
                    received_at=now,
                    state="set_aside",
                    finished_at=now,
                    reason=f"{UNREADABLE}: {item.reason}",
                )
            )
            session.flush()

    @staticmethod
    def _read_before(session: Session, kind: str, x_ids: Sequence[int]) -> set[int]:
        """Which of these are stored already, and could be read: most of what a list shows was there before."""
        before: set[int] = set()
        for start in range(0, len(x_ids), MOST_AT_ONCE):
            some = {"kind": kind, "x_ids": x_ids[start : start + MOST_AT_ONCE]}
            before.update(session.exec(_READ_BEFORE, params=some))
        return before

    def store_lookup(self, session: Session, row_id: int, result: LookedUp) -> bool:
        """Adds a look-up's result, which goes in the place of the row that waits for it; nothing where that row's person was
        erased meanwhile."""
        waiting = session.get(InboxRow, result.waiting_id)
        if waiting is None or waiting.payload_sealed is None:
            return False
        person = UserId(waiting.person_id)
        return self._store(
            session, "lookup", person, row_id, waiting.chain_id, result, said_at=waiting.said_at
        )

    def store_pushed(self, session: Session, messages: Sequence[DirectMessage]) -> int:
        """The same for messages that X pushed."""
        return sum(
            self._store(session, "message", message.sender_id, message.id, message.id, message, pushed=True)
            for message in messages
        )

    def _store(
        self,
        session: Session,
        kind: Literal["post", "message", "lookup"],
        person_id: UserId,
        x_id: int,
        chain_id: int,
        content: Arrival,
        *,
        said_at: datetime | None = None,
        pushed: bool = False,
    ) -> bool:
        known = self._known(session, kind, x_id)
        if known is not None:
            if not known[1].startswith(UNREADABLE):
                return False
            session.exec(delete(InboxRow).where(col(InboxRow.id) == known[0]))
        elif isinstance(content, DirectMessage) and self._is_twin(session, content, pushed=pushed):
            return False
        if kind != "lookup" and self._erasures.cover(session, person_id, instant_of(chain_id)):
            return False
        self._people.ensure(session, person_id)
        row_id = self._ids()
        text = _KINDS[kind].dump_json(content).decode()
        row = InboxRow(
            id=row_id,
            kind=kind,
            x_id=x_id,
            chain_id=chain_id,
            person_id=person_id,
            urgent=self._is_urgent(content),
            pushed=pushed,
            payload_sealed=self._vault.seal(text, table="inbox", row_id=row_id, column="payload"),
            said_at=said_at or instant_of(x_id),
            received_at=self._clock(),
        )
        session.add(row)
        session.flush()
        log.info("listen.stored", row=row_id, kind=kind, x_id=x_id, trace=trace_of(chain_id))
        return True

    def _is_twin(self, session: Session, message: DirectMessage, *, pushed: bool) -> bool:
        """Whether the same message came the other way already: X may give it one id when it pushes it and another when it
        is polled, so sender, time and text tell too. Each is the twin of one only."""
        if session.exec(_TWIN, params={"x_id": message.id}).first() is not None:
            return True
        said_at = instant_of(message.id)
        like = {
            "person": message.sender_id,
            "x_id": message.id,
            "other_way": not pushed,
            "earliest": said_at - TWINS_WITHIN,
            "latest": said_at + TWINS_WITHIN,
        }
        for row in session.exec(_LIKE, params=like):
            if self._says(row, message.text):
                row.twin_id = message.id
                session.add(row)
                session.flush()
                return True
        return False

    def _says(self, row: InboxRow, words: str) -> bool:
        """A text that was wiped is taken for the same: at such a distance in time nothing else comes twice."""
        if row.payload_sealed is None:
            return True
        try:
            content = self.open(row).content
        except UnreadableRow:
            return False
        return isinstance(content, DirectMessage) and content.text == words

    @staticmethod
    def _known(session: Session, kind: str, x_id: int) -> tuple[int, str] | None:
        """The row of this item, and why it was set aside if it was."""
        found = session.exec(_KNOWN, params={"kind": kind, "x_id": x_id}).first()
        return (found[0], found[1] or "") if found else None

    def next(self, session: Session) -> InboxRow | None:
        """Takes a person (lock), then that person's oldest waiting row. None where nothing waits.

        Where several workers run, a person another one has taken is passed over.
        """
        for person_id in self._waiting_people(session):
            if self._people.take(session, person_id) and (row := self._oldest_of(session, person_id)):
                return row
        return None

    def _waiting_people(self, session: Session) -> list[UserId]:
        return [UserId(person_id) for person_id in session.exec(_WAITING_PEOPLE)]

    def _oldest_of(self, session: Session, person_id: UserId) -> InboxRow | None:
        return session.exec(_OLDEST, params={"person": person_id}).first()

    def has_waiting(self, session: Session, person_id: UserId) -> bool:
        """Whether something this person said is still to be worked."""
        return session.exec(_OLDEST, params={"person": person_id}).first() is not None

    def open(self, row: InboxRow) -> Received:
        """What the row holds. Raises `UnreadableRow`."""
        if row.payload_sealed is None:
            raise UnreadableRow("the text was wiped before it was read")
        text = self._vault.open(row.payload_sealed, table="inbox", row_id=row.id, column="payload")
        try:
            content = _KINDS[row.kind].validate_json(text)
        except (ValidationError, KeyError) as error:
            raise UnreadableRow(f"a stored {row.kind} cannot be read: {type(error).__name__}") from None
        return Received(
            id=row.id,
            kind=row.kind,  # type: ignore[arg-type]  # a CHECK holds it to these three
            person_id=UserId(row.person_id),
            x_id=row.x_id,
            chain_id=row.chain_id,
            said_at=row.said_at,
            content=content,
        )

    def reopen(self, session: Session, row_id: int) -> Received:
        """A row that was taken before, for the result of its look-up. Raises `UnreadableRow`."""
        return self.open(session.get_one(InboxRow, row_id))

    def newer_version_exists(self, session: Session, received: Received) -> bool:
        """Whether a higher version of the same post has been stored: then this one counts no more."""
        version = {"chain": received.chain_id, "x_id": received.x_id}
        return session.exec(_NEWER, params=version).first() is not None

    def finish(self, session: Session, row_id: int) -> None:
        self._close(session, row_id, state="done", reason=None)

    def set_aside(self, session: Session, row_id: int, reason: str) -> None:
        """Keeps a row that cannot be worked, with its reason, for an admin to look at."""
        if session.get_one(InboxRow, row_id, with_for_update=True).state == "waiting":
            self._close(session, row_id, state="set_aside", reason=reason[:500])

    def _close(self, session: Session, row_id: int, *, state: str, reason: str | None) -> None:
        row = session.get_one(InboxRow, row_id)
        row.state, row.reason, row.finished_at = state, reason, self._clock()
        session.add(row)
        session.flush()
