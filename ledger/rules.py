"""The rules of booking, in words: why a transfer is refused, and what it does to a balance. Pure.

The database enforces the same rules by itself (`migrations`); it says only that it refuses. These functions say why,
with the numbers, once it has. They never decide that something is allowed.
"""

from dataclasses import replace

from ledger.accounts import Account, AccountState, Balances, NormalSide
from ledger.errors import (
    AccountNotOpen,
    AmountOutOfRange,
    AuthorisationMissing,
    CurrencyMismatch,
    ExpectationFailed,
    InsufficientFunds,
    Refused,
    UpperBoundExceeded,
)
from ledger.money import MAX_MINOR
from ledger.transfers import Kind, Line

MAX_TOTAL = 4_000 * MAX_MINOR

_TAKES_NEW_DEBITS = frozenset({AccountState.OPEN})
_TAKES_NEW_CREDITS = frozenset({AccountState.OPEN, AccountState.DEBITS_FROZEN})
_NEW = frozenset({Kind.POSTED, Kind.PENDING})
_RELEASES = frozenset({Kind.VOID, Kind.EXPIRE})


def refusal_of(line: Line, debit: Account, credit: Account) -> Refused | None:
    """Why this line cannot be booked on these two accounts as they stand; None if these rules know no reason."""
    return (
        _mixed(line, debit, credit)
        or _unexpected(line, debit, credit)
        or _not_open(line, debit, credit)
        or _unauthorised(line, debit)
        or _out_of_bounds(moved(debit, line, NormalSide.DEBIT), debit)
        or _out_of_bounds(moved(credit, line, NormalSide.CREDIT), credit)
    )


def moved(account: Account, line: Line, side: NormalSide) -> Account:
    """The account after the line was booked on this side of it."""
    before = account.balances
    if side is NormalSide.DEBIT:
        after = Balances(
            before.version + 1,
            before.debits_posted + line.posted_delta,
            before.credits_posted,
            before.debits_pending + line.pending_delta,
            before.credits_pending,
        )
    else:
        after = Balances(
            before.version + 1,
            before.debits_posted,
            before.credits_posted + line.posted_delta,
            before.debits_pending,
            before.credits_pending + line.pending_delta,
        )
    return replace(account, **after._asdict())


def _mixed(line: Line, debit: Account, credit: Account) -> Refused | None:
    for account in (debit, credit):
        if account.currency != line.amount.currency:
            return CurrencyMismatch(str(line.amount.currency), str(account.currency))
    return None


def _unexpected(line: Line, debit: Account, credit: Account) -> Refused | None:
    if (expected := line.expected) is None:
        return None
    for account, what, wanted, actual in (
        (debit, "version", expected.debit_version, debit.version),
        (credit, "version", expected.credit_version, credit.version),
        (debit, "available_minor", expected.debit_available_minor, debit.available_minor),
        (credit, "available_minor", expected.credit_available_minor, credit.available_minor),
    ):
        if wanted is not None and wanted != actual:
            return ExpectationFailed(account.id, what, expected=wanted, actual=actual)
    return None


def _not_open(line: Line, debit: Account, credit: Account) -> Refused | None:
    if line.kind in _RELEASES:
        return None
    debits = _TAKES_NEW_DEBITS if line.kind in _NEW else _TAKES_NEW_CREDITS
    if debit.state not in debits:
        return AccountNotOpen(debit.id, debit.state.value)
    if credit.state not in _TAKES_NEW_CREDITS:
        return AccountNotOpen(credit.id, credit.state.value)
    return None


def _unauthorised(line: Line, debit: Account) -> Refused | None:
    needed = debit.debits_need_authorisation and line.kind not in _RELEASES
    return AuthorisationMissing(debit.id) if needed and line.authorisation_id is None else None


def _out_of_bounds(after: Account, before: Account) -> Refused | None:
    if after.guarded and after.available_minor < 0:
        needed = before.available_minor - after.available_minor
        return InsufficientFunds(before.id, before.available_minor, needed)
    holds = after.posted_minor + after.pending_in_minor
    if after.upper_bound_minor is not None and holds > after.upper_bound_minor:
        return UpperBoundExceeded(after.id, after.upper_bound_minor, holds)
    largest = max(after.balances[1:])
    return AmountOutOfRange(largest, 0, MAX_TOTAL) if largest > MAX_TOTAL else None
