"""Master keys changed while the bot runs: everything opens before, during and after; wrong keys touch nothing."""

import json
import os
from functools import partial
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from typer.testing import CliRunner

from bot.auditing import verify
from bot.cli import app
from bot.demo.town import demo_settings, open_town
from bot.errors import Misconfigured
from bot.keys import Keyring, generate
from bot.sandbox.core import World as SandboxWorld
from bot.sandbox.ground import StoppedClock
from bot.sandbox.limits import WIDE
from bot.store.rotation import Rotation, sealed_columns
from bot.store.vault import Vault
from ledger.database import Database
from tests.integration.payments.conftest import NOON, RESIDENTS, Street
from tests.integration.payments.test_second_factor import Page


class Book:
    """A town that can be opened again with other keys."""

    def __init__(self, url: str, home: Path) -> None:
        self.world = SandboxWorld(StoppedClock(NOON), limits=WIDE)
        self.old, self.new = generate(os.urandom), generate(os.urandom)
        self.url, self.home = url, home
        self.residents = list(RESIDENTS)

    def settings(self, keys: str):
        return demo_settings(self.home, os.urandom, database_url=SecretStr(self.url), keys=SecretStr(keys))

    def open(self, keys: str):
        residents, self.residents = self.residents, []
        return open_town(self.settings(keys), self.world, entropy=os.urandom, residents=residents)

    def rotates(self, keys: str) -> int:
        with Database(self.url) as database:
            done = Rotation(database, Vault(Keyring(keys), os.urandom)).run()
        assert not any(column.unreadable for column in done)
        return sum(column.done for column in done)

    def counts(self, key: str, *, others: bool = False) -> int:
        """How many values stand under this key (or under others)."""
        prefix = Vault(Keyring(key), os.urandom).prefix
        found = 0
        with Database(self.url) as database:
            for table, column in sealed_columns():
                sql = text(f"SELECT {column.name} FROM {table.name} WHERE {column.name} IS NOT NULL")
                values = database.read(partial(all_of, sql))
                found += sum(bytes(value).startswith(prefix) is not others for value in values)
        return found


def all_of(sql, session):
    return session.connection().execute(sql).scalars().all()


@pytest.fixture
def book(database_url, tmp_path):
    return Book(database_url, tmp_path)


def lived_in(town) -> Page:
    street = Street(town)
    street.tweets("bob", "@smoney send 10€ @alice for pizza")
    street.answers("bob")
    page = Page(street)
    page.enrols()
    return page


class TestRotation:
    def test_seals_everything_anew_and_everything_still_opens(self, book):
        with book.open(book.old) as town:
            page = lived_in(town)
        both = f"{book.new},{book.old}"
        assert book.rotates(both) > 20
        assert book.counts(book.new, others=True) == 0
        with book.open(both) as town:
            page.street = Street(town)
            page.street.says("alice", "history")
            assert "pizza" in page.street.heard("alice")[-1]
            page.waits(minutes=1)
            assert page.does("check", page.app()).accepted
            assert verify(town.bot.database, town.settings).findings == ()

    def test_a_code_given_before_it_still_answers_its_question(self, book):
        with book.open(book.old) as town:
            Street(town).tweets("bob", "@smoney send 10€ @alice")
        both = f"{book.new},{book.old}"
        with book.open(both) as town:
            street = Street(town)
            book.rotates(both)
            street.answers("bob")
            assert street.has("alice") == 10_00

    def test_runs_while_people_pay(self, book):
        with book.open(book.old) as town:
            lived_in(town)
        both = f"{book.new},{book.old}"
        with book.open(both) as town:
            street = Street(town)
            street.tweets("bob", "@smoney send 5€ @carol")
            assert book.rotates(both) > 20
            street.answers("bob")
            assert street.has("carol") == 25_00
        assert book.counts(book.new, others=True) == 0

    def test_goes_on_where_it_stopped(self, book):
        with book.open(book.old) as town:
            lived_in(town)
        both = f"{book.new},{book.old}"
        total, calls = book.counts(book.old), []

        def stop(progress):
            calls.append(progress)
            if len(calls) == 4:
                raise KeyboardInterrupt

        with Database(book.url) as database, pytest.raises(KeyboardInterrupt):
            Rotation(database, Vault(Keyring(both), os.urandom)).run(stop)
        half = book.counts(book.new)
        assert 0 < half < total
        assert book.rotates(both) == total - half
        assert book.rotates(both) == 0

    def test_finds_people_by_their_handle_under_the_new_key_alone(self, book):
        with book.open(book.old) as town:
            lived_in(town)
        both = f"{book.new},{book.old}"
        book.rotates(both)
        index = Vault(Keyring(book.new), os.urandom).blind_index("bob", "username")
        with Database(book.url) as database:
            found = database.read(
                lambda s: s.connection().execute(text("SELECT username_index FROM people")).scalars().all()
            )
        assert index in {bytes(value) for value in found if value is not None}

    def test_leaves_alone_what_does_not_open_and_says_which(self, book):
        with book.open(book.old) as town:
            lived_in(town)
        both = f"{book.new},{book.old}"
        broken = text("UPDATE people SET name_sealed = substr(name_sealed, 1, 20)")
        with Database(book.url) as database:
            database.write(lambda s: s.connection().execute(broken) and None)
            done = Rotation(database, Vault(Keyring(both), os.urandom)).run()
        assert {column.column for column in done if column.unreadable} == {"name_sealed"}

    def test_by_command_names_what_it_left_and_ends_with_1(self, book, monkeypatch):
        with book.open(book.old) as town:
            lived_in(town)
        broken = text("UPDATE people SET name_sealed = substr(name_sealed, 1, 20)")
        with Database(book.url) as database:
            database.write(lambda s: s.connection().execute(broken) and None)
        monkeypatch.setenv("SMONEY_DATABASE_URL", book.url)
        monkeypatch.setenv("SMONEY_KEYS", f"{book.new},{book.old}")
        monkeypatch.chdir(book.home)
        shown = CliRunner().invoke(app, ["keys", "rotate", "--json"])
        said = json.loads(shown.stdout)
        assert shown.exit_code == 1
        assert said["values"] > 0
        assert {(one["table"], one["column"]) for one in said["left"]} == {("people", "name_sealed")}

    def test_by_command_says_how_many(self, book, monkeypatch):
        with book.open(book.old) as town:
            lived_in(town)
        monkeypatch.setenv("SMONEY_DATABASE_URL", book.url)
        monkeypatch.setenv("SMONEY_KEYS", f"{book.new},{book.old}")
        monkeypatch.chdir(book.home)
        shown = CliRunner().invoke(app, ["keys", "rotate"])
        assert shown.exit_code == 0
        assert "values were sealed anew" in shown.output
        assert book.counts(book.new, others=True) == 0


class TestWrongKeys:
    def test_a_missing_one_is_said_and_nothing_is_touched(self, book):
        with book.open(book.old) as town:
            lived_in(town)
        with (
            pytest.raises(Misconfigured, match=r"is not among those given\. Nothing was touched"),
            book.open(book.new),
        ):
            pass
        assert book.counts(book.old, others=True) == 0

    def test_another_one_of_the_same_name_is_said(self, book):
        with book.open(book.old) as town:
            lived_in(town)
        key_id = book.old.split(":")[0]
        other = key_id + ":" + book.new.split(":")[1]
        with pytest.raises(Misconfigured, match="is not the one of this name"), book.open(other):
            pass
        assert book.counts(book.old, others=True) == 0
