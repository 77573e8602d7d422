"""Wipes what people wrote, and what they were told, once it is settled and a while has passed. Ids, states and times stay.

Settled is what was worked and what was said or dropped; what was set aside or refused by X waits for an admin with its
text. The handles and notes of a payment belong to its history, and stay with it.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import bindparam, exists, or_, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from bot.store.columns import literally
from bot.store.tables import InboxRow, OutboxRow
from ledger.clock import Clock

BATCH: Final = 500
"""So many of each in one pass: the sweep's transaction stays short."""
_RESULT: Final = aliased(InboxRow)
_RESULT_WAITS: Final = exists().where(
    literally(_RESULT.kind, "lookup"),
    col(_RESULT.x_id) == col(OutboxRow.id),
    literally(_RESULT.state, "waiting"),
)
_LOOKED_UP: Final = exists().where(
    col(OutboxRow.inbox_id) == col(InboxRow.id),
    literally(OutboxRow.kind, "lookup"),
    or_(literally(OutboxRow.state, "waiting", "sending", "unknown"), _RESULT_WAITS),
)
"""It waits for its look-up, or for the result of it to be worked, and is then read again."""
_HEARD: Final = (
    select(InboxRow.id)
    .where(literally(InboxRow.state, "done"), col(InboxRow.payload_sealed).is_not(None))
    .where(col(InboxRow.finished_at) < bindparam("before"), ~_LOOKED_UP)
    .order_by(col(InboxRow.finished_at))
    .limit(bindparam("batch"))
)
_SAID: Final = (
    select(OutboxRow.id)
    .where(literally(OutboxRow.state, "sent", "dropped"), col(OutboxRow.parameters_sealed).is_not(None))
    .where(col(OutboxRow.finished_at) < bindparam("before"))
    .order_by(col(OutboxRow.finished_at))
    .limit(bindparam("batch"))
)


@dataclass(frozen=True, slots=True)
class Wiping:
    kept_for: timedelta
    clock: Clock
    batch: int = BATCH

    def run(self, session: Session) -> int:
        """One pass, for the sweep; how many texts are gone."""
        asked = {"before": self.clock() - self.kept_for, "batch": self.batch}
        heard = list(session.exec(_HEARD, params=asked))
        if heard:
            rows = update(InboxRow).where(col(InboxRow.id).in_(heard))
            session.exec(rows.values(payload_sealed=None))
        said = list(session.exec(_SAID, params=asked))
        if said:
            session.exec(update(OutboxRow).where(col(OutboxRow.id).in_(said)).values(parameters_sealed=None))
        return len(heard) + len(said)
