"""A town to play in: a sandbox X with people, and a bot with a demo's book, on one clock.

The demo runs it by itself; the transcripts and tests drive it step by step. Money here is test money, made in a book
that was born as a demo's; nothing of this can touch a real one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlmodel import Session

from bot.errors import TryLater
from bot.keys import generate
from bot.people.people import Standing
from bot.people.tiers import Tier
from bot.sandbox.core import World as SandboxWorld
from bot.sandbox.gateway import SandboxGateway
from bot.sandbox.people import Person
from bot.settings import Settings
from bot.store.tables import PersonRow
from bot.wiring import Bot, World, build, open_database
from bot.x.gateway import Gateway, UserId
from ledger.clock import Entropy
from ledger.money import EUR, Money

BOT = "smoney"
MOST_ROUNDS = 50


@dataclass(frozen=True, slots=True)
class Resident:
    """Someone in town; `wallet_minor` None is somebody who has not enrolled."""

    username: str
    name: str
    wallet_minor: int | None = None


@dataclass(slots=True)
class Town:
    """Everything in it. `settle` lets the bot do all there is to do at this moment."""

    world: SandboxWorld
    bot: Bot
    bot_person: Person
    settings: Settings

    def settle(self) -> None:
        """Listens, then works and delivers until nothing is left to do now, and sweeps."""
        self.bot.listening.read_mentions()
        self.bot.listening.read_messages()
        for _ in range(MOST_ROUNDS):
            if not self.bot.work.run() + self._cards() + self.bot.courier.deliver():
                break
        self.bot.sweep_once()
        self.bot.courier.deliver()

    def _cards(self) -> int:
        """As the daemon does: what the processor cannot be asked now comes due again."""
        try:
            return self.bot.cashier.run() if self.bot.cashier else 0
        except TryLater:
            return 0

    def available_minor(self, username: str) -> int | None:
        """What someone can spend; None for who has no wallet or has not enrolled."""
        user_id = self.world.person(username).id

        def work(session: Session) -> int | None:
            person = session.get(PersonRow, user_id)
            if person is None or person.standing == Standing.STRANGER:
                return None
            return self.bot.wallets.balance(session, person).available.amount_minor

        return self.bot.database.read(work)

    def move_in(self, residents: Sequence[Resident]) -> None:
        """Makes the people who are not there yet; those with a wallet have enrolled, are known to the
        operator and own test money."""
        new = {each: self.world.create_person(each.username, each.name) for each in residents}
        members = {each: person for each, person in new.items() if each.wallet_minor is not None}
        for person in members.values():
            self.world.send_message(person.id, self.bot_person.id, "start")
        if members:
            self.settle()
            self.bot.database.write(lambda session: self._provide(session, members))

    def _provide(self, session: Session, members: Mapping[Resident, Person]) -> None:
        now = self.bot.clock()
        for resident, person in members.items():
            row = self.bot.people.get(session, UserId(person.id))
            self.bot.people.set_tier(session, row, Tier.IDENTIFIED, at=now)
            if resident.wallet_minor:
                money = Money(resident.wallet_minor, EUR)
                self.bot.wallets.give_test_money(session, row, money, key=str(person.id))


def demo_settings(home: Path, entropy: Entropy, **chosen: Any) -> Settings:
    """Settings of a bot in a town: keys of its own, polling every second, limits as wide as the town's.

    Nothing is read from the environment or a `.env`: a demo must never find real keys.
    """
    values: dict[str, Any] = {
        "home": home,
        "keys": SecretStr(generate(entropy)),
        "mentions_poll_seconds": 1,
        "messages_poll_seconds": 1,
        "work_poll_seconds": 0.2,
        "deliver_poll_seconds": 0.2,
        "sweep_poll_seconds": 2,
        "x_settle_seconds": 2,
        "messages_per_quarter_hour": 1_000_000,
        "messages_per_day": 1_000_000,
        "replies_per_minute": 1_000_000,
        "replies_per_author_per_hour": 1_000_000,
        "operator_name": "the demo on this machine",
        "web_port": 0,
        # Nobody in town has an authenticator app to begin with, and nobody's session is stolen.
        "allowance_per_payment_minor": 250_00,
        "allowance_per_day_minor": 500_00,
        # And nobody sits in an office to look at a payment.
        "review_new_payees": 0,
        "review_refusals": 0,
        "review_reissued_handles": False,
        "review_changed_handles": False,
    }
    return Settings.model_construct(**(Settings.model_construct().model_dump() | values | chosen))


GatewayMaker = Callable[[SandboxWorld, Person], Gateway]


def in_process(world: SandboxWorld, bot_person: Person) -> Gateway:
    """The sandbox's core called as functions, for tests that need no HTTP."""
    return SandboxGateway(world, bot_person.id)


@contextmanager
def open_town(
    settings: Settings,
    sandbox: SandboxWorld,
    *,
    entropy: Entropy,
    residents: Sequence[Resident] = (),
    handle: str = BOT,
    gateway: GatewayMaker = in_process,
) -> Iterator[Town]:
    """A town whose bot answers to `handle`, with these people in it; closed, not wiped, at the end."""
    world = World(clock=sandbox.clock, entropy=entropy)
    bot_person = _bot_of(sandbox, handle)
    database = open_database(settings, is_demo=True, world=world)
    try:
        street = gateway(sandbox, bot_person)
        town = Town(sandbox, build(settings, street, street.me(), database, world), bot_person, settings)
        town.move_in(residents)
        yield town
        town.bot.listening.lease.leave()
    finally:
        database.close()


def _bot_of(sandbox: SandboxWorld, handle: str) -> Person:
    return sandbox.people.holder(handle) or sandbox.create_person(handle, "smoney (demo)", open_messages=True)
