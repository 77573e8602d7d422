"""A town for tests: the sandbox's core and the whole bot in one process, on each database, on a clock that stands."""

import random
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session

from bot.auditing import verify
from bot.demo.town import Resident, Town
from bot.payments.challenge import LETTERS
from bot.sandbox.core import World as SandboxWorld
from bot.sandbox.ground import StoppedClock
from bot.sandbox.limits import WIDE
from bot.sandbox.posts import StoredPost
from bot.store.columns import metadata
from ledger.clock import microseconds_of
from tests.integration.kept_towns import Preparation, kept_town

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CODE = re.compile(rf"\b([{LETTERS}]) ([0-9]{{6}})\b")
REFERENCE = re.compile(r"\bP-[0-9A-Z]{6}\b")
RESIDENTS = (
    Resident("bob", "Bob Martin", 100_00),
    Resident("alice", "Alice Durand", 0),
    Resident("carol", "Carol Weber", 20_00),
    Resident("zoe", "Zoé"),
)


@dataclass
class Street:
    """What people do in a test, in one line each. Every act is followed to its end unless `settle=False`."""

    town: Town

    @property
    def world(self) -> SandboxWorld:
        return self.town.world

    def tweets(
        self, username: str, words: str, *, settle: bool = True, reply_to: int | None = None
    ) -> StoredPost:
        post = self.world.post(self.world.person(username).id, words, in_reply_to=reply_to)
        self._settle(settle)
        return post

    def edits(self, post: StoredPost, words: str, *, settle: bool = True) -> StoredPost:
        edited = self.world.edit(post.id, words)
        self._settle(settle)
        return edited

    def says(self, username: str, words: str, *, settle: bool = True) -> None:
        self.world.send_message(self.world.person(username).id, self.town.bot_person.id, words)
        self._settle(settle)

    def answers(self, username: str, *, settle: bool = True) -> None:
        """With the last code this person was sent."""
        self.says(username, self.code(username), settle=settle)

    def _settle(self, settle: bool) -> None:
        if settle:
            self.town.settle()

    def passes(self, **duration: int) -> None:
        """Time goes by, and the bot listens all the while: it read the (silent) street to its end just now."""
        self.world.advance(timedelta(**duration))
        listened = text("UPDATE cursors SET read_at = :now").bindparams(now=microseconds_of(self.world.now()))
        self.town.bot.database.write(lambda session: session.connection().execute(listened) and None)
        self.town.settle()

    def sleeps(self, **duration: int) -> None:
        """Time goes by without the bot."""
        self.world.advance(timedelta(**duration))

    def heard(self, username: str) -> list[str]:
        """What the bot has told this person in private, oldest first."""
        thread = self.world.thread(self.town.bot_person.id, self.world.person(username).id)
        return [message.text for message in thread if message.sender_id == self.town.bot_person.id]

    def replies(self) -> list[str]:
        """What the bot has said in public."""
        posts = self.world.timeline(1000)
        return [post.visible_text for post in posts if post.author_id == self.town.bot_person.id]

    def code(self, username: str) -> str:
        """The last code this person was sent, as they would type it."""
        codes = [match[0] for words in self.heard(username) for match in CODE.finditer(words)]
        return codes[-1]

    def wrong_code(self, username: str) -> str:
        letter, digits = self.code(username).split(" ")
        return f"{letter} {(int(digits) + 1) % 10**6:06d}"

    def reference(self, username: str) -> str:
        return [match[0] for words in self.heard(username) for match in REFERENCE.finditer(words)][-1]

    def has(self, username: str) -> int:
        """What this person can spend, in cents."""
        return self.town.available_minor(username) or 0

    def count(self, sql: str) -> int:
        def work(session: Session) -> int:
            return int(session.connection().execute(text(sql)).scalar_one())

        return self.town.bot.database.read(work)

    def change(self, sql: str) -> None:
        """By hand, in the database."""
        self.town.bot.database.write(lambda session: session.connection().execute(text(sql)) and None)

    def everything(self) -> dict[str, list[dict[str, Any]]]:
        """Every value of every row of the bot's tables, and of the ledger's that hold money."""

        def work(session: Session) -> dict[str, list[dict[str, Any]]]:
            connection = session.connection()
            tables = [*(table.name for table in metadata.sorted_tables), "ledger_transfer", "ledger_account"]
            return {
                name: [dict(row) for row in connection.execute(text(f"SELECT * FROM {name}")).mappings()]
                for name in tables
            }

        return self.town.bot.database.read(work)

    @property
    def payments(self) -> int:
        return self.count("SELECT count(*) FROM intents WHERE state = 'paid'")


def nothing_more(_: Town) -> None:
    """They have moved in, and that is all."""


def paid_once(town: Town) -> None:
    """bob has paid alice 10 €."""
    street = Street(town)
    street.tweets("bob", "@smoney send 10€ @alice")
    street.answers("bob")
    town.bot.usage.note()  # as a daemon does before it ends


def town_at(
    url: str, home: Path, *, prepare: Preparation = nothing_more, **chosen: Any
) -> AbstractContextManager[Town]:
    """bob has 100 €, alice 0 €, carol 20 €; zoe has not enrolled; and what `prepare` does in the town was done."""
    return kept_town(url, home, world=_at_noon, residents=RESIDENTS, prepare=prepare, **chosen)


def _at_noon(chance: random.Random) -> SandboxWorld:
    return SandboxWorld(StoppedClock(NOON), chance=chance, limits=WIDE)


@contextmanager
def a_street(url: str, home: Path, **chosen: Any) -> Iterator[Street]:
    """One with settings of its own; at its end everything must hold."""
    with town_at(url, home, **chosen) as town:
        yield Street(town)
        assert verify(town.bot.database, town.settings).findings == ()


@pytest.fixture
def street(database_url: str, tmp_path: Path) -> Iterator[Street]:
    """bob has 100 €, alice 0 €, carol 20 €; zoe has not enrolled. At the end of each test everything must hold."""
    with town_at(database_url, tmp_path) as town:
        yield Street(town)
        assert verify(town.bot.database, town.settings).findings == ()
        assert town.bot.database.read(
            lambda session: (
                session.connection().execute(text("SELECT reason FROM inbox WHERE state = 'set_aside'")).all()
            )
        ) in ([], [("on purpose",)])
