"""Holds the bank's balance against the book's: what the difference is, and what is known to make it up. Reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from sqlalchemy import ColumnElement, exists, func
from sqlmodel import Session, col, select

from bot.admin.bank_lines import BankLines
from bot.admin.proposals import Proposal, Proposals
from bot.errors import Misconfigured
from bot.funding.statements import BankBalance, BankStatement
from bot.payments.wallets import Wallets
from bot.store.admin_tables import BankLineRow, ProposalRow
from ledger.money import Money

MOST_SHOWN: Final = 200
_HAS_LINE: Final = exists().where(col(BankLineRow.proposal_id) == col(ProposalRow.id))


@dataclass(frozen=True, slots=True)
class Reconciled:
    bank: Money
    book: Money
    difference: Money
    """What the bank has more than the book."""
    known: Mapping[str, Money]
    """Of it, by what makes it up; only what is not nothing."""
    unexplained: Money


@dataclass(frozen=True, slots=True)
class BankReconciling:
    lines: BankLines
    proposals: Proposals
    wallets: Wallets

    def unseen(self, session: Session, *, limit: int = MOST_SHOWN) -> list[Proposal]:
        """What was done since the first day of the bank's lines, and no line tells of; the newest first."""
        rows = select(ProposalRow).where(*self._unseen(session))
        newest = rows.order_by(col(ProposalRow.id).desc()).limit(limit)
        return [self.proposals.opened(row) for row in session.exec(newest)]

    def reconcile(self, session: Session, bank: Money, *, on: date | None) -> Reconciled:
        """`on` is the day at whose end the bank held that; now without one."""
        book = self.wallets.at_the_bank(session)
        difference = bank - book
        until = "9999-12-31" if on is None else on.isoformat()
        sums = self._sums(session, col(BankLineRow.booked_on) <= until)
        known = {
            "lines that wait for approval": sums.get("proposed", 0),
            "open lines": sums.get("open", 0),
            "ignored lines": sums.get("ignored", 0),
            "matched lines of later days": -self._sums(session, col(BankLineRow.booked_on) > until).get(
                "matched", 0
            ),
            "done, and no line of the bank's": -self._unseen_total(session),
        }
        return Reconciled(
            bank=bank,
            book=book,
            difference=difference,
            known={what: Money(minor, bank.currency) for what, minor in known.items() if minor},
            unexplained=Money(difference.amount_minor - sum(known.values()), bank.currency),
        )

    def _sums(self, session: Session, when: ColumnElement[bool]) -> dict[str, int]:
        rows = select(BankLineRow.state, func.sum(BankLineRow.amount_minor)).where(
            when, BankLineRow.currency == self.wallets.currency.code
        )
        return {state: int(total) for state, total in session.exec(rows.group_by(col(BankLineRow.state)))}

    def _unseen_total(self, session: Session) -> int:
        """What the book's account at the bank grew by with them."""
        rows = select(ProposalRow.kind, func.sum(ProposalRow.amount_minor)).where(*self._unseen(session))
        totals = {kind: int(total) for kind, total in session.exec(rows.group_by(col(ProposalRow.kind)))}
        return totals.get("fund", 0) + totals.get("operator_fund", 0) - totals.get("payout", 0)

    def _unseen(self, session: Session) -> Sequence[ColumnElement[bool]]:
        first = session.exec(select(func.min(BankLineRow.booked_on))).one()
        since = datetime.max.replace(tzinfo=UTC) if first is None else _begin(first)
        return (
            col(ProposalRow.state) == "done",
            col(ProposalRow.kind).in_(("fund", "operator_fund", "payout")),
            col(ProposalRow.decided_at) >= since,
            ~_HAS_LINE,
        )


def closing_of(statement: BankStatement, account: str) -> BankBalance:
    """The last closing balance in it, of this account where one is set. Raises `Misconfigured` where there is none, or of
    several accounts."""
    found = [each for each in statement.closing if account in {"", each.account}]
    if len({each.account for each in found}) != 1:
        raise Misconfigured(
            "FILE",
            "has no closing balance of the account." if not found else "has balances of several accounts.",
            example="a CAMT.053 of one account, or --balance 1234.50",
        )
    return max(found, key=lambda each: each.on)


def _begin(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)
