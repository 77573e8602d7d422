"""Texts go once they are settled and a day has passed; ids stay, and so does what waits for somebody."""

from datetime import timedelta

from sqlalchemy import text

from bot.store.wiping import Wiping

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
