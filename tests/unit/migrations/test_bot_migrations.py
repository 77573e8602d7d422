"""The steps lead to the tables the code knows, on both engines."""

import pytest
from sqlalchemy import inspect

import bot.migrations
from bot.store import (
    admin_tables,
    card_tables,
    control_tables,
    device_tables,
    factor_tables,
    guard_tables,
    tables,
    x_tables,
)
from bot.store.columns import metadata

KNOWN = (
    tables,
    factor_tables,
    guard_tables,
    x_tables,
    control_tables,
    device_tables,
    admin_tables,
    card_tables,
)  # a module of rows is known once it is imported


@pytest.fixture
def whose_tables() -> str:
    return "ledger"


class TestMigrations:
    def test_make_every_table_and_column_the_code_knows(self, database):
        bot.migrations.upgrade(database)
        found = database.read(_columns)
        wanted = {
            table.name: {(c.name, c.nullable) for c in table.columns} for table in metadata.sorted_tables
        }
        assert {name: found[name] for name in wanted} == wanted

    def test_run_twice_change_nothing(self, database):
        bot.migrations.upgrade(database)
        bot.migrations.upgrade(database)

    def test_make_the_rules_the_code_knows(self, database):
        bot.migrations.upgrade(database)
        found = database.read(_rules)
        wanted = {
            table.name: {
                str(rule.name) for rule in table.constraints if type(rule).__name__ == "CheckConstraint"
            }
            for table in metadata.sorted_tables
        }
        assert {name: found[name] for name in wanted} == wanted


def _columns(session):
    look = inspect(session.connection())
    return {
        name: {(column["name"], column["nullable"]) for column in look.get_columns(name)}
        for name in look.get_table_names()
    }


def _rules(session):
    look = inspect(session.connection())
    return {
        name: {rule["name"] for rule in look.get_check_constraints(name)} for name in look.get_table_names()
    }
