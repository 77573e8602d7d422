"""Transfers: what can be asked, what was booked, and when two of them are the same. Pure: no I/O, no clock.

A transfer moves one amount from one debit account to one credit account, so it balances by construction. It is only
ever inserted. Posting, voiding and expiring a pending one are transfers of their own that name it.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, NamedTuple, NewType, Self

from ledger.accounts import CODE_PATTERN, AccountId, Balances
from ledger.clock import instant_of
from ledger.errors import AmountOutOfRange, Invalid
from ledger.money import MAX_MINOR, Money

TransferId = NewType("TransferId", int)

KEY_PATTERN = re.compile(r"[!-~]{1,128}")
MAX_METADATA = 8
NO_METADATA: Final[Mapping[str, int | str]] = MappingProxyType({})


class Kind(StrEnum):
    """POSTED moves at once. PENDING sets aside, until exactly one of POST, VOID or EXPIRE names it."""

    POSTED = "posted"
    PENDING = "pending"
    POST = "post"
    VOID = "void"
    EXPIRE = "expire"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Post only if the accounts are still as the caller saw them (`ExpectationFailed` otherwise); None is no condition.

    A version is an account's `version` before the transfer; `available_minor` is as in `Account.available_minor`.
    """

    debit_version: int | None = None
    credit_version: int | None = None
    debit_available_minor: int | None = None
    credit_available_minor: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTransfer:
    """A transfer to be booked. Raises `Invalid`, or `AmountOutOfRange` unless the amount is 1 to `MAX_MINOR`.

    `code` says what for ("payment", "return"). `due_at` makes it pending: the amount is set aside until it is posted
    or voided, and may expire from then on (it can be posted until it has). `effective_on` is the day it counts for,
    where that is not the day it is booked. `metadata` holds up to eight ids and codes, never text written by people.
    The same `idempotency_key` with the same content is the first result again, whatever `expected` says.
    """

    debit_account_id: AccountId
    credit_account_id: AccountId
    amount: Money
    code: str
    idempotency_key: str
    due_at: datetime | None = None
    authorisation_id: int | None = None
    effective_on: date | None = None
    metadata: Mapping[str, int | str] = field(default_factory=lambda: NO_METADATA, hash=False)
    expected: Expected | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.amount.amount_minor <= MAX_MINOR:
            raise AmountOutOfRange(self.amount.amount_minor, 1, MAX_MINOR)
        if self.debit_account_id == self.credit_account_id:
            raise Invalid(f"account {self.debit_account_id} cannot pay itself")
        check_names(self.code, self.idempotency_key)
        if self.due_at is not None and self.due_at.tzinfo is None:
            raise Invalid(f"due_at {self.due_at} has no time zone")
        if self.metadata:
            check_metadata(self.metadata)


class Line(NamedTuple):
    """What is handed to the database: everything about a transfer but the balances after it, as plain values.

    `pending_minor` is the amount set aside by the pending transfer this one resolves, 0 for any other kind.
    """

    id: int
    journal_id: int
    kind: Kind
    debit_account_id: AccountId
    credit_account_id: AccountId
    amount: Money
    code: str
    pending_id: TransferId | None
    pending_minor: int
    reverses_id: TransferId | None
    authorisation_id: int | None
    idempotency_key: str
    booked_at: int
    due_at: datetime | None
    effective_on: date | None
    metadata: Mapping[str, int | str]
    expected: Expected | None

    @property
    def posted_delta(self) -> int:
        """What it adds to both accounts' posted totals."""
        moves = self.kind is Kind.POSTED or self.kind is Kind.POST
        return self.amount.amount_minor if moves else 0

    @property
    def pending_delta(self) -> int:
        """What it adds to both accounts' pending totals."""
        return self.amount.amount_minor if self.kind is Kind.PENDING else -self.pending_minor


class Transfer(NamedTuple):
    """A transfer as booked; nothing of it ever changes.

    `journal_id` is shared by the lines booked together, and equals `id` of the first. `pending_id` is the transfer
    that a POST, VOID or EXPIRE resolves, `reverses_id` the one a reversal takes back. `numbers` are what the database
    adds: when it was booked, in microseconds, and each account's five after it, the debited one's first.
    """

    id: TransferId
    journal_id: int
    kind: Kind
    debit_account_id: AccountId
    credit_account_id: AccountId
    amount: Money
    code: str
    pending_id: TransferId | None
    reverses_id: TransferId | None
    authorisation_id: int | None
    idempotency_key: str
    due_at: datetime | None
    effective_on: date | None
    metadata: Mapping[str, int | str]
    numbers: tuple[int, ...]

    @property
    def booked_at(self) -> datetime:
        """Never runs backwards within an account."""
        return instant_of(self.numbers[0])

    @property
    def debit_after(self) -> Balances:
        """The debited account's balances after it."""
        return Balances._make(self.numbers[1:6])

    @property
    def credit_after(self) -> Balances:
        """The credited account's balances after it."""
        return Balances._make(self.numbers[6:11])

    def after(self, account_id: AccountId) -> Balances:
        """The balances of one of its two accounts after it."""
        if account_id == self.debit_account_id:
            return self.debit_after
        if account_id == self.credit_account_id:
            return self.credit_after
        raise ValueError(f"transfer {self.id} does not touch account {account_id}")

    @classmethod
    def booked(cls, line: Line, numbers: tuple[int, ...]) -> Self:
        """What the database made of a line."""
        (line_id, journal_id, kind, debit_account_id, credit_account_id, amount, code, pending_id, _, reverses_id,
         authorisation_id, idempotency_key, _, due_at, effective_on, metadata, _) = line  # fmt: skip
        return cls(
            TransferId(line_id), journal_id, kind, debit_account_id, credit_account_id, amount, code, pending_id,
            reverses_id, authorisation_id, idempotency_key, due_at, effective_on, metadata, numbers,
        )  # fmt: skip


_CONTENT = (
    "kind", "debit_account_id", "credit_account_id", "amount", "code", "pending_id", "reverses_id",
    "authorisation_id", "due_at", "effective_on", "metadata",
)  # fmt: skip


def differences(booked: Transfer, asked: Line) -> dict[str, tuple[Any, Any]]:
    """Where the content of a booked transfer and of one asked for under the same key differ: (booked, asked)."""
    pairs = {name: (getattr(booked, name), getattr(asked, name)) for name in _CONTENT}
    return {name: (was, now) for name, (was, now) in pairs.items() if was != now}


def check_names(code: str, idempotency_key: str) -> None:
    """Raise `Invalid` unless both could be a transfer's code and key."""
    if not CODE_PATTERN.fullmatch(code):
        raise Invalid(f"transfer code {code!r}: up to 64 letters, digits and _ . : -")
    if not KEY_PATTERN.fullmatch(idempotency_key):
        raise Invalid(f"idempotency key {idempotency_key!r}: up to 128 printable ASCII characters, no space")


def check_metadata(metadata: Mapping[str, int | str]) -> None:
    """Raise `Invalid` unless it is at most eight ids (63 bit) and codes under names that are codes."""
    if len(metadata) > MAX_METADATA:
        raise Invalid(f"{len(metadata)} entries of metadata, {MAX_METADATA} at most")
    for name, value in metadata.items():
        is_id = type(value) is int and -(2**63) <= value < 2**63
        is_code = isinstance(value, str) and CODE_PATTERN.fullmatch(value)
        if not CODE_PATTERN.fullmatch(name) or not (is_id or is_code):
            raise Invalid(f"metadata {name!r}: {value!r}: names and values are ids or codes")


def metadata_text(metadata: Mapping[str, int | str]) -> str | None:
    """Metadata as it is stored: JSON with sorted names, None where there is none."""
    return json.dumps(dict(metadata), sort_keys=True, separators=(",", ":")) if metadata else None


def metadata_of(text: str | None) -> Mapping[str, int | str]:
    return MappingProxyType(json.loads(text)) if text else NO_METADATA
