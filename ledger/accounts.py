"""Accounts: what they are and what they may hold. Pure: no I/O, no clock, no session.

The ledger knows an account by id, code and numbers. Whose it is, the bot knows.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, NewType

from ledger.errors import Invalid
from ledger.money import MAX_MINOR, Currency

AccountId = NewType("AccountId", int)

CODE_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
MAX_ID = 2**63 - 1


class NormalSide(StrEnum):
    """The side on which an account grows: assets by debits, liabilities (a wallet) by credits."""

    DEBIT = "debit"
    CREDIT = "credit"


class AccountState(StrEnum):
    """What an account takes part in.

    A new transfer debits only an OPEN account, and credits one that is OPEN or DEBITS_FROZEN. Posting a pending
    transfer, whose money was set aside earlier, is refused only where either account is FROZEN or CLOSED. Void and
    expiry always work.
    """

    OPEN = "open"
    DEBITS_FROZEN = "debits_frozen"
    FROZEN = "frozen"
    CLOSED = "closed"


class Balances(NamedTuple):
    """An account's four totals in minor units (each only ever a sum of amounts) at one version of it."""

    version: int
    debits_posted: int
    credits_posted: int
    debits_pending: int
    credits_pending: int

    def posted_minor(self, side: NormalSide) -> int:
        """What is posted, signed on the normal side: a wallet with money is positive."""
        if side is NormalSide.DEBIT:
            return self.debits_posted - self.credits_posted
        return self.credits_posted - self.debits_posted

    def pending_out_minor(self, side: NormalSide) -> int:
        return self.credits_pending if side is NormalSide.DEBIT else self.debits_pending

    def pending_in_minor(self, side: NormalSide) -> int:
        return self.debits_pending if side is NormalSide.DEBIT else self.credits_pending

    def available_minor(self, side: NormalSide) -> int:
        """Posted less what is held on its way out. What is on its way in does not count."""
        return self.posted_minor(side) - self.pending_out_minor(side)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """An account to be opened. `code` is its kind ("wallet", "safeguarding"), not its name.

    `guarded`: may not be overdrawn on its normal side, money held on its way out counted as spent.
    `upper_bound_minor`: may not hold more than this, money on its way in counted as held.
    `debits_need_authorisation`: the database refuses a debit of it that names no authorisation. Raises `Invalid`.
    """

    id: AccountId
    code: str
    currency: Currency
    normal_side: NormalSide
    guarded: bool = False
    upper_bound_minor: int | None = None
    debits_need_authorisation: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.id <= MAX_ID:
            raise Invalid(f"account id {self.id}: a positive number of 63 bits")
        if not CODE_PATTERN.fullmatch(self.code):
            raise Invalid(f"account code {self.code!r}: up to 64 letters, digits and _ . : -")
        if self.upper_bound_minor is not None and not 0 <= self.upper_bound_minor <= MAX_MINOR:
            raise Invalid(f"upper bound {self.upper_bound_minor}: 0 to {MAX_MINOR} minor units")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account(NewAccount):
    """An account as it stands: `version` counts the transfers that touched it, from 0 without a gap."""

    state: AccountState = AccountState.OPEN
    version: int = 0
    debits_posted: int = 0
    credits_posted: int = 0
    debits_pending: int = 0
    credits_pending: int = 0

    @property
    def balances(self) -> Balances:
        return Balances(
            self.version, self.debits_posted, self.credits_posted, self.debits_pending, self.credits_pending
        )

    @property
    def posted_minor(self) -> int:
        """What is posted, signed on the normal side."""
        return self.balances.posted_minor(self.normal_side)

    @property
    def pending_out_minor(self) -> int:
        """What is held on its way out."""
        return self.balances.pending_out_minor(self.normal_side)

    @property
    def pending_in_minor(self) -> int:
        """What is on its way in and not yet its own."""
        return self.balances.pending_in_minor(self.normal_side)

    @property
    def available_minor(self) -> int:
        """Posted less what is held on its way out, signed on the normal side."""
        return self.balances.available_minor(self.normal_side)
