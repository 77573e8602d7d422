"""Small, plausible bugs, to show that the simulator can fail: each is put in by name, by replacing exact lines of the
source while it is imported. Where the lines are not found, the mutant has rotted, and that is an error.
"""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

STEPS = 50_000


@dataclass(frozen=True)
class Change:
    """In this module these lines become those."""

    module: str
    old: str
    new: str


@dataclass(frozen=True)
class Mutant:
    name: str
    what: str
    changes: tuple[Change, ...]


def _mutant(name: str, what: str, *changes: tuple[str, str, str]) -> Mutant:
    return Mutant(name, what, tuple(Change(*change) for change in changes))


MUTANTS = (
    _mutant(
        "no-dedup",
        "a message or post that was read twice is stored twice",
        (
            "bot.store.inbox",
            "        if session.exec(known).first() is not None:\n            return False\n",
            """\
        while session.exec(known).first() is not None:
            x_id += 1
            known = select(InboxRow.id).where(InboxRow.kind == kind, InboxRow.x_id == x_id)
""",
        ),
    ),
)

BY_NAME = {mutant.name: mutant for mutant in MUTANTS}


class _MutatingLoader(Loader):
    def __init__(self, path: str, changes: Sequence[Change]) -> None:
        self._path = path
        self._changes = changes

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        with open(self._path, encoding="utf-8") as file:  # noqa: PTH123
            source = changed(file.read(), self._changes)
        exec(compile(source, self._path, "exec"), module.__dict__)


def changed(source: str, changes: Sequence[Change]) -> str:
    """Raises `LookupError` where lines are not there exactly once."""
    for change in changes:
        if source.count(change.old) != 1:
            raise LookupError(f"{change.module}: found {source.count(change.old)} times: {change.old!r}")
        source = source.replace(change.old, change.new)
    return source


class _Finder(MetaPathFinder):
    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(self, name: str, path: object, target: object = None) -> ModuleSpec | None:
        changes = [change for change in self._mutant.changes if change.module == name]
        if not changes:
            return None
        sys.meta_path.remove(self)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            sys.meta_path.insert(0, self)
        if spec is None or spec.origin is None:
            return None
        spec.loader = _MutatingLoader(spec.origin, changes)
        return spec


def put_in(name: str) -> None:
    """From now on the named bug is in what is imported."""
    mutant = BY_NAME[name]
    loaded = [change.module for change in mutant.changes if change.module in sys.modules]
    if loaded:
        raise RuntimeError(f"{loaded} were imported before the mutant was put in")
    sys.meta_path.insert(0, _Finder(mutant))


def catch_all(only: Sequence[str], *, seed: int, steps: int) -> int:
    """A line of JSON for each; 1 if one survives."""
    survived = 0
    for mutant in MUTANTS:
        if only and mutant.name not in only:
            continue
        found = catch(mutant.name, seed=seed, steps=steps)
        print(json.dumps(found), flush=True)
        survived += not found["caught"]
    return 1 if survived else 0


def catch(name: str, *, seed: int, steps: int) -> dict[str, object]:
    """In a program of its own, so that nothing else is changed."""
    command = [sys.executable, "-m", "tests.simulation", "find", "--mutant", name]
    command += ["--seed", str(seed), "--steps", str(steps)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr[-2000:]}")
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found
