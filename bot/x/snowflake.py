"""X's ids carry their time: the upper bits are milliseconds since X's own epoch.

Source: facts about X's "snowflake" ids as X documents them (read 2026-08-22).
"""

from datetime import UTC, datetime, timedelta

EPOCH_MS = 1_288_834_974_657
SEQUENCE_BITS = 22
_UNIX = datetime(1970, 1, 1, tzinfo=UTC)


def instant_of(snowflake: int) -> datetime:
    """When X made this id, to the millisecond, in UTC."""
    return _UNIX + timedelta(milliseconds=(snowflake >> SEQUENCE_BITS) + EPOCH_MS)


def first_id_at(instant: datetime) -> int:
    """The smallest id X could make at this instant; earlier instants than X's epoch give 0."""
    milliseconds = (instant - _UNIX) // timedelta(milliseconds=1)
    return max(0, milliseconds - EPOCH_MS) << SEQUENCE_BITS
