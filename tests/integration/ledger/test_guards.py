"""Raw SQL written by hand, on a connection with no settings of ours: it breaks no rule, and what is allowed is whole."""

import sqlite3
from contextlib import suppress
from typing import Any

import psycopg
import pytest

from ledger.accounts import AccountState
from ledger.audit import verify
from ledger.transfers import Kind
from tests.integration.ledger.world import World

COLUMNS = [
    "id",
    "journal_id",
    "kind",
    "debit_account_id",
    "credit_account_id",
    "amount_minor",
    "currency",
    "exponent",
    "code",
    "pending_id",
    "reverses_id",
    "authorisation_id",
    "idempotency_key",
    "booked_at",
    "due_at",
    "effective_on",
    "details",
    "debit_version",
    "debit_debits_posted",
    "debit_credits_posted",
    "debit_debits_pending",
    "debit_credits_pending",
    "credit_version",
    "credit_debits_posted",
    "credit_credits_posted",
    "credit_debits_pending",
    "credit_credits_pending",
]

BALANCES = ("debits_posted", "credits_posted", "debits_pending", "credits_pending")


class Hand:
    """Someone at the database's own prompt."""

    def __init__(self, url):
        if url.startswith("sqlite"):
            self.connection: Any = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
            self.refused: Any = sqlite3.Error
        else:
            self.connection = psycopg.connect(url, autocommit=True)
            self.refused = psycopg.Error

    def __call__(self, statement):
        return list(cursor) if (cursor := self.connection.execute(statement)).description else []

    def balances(self, account_id):
        return self(f"SELECT version, {', '.join(BALANCES)} FROM ledger_account WHERE id = {account_id}")[0]

    def insert(self, verb="INSERT", tail="", **changed):
        """A transfer row as it would follow from its accounts, except for what is changed."""
        row = {"kind": "posted", "amount_minor": 1, "currency": "EUR", "exponent": 2, "code": "x", **changed}
        row.setdefault("booked_at", 4_000_000_000_000_000)
        row.setdefault("idempotency_key", f"hand-{row['id']}")
        row.setdefault("journal_id", row["id"])
        pending = self(f"SELECT amount_minor FROM ledger_transfer WHERE id = {row.get('pending_id') or 0}")
        posted_delta = row["amount_minor"] if row["kind"] in {"posted", "post"} else 0
        pending_delta = row["amount_minor"] if row["kind"] == "pending" else -pending[0][0] if pending else 0
        for side, own in (("debit", "debits"), ("credit", "credits")):
            if known := self(f"SELECT 1 FROM ledger_account WHERE id = {row[f'{side}_account_id']}"):
                version, *totals = self.balances(row[f"{side}_account_id"])
                row.setdefault(f"{side}_version", version + 1)
            for name, total in zip(BALANCES, totals if known else (0, 0, 0, 0), strict=True):
                added = {f"{own}_posted": posted_delta, f"{own}_pending": pending_delta}.get(name, 0)
                row.setdefault(f"{side}_{name}", total + added)
        values = ", ".join("NULL" if row.get(name) is None else repr(row[name]) for name in COLUMNS)
        return self(f"{verb} INTO ledger_transfer ({', '.join(COLUMNS)}) VALUES ({values}) {tail}")


@pytest.fixture
def hand(database_url):
    hand = Hand(database_url)
    yield hand
    hand.connection.close()


@pytest.fixture
def world(database, hand):
    world = World(database)
    world.alice, world.bob = world.wallet(1000), world.wallet(10)
    world.frozen, world.small = world.wallet(5), world.wallet(upper_bound_minor=10)
    world.till = world.open(normal_side="debit", guarded=True, upper_bound_minor=20)
    world.shy = world.wallet(5, debits_need_authorisation=True)
    world.drop = world.open(currency=world.currency("DROP", 0))
    world.paid, world.held = world.pay(world.alice, world.bob, 1), world.hold(world.alice, world.bob, 5)
    world.resolved, world.reversed = (
        world.hold(world.alice, world.bob, 5),
        world.pay(world.alice, world.bob, 2),
    )
    world.void(world.resolved.id)
    world.back = world.reverse(world.reversed.id)
    world.to_frozen = world.hold(world.alice, world.frozen, 5)
    world.set_state(world.frozen, AccountState.FROZEN)
    world.id = 2**62
    yield world
    assert verify(database).findings == ()


def pair(world, debit="alice", credit="bob", **changed):
    ids = {"debit_account_id": getattr(world, debit), "credit_account_id": getattr(world, credit)}
    return {"id": world.id, **ids, **changed}


FORBIDDEN_ROWS = {
    "overdraws": lambda w: pair(w, amount_minor=10_000),
    "overdraws by holding": lambda w: pair(w, amount_minor=990, kind="pending", due_at=1),
    "overdraws an asset": lambda w: pair(w, "alice", "till") | {"debit_account_id": w.alice, "credit_account_id": w.till},
    "exceeds a bound": lambda w: pair(w, "alice", "small", amount_minor=11),
    "exceeds a bound by holding": lambda w: pair(w, "alice", "small", amount_minor=11, kind="pending", due_at=1),
    "exceeds an asset's bound": lambda w: pair(w, "till", "bob", amount_minor=21),
    "is negative": lambda w: pair(w, amount_minor=-1),
    "is nothing": lambda w: pair(w, amount_minor=0),
    "is no number": lambda w: pair(w) | {"amount_minor": 1, "debit_version": "zzz", "booked_at": "zzz"},
    "is too much": lambda w: pair(w, "till", "bob", amount_minor=10**15 + 1),
    "is in no currency of theirs": lambda w: pair(w, currency="JPY"),
    "is in other digits": lambda w: pair(w, exponent=3),
    "mixes currencies": lambda w: pair(w, "alice", "drop"),
    "pays itself": lambda w: pair(w, "alice", "alice"),
    "debits nobody": lambda w: pair(w) | {"debit_account_id": 99},
    "credits nobody": lambda w: pair(w) | {"credit_account_id": 99},
    "debits a frozen account": lambda w: pair(w, "frozen", "bob"),
    "credits a frozen account": lambda w: pair(w, "alice", "frozen"),
    "posts on a frozen account": lambda w: pair(w, "alice", "frozen", kind="post", pending_id=w.to_frozen.id, amount_minor=5),
    "lacks an authorisation": lambda w: pair(w, "shy", "bob"),
    "holds without an authorisation": lambda w: pair(w, "shy", "bob", kind="pending", due_at=1),
    "is of no kind": lambda w: pair(w, kind="gift"),
    "is pending for ever": lambda w: pair(w, kind="pending"),
    "is due though posted": lambda w: pair(w, due_at=1),
    "posts nothing pending": lambda w: pair(w, kind="post"),
    "voids a posted one": lambda w: pair(w, kind="void", pending_id=w.paid.id),
    "names a pending one though posted": lambda w: pair(w, pending_id=w.held.id),
    "posts what is not there": lambda w: pair(w, kind="post", pending_id=77),
    "posts more than was held": lambda w: pair(w, kind="post", pending_id=w.held.id, amount_minor=6),
    "voids less than was held": lambda w: pair(w, kind="void", pending_id=w.held.id, amount_minor=4),
    "posts for others": lambda w: pair(w, "alice", "small", kind="post", pending_id=w.held.id, amount_minor=5),
    "posts from others": lambda w: pair(w, "bob", "bob", kind="post", pending_id=w.held.id) | {"debit_account_id": w.till},
    "expires early": lambda w: pair(w, kind="expire", pending_id=w.held.id, amount_minor=5, booked_at=world_time(w)),
    "resolves twice": lambda w: pair(w, kind="void", pending_id=w.resolved.id, amount_minor=5),
    "reverses what is not there": lambda w: pair(w, "bob", "alice", reverses_id=77),
    "reverses the wrong way": lambda w: pair(w, "alice", "bob", reverses_id=w.paid.id),
    "reverses more": lambda w: pair(w, "bob", "alice", reverses_id=w.paid.id, amount_minor=2),
    "reverses a pending one": lambda w: pair(w, "bob", "alice", reverses_id=w.held.id, amount_minor=1),
    "reverses twice": lambda w: pair(w, "bob", "alice", reverses_id=w.reversed.id, amount_minor=1),
    "reverses a reversal": lambda w: pair(w, "alice", "bob", reverses_id=w.back.id, amount_minor=1),
    "reverses by holding": lambda w: pair(w, "bob", "alice", reverses_id=w.paid.id, kind="pending", due_at=1),
    "reuses an id": lambda w: pair(w) | {"id": w.paid.id},
    "reuses a key": lambda w: pair(w, idempotency_key=w.paid.idempotency_key),
    "has no key": lambda w: pair(w, idempotency_key=""),
    "has no id": lambda w: pair(w) | {"id": -5, "journal_id": 1},
    "is of a journal that comes later": lambda w: pair(w, journal_id=w.id + 1),
    "has a text for details": lambda w: pair(w, details="for the pizza"),
    "counts for no day": lambda w: pair(w, effective_on="tomorrow"),
}  # fmt: skip


def world_time(world):
    return int(world.clock().timestamp()) * 1_000_000


REASONS = {
    "overdraws": "insufficient_funds",
    "overdraws an asset": "insufficient_funds",
    "exceeds a bound": "upper_bound_exceeded",
    "exceeds an asset's bound": "upper_bound_exceeded",
    "is nothing": "amount_out_of_range",
    "is too much": "amount_out_of_range",
    "mixes currencies": "currency_mismatch",
    "pays itself": "unknown_account",
    "debits nobody": "unknown_account",
    "credits nobody": "unknown_account",
    "debits a frozen account": "account_not_open",
    "posts on a frozen account": "account_not_open",
    "lacks an authorisation": "authorisation_missing",
    "posts nothing pending": "resolution_names_pending",
    "names a pending one though posted": "resolution_names_pending",
    "posts more than was held": "not_what_was_pending",
    "reverses more": "not_what_was_posted",
}
"""Which rule says no; others would too, but the first is what people are told."""


WRONG_AFTERWARDS: dict[str, dict[str, Any]] = {
    "skips a version": {"debit_version": 77},
    "makes money": {"credit_credits_posted": 10_000},
    "loses money": {"debit_debits_posted": 0},
    "touches what it holds": {"debit_debits_pending": 0},
    "touches the other side": {"debit_credits_posted": 9_999},
    "touches the other pending side": {"debit_credits_pending": 9},
    "touches the payee's other side": {"credit_debits_posted": 9},
    "touches the payee's debits pending": {"credit_debits_pending": 9},
    "touches the payee's credits pending": {"credit_credits_pending": 0},
    "skips the payee's version": {"credit_version": 9},
    "is booked in the past": {"booked_at": 0},
    "has no time": {"booked_at": None},
}

SQLITE_VERBS = (
    "INSERT",
    "INSERT OR IGNORE",
    "INSERT OR REPLACE",
    "INSERT OR FAIL",
    "INSERT OR ABORT",
    "REPLACE",
)


class TestHandWrittenTransfer:
    @pytest.mark.parametrize("name", FORBIDDEN_ROWS)
    def test_that_breaks_a_rule_is_refused_and_changes_nothing_under_any_conflict_clause(
        self, world, hand, name
    ):
        before = world.everything()
        with pytest.raises(hand.refused):
            hand.insert(**FORBIDDEN_ROWS[name](world))
        assert world.everything() == before
        verbs = SQLITE_VERBS[1:] if isinstance(hand.connection, sqlite3.Connection) else ()
        for verb, tail in (*((verb, "") for verb in verbs), ("INSERT", "ON CONFLICT DO NOTHING")):
            with suppress(hand.refused):
                hand.insert(verb, tail, **FORBIDDEN_ROWS[name](world))
            assert world.everything() == before, (verb, tail)

    @pytest.mark.parametrize("name", REASONS)
    def test_that_breaks_a_rule_is_told_which(self, world, hand, name):
        with pytest.raises(hand.refused, match=f"ledger: {REASONS[name]}"):
            hand.insert(**FORBIDDEN_ROWS[name](world))

    @pytest.mark.parametrize("name", WRONG_AFTERWARDS)
    def test_whose_balances_do_not_follow_is_refused_or_put_right(self, world, hand, name):
        """SQLite refuses it; PostgreSQL fills the balances in by itself. Either way the book holds."""
        try:
            hand.insert(**pair(world, **WRONG_AFTERWARDS[name]))
        except hand.refused:
            assert world.find(world.id) is None
        else:
            assert world.find(world.id).debit_after == world.account(world.alice).balances

    def test_that_keeps_the_rules_moves_the_balances(self, world, hand):
        before = world.available(world.bob)
        hand.insert(**pair(world, amount_minor=7))
        assert world.available(world.bob) == before + 7
        assert world.find(world.id).kind is Kind.POSTED

    def test_of_many_rows_at_once_is_whole_or_refused(self, world, hand):
        names = ", ".join(COLUMNS)
        shifted = names.replace("id,", "id + 1,", 1).replace("journal_id", "journal_id + 1", 1)
        shifted = shifted.replace("idempotency_key", "idempotency_key || 'x'")
        with pytest.raises(hand.refused):
            hand(f"INSERT INTO ledger_transfer ({names}) SELECT {shifted} FROM ledger_transfer")


class TestTotal:
    @pytest.fixture
    def full(self, database, hand):
        """Two accounts that can take ten more; their totals were set with the guards off."""
        world = World(database)
        world.one, world.other, world.id = world.open(), world.open(), 2**62
        triggers = []
        if isinstance(hand.connection, sqlite3.Connection):
            triggers = hand("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        else:
            hand("SET session_replication_role = replica")
        for name, _ in triggers:
            hand(f"DROP TRIGGER {name}")
        hand(f"UPDATE ledger_account SET debits_posted = {4 * 10**18 - 10} WHERE id = {world.one}")
        hand(f"UPDATE ledger_account SET credits_posted = {4 * 10**18 - 10} WHERE id = {world.other}")
        for _, statement in triggers:
            hand(statement)
        if not triggers:
            hand("SET session_replication_role = origin")
        return world

    def test_that_a_row_would_take_out_of_its_range_is_refused_under_any_conflict_clause(self, full, hand):
        before = full.everything()
        row = pair(full, "one", "other", amount_minor=11)
        for verb in SQLITE_VERBS if isinstance(hand.connection, sqlite3.Connection) else ("INSERT",):
            with suppress(hand.refused):
                hand.insert(verb, **row)
            assert full.everything() == before, verb

    def test_may_be_at_its_very_end(self, full, hand):
        hand.insert(**pair(full, "one", "other", amount_minor=10))
        assert full.account(full.one).debits_posted == full.account(full.other).credits_posted == 4 * 10**18


class TestIndex:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE ledger_transfer SET idempotency_key = 'x'",
            "UPDATE ledger_transfer SET debit_version = 1 WHERE debit_account_id = {alice}",
            "UPDATE ledger_transfer SET credit_version = 1 WHERE credit_account_id = {bob}",
            "UPDATE ledger_transfer SET pending_id = {paid} WHERE pending_id IS NOT NULL",
            "UPDATE ledger_transfer SET reverses_id = {paid} WHERE debit_account_id = {bob}",
        ],
    )
    def test_refuses_a_second_one_even_where_the_triggers_were_taken_down(self, world, intruder, statement):
        world.void(world.hold(world.alice, world.bob, 5).id)
        world.reverse(world.paid.id)
        before = world.everything()
        guards_down = intruder()
        with pytest.raises((sqlite3.IntegrityError, psycopg.errors.UniqueViolation), match=r"(?i)unique"):
            guards_down.run(statement.format(alice=world.alice, bob=world.bob, paid=world.paid.id))
        assert world.everything() == before


class TestHandWrittenChange:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE ledger_transfer SET amount_minor = 2",
            "UPDATE ledger_transfer SET code = 'x' WHERE id = {paid}",
            "UPDATE ledger_transfer SET idempotency_key = 'x' WHERE id = {paid}",
            "DELETE FROM ledger_transfer",
            "DELETE FROM ledger_transfer WHERE id = {paid}",
            "DELETE FROM ledger_account",
            "DELETE FROM ledger_account WHERE id = {drop}",
            "UPDATE ledger_account SET debits_posted = 0, credits_posted = 0",
            "UPDATE ledger_account SET credits_posted = credits_posted + 1 WHERE id = {alice}",
            "UPDATE ledger_account SET debits_pending = 0 WHERE id = {alice}",
            "UPDATE ledger_account SET debits_pending = 0, version = version + 1 WHERE id = {alice}",
            "UPDATE ledger_account SET credits_pending = 9, version = version + 1 WHERE id = {alice}",
            "UPDATE ledger_account SET version = version + 1 WHERE id = {alice}",
            "UPDATE ledger_account SET version = version - 1 WHERE id = {alice}",
            "UPDATE ledger_account SET booked_at = 0",
            "UPDATE ledger_account SET guarded = 0",
            "UPDATE ledger_account SET upper_bound_minor = NULL",
            "UPDATE ledger_account SET upper_bound_minor = 11 WHERE id = {small}",
            "UPDATE ledger_account SET debits_need_authorisation = 0",
            "UPDATE ledger_account SET currency = 'DROP'",
            "UPDATE ledger_account SET exponent = 3",
            "UPDATE ledger_account SET normal_side = 'debit'",
            "UPDATE ledger_account SET code = 'other'",
            "UPDATE ledger_account SET opened_at = 0",
            "UPDATE ledger_account SET id = 12345 WHERE id = {alice}",
            "UPDATE ledger_account SET id = {bob} WHERE id = {alice}",
            "UPDATE ledger_account SET state = 'gone'",
        ],
    )
    def test_is_refused(self, world, hand, statement):
        before = world.everything()
        ids = {
            "alice": world.alice,
            "bob": world.bob,
            "small": world.small,
            "drop": world.drop,
            "paid": world.paid.id,
        }
        with pytest.raises(hand.refused):
            hand(statement.format(**ids))
        if isinstance(hand.connection, sqlite3.Connection):
            for clause in ("UPDATE OR IGNORE", "UPDATE OR REPLACE", "UPDATE OR FAIL"):
                with suppress(hand.refused):
                    hand(statement.replace("UPDATE", clause, 1).format(**ids))
        assert world.everything() == before

    @pytest.mark.parametrize("state", ["open", "frozen"])
    def test_back_to_an_older_balance_is_refused(self, world, hand, state):
        """Every balance an account ever had is one a transfer names; only the next one's is allowed."""
        before = world.everything()
        totals = ", ".join(f"debit_{name}" for name in BALANCES)
        for newest in ("ASC", "DESC"):
            with pytest.raises(hand.refused):
                hand(
                    f"UPDATE ledger_account SET (version, booked_at, {', '.join(BALANCES)}) = (SELECT debit_version, booked_at, "
                    f"{totals} FROM ledger_transfer WHERE debit_account_id = {world.alice} AND debit_version < "
                    f"(SELECT max(debit_version) FROM ledger_transfer WHERE debit_account_id = {world.alice}) "
                    f"ORDER BY debit_version {newest} LIMIT 1), state = '{state}' WHERE id = {world.alice}"
                )
        assert world.everything() == before

    def test_by_emptying_a_table_is_refused(self, world, hand):
        before = world.everything()
        for statement in (
            "TRUNCATE ledger_transfer",
            "TRUNCATE ledger_account CASCADE",
            "TRUNCATE ledger_transfer, ledger_account",
        ):
            with pytest.raises(hand.refused):
                hand(statement)
        assert world.everything() == before

    def test_of_a_state_alone_is_allowed(self, world, hand):
        hand(f"UPDATE ledger_account SET state = 'frozen' WHERE id = {world.alice}")
        assert world.account(world.alice).state is AccountState.FROZEN

    @pytest.mark.parametrize(
        "changed",
        [
            {"id": "{alice}"},
            {"credits_posted": 1},
            {"debits_posted": 1},
            {"credits_pending": 1},
            {"debits_pending": 1},
            {"version": 1},
            {"state": "'closed'"},
            {"guarded": 2},
            {"exponent": 9},
            {"normal_side": "'left'"},
            {"id": -1},
            {"upper_bound_minor": -1},
        ],
    )
    def test_by_an_account_that_does_not_begin_empty_is_refused(self, world, hand, changed):
        values = {
            "id": "777", "code": "'wallet'", "currency": "'EUR'", "exponent": "2", "normal_side": "'credit'",
            "guarded": "0", "upper_bound_minor": "NULL", "debits_need_authorisation": "0", "state": "'open'",
            "version": "0", "debits_posted": "0", "credits_posted": "0", "debits_pending": "0",
            "credits_pending": "0", "opened_at": "0", "booked_at": "0",
        } | {name: str(value).format(alice=world.alice) for name, value in changed.items()}  # fmt: skip
        before = world.everything()
        verbs = SQLITE_VERBS if isinstance(hand.connection, sqlite3.Connection) else ("INSERT",)
        for verb in verbs:
            try:
                hand(
                    f"{verb} INTO ledger_account ({', '.join(values)}) VALUES ({', '.join(values.values())})"
                )
            except hand.refused:
                continue
            assert verb == "INSERT OR IGNORE"
        assert world.everything() == before
