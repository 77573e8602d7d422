"""The daemon killed between every two steps of a top-up by card: one page, one charge, one credit, one fee, and its person
hears of each once, whatever was in whose hands.

Real processes on the bot's side, the small X and the processor of test cards over HTTP on the other. Each daemon brings to its
end what the one before it left, and dies at the next step.
"""

import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlmodel import Session, col, select

from bot.auditing import verify
from bot.card_sandbox.balance import fee_of
from bot.card_sandbox.core import CardProcessor
from bot.card_sandbox.post import PAUSES
from bot.demo.cards import cards_taken, settings_for
from bot.demo.town import Resident, Town, demo_settings, open_town
from bot.payments.topping_up import FEE, TOP_UP
from bot.sandbox.core import World
from bot.sandbox.ground import MovableClock
from bot.sandbox.http import serve
from bot.store.card_tables import TopUpRow
from bot.store.tables import InboxRow, OutboxRow
from bot.web.server import listener_on
from ledger.tables import TransferRow
from tests.e2e.conftest import Place, Program, Programs, wait_until
from tests.e2e.dying import KILLED, STOP, Step, told
from tests.integration.cards.conftest import Visitor as CardHolder

WHO = "bob"
FUNDS = 100_00
LEAST = 20_00
"""Each top-up is of a cent more than the one before it: no two are alike."""
DYING = (sys.executable, "-c", "from tests.e2e.dying import main; main()")
LINK = re.compile(r"http://127\.0\.0\.1:\d+/c/pay/(cs_test_\w+)")
NEVER = (
    ".fault",
    ".database",
    "set_aside",
    "invariant_broken",
    "misconfigured",
    "cashier.",
    "courier.refused",
)


@pytest.mark.prove
@pytest.mark.timeout(300)
class TestKilledAtEachStepOfATopUp:
    def test_credits_once_and_tells_once_on_sqlite(self, programs: Programs, tmp_path: Path):
        survive(programs, tmp_path / "home")

    @pytest.mark.postgresql
    def test_credits_once_and_tells_once_on_postgresql(
        self, programs: Programs, tmp_path: Path, postgresql_url: str
    ):
        survive(programs, tmp_path / "home", database_url=SecretStr(postgresql_url))


def survive(programs: Programs, home: Path, **chosen: object) -> None:
    with a_till(programs, home, **chosen) as till:
        for step in Step:
            till.tops_up(step)
            till.check(step)
        till.daemons.tell(STOP)
        assert till.daemons.ends() == 0
        assert verify(till.town.bot.database, till.place.settings).findings == ()
    said = "".join(program.said for program in programs.started)
    for never in NEVER:
        assert never not in said, f"{never} in a log: see {programs.home}"


@contextmanager
def a_till(programs: Programs, home: Path, **chosen: object) -> Iterator["Till"]:
    pages = a_free_address()
    world, clock = World(), MovableClock()
    bot = world.create_person("smoney", "smoney", open_messages=True)
    with serve(world) as served, cards_taken(clock, pages=pages) as cards:
        given = dict(settings_for(cards))
        settings = demo_settings(home, os.urandom, **given, **chosen)
        with open_town(settings, world, entropy=os.urandom, residents=[Resident(WHO, "Bob", FUNDS)]) as town:
            town.bot.listening.lease.leave()  # the daemons listen from here on
            place = Place(served, settings, bot)
            plain = {
                name: value.get_secret_value() if isinstance(value, SecretStr) else value
                for name, value in given.items()
            }
            environment = place.environment(
                web_port=pages.rpartition(":")[2], web_public_url=pages, cards_poll_seconds=0.1, **plain
            )
            daemons = programs.start(DYING, environment)
            yield Till(daemons, place, town, cards.processor, clock)


def a_free_address() -> str:
    """Where nobody listens; each daemon does in its turn."""
    with listener_on("127.0.0.1", 0) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@dataclass
class Till:
    """Daemons, one after the other, and somebody who puts money in."""

    daemons: Program
    place: Place
    town: Town
    processor: CardProcessor
    clock: MovableClock
    amounts: dict[Step, int] = field(default_factory=dict)
    _heard: int = 0

    @property
    def heard(self) -> list[str]:
        return self.place.heard_by(WHO)

    @property
    def news(self) -> list[str]:
        """What its person has heard since they asked."""
        return self.heard[self._heard :]

    def tops_up(self, step: Step) -> None:
        """Somebody puts money in; the daemon dies at this step, and its successor ends what it left."""
        self._heard = len(self.heard)
        self.amounts[step] = amount = LEAST + len(self.amounts)
        self.daemons.tell(step)
        self.daemons.says(told(step))
        world = self.place.world
        world.send_message(world.person(WHO), self.place.bot, f"top up {amount // 100}.{amount % 100:02d}€")
        link = self._until(lambda: LINK.search("".join(self.news)), f"a link, though {step}")
        back = CardHolder().fill(link[0])
        assert back.status_code == 303
        self._until(lambda: self.daemons.said.count(KILLED) == len(self.amounts), f"a death where {step}")
        self._until(lambda: "Ref T-" in "".join(self.news), f"a receipt, though {step}")
        self.clock.advance(PAUSES[0])  # what was brought to a dead daemon comes again
        self._until(lambda: not self.processor.post.letters, f"all webhooks taken, though {step}")
        self._until(lambda: self.town.bot.database.read(nothing_waits), f"nothing left to do, though {step}")

    def _until(self, true: Callable[[], Any], what: str) -> Any:
        def look() -> Any:
            assert self.daemons.process.poll() is None, self.daemons.said
            return true()

        return wait_until(look, what)

    def check(self, step: Step) -> None:
        """Everything is as if nobody had died."""
        assert len(self.news) == 2, (step, self.news)
        total, count = sum(self.amounts.values()), len(self.amounts)
        rows = self.town.bot.database.read(
            lambda session: session.exec(select(TopUpRow).order_by(col(TopUpRow.asked_at))).all()
        )
        row = rows[-1]
        link, receipt = self.news
        assert f"/c/pay/{row.checkout_id}\n" in link, step
        assert row.reference in receipt, step
        assert f"€{(FUNDS + total) / 100:.2f}" in receipt, step
        assert [each.state for each in rows] == ["paid"] * count, step
        assert [each.amount_minor for each in rows] == list(self.amounts.values()), step
        assert Counter(each.order.reference for each in self.processor.sessions.values()) == {
            each.reference: 1 for each in rows
        }, step
        assert len(self.processor.charges) == count, step
        assert self.town.available_minor(WHO) == FUNDS + total, step
        assert self._booked(TOP_UP) == list(self.amounts.values()), step
        assert self._booked(FEE) == [fee_of(each) for each in self.amounts.values()], step

    def _booked(self, code: str) -> list[int]:
        booked = select(TransferRow.amount_minor).where(TransferRow.code == code)
        return sorted(self.town.bot.database.read(lambda session: session.exec(booked).all()))


def nothing_waits(session: Session) -> bool:
    due = select(TopUpRow.id).where(col(TopUpRow.due_at).is_not(None))
    inbox = select(InboxRow.id).where(InboxRow.state == "waiting")
    outbox = select(OutboxRow.id).where(col(OutboxRow.state).in_(("waiting", "sending", "unknown")))
    return not any(session.exec(rows.limit(1)).first() for rows in (due, inbox, outbox))
