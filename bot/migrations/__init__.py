"""Brings the bot's tables to the form this code expects. The ledger's come first: they share one database.

A released step is never edited; a test holds the steps' outcome to `bot.store.tables`.
"""

from pathlib import Path
from typing import Final

from ledger import migrations as the_ledgers
from ledger.database import Database
from ledger.migrations import Step, run

VERSION_TABLE: Final = "bot_schema_version"


def upgrade(database: Database) -> None:
    """Does nothing where the form is right. Raises `ledger.errors.NewerDatabase` if a newer program wrote it."""
    run(database, scripts=Path(__file__).parent, version_table=VERSION_TABLE)


def pending(database: Database) -> list[Step]:
    """The steps of the ledger's and the bot's tables that this database does not have yet. Reads only."""
    ours = the_ledgers.pending(database, scripts=Path(__file__).parent, version_table=VERSION_TABLE)
    return [*the_ledgers.pending(database), *ours]


def rehearse(database: Database) -> None:
    """Runs them all in one transaction and takes them back: raises what the upgrade would."""
    the_ledgers.rehearse(database, and_then=(Path(__file__).parent, VERSION_TABLE))
