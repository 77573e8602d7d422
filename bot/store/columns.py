"""What the bot's tables are made of: their base and the forms of their columns, the same on both engines."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, LargeBinary, MetaData
from sqlmodel import SQLModel

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
