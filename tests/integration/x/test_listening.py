"""Polling: a cursor that moves only with the last page, lists read back without a gap, and a listener that comes back late."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.errors import GatewayUnavailable, LeaseLost
from bot.sandbox.faults import FaultKind
from bot.sandbox.gateway import SandboxGateway
from bot.sandbox.limits import Operation
from bot.store.leases import Lease
from bot.x.gateway import MessageId
from bot.x.listening import Listening
from bot.x.pushed import Pushed
from tests.integration.payments.conftest import Street, a_street, town_at

READS = {"mentions": Operation.MENTIONS, "messages": Operation.MESSAGES}


@pytest.fixture
def street(sqlite_url: str, tmp_path: Path) -> Iterator[Street]:
    with a_street(sqlite_url, tmp_path) as made:
        yield made


def in_small_pages(street: Street) -> Listening:
    """The bot's listening, over pages of ten."""
    town = street.town
    return replace(town.bot.listening, gateway=SandboxGateway(town.world, town.bot_person.id, page_size=10))


def say(street: Street, what: str, number: int) -> None:
    if what == "mentions":
        street.tweets("bob", f"@smoney hello {number}", settle=False)
    else:
        street.says("bob", f"hello {number}", settle=False)


def stored(street: Street, what: str) -> int:
    kind = {"mentions": "post", "messages": "message"}[what]
    return street.count(f"SELECT count(*) FROM inbox WHERE kind = '{kind}' AND state = 'waiting'")


def cursor(street: Street, what: str) -> int:
    return street.count(f"SELECT coalesce(max(x_id), 0) FROM cursors WHERE name = '{what}'")


@pytest.mark.parametrize("what", ["mentions", "messages"])
class TestPages:
    def read(self, listening: Listening, what: str) -> int:
        reads: dict[str, Any] = {"mentions": listening.read_mentions, "messages": listening.read_messages}
        return int(reads[what]())

    @pytest.mark.parametrize("page", [0, 1, 2])
    def test_move_the_cursor_and_store_only_with_the_last_of_them(self, street, what, page):
        street.town.settle()
        listening, before = in_small_pages(street), cursor(street, what)
        for number in range(25):
            say(street, what, number)
            street.sleeps(minutes=2)  # beyond what is read twice
        street.world.plan_fault(FaultKind.FAIL, READS[what], skip=page)
        with pytest.raises(GatewayUnavailable):
            self.read(listening, what)
        assert (stored(street, what), cursor(street, what)) == (0, before)
        assert self.read(listening, what) == 25
        assert cursor(street, what) > before

    def test_are_read_back_to_what_was_polled_whatever_was_pushed_since(self, street, what):
        """The newest was pushed; what is older than it and newer than the last poll is not skipped."""
        street.town.settle()
        listening, bot = in_small_pages(street), street.town.bot
        for number in range(24):
            say(street, what, number)
            street.sleeps(minutes=2)
        say(street, what, 24)
        gateway = listening.gateway
        if what == "mentions":
            bot.pushes.store(Pushed(posts=gateway.mentions().items[:1]))
        else:
            pushed = gateway.direct_messages().items[0]
            bot.pushes.store(Pushed(messages=(replace(pushed, id=MessageId(pushed.id + 1)),)))
        assert stored(street, what) == 1
        assert self.read(listening, what) == 24
        assert stored(street, what) == 25

    def test_read_again_while_a_stream_brings_the_same_count_once(self, street, what):
        listening, bot = in_small_pages(street), street.town.bot
        street.town.settle()
        for number in range(12):
            say(street, what, number)
        gateway = listening.gateway
        told = (
            Pushed(posts=gateway.mentions().items)
            if what == "mentions"
            else Pushed(messages=gateway.direct_messages().items)
        )
        for _ in range(2):
            bot.pushes.store(told)
            self.read(listening, what)
        assert stored(street, what) == 12


class TestBackAfterThreeDays:
    def test_everything_x_still_has_is_read_and_old_orders_are_refused_kindly(self, street):
        street.tweets("bob", "@smoney send 3€ @zoe")
        street.answers("bob")
        street.tweets("bob", "@smoney send 1€ @alice")
        code = street.code("bob")
        street.passes(minutes=6)
        street.sleeps(days=1)
        street.tweets("bob", "@smoney send 5€ @alice", settle=False)
        street.says("carol", "send 4€ @alice", settle=False)
        street.says("bob", code, settle=False)
        street.says("carol", "balance", settle=False)
        street.sleeps(days=2)
        street.town.settle()
        heard = {name: "\n".join(street.heard(name)) for name in ("bob", "carol")}
        assert "hour" in heard["bob"]
        assert "hour" in heard["carol"]
        assert "20.00" in street.heard("carol")[-1]  # what is no order is answered as ever
        assert street.payments == 1
        assert street.has("alice") == 0
        assert street.count("SELECT count(*) FROM inbox WHERE state = 'waiting'") == 0
        street.passes(days=4, hours=1)  # seven days and more since it was held, three of them without the bot
        assert street.has("bob") == 97_00
        street.passes(days=3)
        assert street.has("bob") == 100_00


@pytest.mark.postgresql
class TestALeaseThatRanOut:
    def test_is_taken_over_by_the_databases_clock_and_its_old_holder_writes_nothing(
        self, postgresql_url, tmp_path
    ):
        with town_at(postgresql_url, tmp_path) as town:
            street, bot = Street(town), town.bot
            bot.listening.lease.leave()
            late = replace(bot.listening.lease, lasts=timedelta())
            token = late.take()
            other = Lease(bot.database, "listening", holder=99, lasts=timedelta(minutes=1))
            taken = other.take()
            assert token is not None
            assert taken == token + 1
            street.says("bob", "balance", settle=False)
            before = cursor(street, "messages")
            assert bot.listening.read_messages() == 0  # it sees that another listens
            stale = replace(
                bot.listening, lease=_Remembered(late.database, late.name, late.holder, late.lasts, token)
            )
            with pytest.raises(LeaseLost, match="another program listens"):
                stale.read_messages()  # it stood still between the reading and the storing
            assert (stored(street, "messages"), cursor(street, "messages")) == (0, before)


@dataclass(frozen=True, slots=True)
class _Remembered(Lease):
    """A lease whose holder does not know yet that it is another's."""

    token: int

    def take(self) -> int:
        return self.token
