"""The rows of what people decide for themselves: whom they want nothing to do with, the handles they had before, what they are
asked about their own account, and who was erased."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field

from bot.store.columns import BotTable, big_id, instant, one_of, sealed


class BlockRow(BotTable, table=True):
    """Somebody a person neither pays nor is paid by, until they take it back."""

    __tablename__ = "blocks"
    __table_args__ = (
        UniqueConstraint("person_id", "blocked_id", name="blocked_once"),
        CheckConstraint("person_id <> blocked_id", name="nobody_blocks_themselves"),
        Index("ix_blocks_blocked", "blocked_id"),
    )
    id: int = Field(sa_column=big_id(primary=True))
    person_id: int = Field(sa_column=big_id(foreign="people.user_id"))
    blocked_id: int = Field(sa_column=big_id(foreign="people.user_id"))
    blocked_at: datetime = Field(sa_column=instant())


class FormerHandleRow(BotTable, table=True):
    """A handle a person had until it was seen to be another one."""

    __tablename__ = "former_handles"
    __table_args__ = (Index("ix_former_handles_person", "person_id", "until"),)
    id: int = Field(sa_column=big_id(primary=True))
    person_id: int = Field(sa_column=big_id(foreign="people.user_id"))
    username_sealed: bytes | None = Field(default=None, sa_column=sealed())
    until: datetime = Field(sa_column=instant())
    """When the new one was first seen."""


class QuestionRow(BotTable, table=True):
    """A question about a person's own account that is no payment. Its code is computed, and stands nowhere."""

    __tablename__ = "questions"
    __table_args__ = (
        one_of("kind", "erase", "trust"),
        CheckConstraint("(kind = 'trust') = (subject_id IS NOT NULL)", name="trust_is_in_somebody"),
        Index("ix_questions_open", "person_id", sqlite_where=text("closed_at IS NULL"),
              postgresql_where=text("closed_at IS NULL")),
    )  # fmt: skip
    id: int = Field(sa_column=big_id(primary=True))
    person_id: int = Field(sa_column=big_id(foreign="people.user_id"))
    kind: str
    subject_id: int | None = Field(default=None, sa_column=big_id(foreign="people.user_id", nullable=True))
    """Whom it is about."""
    nonce: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    key_id: str
    asked_at: datetime = Field(sa_column=instant())
    expires_at: datetime = Field(sa_column=instant())
    closed_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))


class ErasureRow(BotTable, table=True):
    """That somebody was erased. `id` (below zero) stands in their place in the books."""

    __tablename__ = "erasures"
    __table_args__ = (
        CheckConstraint("id < 0", name="stands_in_for_nobody_on_x"),
        Index("ix_erasures_person", "person_hash"),
    )
    id: int = Field(sa_column=big_id(primary=True))
    person_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """Keyed hash of the X user id, by which old posts and messages of theirs are known."""
    erased_at: datetime = Field(sa_column=instant())
    """What they said until then counts no more."""
    done_at: datetime = Field(sa_column=instant())
    left_id: int | None = Field(default=None, sa_column=big_id(nullable=True))
    """The X user id, while the last message to them may still be on its way."""
    listed_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    """When it was written to the list that is kept outside this database."""
