"""What the whole audit finds, a look at the right part of the book finds too; and it looks at nothing else."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.seal_faults import faults_of_one
from ledger.seals import seal
from ledger.spot_checks import (
    Range,
    accounts_from,
    check_accounts,
    check_sums,
    check_transfers,
    transfers_from,
)

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
ALL = Range(0, 2**62, is_last=True)


def in_transfers(world, looked_at=ALL):
    found = world.database.read(lambda session: check_transfers(session, looked_at))
    return {(finding.what, finding.where) for finding in found}


def in_accounts(world, looked_at=ALL):
    found = world.database.read(lambda session: check_accounts(session, looked_at))
    return {(finding.what, finding.where) for finding in found}


def only(transfer):
    return Range(transfer.id, transfer.id, is_last=False)


class TestRanges:
    def test_go_on_until_the_last(self, world):
        first = world.database.read(lambda session: transfers_from(session, 0, most=8))
        rest = world.database.read(lambda session: transfers_from(session, first.last + 1, most=8))
        none = world.database.read(lambda session: transfers_from(session, rest.last + 1, most=8))
        assert (first.is_last, rest.is_last, none.is_last) == (False, True, True)
        assert rest.last == world.last.id
        assert none.last is None
        assert in_transfers(world, none) == set()

    def test_of_accounts_too(self, world):
        two = world.database.read(lambda session: accounts_from(session, 0, most=2))
        rest = world.database.read(lambda session: accounts_from(session, two.last + 1, most=2))
        assert (two.is_last, rest.is_last) == (False, True)


class TestTransfers:
    def test_that_hold_give_no_finding(self, world):
        assert in_transfers(world) == set()

    def test_of_an_empty_book_hold(self, database):
        nothing = database.read(lambda session: transfers_from(session, 0, most=5))
        assert nothing.last is None
        assert database.read(lambda session: check_transfers(session, nothing)) == []

    @pytest.mark.parametrize(
        "column",
        ["amount_minor", "debit_version", "debit_debits_posted", "debit_credits_posted", "debit_debits_pending",
         "debit_credits_pending", "credit_version", "credit_debits_posted", "credit_credits_posted",
         "credit_debits_pending", "credit_credits_pending", "exponent"],
    )  # fmt: skip
    def test_one_digit_of_which_was_changed_are_found_by_a_look_at_them(self, world, intruder, column):
        intruder()(f"UPDATE ledger_transfer SET {column} = {column} + 1 WHERE id = {world.paid.id}")
        assert any(where == f"transfer {world.paid.id}" for _, where in in_transfers(world, only(world.paid)))

    def test_elsewhere_are_not_looked_at(self, world, intruder):
        intruder()(f"UPDATE ledger_transfer SET debit_debits_posted = 0 WHERE id = {world.paid.id}")
        assert in_transfers(world, only(world.last)) == set()

    def test_whose_forerunner_is_gone_are_found(self, world, intruder):
        intruder()(f"DELETE FROM ledger_transfer WHERE id = {world.paid.id}")
        assert ("chain_broken", f"transfer {world.held.id}") in in_transfers(world)

    def test_booked_before_their_forerunner_are_found(self, world, intruder):
        intruder()(f"UPDATE ledger_transfer SET booked_at = 1 WHERE id = {world.posted.id}")
        assert ("chain_broken", f"transfer {world.posted.id}") in in_transfers(world)

    def test_whose_account_says_otherwise_are_found(self, world, intruder):
        intruder()(f"UPDATE ledger_account SET credits_posted = credits_posted + 1 WHERE id = {world.bob}")
        assert ("balance_wrong", f"transfer {world.last.id}") in in_transfers(world)

    def test_whose_account_has_not_come_so_far_are_found(self, world, intruder):
        intruder()(f"UPDATE ledger_account SET version = version - 1 WHERE id = {world.alice}")
        assert ("balance_wrong", f"transfer {world.last.id}") in in_transfers(world)

    def test_with_two_forerunners_are_found(self, world, intruder):
        """A transfer from elsewhere says of alice's account the very same as the one before it."""
        enter = intruder()
        same = ", ".join(
            f"credit_{name} = (SELECT debit_{name} FROM ledger_transfer WHERE id = {world.paid.id})"
            for name in ("version", "debits_posted", "credits_posted", "debits_pending", "credits_pending")
        )
        first = f"(SELECT id FROM ledger_transfer WHERE credit_account_id = {world.bob} ORDER BY id LIMIT 1)"
        enter(f"UPDATE ledger_transfer SET credit_account_id = {world.alice}, {same} WHERE id = {first}")
        assert in_transfers(world, only(world.held)) == {("chain_broken", f"transfer {world.held.id}")}

    def test_without_a_needed_authorisation_are_found(self, world, intruder):
        intruder()(f"UPDATE ledger_account SET debits_need_authorisation = 1 WHERE id = {world.alice}")
        assert ("does_not_fit_its_accounts", f"transfer {world.last.id}") in in_transfers(world)

    def test_that_overdraw_are_found(self, world, intruder):
        equity = world.open()
        spent = world.pay(equity, world.bob, 50)
        intruder()(f"UPDATE ledger_account SET guarded = 1 WHERE id = {equity}")
        assert ("overdrawn", f"transfer {spent.id}") in in_transfers(world)

    def test_above_a_bound_are_found(self, world, intruder):
        intruder()(f"UPDATE ledger_account SET upper_bound_minor = 11 WHERE id = {world.bob}")
        assert ("above_upper_bound", f"transfer {world.paid.id}") in in_transfers(world)

    def test_that_resolve_or_reverse_what_they_should_not_are_found(self, world, intruder):
        enter = intruder()
        enter(f"UPDATE ledger_transfer SET pending_id = {world.paid.id} WHERE id = {world.posted.id}")
        enter(f"UPDATE ledger_transfer SET reverses_id = {world.held.id} WHERE id = {world.back.id}")
        found = in_transfers(world)
        assert ("resolution_wrong", f"transfer {world.posted.id}") in found
        assert ("reversal_wrong", f"transfer {world.back.id}") in found


class TestAccounts:
    def test_that_hold_give_no_finding(self, world):
        world.wallet()
        assert in_accounts(world) == set()

    @pytest.mark.parametrize(
        "column", ["debits_posted", "credits_posted", "debits_pending", "credits_pending", "version"]
    )
    def test_that_were_touched_are_found(self, world, intruder, column):
        intruder()(f"UPDATE ledger_account SET {column} = {column} + 1 WHERE id = {world.alice}")
        assert ("balance_wrong", f"account {world.alice}") in in_accounts(world)

    def test_with_money_and_no_transfer_are_found(self, world, intruder):
        carol, dave = world.wallet(), world.wallet()
        enter = intruder()
        enter(f"UPDATE ledger_account SET credits_posted = 5 WHERE id = {carol}")
        enter(f"UPDATE ledger_account SET version = 5 WHERE id = {dave}")
        assert {("balance_wrong", f"account {carol}"), ("balance_wrong", f"account {dave}")} == in_accounts(
            world
        )

    def test_below_zero_or_above_their_bound_are_found(self, world, intruder):
        equity = world.open()
        world.pay(equity, world.alice, 1)
        enter = intruder()
        enter(f"UPDATE ledger_account SET upper_bound_minor = 1 WHERE id = {world.bob}")
        enter(f"UPDATE ledger_account SET guarded = 1 WHERE id = {equity}")
        assert {
            ("above_upper_bound", f"account {world.bob}"),
            ("overdrawn", f"account {equity}"),
        } <= in_accounts(world)


def test_sums_find_debits_that_differ_from_credits(world, intruder):
    assert world.database.read(check_sums) == []
    intruder()(f"UPDATE ledger_account SET credits_posted = credits_posted + 50 WHERE id = {world.bob}")
    assert [finding.what for finding in world.database.read(check_sums)] == ["debits_differ_from_credits"]


class TestOneSeal:
    @pytest.fixture
    def sealed(self, world):
        """Two seals."""
        world.clock.move(minutes=10)
        seal(world.database, key=KEY, clock=world.clock)
        world.pay(world.alice, world.bob, 1)
        world.clock.move(minutes=10)
        seal(world.database, key=KEY, clock=world.clock)
        return world

    def faults(self, world, number):
        keys = [KEY.public_key()]
        return [
            fault.what
            for fault in world.database.read(lambda session: list(faults_of_one(session, number, keys)))
        ]

    def test_that_holds_gives_no_finding(self, sealed):
        assert [self.faults(sealed, number) for number in (1, 2, 3)] == [[], [], []]

    def test_is_found_broken_by_what_it_covers_and_no_other(self, sealed, intruder):
        intruder()(f"UPDATE ledger_transfer SET details = '{{}}' WHERE id = {sealed.paid.id}")
        assert self.faults(sealed, 1) == ["seal_broken", "changed_after_sealing"]
        assert self.faults(sealed, 2) == []

    def test_is_found_forged(self, sealed, intruder):
        intruder()("UPDATE ledger_seal SET signature = replace(signature, 'a', 'b') WHERE number = 2")
        assert self.faults(sealed, 2) == ["seal_forged"]

    def test_is_found_where_it_does_not_follow(self, sealed, intruder):
        intruder()("DELETE FROM ledger_seal WHERE number = 1")
        assert "seal_does_not_follow" in self.faults(sealed, 2)
