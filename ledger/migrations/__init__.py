"""Brings a database to the form this code expects, from any older form, and refuses a newer one.

The steps are Alembic's; each is a pair of SQL files (one an engine), for the guards are triggers and functions that no
autogeneration sees. A step that was released is never edited. `run` serves other packages that keep tables of
their own in the same database, each with a version table of its own.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from alembic import op
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, text
from sqlmodel import Session

from ledger.database import Database
from ledger.errors import NewerDatabase

VERSION_TABLE: Final = "ledger_schema_version"
_HERE = Path(__file__).parent
_UPGRADE_LOCK = (
    0x6C6564676572  # PostgreSQL's advisory lock: two processes that start together upgrade one after another
)


class Step(NamedTuple):
    """One step to a newer form: its number and what it brings."""

    revision: str
    what: str


class _Rehearsed(Exception):
    """Takes a rehearsal back."""


def upgrade(database: Database | str) -> None:
    """Bring the ledger's tables of a database (or of the one at a URL) to this code's form; does nothing if they are.

    Raises `NewerDatabase` if a newer version of this program wrote it. All steps commit together or not at all.
    """
    if isinstance(database, Database):
        run(database, scripts=_HERE, version_table=VERSION_TABLE)
        return
    opened = Database(database)
    try:
        run(opened, scripts=_HERE, version_table=VERSION_TABLE)
    finally:
        opened.close()


def run(database: Database, *, scripts: Path, version_table: str) -> None:
    """Run the Alembic steps under `scripts`/versions that `version_table` does not have yet, in one transaction."""
    directory = _steps(scripts)
    database.write(lambda session: _run(session.connection(), directory, version_table))


def pending(database: Database, *, scripts: Path = _HERE, version_table: str = VERSION_TABLE) -> list[Step]:
    """The steps this database does not have yet, oldest first. Reads only. Raises `NewerDatabase`."""
    directory = _steps(scripts)
    return database.read(lambda session: _pending(session.connection(), directory, version_table))


def rehearse(database: Database, *, and_then: tuple[Path, str] | None = None) -> None:
    """Run what is pending in one transaction and take it back: raises what the upgrade would, and changes nothing.

    `and_then` are the steps and the version table of another package, which stands on the ledger's tables.
    """

    def work(session: Session) -> None:
        for scripts, version_table in ((_HERE, VERSION_TABLE), *((and_then,) if and_then else ())):
            _run(session.connection(), _steps(scripts), version_table)
        raise _Rehearsed

    with suppress(_Rehearsed):
        database.write(work)


@cache
def _steps(scripts: Path) -> ScriptDirectory:
    """Read once in a program: they are files of its own."""
    return ScriptDirectory(str(scripts))


def _run(connection: Connection, directory: ScriptDirectory, version_table: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _UPGRADE_LOCK})
    context = MigrationContext.configure(
        connection,
        opts={
            "version_table": version_table,
            "fn": lambda revision, _: directory._upgrade_revs("head", revision),  # noqa: SLF001 (what env.py calls)
        },
    )
    _refuse_newer(context, directory)
    with Operations.context(context):
        context.run_migrations()


def _pending(connection: Connection, directory: ScriptDirectory, version_table: str) -> list[Step]:
    context = MigrationContext.configure(connection, opts={"version_table": version_table})
    _refuse_newer(context, directory)
    heads = context.get_current_heads()
    steps = directory.iterate_revisions("head", heads[0] if heads else "base")
    return [Step(step.revision, (step.doc or "").rstrip(".")) for step in reversed(list(steps))]


def _refuse_newer(context: MigrationContext, directory: ScriptDirectory) -> None:
    for revision in context.get_current_heads():
        try:
            directory.get_revision(revision)
        except CommandError as unknown:
            raise NewerDatabase(
                f"this database has form {revision}, which this version of the program does not know: "
                "a newer version wrote it. Install that version, or a newer one, and start again."
            ) from unknown


def run_sql_beside(step: str) -> None:
    """Run `NNNN_<engine>.sql` that stands beside the step's own file `NNNN_....py`."""
    connection = op.get_bind()
    number = Path(step).name.split("_")[0]
    script = (Path(step).parent / f"{number}_{connection.dialect.name}.sql").read_text(encoding="utf-8")
    for statement in statements_of(script) if connection.dialect.name == "sqlite" else [script]:
        connection.exec_driver_sql(statement)


def statements_of(script: str) -> Iterator[str]:
    """The single statements of an SQLite script, triggers whole."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
