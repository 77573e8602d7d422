"""With the guards off, whatever is changed is found, and where."""

import sqlite3

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger import audit
from ledger.audit import verify
from ledger.seals import seal

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
COLUMNS = [
    "journal_id", "debit_account_id", "credit_account_id", "amount_minor", "exponent", "authorisation_id", "booked_at",
    "debit_version", "debit_debits_posted", "debit_credits_posted", "debit_debits_pending", "debit_credits_pending",
    "credit_version", "credit_debits_posted", "credit_credits_posted", "credit_debits_pending",
    "credit_credits_pending",
]  # fmt: skip


def found(world, **more):
    return {(finding.what, finding.where) for finding in verify(world.database, **more).findings}


class TestVerify:
    def test_finds_nothing_in_a_book_that_holds_and_counts_it(self, world):
        steps = []
        report = verify(world.database, progress=lambda done, total: steps.append((done, total)))
        assert report.holds
        assert (report.accounts, report.transfers) == (3, 10)
        assert steps == [(3, 3)]

    def test_of_an_empty_book_holds(self, database):
        assert verify(database) == audit.Report(0, 0, ())

    def test_takes_accounts_in_groups(self, world, monkeypatch):
        monkeypatch.setattr(audit, "ACCOUNTS_AT_ONCE", 2)
        steps = []
        assert verify(world.database, progress=lambda done, total: steps.append((done, total))).holds
        assert steps == [(2, 3), (3, 3)]

    def test_ends_when_it_has_found_as_much_as_it_lists(self, world, intruder, monkeypatch):
        monkeypatch.setattr(audit, "ACCOUNTS_AT_ONCE", 1)
        monkeypatch.setattr(audit, "MOST_FINDINGS", 2)
        intruder()(f"UPDATE ledger_account SET credits_posted = credits_posted + 1 WHERE id = {world.alice}")
        steps = []
        report = verify(world.database, progress=lambda done, total: steps.append((done, total)))
        assert [finding.what for finding in report.findings] == [
            "debits_differ_from_credits",
            "balance_wrong",
        ]
        assert steps == [(1, 3)]

    @pytest.mark.parametrize("place", [1, 2**63 - 1])
    def test_looks_at_the_first_and_the_last_id_there_may_be(self, world, intruder, place):
        statement = f"UPDATE ledger_transfer SET id = {place}, journal_id = {place}, exponent = 3"
        intruder()(f"{statement} WHERE id = {world.last.id}")
        assert ("does_not_fit_its_accounts", f"transfer {place}") in found(world)

    @pytest.mark.parametrize(
        "column", [name for name in COLUMNS if name not in {"journal_id", "authorisation_id"}]
    )
    def test_finds_one_digit_of_a_row_without_any_seal(self, world, intruder, column):
        intruder()(f"UPDATE ledger_transfer SET {column} = {column} + 1 WHERE id = {world.paid.id}")
        assert any(where == f"transfer {world.paid.id}" or "chain" in what for what, where in found(world))

    @pytest.mark.parametrize(
        "column", ["debits_posted", "credits_posted", "debits_pending", "credits_pending", "version"]
    )
    def test_finds_a_balance_that_was_touched(self, world, intruder, column):
        intruder()(f"UPDATE ledger_account SET {column} = {column} + 1 WHERE id = {world.alice}")
        assert ("balance_wrong", f"transfer {world.last.id}") in found(world)

    def test_finds_a_balance_without_any_transfer(self, world, intruder):
        carol, dave = world.wallet(), world.wallet()
        intruder()(f"UPDATE ledger_account SET credits_posted = 5 WHERE id = {carol}")
        intruder()(f"UPDATE ledger_account SET version = 5 WHERE id = {dave}")
        assert {("balance_wrong", f"account {carol}"), ("balance_wrong", f"account {dave}")} <= found(world)
        details = [one.detail for one in verify(world.database).findings if one.where == f"account {dave}"]
        assert details == [
            "version 5, debits_posted 0, credits_posted 0, debits_pending 0, credits_pending 0"
        ]

    def test_finds_money_made_in_two_places_that_agree(self, world, intruder):
        """Amount, balances after, and account changed together on one side: debits and credits tell."""
        enter = intruder()
        enter(f"UPDATE ledger_account SET credits_posted = credits_posted + 50 WHERE id = {world.bob}")
        assert ("debits_differ_from_credits", "currency EUR") in found(world)

    def test_finds_a_row_that_is_gone(self, world, intruder):
        intruder()(f"DELETE FROM ledger_transfer WHERE id = {world.paid.id}")
        assert any(what == "chain_broken" for what, _ in found(world))

    def test_finds_an_account_that_is_gone(self, world, intruder):
        intruder()(f"DELETE FROM ledger_account WHERE id = {world.bob}")
        assert ("does_not_fit_its_accounts", f"transfer {world.paid.id}") in found(world)

    def test_finds_an_overdraft_at_any_moment(self, world, intruder):
        """The wallet is fine today, and was below zero once."""
        equity = world.open()
        spent = world.pay(equity, world.bob, 50)
        world.pay(world.bob, equity, 50)
        intruder()(f"UPDATE ledger_account SET guarded = 1 WHERE id = {equity}")
        assert ("overdrawn", f"transfer {spent.id}") in found(world)

    def test_finds_a_bound_exceeded_at_any_moment(self, world, intruder):
        intruder()(f"UPDATE ledger_account SET upper_bound_minor = 11 WHERE id = {world.bob}")
        assert ("above_upper_bound", f"transfer {world.paid.id}") in found(world)

    def test_finds_an_authorisation_that_is_missing(self, world, intruder):
        intruder()(f"UPDATE ledger_account SET debits_need_authorisation = 1 WHERE id = {world.alice}")
        assert ("does_not_fit_its_accounts", f"transfer {world.last.id}") in found(world)
        assert ("does_not_fit_its_accounts", f"transfer {world.paid.id}") not in found(world)

    @pytest.mark.parametrize(
        ("statement", "what"),
        [
            ("UPDATE ledger_transfer SET pending_id = {paid} WHERE id = {posted}", "resolution_wrong"),
            ("UPDATE ledger_transfer SET pending_id = NULL WHERE id = {posted}", "resolution_wrong"),
            ("UPDATE ledger_transfer SET pending_id = 77 WHERE id = {posted}", "resolution_wrong"),
            ("UPDATE ledger_transfer SET due_at = due_at * 2 WHERE id = {expired}", "resolution_wrong"),
            ("UPDATE ledger_transfer SET reverses_id = {held} WHERE id = {back}", "reversal_wrong"),
            ("UPDATE ledger_transfer SET reverses_id = {last} WHERE id = {back}", "reversal_wrong"),
            ("UPDATE ledger_transfer SET amount_minor = 1 WHERE id = {reversed}", "reversal_wrong"),
            (
                "DROP INDEX ledger_transfer_key; UPDATE ledger_transfer SET idempotency_key = 'x'",
                "key_used_twice",
            ),
            (
                "DROP INDEX ledger_transfer_pending; UPDATE ledger_transfer SET pending_id = {held}",
                "resolved_twice",
            ),
            (
                "DROP INDEX ledger_transfer_reverses; UPDATE ledger_transfer SET reverses_id = {paid}",
                "reversed_twice",
            ),
        ],
    )
    def test_finds_a_resolution_or_reversal_that_is_wrong(self, world, intruder, statement, what):
        names = ("paid", "posted", "held", "expired", "back", "reversed", "last")
        enter = intruder()
        for part in statement.format(**{name: getattr(world, name).id for name in names}).split(";"):
            enter(part)
        assert what in {finding for finding, _ in found(world)}


class TestVerifySealed:
    @pytest.fixture
    def sealed(self, world):
        seal(world.database, key=KEY, clock=world.clock)
        world.clock.move(minutes=10)
        world.pay(world.alice, world.bob, 1)
        world.clock.move(minutes=10)
        seal(world.database, key=KEY, clock=world.clock)
        assert found(world, public_keys=[KEY.public_key()]) == set()
        return world

    @pytest.mark.parametrize(
        "column", [*COLUMNS, "code", "idempotency_key", "currency", "details", "kind", "effective_on"]
    )
    def test_finds_one_digit_of_any_column_with_the_rows_id(self, sealed, intruder, column):
        changed = f"{column} + 1" if column in COLUMNS else {"kind": "'pending'"}.get(column, "'2026-01-01'")
        intruder()(f"UPDATE ledger_transfer SET {column} = {changed} WHERE id = {sealed.paid.id}")
        assert {("changed_after_sealing", f"transfer {sealed.paid.id}"), ("seal_broken", "seal 1")} <= found(
            sealed
        )

    def test_finds_a_row_that_is_gone(self, sealed, intruder):
        intruder()(f"DELETE FROM ledger_transfer WHERE id = {sealed.paid.id}")
        assert ("changed_after_sealing", f"transfer {sealed.paid.id}") in found(sealed)

    def test_says_how_each_row_is_not_as_it_was(self, sealed, intruder):
        enter = intruder()
        first = enter("SELECT min(id) FROM ledger_transfer")[0][0]
        enter(f"UPDATE ledger_transfer SET id = {first - 1}, journal_id = {first - 1} WHERE id = {first}")
        enter(f"UPDATE ledger_transfer SET code = 'x' WHERE id = {sealed.paid.id}")
        faults = [one for one in verify(sealed.database).findings if one.what == "changed_after_sealing"]
        assert [(one.where, one.detail) for one in faults] == [
            (f"transfer {first - 1}", "was added since seal 1"),
            (f"transfer {first}", "is gone since seal 1"),
            (f"transfer {sealed.paid.id}", "was changed since seal 1"),
        ]

    def test_finds_a_row_that_was_added(self, sealed, intruder):
        enter = intruder()
        first = enter("SELECT min(id) FROM ledger_transfer")[0][0]
        enter(f"UPDATE ledger_transfer SET id = {first - 1}, journal_id = {first - 1} WHERE id = {first}")
        assert {("changed_after_sealing", f"transfer {first - n}") for n in (0, 1)} <= found(sealed)

    @pytest.mark.parametrize(
        ("column", "value"),
        [("root", "replace(root, 'a', 'b')"), ("previous", "hash"), ("sealed_at", "sealed_at + 1"), ("transfers", "transfers + 1"),
         ("key_id", "'0123456789abcdef'"), ("hash", "previous"), ("signature", "replace(signature, 'a', 'b')"),
         ("through_id", "through_id + 1")],
    )  # fmt: skip
    def test_finds_a_seal_that_was_touched(self, sealed, intruder, column, value):
        intruder()(f"UPDATE ledger_seal SET {column} = {value} WHERE number = 1")
        assert any(where == "seal 1" for _, where in found(sealed, public_keys=[KEY.public_key()]))

    def test_finds_a_seal_that_is_gone(self, sealed, intruder):
        intruder()("DELETE FROM ledger_seal WHERE number = 1")
        assert ("seal_does_not_follow", "seal 2") in found(sealed)

    def test_finds_a_seal_of_an_unknown_key(self, sealed, intruder):
        intruder()  # takes the guards down, touches nothing
        other = Ed25519PrivateKey.from_private_bytes(b"o" * 32).public_key()
        assert found(sealed, public_keys=[other]) == {("seal_forged", "seal 1"), ("seal_forged", "seal 2")}

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE ledger_seal SET sealed_at = 0",
            "DELETE FROM ledger_seal",
            "INSERT INTO ledger_seal SELECT number + 1, through_id, transfers, previous, {rest} WHERE number = 2",
            "INSERT INTO ledger_seal SELECT number + 1, through_id + 1, transfers, previous, {rest} WHERE number = 2",
            "INSERT INTO ledger_seal SELECT number + 1, through_id, transfers, hash, {rest} WHERE number = 2",
            "INSERT INTO ledger_seal SELECT number + 5, through_id + 1, transfers, hash, {rest} WHERE number = 2",
        ],
    )
    def test_seals_stand_against_hand_written_sql(self, sealed, database_url, intruder, statement):
        plain = (
            sqlite3.connect(database_url.removeprefix("sqlite:///"))
            if "sqlite" in database_url
            else psycopg.connect(database_url)
        )
        with pytest.raises((sqlite3.Error, psycopg.Error)):
            plain.execute(
                statement.format(rest="root, sealed_at, key_id, hash, signature, leaves FROM ledger_seal")
            )
        plain.close()
        intruder()
