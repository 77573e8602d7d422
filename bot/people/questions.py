"""Questions about a person's own account, as rows: put, found and closed. What they ask, and what answers them, is decided by
whoever puts them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import bindparam, update
from sqlmodel import Session, col, select

from bot.keys import Keyring
from bot.store.control_tables import QuestionRow
from bot.store.tables import PersonRow
from bot.x.gateway import UserId
from ledger.clock import Clock, Entropy, IdSource

NONCE_BYTES: Final = 16
_OPEN: Final = (  # asked for each order, so built once
    select(QuestionRow)
    .where(QuestionRow.person_id == bindparam("person"), QuestionRow.kind == bindparam("kind"))
    .where(col(QuestionRow.closed_at).is_(None))
    .order_by(col(QuestionRow.id))
)


@dataclass(frozen=True, slots=True)
class Questions:
    keyring: Keyring
    clock: Clock
    entropy: Entropy
    ids: IdSource

    def put(
        self,
        session: Session,
        person: PersonRow,
        kind: str,
        *,
        lasts: timedelta,
        about: UserId | None = None,
    ) -> QuestionRow:
        """In place of the same question put before."""
        self.close(session, person, kind, about=about)
        now = self.clock()
        question = QuestionRow(
            id=self.ids(),
            person_id=person.user_id,
            kind=kind,
            subject_id=about,
            nonce=self.entropy(NONCE_BYTES),
            key_id=self.keyring.current_id,
            asked_at=now,
            expires_at=now + lasts,
        )
        session.add(question)
        session.flush()
        return question

    def open(self, session: Session, person_id: int, kind: str) -> Sequence[QuestionRow]:
        """Those not closed, the first first; their time may be over."""
        return session.exec(_OPEN, params={"person": person_id, "kind": kind}).all()

    def close(self, session: Session, person: PersonRow, kind: str, *, about: UserId | None = None) -> None:
        """All of this kind, or the one about somebody."""
        its = [
            col(QuestionRow.person_id) == person.user_id,
            col(QuestionRow.kind) == kind,
            col(QuestionRow.closed_at).is_(None),
        ]
        if about is not None:
            its.append(col(QuestionRow.subject_id) == about)
        session.exec(update(QuestionRow).where(*its).values(closed_at=self.clock()))
