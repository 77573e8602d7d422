"""Corners where a plausible program goes wrong: each of these once did."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.sandbox.faults import FaultKind
from bot.sandbox.limits import Operation
from bot.sandbox.refusals import DUPLICATE


def store_posts(street, posts):
    bot = street.town.bot
    bot.database.write(lambda session: bot.inbox.store_posts(session, posts) and None)


class TestAnEditWhosePayeeMustBeLookedUp:
    def test_kills_the_old_code_before_the_answer_of_the_look_up_is_there(self, street):
        bot = street.town.bot
        post = street.tweets("bob", "@smoney send 10€ @alice")
        old = street.code("bob")
        edited = street.world.edit(post.id, "@smoney send 10€ @carol")
        seen = next(each for each in bot.listening.gateway.mentions().items if each.id == edited.id)
        store_posts(street, [replace(seen, mentions=tuple(replace(m, user_id=None) for m in seen.mentions))])
        bot.work.run()
        street.says("bob", old, settle=False)
        bot.listening.read_messages()
        bot.work.run()
        assert street.payments == 0
        street.town.settle()
        street.answers("bob")
        assert (street.has("alice"), street.has("carol")) == (0, 30_00)


class TestAHoldWhileTheBotIsAway:
    def test_is_not_ended_by_a_sweep_before_the_messages_are_read(self, street):
        street.tweets("bob", "@smoney send 10€ @zoe")
        street.answers("bob")
        street.passes(days=5)
        street.sleeps(hours=12)
        street.says("zoe", "start", settle=False)
        street.sleeps(days=2)
        street.town.bot.sweep_once()
        street.town.settle()
        assert street.has("zoe") == 10_00

    def test_is_not_claimed_after_its_end(self, street):
        street.tweets("bob", "@smoney send 10€ @zoe")
        street.answers("bob")
        street.passes(days=6, hours=23, minutes=58)
        street.sleeps(minutes=5)
        street.says("zoe", "start")
        street.passes(minutes=2)
        assert (street.has("bob"), street.has("zoe")) == (100_00, 0)


class TestStop:
    def test_said_after_start_wins_though_it_is_worked_first(self, street):
        street.says("zoe", "start", settle=False)
        street.sleeps(seconds=5)
        street.says("zoe", "stop")
        assert street.count("SELECT count(*) FROM people WHERE standing = 'stopped'") == 1

    def test_leaves_an_order_from_before_it_unanswered(self, street):
        street.tweets("carol", "@smoney send 1€ @bob", settle=False)
        street.sleeps(seconds=5)
        street.says("carol", "stop")
        assert street.replies() == []
        assert street.count("SELECT count(*) FROM intents") == 0

    def test_drops_what_was_not_yet_sent(self, street):
        street.tweets("bob", "@smoney send 1€ @alice")
        street.world.plan_fault(FaultKind.FAIL, Operation.SEND_MESSAGE, times=2)
        street.answers("bob")
        street.says("alice", "stop", settle=False)
        street.town.bot.listening.read_messages()
        street.town.bot.work.run()
        street.passes(minutes=5)
        assert "yours" in street.heard("alice")[-1]
        assert not any("You received" in words for words in street.heard("alice"))

    def test_and_start_again_with_many_orders_between_asks_no_more_than_are_allowed(self, street):
        street.says("bob", "stop")
        for number in range(26):
            street.tweets("bob", f"@smoney send 1€ @alice for number {number}")
        street.says("bob", "start")
        assert street.count("SELECT count(*) FROM intents WHERE state = 'asking'") == 10
        assert street.count("SELECT count(*) FROM inbox WHERE state = 'set_aside'") == 0


class TestAnEditedCommand:
    def test_is_not_obeyed_again(self, street):
        street.tweets("bob", "@smoney send 1€ @alice")
        street.answers("bob")
        post = street.tweets("alice", "@smoney return")
        assert street.has("bob") == 100_00
        street.tweets("bob", "@smoney send 7€ @alice")
        street.answers("bob")
        street.edits(post, "@smoney return please")
        assert street.has("alice") == 7_00


class TestTheSameWordsTwice:
    def test_are_said_twice_though_one_answer_of_x_was_lost(self, street):
        street.tweets("bob", "@smoney send 1€ @alice")
        street.says("bob", street.wrong_code("bob"))
        street.world.plan_fault(FaultKind.FAIL, Operation.SEND_MESSAGE)
        street.says("bob", street.wrong_code("bob"))
        street.passes(minutes=1)
        assert sum("code does not" in words for words in street.heard("bob")) == 2

    @pytest.mark.parametrize("as_what", ["a second reply", "the same text"])
    def test_that_x_refuses_after_a_lost_answer_have_arrived(self, street, as_what):
        """X shows what was posted so late that the look-up finds nothing; then it knows the second try for one."""
        if as_what == "the same text":
            refusal = {"kind": FaultKind.REFUSE, "status": 403, "detail": DUPLICATE, "skip": 1}
            street.world.plan_fault(operation=Operation.CREATE_POST, **refusal)
        street.tweets("zoe", "@smoney send 10€ @bob", settle=False)
        street.world.ground.lag = timedelta(hours=1)
        street.world.plan_fault(FaultKind.LOSE, Operation.CREATE_POST)
        street.town.settle()
        for _ in range(3):
            street.passes(minutes=1)
        assert street.count("SELECT count(*) FROM outbox WHERE kind = 'reply' AND state = 'sent'") == 1
        street.passes(hours=2)
        assert len(street.replies()) == 1


class TestARetiredKey:
    def test_does_not_make_wrong_answers_silent(self, street):
        post = street.tweets("bob", "@smoney send 1€ @alice")
        street.edits(post, "@smoney send 2€ @alice")
        retire = "UPDATE challenges SET key_id = 'gone' WHERE state = 'superseded'"
        database = street.town.bot.database
        database.write(lambda session: session.connection().exec_driver_sql(retire) and None)
        street.says("bob", street.wrong_code("bob"))
        assert "does not work" in street.heard("bob")[-1]
        assert street.count("SELECT max(wrong_answers) FROM people") == 1
