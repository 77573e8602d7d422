"""One account over a time, and the whole book in order: what every export is made from.

Everything here streams: a page of rows at a time is in memory, however long the account's life. It reads one snapshot and
never writes. Pending money is shown where it is asked for, and never counted as posted.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session

from ledger import reading
from ledger.accounts import Account, AccountId, Balances
from ledger.book import balance_at
from ledger.errors import UnknownAccount
from ledger.transfers import Kind, Transfer

PAGE = 500
MOVES_MONEY = frozenset({Kind.POSTED, Kind.POST})


@dataclass(frozen=True, slots=True)
class Entry:
    """One transfer seen from one account: `change_minor` and `balance_minor` are signed on its normal side.

    Both are of posted money; `change_minor` is 0 where a transfer only sets aside or sets free.
    """

    transfer: Transfer
    other_account_id: AccountId
    change_minor: int
    balance_minor: int

    @property
    def day(self) -> date:
        return day_of(self.transfer)


@dataclass(frozen=True, slots=True)
class Statement:
    """An account from `opening` (its balances before the first entry) to `closing`, everything booked in between.

    `since` and `until` are booking times, the first excluded and the last included; None is the account's beginning,
    and the time of the snapshot.
    """

    account: Account
    since: datetime | None
    until: datetime | None
    opening: Balances
    closing: Balances

    @property
    def opening_minor(self) -> int:
        return self.opening.posted_minor(self.account.normal_side)

    @property
    def closing_minor(self) -> int:
        return self.closing.posted_minor(self.account.normal_side)

    def entries(self, session: Session) -> Iterator[Entry]:
        """What happened, oldest first. Must be read within the snapshot the statement was made in."""
        balance = self.opening_minor
        version = self.opening.version
        while version < self.closing.version:
            last = min(version + PAGE, self.closing.version)
            for transfer in reading.between_versions(session, self.account.id, version, last):
                after = transfer.after(self.account.id).posted_minor(self.account.normal_side)
                yield Entry(transfer, _other(transfer, self.account.id), after - balance, after)
                balance = after
            version = last


def statement(
    session: Session, account_id: AccountId, *, since: datetime | None = None, until: datetime | None = None
) -> Statement:
    """The statement of an account; its entries are read from the same session. Raises `UnknownAccount`."""
    if (account := reading.account(session, account_id)) is None:
        raise UnknownAccount(account_id)
    opening = Balances(0, 0, 0, 0, 0) if since is None else balance_at(session, account, since)
    closing = account.balances if until is None else balance_at(session, account, until)
    return Statement(account, since, until, opening, closing)


def whole_book(session: Session) -> Iterator[Transfer]:
    """Every transfer, in the order of ids: that of booking, but for what was booked within the same half minute."""
    last = 0
    while page := reading.after_id(session, last, PAGE):
        yield from page
        last = page[-1].id


def whole_chart(session: Session) -> Iterator[Account]:
    """Every account, in the order of ids."""
    last = 0
    while page := reading.accounts_after(session, last, PAGE):
        yield from page
        last = page[-1].id


def day_of(transfer: Transfer) -> date:
    """The day a transfer counts for: its effective day, else the day it was booked (UTC)."""
    return transfer.effective_on or transfer.booked_at.date()


def _other(transfer: Transfer, account_id: AccountId) -> AccountId:
    mine = transfer.debit_account_id == account_id
    return transfer.credit_account_id if mine else transfer.debit_account_id
