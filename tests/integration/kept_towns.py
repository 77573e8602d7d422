"""Towns that are kept as they stand and opened again and again: to move in costs several times what most tests do after it.

What is kept is what outlives a program: the database's rows, and X. A town that is opened again is the same town after a
restart of the bot, perhaps with other settings.
"""

import copyreg
import os
import pickle
import random
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from pydantic import SecretStr
from sqlalchemy import make_url

from bot.demo.town import Resident, Town, demo_settings, open_town
from bot.sandbox.core import World as SandboxWorld

MOVED_IN_UNDER = {"terms_version", "terms_url"}
"""Settings that count when people move in: with these a town is made anew."""

copyreg.pickle(type(threading.RLock()), lambda _: (threading.RLock, ()))

Preparation = Callable[[Town], None]


@dataclass(frozen=True)
class Kept:
    world: bytes
    keys: SecretStr
    rows: Path | dict[str, bytes]
    """A SQLite file, or the rows of each table of a PostgreSQL as COPY gives them."""


_KEPT: dict[tuple[str, Preparation], Kept] = {}


@contextmanager
def kept_town(
    url: str,
    home: Path,
    *,
    world: Callable[[random.Random], SandboxWorld],
    residents: tuple[Resident, ...],
    prepare: Preparation,
    **chosen: Any,
) -> Iterator[Town]:
    """A town on an empty database in which `residents` live and `prepare` was done. On a database that has people already
    they move in beside them."""

    def opened(sandbox: SandboxWorld, *, keys: SecretStr | None, people: tuple[Resident, ...] = ()) -> Any:
        given = {"keys": keys} if keys else {}
        settings = demo_settings(home, os.urandom, database_url=SecretStr(url), **(given | chosen))
        return open_town(settings, sandbox, entropy=_later, residents=people)

    new_world = world(random.Random(os.urandom(16)))
    if not MOVED_IN_UNDER.isdisjoint(chosen) or not _is_empty(url):
        with opened(new_world, keys=None, people=residents) as town:
            prepare(town)
            yield town
        return
    key = (make_url(url).get_backend_name(), prepare)
    if key not in _KEPT:
        with tempfile.TemporaryDirectory() as nowhere:
            settings = demo_settings(Path(nowhere), os.urandom, database_url=SecretStr(url))
            with open_town(settings, new_world, entropy=_earlier, residents=residents) as town:
                prepare(town)
        assert settings.keys is not None
        _KEPT[key] = Kept(pickle.dumps(new_world), settings.keys, _rows_of(url))
    else:
        _bring(_KEPT[key].rows, url)
    kept = _KEPT[key]
    with opened(pickle.loads(kept.world), keys=kept.keys) as town:
        yield town


def _earlier(number: int) -> bytes:
    return _in_half(os.urandom(number), upper=False)


def _later(number: int) -> bytes:
    return _in_half(os.urandom(number), upper=True)


def _in_half(chance: bytes, *, upper: bool) -> bytes:
    """Two programs in one half minute have ids in no order (`ledger.clock`), and in a town the clock stands: what comes after
    the town was kept begins in the upper half of the places ids begin at."""
    bit = 0x08  # of the 36 bits of a place the highest
    if len(chance) != 5:
        return chance
    return bytes([chance[0] | bit if upper else chance[0] & ~bit]) + chance[1:]


def _is_empty(url: str) -> bool:
    anybody = "SELECT user_id FROM people LIMIT 1"
    if path := _file_of(url):
        connection = sqlite3.connect(path)
        try:
            return not connection.execute(anybody).fetchall()
        finally:
            connection.close()
    with psycopg.connect(url) as server:
        return not server.execute(anybody).fetchall()


def _file_of(url: str) -> str | None:
    parts = make_url(url)
    return parts.database if parts.get_backend_name() == "sqlite" else None


def _rows_of(url: str) -> Path | dict[str, bytes]:
    if path := _file_of(url):
        kept = Path(tempfile.mkdtemp(prefix="smoney-")) / "kept.db"
        shutil.copy(path, kept)
        return kept
    with psycopg.connect(url) as server:
        found = server.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE '%schema_version'"
        ).fetchall()
        rows = {name: _copied(server, name) for (name,) in found}
    return {name: text for name, text in rows.items() if text}


def _copied(server: "psycopg.Connection[Any]", table: str) -> bytes:
    with server.cursor().copy(f"COPY {table} TO STDOUT") as copy:
        return b"".join(bytes(block) for block in copy)


def _bring(rows: Path | dict[str, bytes], url: str) -> None:
    if isinstance(rows, Path):
        shutil.copy(rows, str(_file_of(url)))
        return
    with psycopg.connect(url) as server:
        server.execute("SET session_replication_role = replica")  # past the guards
        for name, text in rows.items():
            with server.cursor().copy(f"COPY {name} FROM STDIN") as copy:
                copy.write(text)
