"""A served sandbox whose every answer is judged by X's description, where that is beside the project."""

import importlib.util
import sys
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from types import ModuleType

import pytest

from bot.sandbox.core import World
from bot.sandbox.ground import StoppedClock
from bot.sandbox.http import Served, serve
from bot.sandbox.limits import X_LIMITS
from tests.description import DESCRIPTION, Judge

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def beside(name: str) -> ModuleType:
    """A module of this folder, which is no package."""
    full = f"sandbox_tests_{name}"
    if full not in sys.modules:
        spec = importlib.util.spec_from_file_location(full, Path(__file__).with_name(f"{name}.py"))
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[full] = module
        spec.loader.exec_module(module)
    return sys.modules[full]


@pytest.fixture
def clients():
    return beside("clients")


@pytest.fixture
def judge():
    """None where X's description is not at hand."""
    return Judge() if DESCRIPTION.exists() else None


@pytest.fixture
def world():
    """It speaks the older names, whatever the run says: these tests and the clients they use look at them by hand."""
    made = World(StoppedClock(NOON), chance=Random(1), limits=X_LIMITS)
    made.newer_names = False
    return made


@pytest.fixture
def bot(world):
    return world.create_person("smoney", "S-money", open_messages=True)


@pytest.fixture
def alice(world):
    return world.create_person("alice", "Alice")


@pytest.fixture
def bob(world):
    return world.create_person("bob", "Bob")


@pytest.fixture
def served(world, bot, judge):
    with serve(world, bot_id=bot.id, observe=judge, keep_alive_seconds=0.1) as served:
        yield served


@pytest.fixture
def address(served: Served):
    return served.address


@pytest.fixture
def plain(address, world, clients):
    client = clients.Plain(address, world)
    yield client
    client.close()
