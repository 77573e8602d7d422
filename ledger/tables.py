"""The rows as SQLModel sees them: for reading, and for the bot's tables to join with.

Nothing is ever written through these classes: `posting` inserts transfers by one statement, and the database refuses
everything else. The rules (CHECK, UNIQUE, triggers) stand in `migrations/versions`, where they are what is deployed;
a test holds these columns and those together.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Dialect, TypeDecorator
from sqlmodel import Field, SQLModel

from ledger.clock import instant_of, microseconds_of


class UtcMicroseconds(TypeDecorator[datetime]):
    """An instant as BIGINT microseconds since the epoch: exact, sortable, and aware UTC when read on every engine."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else microseconds_of(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else instant_of(value)


class AccountRow(SQLModel, table=True):
    """One account with its balances as of `version`."""

    __tablename__ = "ledger_account"

    id: int = Field(primary_key=True, sa_type=BigInteger)
    code: str
    currency: str
    exponent: int = Field(sa_type=BigInteger)
    normal_side: str
    guarded: int = Field(sa_type=BigInteger)
    upper_bound_minor: int | None = Field(sa_type=BigInteger)
    debits_need_authorisation: int = Field(sa_type=BigInteger)
    state: str
    version: int = Field(sa_type=BigInteger)
    debits_posted: int = Field(sa_type=BigInteger)
    credits_posted: int = Field(sa_type=BigInteger)
    debits_pending: int = Field(sa_type=BigInteger)
    credits_pending: int = Field(sa_type=BigInteger)
    opened_at: datetime = Field(sa_type=UtcMicroseconds)
    booked_at: datetime = Field(sa_type=UtcMicroseconds)


class TransferRow(SQLModel, table=True):
    """One transfer with both accounts' balances after it."""

    __tablename__ = "ledger_transfer"

    id: int = Field(primary_key=True, sa_type=BigInteger)
    journal_id: int = Field(sa_type=BigInteger)
    kind: str
    debit_account_id: int = Field(foreign_key="ledger_account.id", sa_type=BigInteger)
    credit_account_id: int = Field(foreign_key="ledger_account.id", sa_type=BigInteger)
    amount_minor: int = Field(sa_type=BigInteger)
    currency: str
    exponent: int = Field(sa_type=BigInteger)
    code: str
    pending_id: int | None = Field(foreign_key="ledger_transfer.id", sa_type=BigInteger)
    reverses_id: int | None = Field(foreign_key="ledger_transfer.id", sa_type=BigInteger)
    authorisation_id: int | None = Field(sa_type=BigInteger)
    idempotency_key: str
    booked_at: datetime = Field(sa_type=UtcMicroseconds)
    due_at: datetime | None = Field(sa_type=UtcMicroseconds)
    effective_on: str | None
    details: str | None
    debit_version: int = Field(sa_type=BigInteger)
    debit_debits_posted: int = Field(sa_type=BigInteger)
    debit_credits_posted: int = Field(sa_type=BigInteger)
    debit_debits_pending: int = Field(sa_type=BigInteger)
    debit_credits_pending: int = Field(sa_type=BigInteger)
    credit_version: int = Field(sa_type=BigInteger)
    credit_debits_posted: int = Field(sa_type=BigInteger)
    credit_credits_posted: int = Field(sa_type=BigInteger)
    credit_debits_pending: int = Field(sa_type=BigInteger)
    credit_credits_pending: int = Field(sa_type=BigInteger)


class SealRow(SQLModel, table=True):
    """One seal over the transfers below `through_id` that no earlier one covers."""

    __tablename__ = "ledger_seal"

    number: int = Field(primary_key=True, sa_type=BigInteger)
    through_id: int = Field(sa_type=BigInteger)
    transfers: int = Field(sa_type=BigInteger)
    previous: str
    root: str
    sealed_at: int = Field(sa_type=BigInteger)
    key_id: str
    hash: str
    signature: str
    leaves: bytes
