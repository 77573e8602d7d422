"""Whoever ordered under a post and cannot be asked soon is told there, once, about how long it takes; unless they want to be
private.

X lets the bot send few direct messages; a public reply is of another limit. Who ordered in private reads it in the
message itself when it comes (`together.py`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from bot.payments.intents import IntentState
from bot.people.people import People
from bot.store.outbox import Outbox, Priority
from bot.store.tables import ChallengeRow, IntentRow, OutboxRow
from bot.x.budget import SEND, Budget
from bot.x.gateway import PostId, UserId

WORTH_TELLING = timedelta(minutes=3)
MOST_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Waiting:
    outbox: Outbox
    people: People
    budget: Budget

    def tell(self, session: Session, *, free_at: datetime) -> None:
        """Queues the replies to those whose question waits for X's limit, which ends at `free_at`."""
        for ahead, (row, intent) in enumerate(self._questions(session)):
            wait = self.budget.waits(session, SEND, ahead=ahead, free_at=free_at)
            if intent.post_id is None or wait < WORTH_TELLING:
                continue
            payer = self.people.get(session, UserId(row.person_id))
            if payer.is_private:
                continue
            self.outbox.reply(
                session,
                payer,
                intent.order_id,
                PostId(intent.post_id),
                "public_wait",
                intent.reference,
                row.language,
                more={"minutes": -(-int(wait.total_seconds()) // 60)},
            )

    @staticmethod
    def _questions(session: Session) -> list[tuple[OutboxRow, IntentRow]]:
        rows = (
            select(OutboxRow, IntentRow)
            .join(ChallengeRow, col(ChallengeRow.id) == OutboxRow.challenge_id)
            .join(IntentRow, col(IntentRow.id) == ChallengeRow.intent_id)
            .where(OutboxRow.state == "waiting", OutboxRow.priority == int(Priority.CHALLENGE))
            .where(OutboxRow.kind == "message", IntentRow.state == IntentState.ASKING)
            .order_by(col(OutboxRow.due_at), col(OutboxRow.id))
            .limit(MOST_AT_ONCE)
        )
        return list(session.exec(rows))
