"""Someone with the database's own rights, for tests of what finds what they have done."""

import sqlite3
from typing import Any

import psycopg


class Intruder:
    """Someone with the database's own rights, who takes the guards down: the triggers, and what else is in the way."""

    def __init__(self, url):
        if url.startswith("sqlite"):
            self.connection: Any = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
            for (name,) in self.run("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
                self.run(f"DROP TRIGGER {name}")
            self.run("PRAGMA ignore_check_constraints = ON")
        else:
            self.connection = psycopg.connect(url, autocommit=True)
            self.run("SET session_replication_role = replica")

    def __call__(self, statement):
        try:
            return self.run(statement)
        except (sqlite3.IntegrityError, psycopg.errors.IntegrityError, psycopg.errors.DataError):
            self.run("DROP INDEX ledger_transfer_debit")
            self.run("DROP INDEX ledger_transfer_credit")
            self.drop_checks()
            return self.run(statement)

    def drop_checks(self):
        if not isinstance(self.connection, sqlite3.Connection):
            for table, name in self.run(
                "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'c' "
                "AND connamespace = 'public'::regnamespace AND conrelid <> 0"
            ):
                self.run(f"ALTER TABLE {table} DROP CONSTRAINT {name}")

    def run(self, statement):
        cursor = self.connection.execute(statement)
        return list(cursor) if cursor.description else []
