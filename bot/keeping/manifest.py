"""What a backup says of itself: when it was made, of what, and how much is in it.

It carries a MAC under the master key, so that only who holds the keys of a book can make a backup of it: a public key
alone lets anybody write a file that decrypts. Through the content's hash it stands for the whole backup.
"""

import hmac
import json
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from hashlib import sha256
from importlib.metadata import version
from typing import Any, Final, Self

from sqlalchemy import inspect, text
from sqlmodel import Session

import bot.migrations
import ledger.migrations
from bot.errors import BackupUnusable
from bot.keys import Keyring, Purpose, UnknownKey
from bot.store.tables import BookRow

FORMAT: Final = "smoney-backup-1"
FORMS: Final = {"ledger": ledger.migrations.VERSION_TABLE, "bot": bot.migrations.VERSION_TABLE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What is in a database, as one snapshot shows it. `counts` are rows by table; a seal's `hash` stands for the sealed book."""

    forms: dict[str, str]
    is_demo: bool
    bot_user_id: int | None
    last_seal: dict[str, Any] | None
    newest_transfer_id: int | None
    counts: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """All that was committed before `made_at` is in it. `content` is the database's own file or dump."""

    format: str
    made_at: str
    program: str
    engine: str
    contents: Contents
    content_bytes: int
    content_sha256: str

    @classmethod
    def of(cls, contents: Contents, *, made_at: datetime, engine: str, size: int, digest: str) -> Self:
        return cls(
            format=FORMAT,
            made_at=made_at.isoformat(),
            program=version("smoney"),
            engine=engine,
            contents=contents,
            content_bytes=size,
            content_sha256=digest,
        )

    @property
    def instant(self) -> datetime:
        return datetime.fromisoformat(self.made_at)

    def header(self, keyring: Keyring) -> bytes:
        """One line of JSON, with a MAC under the current master key."""
        said = asdict(self)
        key_id = keyring.current_id
        return _json({"manifest": said, "key_id": key_id, "mac": _mac(said, keyring, key_id)})


def read_header(header: bytes, keyring: Keyring) -> Manifest:
    """Raises `BackupUnusable` for a line that is none of ours, or that was made with keys that are not ours."""
    try:
        given = json.loads(header)
        said, key_id, mac = given["manifest"], given["key_id"], given["mac"]
        if said["format"] != FORMAT:
            raise BackupUnusable(f"its format is {said['format']!r}; this program knows {FORMAT}")
        if not hmac.compare_digest(_mac(said, keyring, key_id), mac):
            raise BackupUnusable("it was made with another master key of the same name, or was changed")
        return Manifest(**{**said, "contents": Contents(**said["contents"])})
    except UnknownKey as unknown:
        raise BackupUnusable(f"it was made with the master key {unknown}, which is not among ours") from None
    except (ValueError, KeyError, TypeError):
        raise BackupUnusable("it is no backup of this program") from None


def _mac(said: dict[str, Any], keyring: Keyring, key_id: str) -> str:
    return hmac.digest(keyring.derive(Purpose.BACKUP_MAC, key_id), _json(said), sha256).hex()


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def look_at(session: Session) -> Contents:
    """The contents of a database, all of one snapshot."""
    tables = sorted(inspect(session.connection()).get_table_names())
    book = session.get_one(BookRow, 1)
    return Contents(
        forms={
            name: str(_one(session, f"SELECT version_num FROM {table}"))  # noqa: S608 (names of ours)
            for name, table in FORMS.items()
        },
        is_demo=book.is_demo,
        bot_user_id=book.bot_user_id,
        last_seal=_last_seal(session),
        newest_transfer_id=_one(session, "SELECT max(id) FROM ledger_transfer"),
        counts={
            name: int(_one(session, f'SELECT count(*) FROM "{name}"'))  # noqa: S608 (the database's own names)
            for name in tables
        },
    )


def _last_seal(session: Session) -> dict[str, Any] | None:
    query = text("SELECT number, through_id, hash FROM ledger_seal ORDER BY number DESC LIMIT 1")
    row = session.connection().execute(query).mappings().first()
    return dict(row) if row else None


def _one(session: Session, query: str) -> Any:
    return session.connection().execute(text(query)).scalar()


def differences(then: Contents, now: Contents) -> list[str]:
    """In what two contents differ, a sentence each."""
    told = []
    for name in (field.name for field in fields(Contents) if field.name != "counts"):
        was, is_now = getattr(then, name), getattr(now, name)
        if was != is_now:
            told.append(f"{name} was {was}, is {is_now}")
    for table in sorted(then.counts.keys() | now.counts.keys()):
        was, is_now = then.counts.get(table, 0), now.counts.get(table, 0)
        if was != is_now:
            told.append(f"{table} had {was} rows, has {is_now}")
    return told
