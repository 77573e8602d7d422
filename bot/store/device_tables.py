"""The rows of devices people are signed in on, and of the links that brought them in."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, text
from sqlmodel import Field

from bot.store.columns import BotTable, big_id, instant, sealed


class DeviceLinkRow(BotTable, table=True):
    """A link sent in a message: good once, for one person, for a while. Its token is kept as a hash."""

    __tablename__ = "device_links"
    __table_args__ = (
        CheckConstraint("expires_at > created_at", name="a_link_lasts"),
        Index("ix_device_links_token", "token_hash", unique=True),
        Index("ix_device_links_person", "person_id", sqlite_where=text("used_at IS NULL"),
              postgresql_where=text("used_at IS NULL")),
    )  # fmt: skip
    id: int = Field(sa_column=big_id(primary=True))
    person_id: int = Field(sa_column=big_id(foreign="people.user_id"))
    token_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: datetime = Field(sa_column=instant())
    expires_at: datetime = Field(sa_column=instant())
    used_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))


class DeviceRow(BotTable, table=True):
    """A browser somebody is signed in on. `proved_at` is when they last showed that it is they."""

    __tablename__ = "devices"
    __table_args__ = (
        Index("ix_devices_secret", "secret_hash", unique=True),
        Index("ix_devices_person", "person_id", sqlite_where=text("ended_at IS NULL"),
              postgresql_where=text("ended_at IS NULL")),
    )  # fmt: skip
    id: int = Field(sa_column=big_id(primary=True))
    person_id: int = Field(sa_column=big_id(foreign="people.user_id"))
    secret_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    name_sealed: bytes | None = Field(default=None, sa_column=sealed())
    created_at: datetime = Field(sa_column=instant())
    proved_at: datetime = Field(sa_column=instant())
    seen_at: datetime = Field(sa_column=instant())
    ended_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
