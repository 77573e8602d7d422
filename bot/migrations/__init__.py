"""Brings the bot's tables to the form this code expects. The ledger's come first: they share one database.

A released step is never edited; a test holds the steps' outcome to `bot.store.tables`.
"""

from pathlib import Path
from typing import Final

from ledger.database import Database
from ledger.migrations import run

VERSION_TABLE: Final = "bot_schema_version"


def upgrade(database: Database) -> None:
    """Does nothing where the form is right. Raises `ledger.errors.NewerDatabase` if a newer program wrote it."""
    run(database, scripts=Path(__file__).parent, version_table=VERSION_TABLE)
