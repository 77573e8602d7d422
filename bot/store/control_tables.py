"""The rows of what people decide for themselves: whom they want nothing to do with, and the handles they had before."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field

from bot.store.columns import BotTable, big_id, instant, sealed


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
