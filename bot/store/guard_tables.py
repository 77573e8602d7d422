"""The rows behind the guards of a payment: wrong answers, payees somebody trusts, payments under review, known keys."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from bot.store.columns import BotTable, big_id, instant, one_of


class WrongAnswerRow(BotTable, table=True):
    """One wrong code tried against an open question. What was tried is not kept."""

    __tablename__ = "wrong_answers"
    __table_args__ = (Index("ix_wrong_answers_person", "person_id", "at"),)
    id: int = Field(sa_column=big_id(primary=True))
    person_id: int = Field(sa_column=big_id(foreign="people.user_id"))
    at: datetime = Field(sa_column=instant())


class TrustedPayeeRow(BotTable, table=True):
    """Somebody a payer may pay without a code, from the full confirmation that said so until it is taken back."""

    __tablename__ = "trusted_payees"
    __table_args__ = (
        UniqueConstraint("payer_id", "payee_id", name="a_trusted_payee_once"),
        CheckConstraint("payer_id <> payee_id", name="nobody_trusts_themselves"),
    )
    id: int = Field(sa_column=big_id(primary=True))
    payer_id: int = Field(sa_column=big_id(foreign="people.user_id"))
    payee_id: int = Field(sa_column=big_id(foreign="people.user_id"))
    trusted_at: datetime = Field(sa_column=instant())


class ReviewRow(BotTable, table=True):
    """One payment that somebody of the operator's is to look at, why, and what they decided."""

    __tablename__ = "reviews"
    __table_args__ = (
        UniqueConstraint("intent_id", name="one_review_for_an_intent"),
        one_of("outcome", "open", "released", "refused", "cancelled", "expired"),
        CheckConstraint("(outcome = 'open') = (closed_at IS NULL)", name="closed_has_a_time"),
        Index(
            "ix_reviews_open",
            "opened_at",
            sqlite_where=text("outcome = 'open'"),
            postgresql_where=text("outcome = 'open'"),
        ),
    )
    id: int = Field(sa_column=big_id(primary=True))
    intent_id: int = Field(sa_column=big_id(foreign="intents.id"))
    alarms: str
    """Codes of what raised it, with commas."""
    opened_at: datetime = Field(sa_column=instant())
    closed_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    outcome: str = "open"


class KnownKeyRow(BotTable, table=True):
    """A master key this database was written with: its id, and a fingerprint that tells nothing of it."""

    __tablename__ = "known_keys"
    key_id: str = Field(primary_key=True)
    fingerprint: str
    seen_at: datetime = Field(sa_column=instant())
