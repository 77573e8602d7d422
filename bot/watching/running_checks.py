"""The checks of the self-check that are about the running of it: queues, reviews, X, the clock, the disk."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from sqlalchemy import text

from bot.book import is_paused
from bot.store.switches import Switch, is_on
from bot.watching.figures import READS_ARE_LATE_AFTER
from bot.watching.looks import Look
from bot.watching.names import Alarm, Found
from ledger.clock import instant_of, microseconds_of

INBOX_IS_LATE_AFTER: Final = timedelta(minutes=5)
OUTBOX_IS_LATE_AFTER: Final = timedelta(minutes=30)
"""Longer than two of X's windows for messages: what waits for the next one is not late."""
OPEN_FOR_LONG: Final = timedelta(hours=2)
CARDS_ARE_LATE_AFTER: Final = timedelta(minutes=15)
UNKNOWN_FOR_LONG: Final = timedelta(minutes=30)
CLOCK_IS_OFF_BY: Final = timedelta(seconds=30)
"""As long as a code of an authenticator app lasts."""


def inbox(look: Look) -> Iterator[Found]:
    """What arrived is worked. A book that was just restored waits for its reconciliation, and that is said elsewhere."""
    oldest = look.figures.inbox.oldest
    if oldest is None or is_paused(look.session) or look.waited(oldest) <= INBOX_IS_LATE_AFTER:
        return
    yield Found(Alarm.INBOX_LATE, {"rows": look.figures.inbox.rows["waiting"]})


def outbox(look: Look) -> Iterator[Found]:
    """What is to be said goes out, unless somebody has paused that."""
    oldest = look.figures.outbox.oldest
    if oldest is None or look.waited(oldest) <= OUTBOX_IS_LATE_AFTER:
        return
    if not is_paused(look.session) and not is_on(look.session, Switch.SENDS_PAUSED):
        yield Found(Alarm.OUTBOX_LATE, {"rows": look.figures.outbox.rows.get("waiting", 0)})


def unknown_outcomes(look: Look) -> Iterator[Found]:
    """What became of a send is found out soon after."""
    rows, first, since = look.session.connection().execute(text(_UNKNOWN)).one()
    if rows and look.waited(instant_of(int(since))) > UNKNOWN_FOR_LONG:
        yield Found(Alarm.OUTCOME_UNKNOWN, {"rows": rows, "row": first})


def set_aside(look: Look) -> Iterator[Found]:
    rows = look.figures.inbox.rows.get("set_aside", 0)
    if rows:
        yield Found(Alarm.ROWS_SET_ASIDE, {"rows": rows})


def reviews(look: Look) -> Iterator[Found]:
    """A payment that nobody looks at goes back to its payer at its end."""
    soon = microseconds_of(look.now + look.bounds.review_ending)
    rows, intent = look.session.connection().execute(text(_REVIEWS), {"soon": soon}).one()
    if rows:
        yield Found(Alarm.REVIEW_ENDING, {"lines": rows, "intent": intent})


def top_ups_set_aside(look: Look) -> Iterator[Found]:
    """Somebody's card was charged, and nobody was credited."""
    rows, first = look.session.connection().execute(text(_SET_ASIDE)).one()
    if rows:
        yield Found(Alarm.TOP_UP_SET_ASIDE, {"top_ups": rows, "reference": first})


def card_movements(look: Look) -> Iterator[Found]:
    """What changed what the processor holds is booked, soon after its top-up was settled."""
    late = microseconds_of(look.now - OPEN_FOR_LONG)
    rows, first = look.session.connection().execute(text(_OPEN_MOVEMENTS), {"late": late}).one()
    if rows:
        yield Found(Alarm.CARD_MOVEMENT_OPEN, {"movements": rows, "movement": first})


def cards(look: Look) -> Iterator[Found]:
    """What is due to the processor of cards is asked of it, and it answers."""
    late = microseconds_of(look.now - CARDS_ARE_LATE_AFTER)
    rows, since = look.session.connection().execute(text(_LATE_AT_CARDS), {"late": late}).one()
    if rows and look.waited(instant_of(int(since))) > CARDS_ARE_LATE_AFTER:
        yield Found(Alarm.CARDS_LATE, {"top_ups": rows})


def x_was_read(look: Look) -> Iterator[Found]:
    reads = look.figures.reads
    last = min(reads.values()) if reads else look.began_at
    if look.waited(last) > READS_ARE_LATE_AFTER:
        yield Found(Alarm.X_NOT_READ, {"seconds": int((look.now - last).total_seconds())})


def clock(look: Look) -> Iterator[Found]:
    ahead = look.clock_ahead
    if ahead is not None and abs(ahead) > CLOCK_IS_OFF_BY:
        yield Found(Alarm.CLOCK_OFF, {"seconds_ahead": round(ahead.total_seconds())})


def disk(look: Look) -> Iterator[Found]:
    if look.disk_free_bytes < look.bounds.disk_free_bytes:
        yield Found(Alarm.DISK_LOW, {"free_mb": look.disk_free_bytes // 1_000_000})


CHECKS: Final = (
    inbox,
    outbox,
    unknown_outcomes,
    set_aside,
    reviews,
    top_ups_set_aside,
    card_movements,
    cards,
    x_was_read,
    clock,
    disk,
)

_UNKNOWN = """
SELECT count(*), min(id), min(first_attempted_at) FROM outbox
WHERE kind IN ('message', 'reply', 'lookup') AND state IN ('waiting', 'sending', 'unknown')
    AND state IN ('sending', 'unknown') AND first_attempted_at IS NOT NULL
"""
_SET_ASIDE = "SELECT count(*), min(reference) FROM top_ups WHERE state = 'set_aside'"
_OPEN_MOVEMENTS = (
    "SELECT count(*), min(movement_id) FROM card_movements WHERE state = 'open' AND seen_at < :late"
)
_LATE_AT_CARDS = """
SELECT count(*), min(CASE WHEN state = 'asked' THEN asked_at ELSE due_at END) FROM top_ups
WHERE due_at IS NOT NULL AND (due_at < :late OR (state = 'asked' AND asked_at < :late))
"""
_REVIEWS = """
SELECT count(*), min(intent_id) FROM intent_lines
WHERE state IN ('held', 'review', 'undoable') AND state = 'review' AND due_at < :soon
"""
