"""What is to be said, kept until it has been said.

Rows hold a phrase's name and parameters, not text: the words, and a challenge's code, are made when it is sent. A row
is claimed in one transaction, sent outside of any, and its outcome written in another; so a row found `sending` after
a crash has an unknown outcome, and is looked for at X before it is sent again.
"""

from datetime import datetime, timedelta
from enum import IntEnum

from sqlalchemy import ColumnElement, bindparam, func, or_, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from bot.language.catalogue import Parameters, Value
from bot.people.people import People, Standing
from bot.store.columns import literally
from bot.store.parameters import dump, load
from bot.store.tables import OutboxRow, PersonRow
from bot.store.vault import Vault
from bot.x.gateway import PostId, UserId
from ledger.clock import Clock, IdSource


class Priority(IntEnum):
    """Lower goes first: direct messages are the scarcest thing on X."""

    CHALLENGE = 0
    ANSWER = 1
    CLAIM = 2
    RECEIPT = 3
    NOTICE = 4


LONGEST_SEND = timedelta(minutes=1)
"""No request takes longer; what has been sending for longer has lost its sender, and holds up nobody."""
LOOKUP = "lookup"
"""The phrase of a row that asks X instead of telling a person: parameters `usernames`."""


def _being_told() -> ColumnElement[bool]:
    """Whether somebody is just sending this person something else: what one person is told stays in order."""
    other = aliased(OutboxRow)
    return (
        select(other.id)
        .where(other.person_id == OutboxRow.person_id, other.kind == OutboxRow.kind)
        .where(literally(other.state, "sending"), col(other.id) != OutboxRow.id)
        .where(col(other.merged_into).is_(None), col(other.attempted_at) > bindparam("sending_since"))
        .exists()
    )


def _due() -> SelectOfScalar[OutboxRow]:
    abandoned = literally(OutboxRow.state, "sending") & (
        col(OutboxRow.attempted_at) < bindparam("abandoned_before")
    )
    return (
        select(OutboxRow)
        .where(OutboxRow.kind == bindparam("kind"), col(OutboxRow.merged_into).is_(None))
        .where(~_being_told())
        .where(literally(OutboxRow.state, "waiting", "sending", "unknown"))
        .where(or_(literally(OutboxRow.state, "waiting", "unknown"), abandoned))
        .where(col(OutboxRow.due_at) <= bindparam("now"))
        .order_by(col(OutboxRow.priority), col(OutboxRow.due_at), col(OutboxRow.id))
        .limit(1)
        .with_for_update(skip_locked=True)
    )


# Asked for each message, so built once.
_DUE = _due()
_ANY_DUE = (
    select(OutboxRow.id)
    .where(OutboxRow.kind == bindparam("kind"), literally(OutboxRow.state, "waiting", "sending", "unknown"))
    .where(col(OutboxRow.merged_into).is_(None), col(OutboxRow.due_at) <= bindparam("now"))
    .limit(1)
)
_BUSY = select(OutboxRow.id).where(OutboxRow.id == bindparam("row"), _being_told())
_REPLY = select(OutboxRow.id).where(OutboxRow.reply_to == bindparam("reply_to"))
_COMPANIONS = (
    select(OutboxRow)
    .where(OutboxRow.person_id == bindparam("person"), literally(OutboxRow.state, "waiting"))
    .where(OutboxRow.kind == "message", OutboxRow.priority != Priority.CHALLENGE)
    .where(OutboxRow.id != bindparam("row"), col(OutboxRow.merged_into).is_(None))
    .where(col(OutboxRow.first_attempted_at).is_(None), OutboxRow.due_at <= bindparam("now"))
    .order_by(col(OutboxRow.id))
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_MERGED = select(OutboxRow).where(OutboxRow.merged_into == bindparam("row")).order_by(col(OutboxRow.id))


class Outbox:
    def __init__(self, *, people: People, vault: Vault, clock: Clock, ids: IdSource) -> None:
        self._people = people
        self._vault = vault
        self._clock = clock
        self._ids = ids

    def tell(
        self,
        session: Session,
        person: PersonRow,
        phrase: str,
        parameters: Parameters,
        *,
        priority: Priority = Priority.ANSWER,
        language: str | None = None,
        challenge_id: int | None = None,
    ) -> None:
        """A direct message. Who has not enrolled, or has stopped, hears only what answers their own message."""
        if person.standing != Standing.ENROLLED and priority is not Priority.ANSWER:
            return
        self._add(
            session,
            kind="message",
            person_id=person.user_id,
            phrase=phrase,
            parameters=parameters,
            priority=priority,
            language=language or self._people.language(person),
            challenge_id=challenge_id,
        )

    def reply(
        self,
        session: Session,
        person: PersonRow,
        chain_id: int,
        version: PostId,
        phrase: str,
        reference: str,
        language: str,
        *,
        more: Parameters | None = None,
    ) -> None:
        """A public reply under a person's post: at most one for all its versions. The reference keeps X from taking
        it for the same text again."""
        if session.exec(_REPLY, params={"reply_to": chain_id}).first() is not None:
            return
        self._add(
            session,
            kind="reply",
            person_id=person.user_id,
            phrase=phrase,
            parameters={"reference": reference, **(more or {})},
            priority=Priority.ANSWER,
            language=language,
            reply_to=chain_id,
            reply_to_version=version,
        )

    def told_lately(self, session: Session, person: PersonRow, phrase: str, *, within: timedelta) -> bool:
        """Whether this was said, or is about to be said, to this person not long ago."""
        since = self._clock() - within
        rows = select(OutboxRow.id).where(OutboxRow.person_id == person.user_id, OutboxRow.phrase == phrase)
        return session.exec(rows.where(col(OutboxRow.created_at) > since).limit(1)).first() is not None

    def look_up(
        self, session: Session, person_id: UserId, usernames: tuple[str, ...], *, for_row: int
    ) -> None:
        """Queues one question to X: who holds these handles? The result comes back through the inbox."""
        self._add(
            session,
            kind="lookup",
            person_id=person_id,
            phrase=LOOKUP,
            parameters={"usernames": usernames},
            priority=Priority.CHALLENGE,
            language="",
            inbox_id=for_row,
        )

    def _add(
        self,
        session: Session,
        *,
        kind: str,
        person_id: int,
        phrase: str,
        parameters: Parameters,
        priority: Priority,
        language: str,
        challenge_id: int | None = None,
        reply_to: int | None = None,
        reply_to_version: PostId | None = None,
        inbox_id: int | None = None,
    ) -> None:
        row_id = self._ids()
        now = self._clock()
        row = OutboxRow(
            id=row_id,
            kind=kind,
            person_id=person_id,
            phrase=phrase,
            language=language,
            parameters_sealed=self._vault.seal(
                dump(parameters), table="outbox", row_id=row_id, column="parameters"
            ),
            priority=int(priority),
            challenge_id=challenge_id,
            reply_to=reply_to,
            reply_to_version=reply_to_version,
            inbox_id=inbox_id,
            created_at=now,
            due_at=now,
        )
        session.add(row)
        session.flush()

    def parameters(self, row: OutboxRow) -> dict[str, Value]:
        """Raises `UnreadableRow`."""
        if row.parameters_sealed is None:
            return {}
        return load(
            self._vault.open(row.parameters_sealed, table="outbox", row_id=row.id, column="parameters")
        )

    def may_be_due(self, session: Session, kind: str) -> bool:
        """False where nothing of this kind can be due; True says only that it is worth asking `due`."""
        wanted = {"kind": kind, "now": self._clock()}
        return session.connection().execute(_ANY_DUE, wanted).first() is not None

    def due(self, session: Session, kind: str, *, lease: timedelta) -> OutboxRow | None:
        """The row of this kind to deal with next, most urgent first; one whose sender vanished comes back after `lease`."""
        now = self._clock()
        moments = {"now": now, "abandoned_before": now - lease, "sending_since": now - LONGEST_SEND}
        return session.exec(_DUE, params={"kind": kind, **moments}).first()

    def is_being_told(self, session: Session, row: OutboxRow) -> bool:
        """The same for one row, asked again once the budget's lock is held."""
        since = self._clock() - LONGEST_SEND
        return session.exec(_BUSY, params={"row": row.id, "sending_since": since}).first() is not None

    def companions(self, session: Session, row: OutboxRow, *, most: int) -> list[OutboxRow]:
        """What else waits for this person and may go out in one message with it: never a question, never what was
        tried before."""
        wanted = {"person": row.person_id, "row": row.id, "now": self._clock(), "most": most}
        found = session.exec(_COMPANIONS, params=wanted)
        return [other for other in found if not self.is_unwanted(session, other)]

    def merged(self, session: Session, row: OutboxRow) -> list[OutboxRow]:
        """What goes out in this row's message; a question always goes alone."""
        if row.kind != "message" or row.priority == Priority.CHALLENGE:
            return []
        return list(session.exec(_MERGED, params={"row": row.id}))

    def release(self, session: Session, row: OutboxRow) -> None:
        """What was to go out with this row stands for itself again."""
        session.exec(update(OutboxRow).where(col(OutboxRow.merged_into) == row.id).values(merged_into=None))

    def abandon_all(self, session: Session, settles_after: timedelta) -> None:
        """No sender is alive: whatever is `sending` has an unknown fate. Only where one program owns the database."""
        session.exec(
            update(OutboxRow)
            .where(col(OutboxRow.state) == "sending")
            .values(
                state="unknown",
                due_at=self._clock() + settles_after,
                reason="the program ended while sending",
            )
        )

    def is_unwanted(self, session: Session, row: OutboxRow) -> bool:
        """Whether its person has stopped since it was queued: then it is not said, unless it answers them."""
        if row.kind != "message" or row.priority == Priority.ANSWER:
            return False
        return session.get_one(PersonRow, row.person_id).standing != Standing.ENROLLED

    def sent_ids(self, session: Session, person_id: UserId) -> frozenset[int]:
        """The X ids of what is known to have been sent to this person."""
        sent = select(OutboxRow.sent_id).where(OutboxRow.person_id == person_id, OutboxRow.state == "sent")
        newest = sent.order_by(col(OutboxRow.id).desc()).limit(1000)
        return frozenset(sent_id for sent_id in session.exec(newest) if sent_id is not None)

    def replies_since(self, session: Session, person_id: UserId, since: datetime) -> int:
        """How many public replies to this person were tried after `since`."""
        count = select(func.count()).select_from(OutboxRow)
        tried = count.where(OutboxRow.person_id == person_id, OutboxRow.kind == "reply")
        return session.exec(tried.where(col(OutboxRow.attempted_at) > since)).one()
