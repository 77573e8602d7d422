"""The rows of second factors: one each time somebody sets one up, and the recovery codes that came with it."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field

from bot.store.columns import BotTable, big_id, instant, sealed


class SecondFactorRow(BotTable, table=True):
    """One enrolment of an authenticator app. Begun, then verified by a code of its own, then trusted after its wait;
    `last_step` is the newest step a code was accepted for, and never goes back."""

    __tablename__ = "second_factors"
    __table_args__ = (
        CheckConstraint("wrong_tries >= 0 AND locks >= 0", name="counters_are_not_negative"),
        CheckConstraint("ended_at IS NOT NULL OR secret_sealed IS NOT NULL", name="a_live_one_has_a_secret"),
        CheckConstraint("(verified_at IS NULL) = (trusted_at IS NULL)", name="verified_has_a_time_of_trust"),
        CheckConstraint("(verified_at IS NULL) = (last_step IS NULL)", name="verified_by_a_code"),
        CheckConstraint("trusted_at >= verified_at", name="trusted_after_it_was_verified"),
        Index("uq_second_factors_begun", "person_id", unique=True,
              sqlite_where=text("verified_at IS NULL AND ended_at IS NULL"),
              postgresql_where=text("verified_at IS NULL AND ended_at IS NULL")),
        Index("ix_second_factors_live", "person_id", sqlite_where=text("ended_at IS NULL"),
              postgresql_where=text("ended_at IS NULL")),
        Index("ix_second_factors_notice", "notice_at", sqlite_where=text("notice_at IS NOT NULL"),
              postgresql_where=text("notice_at IS NOT NULL")),
    )  # fmt: skip
    id: int = Field(sa_column=big_id(primary=True))
    person_id: int = Field(sa_column=big_id(foreign="people.user_id"))
    secret_sealed: bytes | None = Field(default=None, sa_column=sealed())
    begun_at: datetime = Field(sa_column=instant())
    proved: bool = False
    """Whether the one before it was shown when this one was begun: then it needs no wait."""
    verified_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    trusted_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    """From when on it raises the limits, and takes the place of an older one."""
    removal_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    """From when on it counts no more, because somebody without it asked for that."""
    ended_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    last_step: int | None = Field(default=None, sa_column=big_id(nullable=True))
    wrong_tries: int = 0
    locks: int = 0
    locked_until: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    notice_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    """When its person is to be told again that something is under way."""


class RecoveryCodeRow(BotTable, table=True):
    """One recovery code of a factor, as a keyed hash; used once."""

    __tablename__ = "recovery_codes"
    __table_args__ = (UniqueConstraint("factor_id", "code_hash", name="a_recovery_code_once"),)
    id: int = Field(sa_column=big_id(primary=True))
    factor_id: int = Field(sa_column=big_id(foreign="second_factors.id"))
    code_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    used_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
