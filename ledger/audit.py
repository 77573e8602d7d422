"""Recomputes everything and says what does not hold, and where. It reads only, and trusts no guard.

Every balance is derived again from the transfers, account by account along its chain of versions, inside the database
and on one snapshot; accounts are taken in groups, so that memory stays the same however many there are. It never
mends anything: what it finds is for people to look into.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import text
from sqlmodel import Session

from ledger import seal_faults
from ledger.database import Database

Progress = Callable[[int, int], None]
"""`progress(done, total)`, counted in accounts."""

ACCOUNTS_AT_ONCE = 5_000
MOST_FINDINGS = 1_000
LAST_ID: Final = 2**63 - 1


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


def verify(
    database: Database, *, progress: Progress | None = None, public_keys: Sequence[Ed25519PublicKey] = ()
) -> Report:
    """Check the whole book: chains, balances, bounds, resolutions, reversals, debits against credits, and seals.

    The seals' signatures are checked with `public_keys`, and not at all if none are given.
    """
    return database.read(lambda session: _verify(session, progress, public_keys))


def _verify(session: Session, progress: Progress | None, public_keys: Sequence[Ed25519PublicKey]) -> Report:
    findings: list[Finding] = []
    accounts = _count(session, "ledger_account")
    transfers = _count(session, "ledger_transfer")
    for query in _WHOLE_BOOK:
        findings += findings_of(session, query, first=1, last=LAST_ID)
    done = 0
    for first, last, number in _groups(session):
        for query in (_CHAINS, _UNTOUCHED):
            findings += findings_of(session, query, first=first, last=last)
        done += number
        if progress is not None:
            progress(done, accounts)
        if len(findings) >= MOST_FINDINGS:
            break
    faults = islice(seal_faults.faults(session, public_keys), MOST_FINDINGS)
    findings += [Finding(fault.what, fault.where, fault.detail) for fault in faults]
    return Report(accounts, transfers, tuple(findings[:MOST_FINDINGS]))


def _count(session: Session, table: str) -> int:
    return int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608 (names of ours)


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


def findings_of(session: Session, query: str, **parameters: int) -> list[Finding]:
    """What a query for what must not be has found: columns `what`, `whose`, `id`, and the numbers by name."""
    rows = session.execute(text(query), parameters).mappings().fetchmany(MOST_FINDINGS)
    return [_finding(dict(row)) for row in rows]


def _finding(row: dict[str, Any]) -> Finding:
    what, where = row.pop("what"), f"{row.pop('whose')} {row.pop('id')}"
    return Finding(
        what, where, ", ".join(f"{name} {value}" for name, value in row.items() if value is not None)
    )


def legs(debits: str, credits_: str) -> str:
    """The statement of some transfers seen from their accounts (a leg each), with what each did to its account."""
    return f"""
    SELECT t.id, t.debit_account_id AS account_id, t.debit_version AS version, t.booked_at,
        CASE WHEN t.kind IN ('posted', 'post') THEN t.amount_minor ELSE 0 END AS debit_posted, 0 AS credit_posted,
        CASE WHEN t.kind = 'pending' THEN t.amount_minor ELSE -coalesce(p.amount_minor, 0) END AS debit_pending,
        0 AS credit_pending,
        t.debit_debits_posted AS dp, t.debit_credits_posted AS cp,
        t.debit_debits_pending AS dq, t.debit_credits_pending AS cq
    FROM ledger_transfer AS t LEFT JOIN ledger_transfer AS p ON p.id = t.pending_id
    WHERE {debits}
    UNION ALL
    SELECT t.id, t.credit_account_id, t.credit_version, t.booked_at,
        0, CASE WHEN t.kind IN ('posted', 'post') THEN t.amount_minor ELSE 0 END, 0,
        CASE WHEN t.kind = 'pending' THEN t.amount_minor ELSE -coalesce(p.amount_minor, 0) END,
        t.credit_debits_posted, t.credit_credits_posted, t.credit_debits_pending, t.credit_credits_pending
    FROM ledger_transfer AS t LEFT JOIN ledger_transfer AS p ON p.id = t.pending_id
    WHERE {credits_}
"""  # noqa: S608 (words of ours)


OUT_OF_BOUNDS: Final = """
        WHEN a.guarded = 1 AND CASE a.normal_side
            WHEN 'credit' THEN cp - dp - dq ELSE dp - cp - cq END < 0 THEN 'overdrawn'
        WHEN CASE a.normal_side WHEN 'credit' THEN cp + cq - dp ELSE dp + dq - cp END > a.upper_bound_minor
            THEN 'above_upper_bound'
"""

# Each account's transfers in the order of its versions, each held against the one before it, the account's bounds, and at
# the end of the chain against the account itself.
_CHAINS: Final = f"""
WITH legs AS ({legs("t.debit_account_id BETWEEN :first AND :last", "t.credit_account_id BETWEEN :first AND :last")}
), chained AS (
    SELECT l.*,
        lag(version, 1, 0) OVER chain AS version_before, lag(booked_at) OVER chain AS booked_before,
        lag(dp, 1, 0) OVER chain AS dp_before, lag(cp, 1, 0) OVER chain AS cp_before,
        lag(dq, 1, 0) OVER chain AS dq_before, lag(cq, 1, 0) OVER chain AS cq_before,
        lead(version) OVER chain AS version_next
    FROM legs AS l WINDOW chain AS (PARTITION BY account_id ORDER BY version)
), judged AS (
    SELECT CASE
        WHEN c.version <> version_before + 1 OR c.booked_at < booked_before
            OR dp <> dp_before + debit_posted OR cp <> cp_before + credit_posted
            OR dq <> dq_before + debit_pending OR cq <> cq_before + credit_pending THEN 'chain_broken'
        {OUT_OF_BOUNDS}
        WHEN version_next IS NULL AND (a.version <> c.version OR a.debits_posted <> dp OR a.credits_posted <> cp
            OR a.debits_pending <> dq OR a.credits_pending <> cq) THEN 'balance_wrong'
        END AS what, c.*,
        a.version AS account_version, a.debits_posted, a.credits_posted, a.debits_pending, a.credits_pending
    FROM chained AS c LEFT JOIN ledger_account AS a ON a.id = c.account_id
)
SELECT what, 'transfer' AS whose, id, account_id AS account, version, version_before,
    dp, dp_before, cp, cp_before, dq, dq_before, cq, cq_before, version_next, account_version,
    debits_posted, credits_posted, debits_pending, credits_pending
FROM judged WHERE what IS NOT NULL
"""  # noqa: S608 (words of ours)

_UNTOUCHED: Final = """
SELECT 'balance_wrong' AS what, 'account' AS whose, a.id, a.version,
    a.debits_posted, a.credits_posted, a.debits_pending, a.credits_pending
FROM ledger_account AS a
WHERE a.id BETWEEN :first AND :last
    AND (a.version <> 0 OR a.debits_posted + a.credits_posted + a.debits_pending + a.credits_pending <> 0)
    AND NOT EXISTS (SELECT 1 FROM ledger_transfer AS t WHERE t.debit_account_id = a.id)
    AND NOT EXISTS (SELECT 1 FROM ledger_transfer AS t WHERE t.credit_account_id = a.id)
"""

RESOLUTIONS: Final = """
SELECT 'resolution_wrong' AS what, 'transfer' AS whose, t.id, t.kind, t.pending_id AS pending, t.amount_minor,
    p.amount_minor AS pending_minor, p.kind AS pending_kind
FROM ledger_transfer AS t LEFT JOIN ledger_transfer AS p ON p.id = t.pending_id
WHERE t.id BETWEEN :first AND :last AND ((t.kind IN ('post', 'void', 'expire')) <> (t.pending_id IS NOT NULL)
    OR (t.pending_id IS NOT NULL AND (
        p.id IS NULL OR p.kind <> 'pending' OR p.debit_account_id <> t.debit_account_id
        OR p.credit_account_id <> t.credit_account_id OR t.amount_minor > p.amount_minor
        OR (t.kind <> 'post' AND t.amount_minor <> p.amount_minor)
        OR (t.kind = 'expire' AND t.booked_at < p.due_at))))
"""

REVERSALS: Final = """
SELECT 'reversal_wrong' AS what, 'transfer' AS whose, t.id, t.reverses_id AS original, t.amount_minor,
    o.amount_minor AS original_minor
FROM ledger_transfer AS t LEFT JOIN ledger_transfer AS o ON o.id = t.reverses_id
WHERE t.id BETWEEN :first AND :last AND t.reverses_id IS NOT NULL AND (
    o.id IS NULL OR o.kind NOT IN ('posted', 'post') OR o.debit_account_id <> t.credit_account_id
    OR o.reverses_id IS NOT NULL OR o.credit_account_id <> t.debit_account_id OR t.amount_minor > o.amount_minor)
"""

MISFITS: Final = """
SELECT 'does_not_fit_its_accounts' AS what, 'transfer' AS whose, t.id, t.debit_account_id AS debit_account,
    t.credit_account_id AS credit_account, t.currency, t.amount_minor, t.authorisation_id AS authorisation
FROM ledger_transfer AS t
    LEFT JOIN ledger_account AS d ON d.id = t.debit_account_id
    LEFT JOIN ledger_account AS c ON c.id = t.credit_account_id
WHERE t.id BETWEEN :first AND :last AND (d.id IS NULL OR c.id IS NULL OR d.id = c.id OR t.amount_minor <= 0
    OR d.currency <> t.currency OR c.currency <> t.currency
    OR d.exponent <> t.exponent OR c.exponent <> t.exponent
    OR (d.debits_need_authorisation = 1 AND t.authorisation_id IS NULL AND t.kind IN ('posted', 'pending', 'post')))
"""

UNBALANCED: Final = """
SELECT 'debits_differ_from_credits' AS what, 'currency' AS whose, currency AS id, exponent,
    sum(debits_posted) AS debits, sum(credits_posted) AS credits,
    sum(debits_pending) AS debits_pending, sum(credits_pending) AS credits_pending
FROM ledger_account GROUP BY currency, exponent
HAVING sum(debits_posted) <> sum(credits_posted) OR sum(debits_pending) <> sum(credits_pending)
"""


def _repeated(what: str, column: str) -> str:
    return f"""
SELECT '{what}' AS what, 'transfer' AS whose, max(id) AS id, {column}, count(*) AS times
FROM ledger_transfer WHERE {column} IS NOT NULL GROUP BY {column} HAVING count(*) > 1
"""  # noqa: S608 (names of ours)


_WHOLE_BOOK: Final = (
    UNBALANCED,
    MISFITS,
    RESOLUTIONS,
    _repeated("resolved_twice", "pending_id"),
    REVERSALS,
    _repeated("reversed_twice", "reverses_id"),
    _repeated("key_used_twice", "idempotency_key"),
)
