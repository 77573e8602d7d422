"""Killed in the middle of commits, again and again: nothing acknowledged is lost, and the book holds."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from time import monotonic

import pytest

from ledger.audit import verify
from ledger.database import Database
from ledger.errors import InsufficientFunds
from tests.integration.ledger.world import World

LONG = os.environ.get("SMONEY_PROVE") == "long"

# Eight threads that pay back and forth and say each key once it is acknowledged; only a kill ends them.
PAYER = """
import os, random, sys, threading
from datetime import UTC, datetime
from ledger.book import Ledger
from ledger.clock import IdSource
from ledger.database import Database
from ledger.errors import InsufficientFunds
from ledger.money import EUR, Money
from ledger.transfers import NewTransfer

clock = lambda: datetime.now(UTC)
database, ledger = Database(sys.argv[1]), Ledger(clock=clock, ids=IdSource(clock, os.urandom))
accounts, run = [int(text) for text in sys.argv[3].split(",")], sys.argv[2]

def pay(number):
    chance = random.Random(f"{run}{number}")
    for step in range(10**9):
        debit, credit = chance.sample(accounts, 2)
        new = NewTransfer(
            debit_account_id=debit, credit_account_id=credit, amount=Money(chance.randint(1, 30), EUR), code="payment",
            idempotency_key=f"{run}-{number}-{step}",
        )
        try:
            database.write(lambda session: ledger.transfer(session, new))
        except InsufficientFunds:
            continue
        os.write(1, f"{new.idempotency_key}\\n".encode())

for number in range(8):
    threading.Thread(target=pay, args=(number,)).start()
"""


def killed_run(url: str, run: str, accounts: Sequence[int], seconds: float) -> Iterator[str]:
    """Start the payer, kill it after a while; the keys it had acknowledged."""
    command = [sys.executable, "-c", PAYER, url, run, ",".join(map(str, accounts))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()  # it is at work
        until = monotonic() + seconds
        while monotonic() < until:
            yield process.stdout.readline().strip()
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split("\n")
    yield from rest[:-1]  # what was cut in the middle was not acknowledged


@pytest.mark.prove
@pytest.mark.timeout(0)
class TestKilledInMidCommit:
    def test_loses_nothing_it_acknowledged_and_half_books_nothing(self, database_url):
        with Database(database_url) as database:
            world = World(database)
            accounts = [world.wallet(1000) for _ in range(10)]
        chance, acknowledged = random.Random(7), 0
        for run in range(60 if LONG else 8):
            keys = {
                key
                for key in killed_run(database_url, f"run{run}", accounts, chance.uniform(0.05, 1.0))
                if key
            }
            acknowledged += len(keys)
            with Database(database_url) as database:
                world = World(database)
                assert verify(database).findings == ()
                found = {key for key in keys if world.read("by_idempotency_key", key)}
                assert found == keys
                assert sum(world.available(one) for one in accounts) == 10_000
        assert acknowledged > 1000


# One process of several: pays a fixed number of times and ends.
WORKER = PAYER.replace("range(10**9)", "range(int(sys.argv[4]))").replace("range(8)", "range(2)")


@pytest.mark.prove
@pytest.mark.timeout(0)
class TestManyProcesses:
    def test_conserve_money_and_lose_no_acknowledged_transfer(self, database_url):
        with Database(database_url) as database:
            world = World(database)
            accounts = [world.wallet(1000) for _ in range(10)]
        steps = 1000 if LONG else 100
        arguments = [",".join(map(str, accounts)), str(steps)]
        running = [
            subprocess.Popen(
                [sys.executable, "-c", WORKER, database_url, f"p{number}", *arguments],
                stdout=subprocess.PIPE,
                text=True,
            )
            for number in range(8)
        ]
        keys = [key for process in running for key in process.communicate()[0].split()]
        assert all(process.returncode == 0 for process in running)
        with Database(database_url) as database:
            world = World(database)
            assert verify(database).findings == ()
            assert all(world.read("by_idempotency_key", key) for key in keys)
            assert sum(world.available(one) for one in accounts) == 10_000
            with pytest.raises(InsufficientFunds):
                world.pay(accounts[0], accounts[1], 10_001)
        assert len(keys) > 8 * steps
