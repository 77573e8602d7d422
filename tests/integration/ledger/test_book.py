"""The book on both engines: what it books, and what it refuses without a trace."""

import pytest
from sqlalchemy import text

from ledger.audit import verify
from ledger.errors import InsufficientFunds, NewerDatabase
from ledger.migrations import upgrade
from tests.integration.ledger.world import World


@pytest.fixture
def world(database):
    return World(database)


class TestTransfer:
    def test_moves_the_amount_from_the_debited_to_the_credited_account(self, world):
        bank, alice = world.bank(), world.wallet(1000)
        bob = world.wallet()
        booked = world.pay(alice, bob, 250)
        assert world.available(alice) == 750
        assert world.available(bob) == 250
        assert booked.debit_after.debits_posted == 250
        assert world.account(bank).posted_minor == 1000
        assert verify(world.database).holds

    def test_is_refused_with_the_numbers_when_the_wallet_has_less(self, world):
        alice, bob = world.wallet(100), world.wallet()
        with pytest.raises(InsufficientFunds) as refused:
            world.pay(alice, bob, 101)
        assert (refused.value.available_minor, refused.value.needed_minor) == (100, 101)
        assert world.available(alice) == 100


class TestMigrations:
    def test_run_again_without_effect(self, database):
        upgrade(database)
        upgrade(database)

    def test_refuse_a_database_of_a_newer_version_with_a_sentence(self, database):
        newer = text("UPDATE ledger_schema_version SET version_num = '9999'")
        database.write(lambda session: session.execute(newer))
        with pytest.raises(NewerDatabase, match="Install that version"):
            upgrade(database)
