"""What the records are asked for, as statements that are built once: building one costs more than running it.

States stand in them literally, so that the indexes over the few rows that are still open serve them however many are
done with; a test looks at their plans.
"""

from sqlalchemy import bindparam, case, func
from sqlmodel import col, select

from bot.payments.intents import CAME_BACK, SET_ASIDE, LineState
from bot.store.columns import literally
from bot.store.tables import AuthorisationRow, ChallengeRow, IntentLineRow, IntentRow, OutboxRow

_OF_INTENT = col(IntentRow.id) == col(IntentLineRow.intent_id)
_NEWEST_LINE = col(IntentLineRow.id).desc()

# Intents

OF_ORDER = select(IntentRow).where(
    IntentRow.order_kind == bindparam("kind"), IntentRow.order_id == bindparam("order")
)
BY_REFERENCE = select(IntentRow).where(IntentRow.reference == bindparam("reference"))
OPEN_OF = (
    select(IntentRow)
    .where(IntentRow.payer_id == bindparam("payer"), literally(IntentRow.state, "parked", "asking"))
    .order_by(col(IntentRow.created_at), col(IntentRow.id))
)
PARKED = select(IntentRow).where(
    literally(IntentRow.state, "parked", "asking"),
    literally(IntentRow.state, "parked"),
    col(IntentRow.created_at) < bindparam("before"),
)
UNASKED = (
    select(IntentRow)
    .where(IntentRow.payer_id == bindparam("payer"), literally(IntentRow.state, "lapsed"))
    .where(col(IntentRow.asked_at).is_(None), col(IntentRow.closed_at) > bindparam("since"))
)
_LATELY = col(IntentRow.closed_at) > bindparam("lately")
PAID_SINCE = (
    select(
        func.coalesce(func.sum(IntentLineRow.amount_minor), 0),
        func.coalesce(func.sum(case((_LATELY, col(IntentLineRow.amount_minor)))), 0),
        func.count(func.distinct(case((_LATELY, col(IntentRow.id))))),
    )
    .join(IntentRow, _OF_INTENT)
    .where(IntentRow.payer_id == bindparam("payer"), literally(IntentRow.state, "paid"))
    .where(col(IntentRow.closed_at) > bindparam("since"))
    .where(IntentLineRow.version == IntentRow.version)
    .where(~literally(IntentLineRow.state, *sorted(CAME_BACK)))
)
"""After one instant and, of it, after a later one. What came back to its payer does not count."""
PAID_BY_MESSAGE_SINCE = PAID_SINCE.join(
    AuthorisationRow, col(AuthorisationRow.id) == col(IntentRow.authorisation_id)
).where(col(AuthorisationRow.kind).in_(("answer", "low_value")))
"""What nothing but a message, or not even that, was asked for."""

# Lines

LINES = (
    select(IntentLineRow)
    .where(IntentLineRow.intent_id == bindparam("intent"), IntentLineRow.version == bindparam("version"))
    .order_by(col(IntentLineRow.position))
)
_PAID = (
    select(IntentLineRow)
    .join(IntentRow, _OF_INTENT)
    .where(IntentRow.payer_id == bindparam("payer"), col(IntentLineRow.transfer_id).is_not(None))
    .where(~literally(IntentLineRow.state, *sorted({*CAME_BACK, LineState.REVIEW})))
    .order_by(_NEWEST_LINE)
)
PAID_TO = _PAID.where(IntentLineRow.payee_id == bindparam("payee")).limit(1)
_UNDER_HANDLE = (
    _PAID.order_by(None)
    .where(col(IntentLineRow.username_index).in_(bindparam("handle", expanding=True)))
    .limit(1)
)
PAID_UNDER_HANDLE = tuple(
    _UNDER_HANDLE.where(other)
    for other in (
        col(IntentLineRow.payee_id) < bindparam("payee"),
        col(IntentLineRow.payee_id) > bindparam("payee"),
    )
)
"""To any other account than this one: two ranges of one index, however many have paid this one under it."""
PAID_UNINDEXED = (
    _PAID.where(col(IntentLineRow.username_index).is_(None), col(IntentLineRow.username_sealed).is_not(None))
    .where(IntentLineRow.payee_id != bindparam("payee"))
    .limit(100)
)
"""The newest of lines that are older than that index."""

_FOUND = select(IntentLineRow, IntentRow).join(IntentRow, _OF_INTENT)
_SET_ASIDE = _FOUND.where(literally(IntentLineRow.state, *sorted(SET_ASIDE)))
_HELD = _SET_ASIDE.where(literally(IntentLineRow.state, "held"))
_DUE = col(IntentLineRow.due_at) < bindparam("before")
_SOONEST = (col(IntentLineRow.due_at), col(IntentLineRow.id))
HELD_FOR = _HELD.where(IntentLineRow.payee_id == bindparam("payee")).order_by(col(IntentLineRow.id))
HELD_SOONEST = _HELD.order_by(*_SOONEST).limit(bindparam("most"))
HELD_DUE = _HELD.where(_DUE).order_by(*_SOONEST)
UNDOABLE_DUE = _SET_ASIDE.where(literally(IntentLineRow.state, "undoable"), _DUE).order_by(*_SOONEST)
SET_ASIDE_BY = _SET_ASIDE.where(IntentRow.payer_id == bindparam("payer")).order_by(col(IntentLineRow.id))
RECEIVED = _FOUND.where(literally(IntentLineRow.state, "paid")).where(
    IntentLineRow.payee_id == bindparam("payee")
)
_MOVED = _FOUND.where(col(IntentLineRow.transfer_id).is_not(None)).limit(bindparam("most"))
GIVEN = _MOVED.where(IntentRow.payer_id == bindparam("person")).order_by(
    col(IntentRow.id).desc(), _NEWEST_LINE
)
GOT = _MOVED.where(IntentLineRow.payee_id == bindparam("person")).order_by(_NEWEST_LINE)

# Challenges

CHALLENGES = (
    select(ChallengeRow)
    .where(
        ChallengeRow.payer_id == bindparam("payer"),
        col(ChallengeRow.state).in_(bindparam("states", expanding=True)),
    )
    .order_by(col(ChallengeRow.id).desc())
    .limit(50)
)
EXPIRED = (
    select(ChallengeRow)
    .join(OutboxRow, col(OutboxRow.challenge_id) == col(ChallengeRow.id))
    .where(literally(ChallengeRow.state, "queued", "open"), literally(ChallengeRow.state, "open"))
    .where(OutboxRow.state == "sent")
    .where(col(ChallengeRow.expires_at) < bindparam("before"))
)
NEVER_ASKED = (
    select(IntentRow)
    .join(ChallengeRow, col(ChallengeRow.intent_id) == col(IntentRow.id))
    .join(OutboxRow, col(OutboxRow.challenge_id) == col(ChallengeRow.id))
    .where(literally(ChallengeRow.state, "queued", "open"), OutboxRow.state != "sent")
    .where(col(ChallengeRow.created_at) < bindparam("before"), IntentRow.state == "asking")
    .distinct()
)
