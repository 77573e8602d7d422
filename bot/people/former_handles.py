"""Handles people had before: a change of handle is written down when it is seen, so that payers can be told for a while."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, delete
from sqlmodel import Session, col, select

from bot.store.control_tables import FormerHandleRow
from bot.store.tables import PersonRow
from bot.store.vault import Vault
from ledger.clock import IdSource

_NEWEST: Final = (
    select(FormerHandleRow)
    .where(FormerHandleRow.person_id == bindparam("person"), col(FormerHandleRow.until) > bindparam("since"))
    .order_by(col(FormerHandleRow.until).desc(), col(FormerHandleRow.id).desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class FormerHandles:
    vault: Vault
    ids: IdSource

    def note(self, session: Session, person: PersonRow, username: str, *, until: datetime) -> None:
        """They had this handle until then: at that moment another one was seen."""
        row_id = self.ids()
        sealed = self.vault.seal(username, table="former_handles", row_id=row_id, column="username")
        session.add(FormerHandleRow(id=row_id, person_id=person.user_id, username_sealed=sealed, until=until))
        session.flush()

    def newest(self, session: Session, person: PersonRow, *, since: datetime) -> tuple[str, datetime] | None:
        """The handle they had before their present one, and until when; None where that is longer ago."""
        row = session.exec(_NEWEST, params={"person": person.user_id, "since": since}).first()
        if row is None or row.username_sealed is None:
            return None
        sealed = row.username_sealed
        username = self.vault.open(sealed, table="former_handles", row_id=row.id, column="username")
        return username, row.until

    def forget(self, session: Session, *, before: datetime) -> None:
        """For the sweep: nobody is told of these any more."""
        session.exec(delete(FormerHandleRow).where(col(FormerHandleRow.until) < before))
