"""Makes a backup while the bot runs: one snapshot of the database, encrypted to a public key, in one file."""

from collections.abc import Callable
from datetime import datetime
from hashlib import file_digest
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import text
from sqlmodel import Session

from bot.errors import Misconfigured
from bot.keeping.manifest import Contents, Manifest, look_at
from bot.keeping.parcel import pack, recipient_of
from bot.keeping.postgresql_tools import run_tool
from bot.keys import keyring_from
from bot.settings import Settings, variable
from bot.whole_files import whole_file
from ledger.clock import Clock
from ledger.database import Database


def back_up(database: Database, settings: Settings, clock: Clock, to: Path) -> Manifest:
    """Writes a backup to a new file and tells what is in it. Posting goes on meanwhile.

    Everything committed before it was called is in it. A second copy of the database lies in the home directory until it
    is done. Raises `Misconfigured`, `ToolFailed`.
    """
    keyring = keyring_from(settings)
    name = variable("backup_recipient")
    if not settings.backup_recipient:
        raise Misconfigured(
            name, "is needed here and not set.", example="the line with age1... from `smoney keys backup`"
        )
    recipient = recipient_of(settings.backup_recipient, setting=name)
    with whole_file(to) as out, TemporaryDirectory(prefix="backup-", dir=settings.home) as folder:
        content = Path(folder) / "content"
        made_at = clock()
        contents = _COPY[database.dialect](database, settings, content)
        manifest = _manifest(contents, content, made_at=made_at, engine=database.dialect)
        with content.open("rb") as source:
            pack(manifest.header(keyring), source, out, recipient)
    return manifest


def _manifest(contents: Contents, content: Path, *, made_at: datetime, engine: str) -> Manifest:
    with content.open("rb") as source:
        digest = file_digest(source, "sha256").hexdigest()
    size = content.stat().st_size
    return Manifest.of(contents, made_at=made_at, engine=engine, size=size, digest=digest)


def _copy_sqlite(database: Database, _: Settings, to: Path) -> Contents:
    database.backup(to)
    with Database(f"sqlite:///{to.absolute()}") as copy:
        return copy.read(look_at)


def _dump_postgresql(database: Database, settings: Settings, to: Path) -> Contents:
    """The dump and the look at the contents share one snapshot."""

    def work(session: Session) -> Contents:
        snapshot = session.connection().execute(text("SELECT pg_export_snapshot()")).scalar_one()
        contents = look_at(session)
        run_tool(
            "pg_dump",
            "--no-owner",
            "--no-privileges",
            f"--snapshot={snapshot}",
            f"--file={to}",
            settings=settings,
        )
        return contents

    return database.read(work)


_COPY: dict[str, Callable[[Database, Settings, Path], Contents]] = {
    "sqlite": _copy_sqlite,
    "postgresql": _dump_postgresql,
}
