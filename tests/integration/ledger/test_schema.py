"""The deployed tables, the rows as SQLModel sees them, and the way from the first form to the newest."""

import re
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

import ledger.migrations
from ledger import rules
from ledger.audit import verify
from ledger.database import Database
from ledger.errors import NewerDatabase
from ledger.migrations import VERSION_TABLE, upgrade
from ledger.money import MAX_MINOR
from ledger.tables import AccountRow, SealRow, TransferRow
from tests.integration.ledger.world import World

VERSIONS = Path(ledger.migrations.__file__).parent / "versions"


class TestTables:
    @pytest.mark.parametrize("row", [AccountRow, TransferRow, SealRow])
    def test_have_the_columns_the_rows_have(self, database, row):
        columns = database.read(lambda session: inspect(session.connection()).get_columns(row.__tablename__))
        assert {column["name"]: column["nullable"] for column in columns} == {
            column.name: column.nullable for column in row.__table__.columns
        }

    def test_numbers_are_of_64_bits(self, database):
        if database.dialect == "postgresql":
            query = "SELECT data_type FROM information_schema.columns WHERE table_name LIKE 'ledger_%'"
            types = database.read(lambda session: set(session.execute(text(query)).scalars()))
            assert types == {"bigint", "text", "bytea", "character varying"}

    def test_say_the_same_bounds_as_the_code(self):
        for script in VERSIONS.glob("0001_*.sql"):
            numbers = {int(number) for number in re.findall(r"\d{10,}", script.read_text(encoding="utf-8"))}
            assert numbers == {MAX_MINOR, rules.MAX_TOTAL}


class TestMigrations:
    def test_run_again_without_effect(self, database):
        upgrade(database)
        upgrade(database)

    def test_take_a_book_of_the_first_form_with_them(self, database_url):
        """Down to the first form by hand, a book is kept in it, and up again: it is all there, and now sealable."""
        with Database(database_url) as database:
            _back_to_first_form(database)
            world = World(database)
            alice, bob = world.wallet(1000), world.wallet()
            paid = world.pay(alice, bob, 250)
            upgrade(database)
            assert world.find(paid.id) == paid
            assert verify(database).findings == ()
            assert world.pay(alice, bob, 1).debit_after.version == 3

    def test_refuse_a_database_of_a_newer_version_with_a_sentence(self, database):
        newer = text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
        database.write(lambda session: session.execute(newer))
        with pytest.raises(NewerDatabase, match="Install that version"):
            upgrade(database)

    def test_start_from_nothing_by_url(self, tmp_path):
        url = f"sqlite:///{tmp_path / 'new.db'}"
        upgrade(url)
        with Database(url) as database:
            assert verify(database).holds


def _back_to_first_form(database):
    statements = ["DROP TRIGGER ledger_transfer_is_not_sealed", "DROP TABLE ledger_seal"]
    if database.dialect == "postgresql":
        statements[0] += " ON ledger_transfer"
        statements += ["DROP FUNCTION ledger_seal_follows()", "DROP FUNCTION ledger_transfer_is_not_sealed()"]
    statements.append(f"UPDATE {VERSION_TABLE} SET version_num = '0001'")
    for statement in statements:
        database.write(lambda session, statement=statement: session.connection().exec_driver_sql(statement))
