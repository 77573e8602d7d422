"""Recomputes everything and says what does not hold, and where. It reads only, and trusts no guard.

Every balance is derived again from the transfers, account by account along its chain of versions, inside the database
and on one snapshot; accounts are taken in groups, so that memory stays the same however many there are. It never
mends anything: what it finds is for people to look into.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text
from sqlmodel import Session

from ledger.database import Database

Progress = Callable[[int, int], None]
"""`progress(done, total)`, counted in accounts."""

ACCOUNTS_AT_ONCE = 5_000
MOST_FINDINGS = 1_000


@dataclass(frozen=True, slots=True)
class Finding:
    """`what` does not hold (a short code), `where` (`account 7`, `transfer 9`), and `detail` with the numbers."""

    what: str
    where: str
    detail: str


@dataclass(frozen=True, slots=True)
class Report:
    """What was looked at and what was found; at most `MOST_FINDINGS` are listed."""

    accounts: int
    transfers: int
    findings: tuple[Finding, ...]

    @property
    def holds(self) -> bool:
        return not self.findings


def verify(database: Database, *, progress: Progress | None = None) -> Report:
    """Check the whole book: chains, balances, bounds, resolutions, reversals, and debits against credits."""
    return database.read(lambda session: _verify(session, progress))


def _verify(session: Session, progress: Progress | None) -> Report:
    findings: list[Finding] = []
    accounts = _count(session, "ledger_account")
    transfers = _count(session, "ledger_transfer")
    for check in _WHOLE_BOOK:
        findings += check.findings(session, {})
    done = 0
    for first, last, number in _groups(session):
        for check in _BY_ACCOUNT:
            findings += check.findings(session, {"first": first, "last": last})
        done += number
        if progress is not None:
            progress(done, accounts)
        if len(findings) >= MOST_FINDINGS:
            break
    return Report(accounts, transfers, tuple(findings[:MOST_FINDINGS]))


def _count(session: Session, table: str) -> int:
    return int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608 (two names of ours)


def _groups(session: Session) -> Iterator[tuple[int, int, int]]:
    """First id, last id and number of each group of accounts, in the order of ids."""
    last = 0
    query = text(
        "SELECT min(id), max(id), count(*) FROM ("
        "SELECT id FROM ledger_account WHERE id > :last ORDER BY id LIMIT :size) AS following"
    )
    while True:
        first, last, number = session.execute(query, {"last": last, "size": ACCOUNTS_AT_ONCE}).one()
        if not number:
            return
        yield first, last, number


@dataclass(frozen=True, slots=True)
class _Check:
    """A query for what must not be: its first column is an id, the others go into the detail by name."""

    what: str
    kind: str
    query: str

    def findings(self, session: Session, parameters: dict[str, Any]) -> list[Finding]:
        rows = session.execute(text(self.query).bindparams(**parameters)).fetchmany(MOST_FINDINGS)
        return [self._finding(dict(row._mapping)) for row in rows]  # noqa: SLF001 (SQLAlchemy's public name)

    def _finding(self, row: dict[str, Any]) -> Finding:
        name, *others = row
        detail = ", ".join(f"{other} {row[other]}" for other in others)
        return Finding(self.what, f"{self.kind} {row[name]}", detail)


# One leg for each transfer and account it touches: what it added, and the account after it.
_WITH_LEGS: Final = """
WITH legs AS (
    SELECT t.id, t.debit_account_id AS account_id, t.debit_version AS version, t.booked_at,
        CASE WHEN t.kind IN ('posted', 'post') THEN t.amount_minor ELSE 0 END AS debit_posted, 0 AS credit_posted,
        CASE WHEN t.kind = 'pending' THEN t.amount_minor ELSE -coalesce(p.amount_minor, 0) END AS debit_pending,
        0 AS credit_pending,
        t.debit_debits_posted AS dp, t.debit_credits_posted AS cp,
        t.debit_debits_pending AS dq, t.debit_credits_pending AS cq
    FROM ledger_transfer AS t LEFT JOIN ledger_transfer AS p ON p.id = t.pending_id
    WHERE t.debit_account_id BETWEEN :first AND :last
    UNION ALL
    SELECT t.id, t.credit_account_id, t.credit_version, t.booked_at,
        0, CASE WHEN t.kind IN ('posted', 'post') THEN t.amount_minor ELSE 0 END, 0,
        CASE WHEN t.kind = 'pending' THEN t.amount_minor ELSE -coalesce(p.amount_minor, 0) END,
        t.credit_debits_posted, t.credit_credits_posted, t.credit_debits_pending, t.credit_credits_pending
    FROM ledger_transfer AS t LEFT JOIN ledger_transfer AS p ON p.id = t.pending_id
    WHERE t.credit_account_id BETWEEN :first AND :last
)"""

_CHAIN: Final = (
    _WITH_LEGS
    + """, chained AS (
    SELECT l.*,
        lag(version, 1, 0) OVER chain AS version_before, lag(booked_at) OVER chain AS booked_before,
        lag(dp, 1, 0) OVER chain AS dp_before, lag(cp, 1, 0) OVER chain AS cp_before,
        lag(dq, 1, 0) OVER chain AS dq_before, lag(cq, 1, 0) OVER chain AS cq_before
    FROM legs AS l WINDOW chain AS (PARTITION BY account_id ORDER BY version)
)
SELECT id, account_id AS account, version, version_before, dp, dp_before, cp, cp_before, dq, dq_before, cq, cq_before
FROM chained
WHERE version <> version_before + 1 OR booked_at < booked_before
    OR dp <> dp_before + debit_posted OR cp <> cp_before + credit_posted
    OR dq <> dq_before + debit_pending OR cq <> cq_before + credit_pending
"""
)

_BALANCE: Final = (
    _WITH_LEGS
    + """, newest AS (
    SELECT account_id, count(*) AS legs, sum(debit_posted) AS dp, sum(credit_posted) AS cp,
        sum(debit_pending) AS dq, sum(credit_pending) AS cq
    FROM legs GROUP BY account_id
)
SELECT a.id, a.version, coalesce(n.legs, 0) AS transfers,
    a.debits_posted, coalesce(n.dp, 0) AS dp, a.credits_posted, coalesce(n.cp, 0) AS cp,
    a.debits_pending, coalesce(n.dq, 0) AS dq, a.credits_pending, coalesce(n.cq, 0) AS cq
FROM ledger_account AS a LEFT JOIN newest AS n ON n.account_id = a.id
WHERE a.id BETWEEN :first AND :last AND (
    a.version <> coalesce(n.legs, 0)
    OR a.debits_posted <> coalesce(n.dp, 0) OR a.credits_posted <> coalesce(n.cp, 0)
    OR a.debits_pending <> coalesce(n.dq, 0) OR a.credits_pending <> coalesce(n.cq, 0))
"""
)

_OVERDRAWN: Final = (
    _WITH_LEGS
    + """
SELECT l.id, l.account_id AS account, l.version, l.dp, l.cp, l.dq, l.cq
FROM legs AS l JOIN ledger_account AS a ON a.id = l.account_id
WHERE a.guarded = 1 AND CASE a.normal_side WHEN 'credit' THEN l.cp - l.dp - l.dq ELSE l.dp - l.cp - l.cq END < 0
"""
)

_ABOVE_BOUND: Final = (
    _WITH_LEGS
    + """
SELECT l.id, l.account_id AS account, l.version, a.upper_bound_minor, l.dp, l.cp, l.dq, l.cq
FROM legs AS l JOIN ledger_account AS a ON a.id = l.account_id
WHERE a.upper_bound_minor IS NOT NULL
    AND CASE a.normal_side WHEN 'credit' THEN l.cp + l.cq - l.dp ELSE l.dp + l.dq - l.cp END > a.upper_bound_minor
"""
)

_BY_ACCOUNT: Final = (
    _Check("chain_broken", "transfer", _CHAIN),
    _Check("balance_wrong", "account", _BALANCE),
    _Check("overdrawn", "transfer", _OVERDRAWN),
    _Check("above_upper_bound", "transfer", _ABOVE_BOUND),
)

_RESOLUTION: Final = """
SELECT t.id, t.kind, t.pending_id AS pending, t.amount_minor, p.amount_minor AS pending_minor, p.kind AS pending_kind
FROM ledger_transfer AS t LEFT JOIN ledger_transfer AS p ON p.id = t.pending_id
WHERE (t.kind IN ('post', 'void', 'expire')) <> (t.pending_id IS NOT NULL)
    OR (t.pending_id IS NOT NULL AND (
        p.id IS NULL OR p.kind <> 'pending' OR p.debit_account_id <> t.debit_account_id
        OR p.credit_account_id <> t.credit_account_id OR t.amount_minor > p.amount_minor
        OR (t.kind <> 'post' AND t.amount_minor <> p.amount_minor)
        OR (t.kind = 'expire' AND t.booked_at < p.due_at)))
"""

_REVERSAL: Final = """
SELECT t.id, t.reverses_id AS original, t.amount_minor, o.amount_minor AS original_minor
FROM ledger_transfer AS t LEFT JOIN ledger_transfer AS o ON o.id = t.reverses_id
WHERE t.reverses_id IS NOT NULL AND (
    o.id IS NULL OR o.kind NOT IN ('posted', 'post') OR o.debit_account_id <> t.credit_account_id
    OR o.credit_account_id <> t.debit_account_id OR t.amount_minor > o.amount_minor)
"""

_WITHOUT_ACCOUNT: Final = """
SELECT t.id, t.debit_account_id AS debit_account, t.credit_account_id AS credit_account, t.currency, t.amount_minor
FROM ledger_transfer AS t
    LEFT JOIN ledger_account AS d ON d.id = t.debit_account_id
    LEFT JOIN ledger_account AS c ON c.id = t.credit_account_id
WHERE d.id IS NULL OR c.id IS NULL OR d.id = c.id OR t.amount_minor <= 0
    OR d.currency <> t.currency OR c.currency <> t.currency
    OR d.exponent <> t.exponent OR c.exponent <> t.exponent
    OR (d.debits_need_authorisation = 1 AND t.authorisation_id IS NULL AND t.kind IN ('posted', 'pending', 'post'))
"""

_UNBALANCED: Final = """
SELECT currency, sum(debits_posted) AS debits, sum(credits_posted) AS credits,
    sum(debits_pending) AS debits_pending, sum(credits_pending) AS credits_pending
FROM ledger_account GROUP BY currency, exponent
HAVING sum(debits_posted) <> sum(credits_posted) OR sum(debits_pending) <> sum(credits_pending)
"""


def _repeated(column: str) -> str:
    return (
        f"SELECT max(id) AS id, {column}, count(*) AS times FROM ledger_transfer "  # noqa: S608 (names of ours)
        f"WHERE {column} IS NOT NULL GROUP BY {column} HAVING count(*) > 1"
    )


_WHOLE_BOOK: Final = (
    _Check("debits_differ_from_credits", "currency", _UNBALANCED),
    _Check("does_not_fit_its_accounts", "transfer", _WITHOUT_ACCOUNT),
    _Check("resolution_wrong", "transfer", _RESOLUTION),
    _Check("resolved_twice", "transfer", _repeated("pending_id")),
    _Check("reversal_wrong", "transfer", _REVERSAL),
    _Check("reversed_twice", "transfer", _repeated("reverses_id")),
    _Check("key_used_twice", "transfer", _repeated("idempotency_key")),
)
