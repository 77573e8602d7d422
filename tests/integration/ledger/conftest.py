"""The ledger stands alone: its tests have its own tables and no others."""

import pytest

from tests.integration.intruder import Intruder
from tests.integration.ledger.world import World


@pytest.fixture
def whose_tables() -> str:
    return "ledger"


@pytest.fixture
def intruder(database_url):
    made = []

    def enter():
        made.append(Intruder(database_url))
        return made[0]

    yield enter
    for one in made:
        one.connection.close()


@pytest.fixture
def world(database):
    """alice, bob and the bank, and a transfer of every kind between them."""
    world = World(database)
    world.alice, world.bob = world.wallet(1000), world.wallet(5, upper_bound_minor=900)
    world.paid = world.pay(world.alice, world.bob, 7, authorisation_id=3, metadata={"intent": 5})
    world.held = world.hold(world.alice, world.bob, 9)
    world.posted = world.post(world.held.id)
    world.reversed = world.pay(world.alice, world.bob, 2)
    world.back = world.reverse(world.reversed.id)
    world.expired = world.hold(world.alice, world.bob, 3)
    world.clock.move(days=8)
    world.expire(world.expired.id)
    world.last = world.pay(world.alice, world.bob, 1)
    return world
