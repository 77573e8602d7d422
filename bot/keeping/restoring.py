"""Restores a backup into an empty place and recomputes everything in it.

What is restored says so in the same transaction that brings it: payments stay paused until it was reconciled with X
(`reconciling`). What was on its way when the backup was made may have been said since, so it is looked for at X first.
"""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import inspect, make_url

import bot.migrations
import ledger.migrations
from bot.auditing import verify
from bot.errors import BackupUnusable, Misconfigured
from bot.keeping.forgetting_again import forget_again
from bot.keeping.manifest import Contents, Manifest, differences, look_at, read_header
from bot.keeping.parcel import identity_of, unpack
from bot.keeping.postgresql_tools import run_tool
from bot.keys import Keyring, keyring_from
from bot.settings import Settings, variable
from bot.whole_files import flush_to_disk, put_in_place
from bot.wiring import existing_database
from ledger.audit import Progress
from ledger.clock import Clock, microseconds_of
from ledger.database import Database

RESTORES = "restores"
SIGNED_IN = ("admin_sessions", "devices")
"""Who was signed in then may have been signed out since, or lost the role or the account: all sign in anew."""
_SIDE_FILES = ("", "-wal", "-shm", "-journal")


@dataclass(frozen=True, slots=True)
class Restored:
    """What the backup said of itself, and what does not hold in the book now that it is restored: nothing, if all is well."""

    manifest: Manifest
    findings: tuple[str, ...]
    forgotten: int = 0
    """People erased since the backup, and now again."""
    left: tuple[str, ...] = ()
    """What an admin has to see to."""


def restore(
    settings: Settings, clock: Clock, file: Path, key_file: Path, *, progress: Progress | None = None
) -> Restored:
    """Brings the book of a backup to the database of the settings, which must be empty, and verifies it.

    It is there whole or not at all, and paused. Raises `Misconfigured` and `BackupUnusable`, and then nothing was
    touched; `ToolFailed`.
    """
    keyring = keyring_from(settings)
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    dialect = make_url(settings.database_address).get_backend_name()
    _refuse_unless_empty(settings, dialect)
    beside = _sqlite_file(settings).parent if dialect == "sqlite" else settings.home
    with TemporaryDirectory(prefix="restore-", dir=beside) as folder:
        content = Path(folder) / "content"
        manifest = _unpacked(file, key_file, content, keyring)
        _refuse_misfit(manifest, dialect)
        _PLACE[dialect](settings, content, _mark(manifest, clock()))
    return _verified(settings, manifest, clock, progress)


def _unpacked(file: Path, key_file: Path, content: Path, keyring: Keyring) -> Manifest:
    found: list[Manifest] = []

    def accept(header: bytes) -> int:
        found.append(read_header(header, keyring))
        return found[0].content_bytes

    identity = identity_of(key_file.read_text(encoding="utf-8"), setting=str(key_file))
    with file.open("rb") as parcel, content.open("xb") as out:
        digest = unpack(parcel, out, identity, accept=accept)
        flush_to_disk(out)
    if digest != found[0].content_sha256:
        raise BackupUnusable("its content is not what it says")
    return found[0]


def _refuse_misfit(manifest: Manifest, dialect: str) -> None:
    if manifest.engine != dialect:
        raise Misconfigured(
            variable("database_url"),
            f"this backup is of {manifest.engine}, the database is {dialect}.",
            example=f"an empty {manifest.engine} database",
        )
    for name, folder in (("ledger", ledger.migrations.__path__[0]), ("bot", bot.migrations.__path__[0])):
        form = manifest.contents.forms[name]
        try:
            ScriptDirectory(folder).get_revision(form)
        except CommandError:
            raise BackupUnusable(
                f"smoney {manifest.program} made it, with a form of the {name} ({form}) that this version does not know. "
                "Install that version, or a newer one."
            ) from None


def _refuse_unless_empty(settings: Settings, dialect: str) -> None:
    if dialect == "sqlite":
        file = _sqlite_file(settings)
        there = [str(file) + ending for ending in _SIDE_FILES if Path(str(file) + ending).exists()]
    else:
        with Database(settings.database_address) as database:
            there = database.read(lambda session: inspect(session.connection()).get_table_names())
    if there:
        raise Misconfigured(
            variable("database_url"),
            f"a backup is restored into an empty place, and there is {there[0]}.",
            example="a new file, or a new and empty database",
        )


def _sqlite_file(settings: Settings) -> Path:
    return Path(str(make_url(settings.database_address).database)).absolute()


def _mark(manifest: Manifest, now: datetime) -> str:
    """SQL, the same for both engines, that makes a restored book out of a copied one."""
    made_at = microseconds_of(manifest.instant)
    said = json.dumps(asdict(manifest), sort_keys=True).replace("'", "''")
    leases = "UPDATE leases SET holder = 0, until_at = 0;" if "leases" in manifest.contents.counts else ""
    signed_out = "".join(
        f"UPDATE {table} SET ended_at = {microseconds_of(now)} WHERE ended_at IS NULL;\n"  # noqa: S608 (a name of ours)
        for table in SIGNED_IN
        if table in manifest.contents.counts
    )
    return f"""
INSERT INTO {RESTORES} (id, made_at, restored_at, manifest)
VALUES ({microseconds_of(now)}, {made_at}, {microseconds_of(now)}, '{said}');
UPDATE outbox SET state = 'unknown', first_attempted_at = coalesce(first_attempted_at, {made_at}),
    reason = 'a backup was restored'
WHERE state IN ('waiting', 'sending') AND kind <> 'lookup'
    AND (challenge_id IS NULL OR challenge_id IN (SELECT id FROM challenges WHERE state = 'open'));
{leases}
{signed_out}
"""  # noqa: S608 (numbers, and text that was quoted)


def _place_sqlite(settings: Settings, content: Path, mark: str) -> None:
    with closing(sqlite3.connect(content, isolation_level=None)) as connection:
        connection.executescript(f"BEGIN IMMEDIATE;{mark}COMMIT; PRAGMA wal_checkpoint(TRUNCATE);")
    with content.open("rb+") as written:
        flush_to_disk(written)
    content.chmod(0o600)
    put_in_place(content, _sqlite_file(settings))


def _place_postgresql(settings: Settings, content: Path, mark: str) -> None:
    """Dump and mark in one transaction."""
    marked = content.with_name("mark")
    marked.write_text(f"SET search_path = public;{mark}", encoding="utf-8")
    run_tool(
        "psql",
        "--no-psqlrc",
        "--quiet",
        "--set=ON_ERROR_STOP=1",
        "--single-transaction",
        f"--file={content}",
        f"--file={marked}",
        settings=settings,
    )


_PLACE: dict[str, Callable[[Settings, Path, str], None]] = {
    "sqlite": _place_sqlite,
    "postgresql": _place_postgresql,
}


def _verified(settings: Settings, manifest: Manifest, clock: Clock, progress: Progress | None) -> Restored:
    """First held against what the backup said of itself, then brought to this program's form and recomputed."""
    with Database(settings.database_address) as copied:
        apart = differences(_as_marked(manifest.contents), copied.read(look_at))
    database = existing_database(settings)
    try:
        forgotten, left = forget_again(database, settings, clock)
        findings = verify(database, settings, progress=progress).findings
    finally:
        database.close()
    apart = [f"not as it was backed up: {one}" for one in apart]
    return Restored(manifest, (*apart, *findings), forgotten, left)


def _as_marked(contents: Contents) -> Contents:
    counts = contents.counts | {RESTORES: contents.counts[RESTORES] + 1}
    return Contents(**{**asdict(contents), "counts": counts})
