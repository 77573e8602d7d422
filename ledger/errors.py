"""What the ledger refuses, and what can go wrong under it, sorted by what is to be done about it.

    LedgerError
    ├── Refused                     a rule says no; nothing was written, the caller decides what to tell
    │   ├── InsufficientFunds       a guarded account would be overdrawn, held money counted as spent
    │   ├── UpperBoundExceeded      an account would hold more than it may
    │   ├── AccountNotOpen          frozen or closed, for this direction
    │   ├── CurrencyMismatch        two currencies in one movement
    │   ├── AmountOutOfRange        not positive, beyond the bound, or more than the original
    │   ├── AuthorisationMissing    this account is only debited with an authorisation
    │   ├── ExpectationFailed       the account is no longer in the state the caller had seen
    │   ├── AlreadyResolved         the pending transfer was posted, voided or expired before; tells by which transfer
    │   ├── AlreadyReversed         reversed before; tells by which transfer
    │   ├── NotDue                  a pending transfer cannot expire before its time
    │   ├── NotPending              only a pending transfer is posted, voided or expired
    │   └── NotReversible           only posted money is reversed, and a reversal is not
    ├── UnknownAccount, UnknownTransfer, AccountExists
    ├── NotSealed, ProofInvalid     the transfer's seal is still to come; the proof proves nothing
    ├── IdempotencyConflict         the same key came with other content: a fault of the caller
    ├── Invalid                     a value that could never be right (a code with spaces, an exponent of 40)
    ├── DatabaseBusy                others held the database too long; nothing happened, try later
    ├── DatabaseClosed              the database was closed; nothing happened
    ├── OutcomeUnknown              the caller gave up, or the commit failed; settled by the idempotency key
    ├── TransactionLost             the work ended or poisoned its own transaction; none of it was kept
    ├── NestedWrite, CommitInWork, WriteInRead    misuse of `database.write` and `database.read`
    ├── NewerDatabase               written by a newer version of this program
    └── InvariantBroken             the database refused for a reason the rules do not know: stop moving money

Each says what was refused and by which numbers; none carries text written by people.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ledger.transfers import Transfer


class LedgerError(Exception):
    """The root of everything the ledger raises on purpose."""


class Refused(LedgerError):
    """A rule says no. Nothing was written."""


class InsufficientFunds(Refused):
    """`account_id` has `available_minor` on its normal side, `needed_minor` was asked."""

    def __init__(self, account_id: int, available_minor: int, needed_minor: int) -> None:
        super().__init__(f"account {account_id} has {available_minor} available, {needed_minor} needed")
        self.account_id = account_id
        self.available_minor = available_minor
        self.needed_minor = needed_minor


class UpperBoundExceeded(Refused):
    """`account_id` may hold `upper_bound_minor`, incoming pending included; it would hold `would_hold_minor`."""

    def __init__(self, account_id: int, upper_bound_minor: int, would_hold_minor: int) -> None:
        super().__init__(f"account {account_id} may hold {upper_bound_minor}, would hold {would_hold_minor}")
        self.account_id = account_id
        self.upper_bound_minor = upper_bound_minor
        self.would_hold_minor = would_hold_minor


class AccountNotOpen(Refused):
    """`account_id` is in `state` and takes part in no such transfer."""

    def __init__(self, account_id: int, state: str) -> None:
        super().__init__(f"account {account_id} is {state}")
        self.account_id = account_id
        self.state = state


class CurrencyMismatch(Refused):
    """`left` and `right` are two currencies (as `EUR/2`: code and exponent) that cannot meet."""

    def __init__(self, left: str, right: str) -> None:
        super().__init__(f"{left} and {right} do not mix")
        self.left = left
        self.right = right


class AmountOutOfRange(Refused):
    """`amount_minor` is not within `low_minor..high_minor`."""

    def __init__(self, amount_minor: int, low_minor: int, high_minor: int) -> None:
        super().__init__(f"amount {amount_minor} is not within {low_minor}..{high_minor}")
        self.amount_minor = amount_minor
        self.low_minor = low_minor
        self.high_minor = high_minor


class AuthorisationMissing(Refused):
    """`account_id` is only debited with an authorisation, and none was named."""

    def __init__(self, account_id: int) -> None:
        super().__init__(f"account {account_id} is only debited with an authorisation")
        self.account_id = account_id


class ExpectationFailed(Refused):
    """`account_id` was expected to have `what` = `expected`; it has `actual`."""

    def __init__(self, account_id: int, what: str, *, expected: int, actual: int) -> None:
        super().__init__(f"account {account_id}: {what} is {actual}, expected {expected}")
        self.account_id = account_id
        self.what = what
        self.expected = expected
        self.actual = actual


class AlreadyResolved(Refused):
    """`by` is the transfer that posted, voided or expired the pending one first."""

    def __init__(self, by: "Transfer") -> None:
        super().__init__(f"pending transfer {by.pending_id} was resolved before, by {by.kind.value} {by.id}")
        self.by = by


class AlreadyReversed(Refused):
    """`by` is the transfer that reversed the original first."""

    def __init__(self, by: "Transfer") -> None:
        super().__init__(f"transfer {by.reverses_id} was reversed before, by {by.id}")
        self.by = by


class NotDue(Refused):
    """Pending transfer `pending_id` may expire at `due_at`, not at `now`."""

    def __init__(self, pending_id: int, due_at: datetime, now: datetime) -> None:
        super().__init__(f"pending transfer {pending_id} is due at {due_at}, now is {now}")
        self.pending_id = pending_id
        self.due_at = due_at
        self.now = now


class NotPending(Refused):
    """Transfer `transfer_id` is of kind `kind`; there is nothing to resolve."""

    def __init__(self, transfer_id: int, kind: str) -> None:
        super().__init__(f"transfer {transfer_id} is {kind}, not pending")
        self.transfer_id = transfer_id
        self.kind = kind


class NotReversible(Refused):
    """Transfer `transfer_id` moved no posted money, or is a reversal itself (`reason` says which)."""

    def __init__(self, transfer_id: int, reason: str) -> None:
        super().__init__(f"transfer {transfer_id} cannot be reversed: {reason}")
        self.transfer_id = transfer_id
        self.reason = reason


class UnknownAccount(LedgerError):
    """There is no account `account_id`."""

    def __init__(self, account_id: int) -> None:
        super().__init__(f"there is no account {account_id}")
        self.account_id = account_id


class AccountExists(LedgerError):
    """Account `account_id` is there already, and differs from the one that was to be opened."""

    def __init__(self, account_id: int) -> None:
        super().__init__(f"account {account_id} exists, and is another one")
        self.account_id = account_id


class UnknownTransfer(LedgerError):
    """There is no transfer `transfer_id`."""

    def __init__(self, transfer_id: int) -> None:
        super().__init__(f"there is no transfer {transfer_id}")
        self.transfer_id = transfer_id


class NotSealed(LedgerError):
    """Transfer `transfer_id` is younger than the newest seal; ask again after the next."""

    def __init__(self, transfer_id: int) -> None:
        super().__init__(f"transfer {transfer_id} is not sealed yet")
        self.transfer_id = transfer_id


class ProofInvalid(LedgerError):
    """The proof proves nothing; says at which step it failed."""


class IdempotencyConflict(LedgerError):
    """`idempotency_key` was used before for other content.

    `differences` maps each differing field to (as booked, as asked now).
    """

    def __init__(self, idempotency_key: str, differences: Mapping[str, tuple[Any, Any]]) -> None:
        told = ", ".join(f"{name} was {was}, now {now}" for name, (was, now) in differences.items())
        super().__init__(f"idempotency key {idempotency_key} was used for something else: {told}")
        self.idempotency_key = idempotency_key
        self.differences = dict(differences)


class Invalid(LedgerError):
    """A value that could never be right; says which and what would be."""


class DatabaseBusy(LedgerError):
    """Others held the database too long. Nothing happened; the same work may be tried again."""


class DatabaseClosed(LedgerError):
    """The database was closed before. Nothing happened."""


class OutcomeUnknown(LedgerError):
    """Whether the work was committed cannot be told from here; the same idempotency keys settle it."""


class TransactionLost(LedgerError):
    """The work ended or poisoned the transaction it ran in. None of it was kept by this call."""


class NestedWrite(LedgerError):
    """`write` was called inside a work. Writes do not nest."""


class CommitInWork(LedgerError):
    """A work tried to commit. Only `write` commits."""


class WriteInRead(LedgerError):
    """A work given to `read` tried to write."""


class NewerDatabase(LedgerError):
    """The database was written by a newer version of this program."""


class InvariantBroken(LedgerError):
    """The database refused a transfer for a reason the rules do not know. Stop moving money and find out."""
