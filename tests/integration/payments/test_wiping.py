"""Texts go once they are settled and a day has passed; ids stay, and so does what waits for somebody."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from sqlalchemy import text

from bot.store.wiping import Wiping
from bot.x.gateway import UserId
from tests.integration.payments.conftest import Street, town_at

HEARD = "SELECT count(*) FROM inbox WHERE payload_sealed IS NOT NULL"
SAID = "SELECT count(*) FROM outbox WHERE parameters_sealed IS NOT NULL"


class TestWiping:
    def test_takes_texts_a_day_after_they_are_settled_and_nothing_comes_of_them_again(self, street):
        street.tweets("bob", "@smoney send 10€ @alice for the bicycle")
        street.answers("bob")
        ids = street.count("SELECT count(*) FROM inbox")
        street.passes(hours=23)
        assert street.count(HEARD) == ids
        street.passes(hours=2)
        assert (street.count(HEARD), street.count(SAID)) == (0, 0)
        street.town.bot.database.write(
            lambda session: session.connection().execute(text("DELETE FROM cursors")) and None
        )
        street.says("bob", "history")
        assert "“the bicycle”" in street.heard("bob")[-1]
        assert street.count("SELECT count(*) FROM inbox") == ids + 1
        assert street.payments == 1

    def test_leaves_what_was_set_aside_and_what_waits_to_be_said(self, street):
        street.tweets("bob", "@smoney balance", settle=False)
        street.says("bob", "send 1€ to @ghost", settle=False)
        bot = street.town.bot
        bot.listening.read_mentions()
        bot.listening.read_messages()
        bot.database.write(
            lambda session: (
                session.connection().execute(
                    text(
                        "UPDATE inbox SET state = 'set_aside', reason = 'on purpose', finished_at = received_at WHERE kind = 'post'"
                    )
                )
                and None
            )
        )
        bot.work.run()
        waiting = street.count("SELECT count(*) FROM outbox WHERE state = 'waiting'")
        street.sleeps(hours=30)
        bot.sweep_once()
        assert (
            street.count("SELECT count(*) FROM inbox WHERE state = 'set_aside' AND payload_sealed IS NULL")
            == 0
        )
        looked_up = (
            "SELECT count(*) FROM inbox WHERE id IN (SELECT inbox_id FROM outbox WHERE kind = 'lookup')"
        )
        assert street.count(f"{looked_up} AND payload_sealed IS NOT NULL") == 1
        assert waiting == street.count(
            "SELECT count(*) FROM outbox WHERE parameters_sealed IS NOT NULL AND state = 'waiting'"
        )

    def test_leaves_what_waits_until_the_result_of_its_look_up_is_worked(self, street):
        """X was away for longer than texts are kept: the order was once set aside, and its author told nothing."""
        street.says("bob", "send 1€ to @ghost", settle=False)
        bot = street.town.bot
        bot.listening.read_messages()
        bot.work.run()
        street.sleeps(hours=30)
        bot.courier.deliver()
        bot.sweep_once()
        bot.work.run()
        assert street.count("SELECT count(*) FROM inbox WHERE state = 'set_aside'") == 0
        assert street.count("SELECT count(*) FROM inbox WHERE kind = 'lookup' AND state = 'done'") == 1

    def test_of_a_person_takes_the_result_of_a_look_up_with_it(self, street):
        """It was on its way when they were erased: nothing is left that it could be the answer to."""
        street.says("bob", "send 1€ to @ghost", settle=False)
        bot, bob = street.town.bot, UserId(street.town.world.person("bob").id)
        bot.listening.read_messages()
        bot.work.run()

        def erased_while_it_is_looked_up(session):
            session.connection().execute(text("UPDATE outbox SET state = 'unknown' WHERE kind = 'lookup'"))
            bot.forgetting.wipe(session, bot.people.get(session, bob), said_at=bot.clock())

        bot.database.write(erased_while_it_is_looked_up)
        bot.courier.deliver()
        bot.work.run()
        assert street.count("SELECT count(*) FROM outbox WHERE kind = 'lookup' AND state = 'sent'") == 1
        assert street.count("SELECT count(*) FROM inbox WHERE kind = 'lookup' OR state = 'set_aside'") == 0

    def test_goes_on_in_small_passes(self, street):
        for number in range(1, 4):
            street.says("bob", f"receipt P-7K3F9{number}")
        street.sleeps(hours=30)
        bot = street.town.bot
        wiping = Wiping(timedelta(hours=24), bot.clock, batch=2)
        passes = [bot.database.write(wiping.run) for _ in range(8)]
        assert passes[0] == 4
        assert passes[-1] == 0
        assert street.count(HEARD) == 0


class TestAWipedText:
    def test_stands_nowhere_in_the_file_not_even_sealed(self, sqlite_url, tmp_path):
        """Whoever gets the file and the keys years later finds no text of today in pages that were freed."""
        with town_at(sqlite_url, tmp_path) as town:
            street = Street(town)
            street.tweets("bob", "@smoney send 10€ @alice for the bicycle")
            street.answers("bob")
            for number in range(40):
                street.says("bob", f"history {number}")

            def sealed(session):
                rows = session.connection().execute(
                    text(
                        "SELECT payload_sealed FROM inbox WHERE payload_sealed IS NOT NULL"
                        " UNION ALL SELECT parameters_sealed FROM outbox WHERE parameters_sealed IS NOT NULL"
                    )
                )
                return [bytes(value) for (value,) in rows]

            values = town.bot.database.read(sealed)
            file = Path(sqlite_url.removeprefix("sqlite:///"))
            assert len(values) > 80
            checkpoint(file)
            before = file.read_bytes()
            assert all(value in before for value in values)
            street.passes(hours=26)
            assert (street.count(HEARD), street.count(SAID)) == (0, 0)
            checkpoint(file)
            after = file.read_bytes()
            assert [value for value in values if value[-24:] in after] == []


def checkpoint(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
