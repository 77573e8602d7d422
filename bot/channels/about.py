"""Which order an outbox row is about, for the log."""

from collections.abc import Mapping

from sqlalchemy import bindparam
from sqlmodel import Session, select

from bot.language.catalogue import Value
from bot.store.tables import ChallengeRow, InboxRow, IntentRow, OutboxRow
from bot.tracing import trace_of

_BY_REFERENCE = select(IntentRow.order_id).where(IntentRow.reference == bindparam("reference"))


def trace_about(session: Session, row: OutboxRow, parameters: Mapping[str, Value]) -> str:
    """The trace of the order it is about, found by what the row names: the post, the question, what waits for a look-up,
    the payment's reference. An own one for what is about no order."""
    return trace_of(_order_of(session, row, parameters) or row.id)


def _order_of(session: Session, row: OutboxRow, parameters: Mapping[str, Value]) -> int | None:
    if row.reply_to is not None:
        return row.reply_to
    if row.inbox_id is not None:
        return session.get_one(InboxRow, row.inbox_id).chain_id
    if row.challenge_id is not None:
        challenge = session.get_one(ChallengeRow, row.challenge_id)
        return session.get_one(IntentRow, challenge.intent_id).order_id
    reference = parameters.get("reference")
    if not isinstance(reference, str):
        return None
    return session.exec(_BY_REFERENCE, params={"reference": reference}).first()
