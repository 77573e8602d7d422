"""Killed in the middle of a backup or a restore: what has a name is whole, and a place is empty or holds a paused book."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from bot.book import is_paused
from bot.errors import Misconfigured
from bot.keeping.restoring import Restored
from ledger.database import Database
from tests.integration.keeping.test_commands import env_of

LONG = os.environ.get("SMONEY_PROVE") == "long"
TIMES = 60 if LONG else 6


def killed_after(seconds, *words):
    """Runs `smoney ...` for a while; whether it had ended by then."""
    command = [sys.executable, "-c", "from bot.cli import main; main()", *map(str, words)]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return False
        return True


def time_of(*words):
    began = time.monotonic()
    assert killed_after(60, *words)
    return time.monotonic() - began


@pytest.mark.prove
class TestKilled:
    def test_in_a_backup_leaves_a_whole_one_or_none(self, keeper, tmp_path):
        env = env_of(keeper.settings, tmp_path / "town.env")
        needed = time_of("backup", tmp_path / "first.age", "--env", env)
        chance, whole = random.Random(7), 0
        for number in range(TIMES):
            file = tmp_path / f"{number}.age"
            killed_after(chance.uniform(needed * 0.6, needed * 1.05), "backup", file, "--env", env)
            if file.exists():
                whole += 1
                assert isinstance(keeper.restores(file), Restored)
                empty(keeper)
        assert keeper.restores(tmp_path / "first.age").findings == ()

    def test_in_a_restore_leaves_an_empty_place_or_a_paused_book(self, street, keeper, tmp_path):
        file, manifest = keeper.backs_up(street.town.bot.database)
        env = env_of(keeper.empty, tmp_path / "empty.env")
        words = ("restore", file, "--key", keeper.key, "--reason", "proof", "--env", env)
        needed = time_of(*words)
        empty(keeper)
        chance, there = random.Random(8), 0
        for _ in range(TIMES):
            killed_after(chance.uniform(needed * 0.6, needed * 1.05), *words)
            try:
                keeper.restores(file)
            except Misconfigured:  # not empty: then all of it is there, and paused
                there += 1
                with keeper.restored() as copy:
                    assert copy.read(is_paused)
                    counted = copy.read(lambda s: s.connection().exec_driver_sql("SELECT count(*) FROM ledger_transfer").scalar())  # fmt: skip
                assert counted == manifest.contents.counts["ledger_transfer"]
            empty(keeper)


def empty(keeper):
    """The place as it was before, whatever was put there; a killed server's leftovers take a moment."""
    address = keeper.empty.database_address
    if address.startswith("sqlite"):
        for path in keeper.folder.joinpath("elsewhere").glob("restored.sqlite*"):
            path.unlink()
        return
    with Database(address) as database:
        database.write(lambda s: s.connection().exec_driver_sql("DROP SCHEMA public CASCADE") and None)
        database.write(lambda s: s.connection().exec_driver_sql("CREATE SCHEMA public") and None)
