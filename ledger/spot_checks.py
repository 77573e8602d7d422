"""Checks a part of the book, so small that it can be done each minute however large the book is. It reads only.

`audit.verify` recomputes everything; here transfers are held against what stands beside them, accounts against their last
transfer. What is found is the same as there, under the same names. A caller who goes on from where the last look ended
comes round to every row.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlmodel import Session

from ledger.audit import (
    MISFITS,
    OUT_OF_BOUNDS,
    RESOLUTIONS,
    REVERSALS,
    UNBALANCED,
    Finding,
    findings_of,
    legs,
)


@dataclass(frozen=True, slots=True)
class Range:
    """The ids that were looked at, ends included; None where there was none. `is_last` where no later one is known."""

    first: int
    last: int | None
    is_last: bool


def transfers_from(session: Session, first: int, *, most: int) -> Range:
    """The next transfers from this id on."""
    return _range(
        session, "SELECT id FROM ledger_transfer WHERE id >= :first ORDER BY id LIMIT :most", first, most
    )


def accounts_from(session: Session, first: int, *, most: int) -> Range:
    """The next accounts from this id on."""
    return _range(
        session, "SELECT id FROM ledger_account WHERE id >= :first ORDER BY id LIMIT :most", first, most
    )


def _range(session: Session, ids: str, first: int, most: int) -> Range:
    query = text(f"SELECT max(id), count(*) FROM ({ids}) AS following")  # noqa: S608 (words of ours)
    last, number = session.execute(query, {"first": first, "most": most}).one()
    return Range(first, last, number < most)


def check_transfers(session: Session, looked_at: Range) -> list[Finding]:
    """Each transfer against its accounts, what it resolves or reverses, and the one before it in both accounts."""
    if looked_at.last is None:
        return []
    span = {"first": looked_at.first, "last": looked_at.last}
    with _by_index(session):
        return [
            finding
            for query in (MISFITS, RESOLUTIONS, REVERSALS, _LINKS)
            for finding in findings_of(session, query, **span)
        ]


def check_accounts(session: Session, looked_at: Range) -> list[Finding]:
    """Each account against its last transfer and its own bounds."""
    if looked_at.last is None:
        return []
    with _by_index(session):
        return findings_of(session, _HEADS, first=looked_at.first, last=looked_at.last)


def check_sums(session: Session) -> list[Finding]:
    """Debits against credits. A pass over all accounts, and so not for each minute."""
    return findings_of(session, UNBALANCED)


@contextmanager
def _by_index(session: Session) -> Iterator[None]:
    """What stands beside each row is looked up by its index. For some thousand rows PostgreSQL would rather read a whole table
    once and join it, which is quicker today and grows with the book."""
    ways = ("seqscan", "hashjoin", "mergejoin") if session.get_bind().dialect.name == "postgresql" else ()
    for way in ways:
        session.execute(text(f"SET LOCAL enable_{way} = off"))
    yield
    for way in ways:
        session.execute(text(f"SET LOCAL enable_{way} = on"))


_LINKS: Final = f"""
WITH legs AS ({legs("t.id BETWEEN :first AND :last", "t.id BETWEEN :first AND :last")}
), linked AS (
    SELECT l.*, coalesce(d.id, c.id) AS before_id, CASE WHEN d.id IS NOT NULL AND c.id IS NOT NULL THEN 2 ELSE 1 END AS ways,
        coalesce(d.booked_at, c.booked_at) AS booked_before,
        coalesce(d.debit_debits_posted, c.credit_debits_posted, 0) AS dp_before,
        coalesce(d.debit_credits_posted, c.credit_credits_posted, 0) AS cp_before,
        coalesce(d.debit_debits_pending, c.credit_debits_pending, 0) AS dq_before,
        coalesce(d.debit_credits_pending, c.credit_credits_pending, 0) AS cq_before
    FROM legs AS l
        LEFT JOIN ledger_transfer AS d ON d.debit_account_id = l.account_id AND d.debit_version = l.version - 1
        LEFT JOIN ledger_transfer AS c ON c.credit_account_id = l.account_id AND c.credit_version = l.version - 1
), judged AS (
    SELECT CASE
        WHEN ways > 1 OR (l.version = 1) <> (before_id IS NULL) OR l.booked_at < booked_before
            OR dp <> dp_before + debit_posted OR cp <> cp_before + credit_posted
            OR dq <> dq_before + debit_pending OR cq <> cq_before + credit_pending THEN 'chain_broken'
        {OUT_OF_BOUNDS}
        WHEN a.version < l.version OR (a.version = l.version AND (a.debits_posted <> dp OR a.credits_posted <> cp
            OR a.debits_pending <> dq OR a.credits_pending <> cq)) THEN 'balance_wrong'
        END AS what, l.*, a.version AS account_version
    FROM linked AS l LEFT JOIN ledger_account AS a ON a.id = l.account_id
)
SELECT what, 'transfer' AS whose, id, account_id AS account, version, before_id AS before,
    dp, dp_before, cp, cp_before, dq, dq_before, cq, cq_before, account_version
FROM judged WHERE what IS NOT NULL
"""  # noqa: S608 (words of ours)

_HEADS: Final = f"""
WITH heads AS (
    SELECT a.*, a.debits_posted AS dp, a.credits_posted AS cp, a.debits_pending AS dq, a.credits_pending AS cq,
        coalesce(d.id, c.id) AS head_id,
        coalesce(d.debit_debits_posted, c.credit_debits_posted, 0) AS dp_then,
        coalesce(d.debit_credits_posted, c.credit_credits_posted, 0) AS cp_then,
        coalesce(d.debit_debits_pending, c.credit_debits_pending, 0) AS dq_then,
        coalesce(d.debit_credits_pending, c.credit_credits_pending, 0) AS cq_then
    FROM ledger_account AS a
        LEFT JOIN ledger_transfer AS d ON d.debit_account_id = a.id AND d.debit_version = a.version
        LEFT JOIN ledger_transfer AS c ON c.credit_account_id = a.id AND c.credit_version = a.version
    WHERE a.id BETWEEN :first AND :last
), judged AS (
    SELECT CASE
        WHEN (a.version = 0) <> (head_id IS NULL) OR dp <> dp_then OR cp <> cp_then OR dq <> dq_then OR cq <> cq_then
            THEN 'balance_wrong'
        {OUT_OF_BOUNDS}
        END AS what, a.*
    FROM heads AS a
)
SELECT what, 'account' AS whose, id, version, head_id AS head, dp, dp_then, cp, cp_then, dq, dq_then, cq, cq_then
FROM judged WHERE what IS NOT NULL
"""  # noqa: S608 (words of ours)
