"""`erase me`: words, names and secrets go, the books add up, and nothing of old pays again."""

import json

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.sandbox.faults import FaultKind
from bot.sandbox.limits import Operation
from bot.store.switches import Switch, turn_off, turn_on
from bot.wiring import erasure_file
from bot.x.gateway import UserId

ERASED = "I no longer know who you are"


def empties(street, username="alice", payee="bob"):
    """Spends all they have, so that nothing stands in the way."""
    euros = street.has(username) // 100
    street.says(username, f"send {euros}€ to @{payee}")
    street.answers(username)
    assert street.has(username) == 0


def erases(street, username="alice"):
    street.says(username, "erase me")
    street.answers(username)
    assert ERASED in street.heard(username)[-1]


class TestErasing:
    def test_leaves_the_books_whole_and_no_id_or_word_of_theirs(self, street):
        post = street.tweets("bob", "@smoney send 10€ @alice for the bicycle")
        street.answers("bob")
        street.says("alice", f"return {street.reference('alice')}")
        street.tweets("bob", "@smoney send 7€ @alice for tea")
        street.answers("bob")
        own = street.tweets("alice", "@smoney send 7€ @bob for the old bicycle")
        street.answers("alice")
        for words in ("mute", "block @carol", "time zone Tokyo"):
            street.says("alice", words)
        street.tweets("bob", "@smoney balance")  # the cursor moves on
        erases(street)
        street.passes(minutes=1)
        alice = street.world.person("alice").id
        forbidden = {alice, own.id}
        for name, rows in street.everything().items():
            for row in rows:
                assert not forbidden & set(row.values()), (name, row)
        assert street.count("SELECT count(*) FROM intents WHERE payer_id < 0") == 1
        assert (
            street.count("SELECT count(*) FROM intents WHERE payer_id < 0 AND note_sealed IS NOT NULL") == 0
        )
        assert street.count(f"SELECT count(*) FROM people WHERE user_id = {alice}") == 0
        assert street.count("SELECT count(*) FROM blocks") == 0
        assert post.id not in forbidden
        street.says("bob", "history")
        assert "somebody who has left" in street.heard("bob")[-1]
        assert "@alice" not in street.heard("bob")[-1]
        street.says("bob", f"return {street.reference('bob')}")
        assert street.has("bob") == 100_00

    def test_makes_old_posts_and_messages_pay_nothing_however_they_arrive(self, street):
        street.tweets("bob", "@smoney send 100€ @alice")
        street.answers("bob")
        early = street.tweets("bob", "@smoney send 1€ @carol")
        erases(street, "bob")
        street.passes(minutes=2)
        rows = street.count("SELECT count(*) FROM inbox")
        bot = street.town.bot

        def forget_the_cursors(session):
            session.connection().execute(text("DELETE FROM cursors"))

        bot.database.write(forget_the_cursors)
        street.edits(early, "@smoney send 2€ @carol")
        assert street.count("SELECT count(*) FROM inbox") <= rows
        street.says("bob", "start")
        assert "Balance: €0.00" in street.heard("bob")[-1]
        street.tweets("alice", "@smoney send 20€ @bob")
        street.answers("alice")
        street.tweets("bob", "@smoney send 5€ @carol")
        street.answers("bob")
        assert (street.has("bob"), street.has("carol")) == (15_00, 25_00)
        street.says("bob", "history")
        assert street.heard("bob")[-1].count("P-") == 2

    def test_needs_an_empty_wallet_when_asked_and_when_answered(self, street):
        street.says("carol", "erase me")
        assert "not empty yet" in street.heard("carol")[-1]
        street.says("alice", "erase me")
        street.tweets("bob", "@smoney send 1€ @alice", settle=False)
        street.town.settle()
        street.answers("bob")
        street.answers("alice")
        assert "not empty yet" in street.heard("alice")[-1]
        assert street.has("alice") == 1_00

    def test_needs_its_own_code_in_time_and_can_be_called_off(self, street):
        street.tweets("alice", "@smoney send 1€ @bob")
        street.says("alice", "erase me")
        street.says("alice", street.wrong_code("alice"))
        street.says("alice", "no")
        assert "stays as it is" in street.heard("alice")[-1]
        street.answers("alice")
        street.says("alice", "erase me")
        street.passes(minutes=6)
        street.answers("alice")
        street.tweets("alice", "@smoney erase me")
        assert "in private only" in street.heard("alice")[-1]
        assert street.count("SELECT count(*) FROM erasures") == 0

    def test_works_for_who_has_stopped_and_for_who_never_came(self, street):
        empties(street, "carol")
        for words in ("stop", "erase me", "no"):
            street.says("carol", words)
        assert "stays as it is" in street.heard("carol")[-1]
        erases(street, "carol")
        street.says("zoe", "erase me")
        street.answers("zoe")
        assert ERASED in street.heard("zoe")[-1]
        street.passes(minutes=1)
        assert street.count("SELECT count(*) FROM erasures WHERE left_id IS NULL") == 2

    def test_leaves_a_question_about_paying_them_good_and_the_money_is_then_held(self, street):
        street.tweets("bob", "@smoney send 3€ @alice")
        street.tweets("carol", "@smoney send 2€ @alice")
        erases(street)
        street.answers("bob")
        assert street.payments == 1
        assert street.has("bob") == 97_00
        street.passes(minutes=7)
        assert street.count("SELECT count(*) FROM erasures WHERE left_id IS NULL") == 1
        alice = street.world.person("alice").id
        assert street.count(f"SELECT count(*) FROM intent_lines WHERE payee_id = {alice}") == 1
        street.says("alice", "start")
        assert street.has("alice") == 3_00

    def test_is_listed_outside_the_database_as_keyed_hashes(self, street):
        erases(street)
        street.passes(minutes=1)
        (line,) = erasure_file(street.town.settings).read_text().splitlines()
        assert set(json.loads(line)) == {"person_hash", "erased_at"}
        assert str(street.world.person("alice").id) not in line

    def test_asked_again_after_a_lost_answer_is_asked_once_each(self, street):
        """The first question has another code: it must not be looked for, nor said, in the words of the second."""
        street.world.plan_fault(FaultKind.LOSE, Operation.SEND_MESSAGE)
        street.says("alice", "erase me")
        street.says("alice", "erase me")
        for _ in range(3):
            street.passes(minutes=1)
        asked = [said for said in street.heard("alice") if "Erase your account" in said]
        assert len(asked) == len(set(asked)) == 2
        street.answers("alice")
        assert ERASED in street.heard("alice")[-1]

    def test_of_who_comes_back_before_they_were_told_ends_too(self, street):
        """They hear of both in one message, and what is left of the first goes all the same."""
        street.says("alice", "erase me")
        write, clock = street.town.bot.database.write, street.world.now
        write(lambda session: turn_on(session, Switch.SENDS_PAUSED, by="anna", clock=clock))
        street.answers("alice")
        street.passes(minutes=1)
        street.says("alice", "start")
        assert street.count("SELECT count(*) FROM erasures WHERE left_id IS NOT NULL") == 1
        write(lambda session: turn_off(session, Switch.SENDS_PAUSED))
        before = len(street.heard("alice"))
        street.passes(minutes=1)
        told = street.heard("alice")[before:]
        assert len(told) == 1
        assert ERASED in told[0]
        assert street.count("SELECT count(*) FROM erasures WHERE left_id IS NOT NULL") == 0
        street.passes(days=1)
        street.tweets("bob", "@smoney send 1€ @alice")
        street.answers("bob")
        assert street.has("alice") == 100


class TestDatabase:
    def test_lets_an_id_become_a_stand_in_and_nothing_else(self, street):
        street.tweets("bob", "@smoney send 10€ @alice")
        street.answers("bob")
        erases_nobody = (
            "UPDATE authorisations SET person_id = person_id + 1",
            "UPDATE authorisations SET mac = :x",
            "UPDATE intents SET payer_id = (SELECT max(user_id) FROM people WHERE user_id <> payer_id)",
            "UPDATE intent_lines SET payee_id = (SELECT max(user_id) FROM people WHERE user_id <> payee_id)",
        )
        for statement in erases_nobody:
            with pytest.raises(DBAPIError, match="never changed"):
                street.town.bot.database.write(
                    lambda session, it=statement: session.connection().execute(
                        text(it), {"x": b"0"} if ":x" in it else {}
                    )
                )
        erases_by_hand = "DELETE FROM erasures"
        empties(street)
        erases(street)
        with pytest.raises(DBAPIError, match="never forgotten"):
            street.town.bot.database.write(lambda session: session.connection().execute(text(erases_by_hand)))
        erased = UserId(street.count("SELECT max(id) FROM erasures"))
        assert erased < 0
