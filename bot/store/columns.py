"""What the bot's tables are made of: their base and the forms of their columns, the same on both engines."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    ForeignKey,
    LargeBinary,
    MetaData,
    literal_column,
)
from sqlmodel import SQLModel, col

from ledger.tables import UtcMicroseconds

metadata = MetaData()


class BotTable(SQLModel):
    """Keeps the bot's tables in a metadata of their own, apart from the ledger's."""

    metadata = metadata


def big_id(*, foreign: str | None = None, primary: bool = False, nullable: bool = False) -> "Column[int]":
    """A 64-bit id on both engines."""
    keys = [ForeignKey(foreign)] if foreign else []
    return Column(BigInteger, *keys, primary_key=primary, autoincrement=False, nullable=nullable)


def instant(*, nullable: bool = False) -> "Column[datetime]":
    return Column(UtcMicroseconds, nullable=nullable)


def sealed() -> "Column[bytes]":
    """Encrypted by the vault for exactly its table, row and column."""
    return Column(LargeBinary, nullable=True)


def one_of(column: str, *values: str) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_is_known")


def literally(column: Any, *words: str) -> ColumnElement[bool]:
    """That a column says one of these words, which stand in the statement themselves. An index over a part of a table
    serves only who repeats its condition word by word; a parameter could be anything."""
    spelled: list[ColumnElement[str]] = [literal_column(f"'{word}'") for word in words]
    return col(column) == spelled[0] if len(spelled) == 1 else col(column).in_(spelled)
