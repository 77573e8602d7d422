"""Takes each guard away in turn, in a copy of the project, and runs the test that must turn red without it.

A copy, because guards stand in SQL as well as in Python, and nothing of the project itself is ever touched.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.guards.guards import GUARDS, Guard
from tests.simulation.mutants import changed

ROOT = Path(__file__).parents[2]
COPIED = (
    "bot",
    "ledger",
    "tests",
    "docs",
    "pyproject.toml",
    "README.md",
    "config.example.env",
    "CHANGELOG.md",
)
RED = 1
"""pytest's exit code where tests failed; any other that is not 0 means that they could not be run."""


class Unproved(Exception):
    """The proof itself does not work: a test is red with its guard in place, or cannot be run."""


def prove(guards: Sequence[Guard] = GUARDS) -> int:
    """A line of JSON for each; 1 if one stays green without its guard. Raises `Unproved`, or `LookupError` where the
    lines of a guard are not found."""
    with _copy() as copy:
        with_guards = _tests(copy, [guard.test for guard in guards])
        if with_guards.returncode:
            raise Unproved(f"with every guard in place: {with_guards.stdout[-3000:]}")
        green = [guard for guard in guards if not _shown(copy, guard)]
    return 1 if green else 0


def _shown(copy: Path, guard: Guard) -> bool:
    began = time.monotonic()
    with _without(copy, guard):
        done = _tests(copy, [guard.test])
    if done.returncode not in {0, RED}:
        raise Unproved(f"{guard.name}: {done.stdout[-3000:]}{done.stderr[-1000:]}")
    red = done.returncode == RED
    told = {
        "guard": guard.name,
        "test": guard.test,
        "red": red,
        "seconds": round(time.monotonic() - began, 1),
    }
    print(json.dumps(told), flush=True)
    return red


@contextmanager
def _without(copy: Path, guard: Guard) -> Iterator[None]:
    before = {change.module: (copy / change.module).read_text(encoding="utf-8") for change in guard.changes}
    for file, source in before.items():
        changes = [change for change in guard.changes if change.module == file]
        (copy / file).write_text(changed(source, changes), encoding="utf-8")
    try:
        yield
    finally:
        for file, source in before.items():
            (copy / file).write_text(source, encoding="utf-8")


def _tests(copy: Path, tests: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    command = [
        sys.executable,
        "-B",
        "-m",
        "pytest",
        "-q",
        "-x",
        "--no-header",
        "-p",
        "no:cacheprovider",
        *tests,
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    return subprocess.run(
        command, cwd=copy, env=environment, capture_output=True, text=True, check=False, timeout=600
    )


@contextmanager
def _copy() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="smoney-guards-") as folder:
        copy = Path(folder)
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy / name)
        yield copy
