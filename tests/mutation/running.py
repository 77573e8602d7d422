"""Runs the ledger's tests against one mutant after the other, each in a process of its own over a copy of the ledger.

`python -m tests.mutation` goes through all, or a sample, and writes a JSON line each; what was written is not run again.
A mutant is killed when a test fails, or does not come to an end, on SQLite or else on PostgreSQL; one that no test
notices on either has survived.
"""

import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from tests.mutation.mutating import LEDGER, Mutant
from tests.postgresql_server import brought_by_pip

LONGEST_SECONDS = 240
"""On one engine."""
UNIT, WHOLE, MODEL = "tests/unit/ledger/", "tests/integration/ledger/", "tests/property/ledger/test_model.py"
TESTS: dict[str, Sequence[str]] = {
    "accounts.py": (UNIT + "test_accounts.py", WHOLE + "test_book.py", MODEL),
    "money.py": (UNIT + "test_money.py", WHOLE + "test_book.py"),
    "merkle.py": (UNIT + "test_merkle.py", WHOLE + "test_seals.py"),
    "clock.py": (UNIT + "test_clock.py", WHOLE + "test_book.py"),
    "retries.py": (UNIT + "test_retries.py", WHOLE + "test_database.py"),
    "transfers.py": (UNIT + "test_transfers.py", WHOLE + "test_book.py", WHOLE + "test_exports.py", MODEL),
    "seals.py": (WHOLE + "test_seals.py", WHOLE + "test_guards.py", WHOLE + "test_audit.py"),
    "seal_faults.py": (WHOLE + "test_audit.py", WHOLE + "test_spot_checks.py"),
    "spot_checks.py": (WHOLE + "test_spot_checks.py",),
    "audit.py": (WHOLE + "test_audit.py", WHOLE + "test_seals.py"),
    "statements.py": (WHOLE + "test_exports.py",),
    "exports.py": (WHOLE + "test_exports.py",),
    "camt.py": (WHOLE + "test_exports.py",),
    "reports.py": (WHOLE + "test_exports.py",),
    "sqlite.py": (WHOLE + "test_database.py", WHOLE + "test_book.py"),
    "postgresql.py": (WHOLE + "test_database.py", WHOLE + "test_book.py"),
    "database.py": (WHOLE + "test_database.py", WHOLE + "test_book.py"),
    "entrance.py": (WHOLE + "test_database.py", WHOLE + "test_book.py"),
    "sessions.py": (WHOLE + "test_database.py", WHOLE + "test_book.py"),
    "posting.py": (WHOLE + "test_book.py", WHOLE + "test_database.py", MODEL),
    "rules.py": (UNIT + "test_rules.py", WHOLE + "test_book.py", MODEL),
    "reading.py": (WHOLE + "test_book.py", WHOLE + "test_exports.py", MODEL),
}
"""Which tests are asked, in this order; `EVERYWHERE` for the rest."""
EVERYWHERE = (
    WHOLE + "test_book.py",
    WHOLE + "test_guards.py",
    WHOLE + "test_audit.py",
    WHOLE + "test_seals.py",
    MODEL,
)
SQLITE, POSTGRESQL = "not postgresql", "not sqlite"
"""Which of the tests are an engine's; those that need no database are both's."""
ONE_ENGINE = {
    "sqlite.py": SQLITE,
    "migrations/versions/": SQLITE,
    "sessions.py:WriterConnection": SQLITE,
    "posting.py:_post_on_sqlite": SQLITE,
    "posting.py:_insert": SQLITE,
    "posting.py:_values": SQLITE,
    "postgresql.py": POSTGRESQL,
    "posting.py:_post_on_postgresql": POSTGRESQL,
    "posting.py:_elevens": POSTGRESQL,
    "posting.py:_fields": POSTGRESQL,
}
"""What only one engine runs, by how its mutants' names begin: the other is not asked."""
SURVIVED = "survived"


@dataclass(frozen=True)
class Outcome:
    mutant: str
    killed: bool
    how: str
    seconds: float


def sample(found: Sequence[Mutant], number: int) -> list[Mutant]:
    """So many of them, always the same ones: by the hashes of their names, whatever else is added or mended."""
    return sorted(found, key=lambda mutant: sha256(mutant.name.encode()).digest())[:number]


def engines_of(mutant: Mutant) -> Sequence[str]:
    """Which engines' tests are asked, one after the other."""
    only = [engine for beginning, engine in ONE_ENGINE.items() if mutant.name.startswith(beginning)]
    return only or (SQLITE, POSTGRESQL)


def outcomes(chosen: Iterable[Mutant], *, until: float | None = None) -> Iterator[Outcome]:
    """Runs each; stops at `until` (of `time.monotonic`) if it is given."""
    _preload()
    with server():
        for engine in (SQLITE, POSTGRESQL):
            if _run(Mutant("nothing changed", "money.py", 0, 0, ""), engine) != SURVIVED:
                raise RuntimeError("the tests fail on the ledger as it is: nothing could be said of a mutant")
        for mutant in chosen:
            if until is not None and time.monotonic() > until:
                return
            started = time.monotonic()
            told = (_run(mutant, engine) for engine in engines_of(mutant))
            how = next((one for one in told if one != SURVIVED), SURVIVED)
            yield Outcome(mutant.name, how != SURVIVED, how, round(time.monotonic() - started, 1))


@contextlib.contextmanager
def server() -> Iterator[None]:
    """One PostgreSQL for all runs, each with databases of its own; it outlives a run that is killed."""
    if "TEST_POSTGRESQL_URL" in os.environ:
        yield
        return
    with brought_by_pip() as url:
        os.environ["TEST_POSTGRESQL_URL"] = url
        try:
            yield
        finally:
            del os.environ["TEST_POSTGRESQL_URL"]


def _preload() -> None:
    """What every run needs and no mutant touches is imported once, before the processes part."""
    import alembic  # noqa: F401, PLC0415
    import cryptography.hazmat.primitives.asymmetric.ed25519  # noqa: F401, PLC0415
    import psycopg  # noqa: F401, PLC0415
    import pytest  # noqa: F401, PLC0415
    import sqlalchemy.dialects.postgresql  # noqa: F401, PLC0415
    import sqlmodel  # noqa: F401, PLC0415

    if any(name == "ledger" or name.startswith("ledger.") for name in sys.modules):
        raise RuntimeError("the ledger is imported already: a mutant of it would not be")


def _run(mutant: Mutant, engine: str) -> str:
    with tempfile.TemporaryDirectory(
        prefix="mutant-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    ) as folder:
        copy = Path(folder) / "ledger"
        shutil.copytree(LEDGER, copy, ignore=shutil.ignore_patterns("__pycache__"))
        file = copy / mutant.path
        file.write_text(mutant.applied_to(file.read_text(encoding="utf-8")), encoding="utf-8")
        child = os.fork()
        if child == 0:
            _test(Path(folder), mutant, engine)  # does not come back
        return _await(child)


def _test(folder: Path, mutant: Mutant, engine: str) -> None:
    code = 70
    try:
        os.setpgrp()
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        sys.dont_write_bytecode = True
        sys.path.insert(0, str(folder))
        import pytest  # noqa: PLC0415

        tests = TESTS.get(mutant.path, EVERYWHERE)
        options = [
            "-x",
            "-q",
            "-m",
            "not prove",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:xdist",
            "--timeout",
            "60",
        ]
        os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(folder / "hypothesis")
        code = int(pytest.main([*options, "-k", engine, *tests]))
    finally:
        os._exit(code)


def _await(child: int) -> str:
    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return SURVIVED if os.waitstatus_to_exitcode(status) == 0 else "a test failed"
        time.sleep(0.05)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "came to no end"
