"""A town that is watched: what the self-check finds in it, and somebody who breaks its book."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bot.demo.town import Town
from bot.sealing import seal
from bot.watching.alarms import Changes, open_alarms
from bot.watching.watch import Watch, open_watch
from tests.integration.intruder import Intruder
from tests.integration.payments.conftest import Street, town_at


@dataclass
class Watched:
    street: Street
    watch: Watch

    def looks(self) -> dict[str, dict[str, Any]]:
        """One look; every alarm that is open after it, with its facts."""
        self.watch.look()
        return self.open()

    def changes(self) -> Changes:
        return self.watch.look()

    def open(self) -> dict[str, dict[str, Any]]:
        found = self.street.town.bot.database.read(open_alarms)
        return {each.alarm.value: dict(each.facts) for each in found}

    def writes(self, sql: str, **values: object) -> None:
        self.street.town.bot.database.write(
            lambda session: session.connection().execute(text(sql), values) and None
        )

    def pays(self, username: str = "bob", words: str = "1€ @alice") -> None:
        """With words that were not said before."""
        number = self.street.count("SELECT count(*) FROM intents")
        self.street.tweets(username, f"@smoney send {words} for lunch {number}")
        self.street.answers(username)

    def seals(self) -> None:
        town = self.street.town
        seal(town.bot.database, town.settings, town.bot.clock)


def watched_town(street: Street, **chosen: object) -> Watched:
    settings = street.town.settings.model_copy(update=chosen)
    return Watched(street, open_watch(street.town.bot, settings))


def part_is_sealed(town: Town) -> None:
    watched = watched_town(Street(town))
    watched.pays()
    watched.street.passes(minutes=10)
    watched.seals()
    watched.pays(words="2€ @zoe")


@pytest.fixture
def watched(database_url: str, tmp_path: Path) -> Iterator[Watched]:
    """bob has paid alice, who is a member, and zoe, who is not, so that this is held; a part of it is sealed."""
    with town_at(database_url, tmp_path, prepare=part_is_sealed) as town:
        yield watched_town(Street(town))


@pytest.fixture
def intruder(database_url: str) -> Iterator[Callable[[], Intruder]]:
    made: list[Intruder] = []

    def enter() -> Intruder:
        made.append(Intruder(database_url))
        return made[0]

    yield enter
    for one in made:
        one.connection.close()
