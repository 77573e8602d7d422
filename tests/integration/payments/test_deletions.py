"""A tweet that is deleted: X has no event for it, so the bot knows it only where X refuses a reply below it."""

from datetime import timedelta

import pytest

from bot.x.budget import SEND
from bot.x.pushed import Pushed
from tests.integration.payments.conftest import Street


def ordered(street: Street, username: str, words: str = "@smoney send 10€ @alice") -> int:
    """A tweet that is read and worked while no message can go out; nothing is said yet. The post's id."""
    bot = street.town.bot
    until = street.world.now() + timedelta(minutes=15)
    bot.database.write(lambda session: bot.budget.exhaust(session, SEND, until))
    post = street.tweets(username, words, settle=False)
    bot.listening.read_mentions()
    bot.work.run()
    return post.id


def replies_late(street: Street) -> None:
    """Its payer was to be told how long it takes, and is asked before that could be said."""
    courier = street.town.bot.courier
    courier._blocked_until["reply"] = street.world.now() + timedelta(minutes=18)
    courier.deliver()
    street.passes(minutes=16)


def states(street: Street) -> tuple[int, int]:
    """Orders that are withdrawn, and questions that were ever put."""
    withdrawn = street.count("SELECT count(*) FROM intents WHERE state = 'withdrawn'")
    return withdrawn, street.count("SELECT count(*) FROM challenges WHERE issued_at IS NOT NULL")


class TestADeletedTweet:
    def test_that_x_tells_of_before_the_question_is_not_asked_about(self, street):
        """Its payer was to be told how long the question takes; X says then that there is nothing to reply to."""
        post = ordered(street, "bob")
        street.world.delete(post)
        street.town.bot.courier.deliver()
        street.passes(minutes=16)
        assert states(street) == (1, 0)
        assert "changed or deleted" in street.heard("bob")[-1]
        assert street.has("bob") == 100_00

    def test_that_x_tells_of_after_the_question_voids_its_code(self, street):
        post = ordered(street, "bob")
        replies_late(street)
        code = street.code("bob")
        street.world.delete(post)
        street.passes(minutes=3)
        assert states(street) == (1, 1)
        street.says("bob", code)
        assert (street.payments, street.has("alice")) == (0, 0)

    def test_of_somebody_who_has_not_enrolled_is_not_asked_about_when_they_come(self, street):
        bot = street.town.bot
        post = street.tweets("zoe", "@smoney send 10€ @bob", settle=False)
        bot.listening.read_mentions()
        bot.work.run()
        street.world.delete(post.id)
        bot.courier.deliver()
        street.says("zoe", "start")
        assert states(street) == (1, 0)
        assert not any("To pay, answer" in words for words in street.heard("zoe"))

    def test_whose_answer_was_committed_before_is_paid(self, street):
        """And no reply of the bot's can undo it."""
        post = ordered(street, "bob")
        replies_late(street)
        street.answers("bob")
        street.world.delete(post)
        street.passes(minutes=3)
        assert states(street) == (0, 1)
        assert street.has("alice") == 10_00

    def test_that_x_does_not_tell_of_can_still_be_paid(self, street):
        """What the lists do not show any more is no deletion to the bot: X keeps only the newest of them."""
        post = street.tweets("bob", "@smoney send 10€ @alice")
        street.world.delete(post.id)
        street.town.settle()
        street.answers("bob")
        assert street.has("alice") == 10_00

    @pytest.mark.parametrize("before_the_reply", [True, False])
    def test_stays_withdrawn_when_an_older_version_arrives_late(self, street, before_the_reply):
        """A stream may bring the first version when everything else is over."""
        bot = street.town.bot
        ordered(street, "carol", "@smoney send 1€ @alice")  # so that the bot is not idle
        post = street.tweets("bob", "@smoney send 10€ @alice", settle=False)
        (first,) = (item for item in bot.listening.gateway.mentions().items if item.id == post.id)
        street.edits(post, "@smoney send 11€ @alice", settle=False)
        bot.listening.read_mentions()
        bot.work.run()
        street.world.delete(post.id)
        if before_the_reply:
            bot.pushes.store(Pushed(posts=(first,)))
            bot.work.run()
        bot.courier.deliver()
        bot.pushes.store(Pushed(posts=(first,)))
        street.passes(minutes=16)
        assert street.count("SELECT count(*) FROM intents WHERE state = 'withdrawn'") == 1
        assert not any("To pay, answer" in words for words in street.heard("bob"))
