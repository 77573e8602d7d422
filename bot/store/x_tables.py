"""What the bot keeps about X itself: how far each of X's limits is used up, and what was asked of it, day by day."""

from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlmodel import Field

from bot.store.columns import BotTable, big_id, instant, sealed


class CallWindowRow(BotTable, table=True):
    """One window of one call to X: so many allowed, so many used until it ends. A send is taken from it in the
    transaction that claims it, and X's own word in an answer's headers corrects it."""

    __tablename__ = "call_windows"
    __table_args__ = (
        CheckConstraint("used >= 0 AND allowed >= 0", name="calls_are_not_negative"),
        CheckConstraint("window_seconds > 0", name="a_window_has_a_length"),
    )
    call: str = Field(primary_key=True)
    """A method of the gateway."""
    window_seconds: int = Field(sa_column=big_id(primary=True))
    allowed: int = Field(sa_column=big_id())
    used: int = Field(sa_column=big_id())
    ends_at: datetime = Field(sa_column=instant())
    told_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    """When X last said so itself; None where it is our own rule."""


class CallCountRow(BotTable, table=True):
    """What was asked of X on one UTC day, and how much of it X charges for."""

    __tablename__ = "call_counts"
    __table_args__ = (CheckConstraint("calls >= 0 AND charged >= 0", name="counts_are_not_negative"),)
    day: str = Field(primary_key=True)
    """As 2026-11-26."""
    call: str = Field(primary_key=True)
    calls: int = Field(default=0, sa_column=big_id())
    charged: int = Field(default=0, sa_column=big_id())
    """Things read for the first time that day, or sent."""


class LeaseRow(BotTable, table=True):
    """Who may do what only one may do at a time, until when by the database's own clock. Each new holder gets a higher
    token, which is checked in the transaction that writes: an old holder can write nothing."""

    __tablename__ = "leases"
    name: str = Field(primary_key=True)
    holder: int = Field(sa_column=big_id())
    token: int = Field(sa_column=big_id())
    until_at: datetime = Field(sa_column=instant())


class UserTokenRow(BotTable, table=True):
    """The OAuth 2 user token with which the bot subscribes to X's events, and the one that brings the next."""

    __tablename__ = "user_tokens"
    user_id: int = Field(sa_column=big_id(primary=True))
    access_sealed: bytes | None = Field(default=None, sa_column=sealed())
    refresh_sealed: bytes | None = Field(default=None, sa_column=sealed())
    expires_at: datetime = Field(sa_column=instant())
