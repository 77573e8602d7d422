"""`smoney migrate`: an older database is brought to this form, and a rehearsal changes nothing."""

import pytest
from sqlalchemy import inspect

import bot.migrations
import ledger.migrations
from ledger.database import Database

BEFORE, NEWEST = "0020", "0021"


@pytest.fixture
def older(street):
    """The town's database, one step behind: the newest step's tables and mark are gone."""
    street.change("DROP TABLE top_ups")
    street.change("DROP TABLE card_movements")
    street.change("DROP INDEX uq_people_debt_id")
    street.change("ALTER TABLE people DROP COLUMN debt_id")
    street.change(f"UPDATE bot_schema_version SET version_num = '{BEFORE}'")
    return street


class TestMigrate:
    def test_says_what_it_would_do_and_changes_nothing(self, older, smoney):
        said = smoney("migrate", "--dry-run", "--json")
        assert said.code == 0, said.err
        (row,) = said.rows
        assert row["steps"][0]["revision"] == NEWEST
        assert "card" in row["steps"][0]["what"]
        assert older.count(f"SELECT count(*) FROM bot_schema_version WHERE version_num = '{BEFORE}'") == 1
        database = older.town.bot.database
        assert "top_ups" not in database.read(lambda session: inspect(session.connection()).get_table_names())

    def test_brings_it_to_this_form(self, older, smoney):
        assert smoney("migrate").code == 0
        assert older.count("SELECT count(debt_id) FROM people") == 0
        said = smoney("migrate")
        assert "has this program's form already" in said.out

    def test_tells_of_a_step_that_would_fail(self, older, smoney):
        kind = "INTEGER" if older.town.bot.database.dialect == "sqlite" else "BIGINT"
        older.change(f"ALTER TABLE people ADD COLUMN debt_id {kind}")
        said = smoney("migrate", "--dry-run")
        assert said.code == 1
        assert "debt_id" in said.err
        assert older.count(f"SELECT count(*) FROM bot_schema_version WHERE version_num = '{BEFORE}'") == 1

    def test_refuses_a_newer_one(self, street, smoney):
        street.change("UPDATE bot_schema_version SET version_num = '9999'")
        said = smoney("migrate", "--dry-run")
        assert (said.code, "a newer version wrote it" in said.err) == (2, True)


def test_the_steps_of_an_empty_database_are_all_of_them(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'empty.sqlite'}")
    try:
        every = bot.migrations.pending(database)
        assert [step.revision for step in every][:3] == ["0001", "0002", "0001"]
        assert all(step.what for step in every)
        bot.migrations.rehearse(database)
        assert bot.migrations.pending(database) == every
        ledger.migrations.upgrade(database)
        bot.migrations.upgrade(database)
        assert bot.migrations.pending(database) == []
    finally:
        database.close()
