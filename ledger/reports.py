"""Figures over the whole book: the trial balance, clearing accounts still open, and what is owed against what is held.

Which kinds of account are clearing, owed or held is said by the ledger's user: the chart of accounts is not the
ledger's. Everything is summed by the database; nothing is written.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import String, bindparam, text
from sqlmodel import Session

from ledger import reading
from ledger.accounts import Account
from ledger.money import Currency


@dataclass(frozen=True, slots=True)
class TrialBalanceLine:
    """All accounts of one kind and currency: their number and the sums of their four totals, in minor units."""

    code: str
    currency: Currency
    accounts: int
    debits_posted: int
    credits_posted: int
    debits_pending: int
    credits_pending: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is owed and what is held in one currency, in minor units, held money still on its way counted as owed."""

    currency: Currency
    owed_minor: int
    held_minor: int

    @property
    def surplus_minor(self) -> int:
        """Below zero is an alarm: more is owed than is held."""
        return self.held_minor - self.owed_minor


def trial_balance(session: Session) -> tuple[TrialBalanceLine, ...]:
    """One line for each kind of account and currency; in each currency debits equal credits."""
    rows = session.execute(text(_TRIAL_BALANCE))
    return tuple(
        TrialBalanceLine(row.code, Currency(row.currency, row.exponent), *(int(value) for value in row[3:]))
        for row in rows
    )


def open_clearing(session: Session, codes: Iterable[str]) -> tuple[Account, ...]:
    """Accounts of these kinds that have not drained to zero, pending included: each is a question to someone."""
    query = text(_OPEN_CLEARING).bindparams(bindparam("codes", expanding=True, type_=String()))
    ids = [row[0] for row in session.execute(query, {"codes": list(codes)})]
    found = (reading.account(session, account_id) for account_id in ids)
    return tuple(account for account in found if account is not None)


def coverage(session: Session, *, owed: Iterable[str], held: Iterable[str]) -> tuple[Coverage, ...]:
    """For each currency, what accounts of the kinds `owed` are owed, and what those of the kinds `held` hold."""
    sums = {"owed": _posted(session, owed, -1), "held": _posted(session, held, 1)}
    currencies = sorted({*sums["owed"], *sums["held"]}, key=str)
    return tuple(
        Coverage(currency, sums["owed"].get(currency, 0), sums["held"].get(currency, 0))
        for currency in currencies
    )


def _posted(session: Session, codes: Iterable[str], sign: int) -> dict[Currency, int]:
    query = text(_POSTED).bindparams(bindparam("codes", expanding=True, type_=String()))
    rows: Any = session.execute(query, {"codes": list(codes)})
    return {Currency(row.currency, row.exponent): sign * int(row.debits_less_credits) for row in rows}


_TRIAL_BALANCE = """
SELECT code, currency, exponent, count(*), sum(debits_posted), sum(credits_posted),
    sum(debits_pending), sum(credits_pending)
FROM ledger_account GROUP BY code, currency, exponent ORDER BY currency, exponent, code
"""

_OPEN_CLEARING = """
SELECT id FROM ledger_account
WHERE code IN :codes AND (debits_posted <> credits_posted OR debits_pending <> 0 OR credits_pending <> 0)
ORDER BY id
"""

_POSTED = """
SELECT currency, exponent, sum(debits_posted) - sum(credits_posted) AS debits_less_credits
FROM ledger_account WHERE code IN :codes GROUP BY currency, exponent
"""
