"""A person's own brake: nothing leaves a frozen wallet, and only the full confirmation lets go of it."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.people.freezing import FrozenBy
from bot.sandbox.faults import FaultKind
from bot.sandbox.limits import Operation
from bot.x.gateway import UserId


def person(street, username, session):
    return street.town.bot.people.get(session, UserId(street.world.person(username).id))


def freeze_as_operator(street, username):
    freezing = street.town.bot.freezing
    street.town.bot.database.write(
        lambda session: freezing.freeze(session, person(street, username, session), by=FrozenBy.OPERATOR)
    )
    street.town.settle()


class TestFreezing:
    @pytest.mark.parametrize(
        "words", ["freeze", "Freeze my account!", "bloque mon compte", "sperr mein Konto"]
    )
    def test_by_message_stops_orders_at_once(self, street, words):
        street.says("bob", words)
        street.tweets("bob", "@smoney send 10€ @alice")
        assert street.payments == 0
        assert street.has("bob") == 100_00
        assert "frozen" in street.heard("bob")[-1].lower() or street.heard("bob")[-1] != words

    def test_by_tweet_works_too(self, street):
        street.tweets("bob", "@smoney freeze my account")
        street.tweets("bob", "@smoney send 10€ @alice")
        assert "Your account is frozen" in street.heard("bob")[-1]
        assert street.replies() == []

    def test_of_somebody_who_never_wrote_is_told_to_nobody(self, street):
        """X would refuse the message."""
        street.tweets("bob", "@smoney send 10€ @zoe")
        street.answers("bob")
        freeze_as_operator(street, "zoe")
        street.tweets("zoe", "@smoney freeze my account")
        assert street.count("SELECT count(*) FROM people WHERE frozen_at IS NOT NULL") == 1
        assert street.count("SELECT count(*) FROM outbox WHERE phrase LIKE 'frozen%'") == 0

    def test_ends_open_questions(self, street):
        street.tweets("bob", "@smoney send 10€ @alice")
        code = street.code("bob")
        street.says("bob", "freeze")
        street.says("bob", code)
        assert street.payments == 0
        street.says("bob", "thaw")
        street.answers("bob")
        street.says("bob", code)
        assert street.payments == 0

    def test_goes_before_an_answer_that_still_waits_to_be_worked(self, street):
        street.tweets("bob", "@smoney send 10€ @alice")
        street.answers("bob", settle=False)
        street.says("bob", "freeze")
        assert street.payments == 0

    def test_lets_money_come_in(self, street):
        street.says("alice", "freeze")
        street.tweets("bob", "@smoney send 10€ @alice")
        street.answers("bob")
        assert street.payments == 1
        assert street.has("alice") == 10_00

    def test_keeps_what_came_from_being_returned(self, street):
        street.tweets("bob", "@smoney send 10€ @alice")
        street.answers("bob")
        street.says("alice", "freeze")
        street.says("alice", f"return {street.reference('bob')}")
        assert street.has("alice") == 10_00
        assert "Your account is frozen" in street.heard("alice")[-1]

    def test_lets_what_was_held_for_somebody_go_its_way(self, street):
        street.tweets("bob", "@smoney send 10€ @zoe")
        street.answers("bob")
        street.says("bob", "freeze")
        street.says("zoe", "start")
        assert street.has("zoe") == 10_00

    def test_lets_what_was_held_come_back(self, street):
        street.tweets("bob", "@smoney send 10€ @zoe")
        street.answers("bob")
        street.says("bob", "freeze")
        street.passes(days=8)
        assert street.has("bob") == 100_00

    def test_is_enforced_by_the_ledger_itself(self, street):
        street.says("bob", "freeze")
        bot = street.town.bot

        def debit(session):
            wallet = person(street, "bob", session).wallet_id
            other = person(street, "alice", session).wallet_id
            statement = """
                INSERT INTO ledger_transfer (id, journal_id, kind, debit_account_id, credit_account_id, amount_minor,
                    currency, exponent, code, authorisation_id, idempotency_key, booked_at, debit_version,
                    debit_debits_posted, debit_credits_posted, debit_debits_pending, debit_credits_pending,
                    credit_version, credit_debits_posted, credit_credits_posted, credit_debits_pending,
                    credit_credits_pending)
                SELECT 9000000000000000000, 9000000000000000000, 'posted', d.id, c.id, 1, 'EUR', 2, 'x', 1, 'x',
                    d.booked_at + c.booked_at, d.version + 1, d.debits_posted + 1, d.credits_posted, d.debits_pending,
                    d.credits_pending, c.version + 1, c.debits_posted, c.credits_posted + 1, c.debits_pending,
                    c.credits_pending
                FROM ledger_account AS d, ledger_account AS c WHERE d.id = :wallet AND c.id = :other"""
            session.connection().execute(text(statement), {"wallet": wallet, "other": other})

        with pytest.raises(DBAPIError, match="account_not_open"):
            bot.database.write(debit)

    def test_of_who_has_stopped_works_and_tells_them(self, street):
        street.says("bob", "stop")
        street.says("bob", "freeze")
        street.says("bob", "start")
        street.tweets("bob", "@smoney send 10€ @alice")
        assert street.payments == 0
        assert "Your account is frozen" in street.heard("bob")[-1]


class TestThawing:
    def test_asked_again_after_a_lost_answer_is_asked_once_each(self, street):
        """The first question has another code: it must not be looked for, nor said, in the words of the second."""
        street.says("bob", "freeze")
        street.world.plan_fault(FaultKind.LOSE, Operation.SEND_MESSAGE)
        street.says("bob", "thaw")
        street.says("bob", "unfreeze")
        for _ in range(3):
            street.passes(minutes=1)
            street.town.settle()
        asked = [said for said in street.heard("bob") if "Open your account again" in said]
        assert len(asked) == len(set(asked)) == 2
        street.answers("bob")
        assert "open again" in street.heard("bob")[-1]

    def test_needs_the_code_that_was_asked_for(self, street):
        street.says("bob", "freeze")
        street.says("bob", "thaw")
        assert "Open your account again" in street.heard("bob")[-1]
        street.answers("bob")
        assert "open again" in street.heard("bob")[-1]
        street.tweets("bob", "@smoney send 10€ @alice")
        street.answers("bob")
        assert street.payments == 1

    def test_is_not_done_by_a_yes_a_wrong_or_an_old_code(self, street):
        street.says("bob", "freeze")
        street.says("bob", "thaw")
        old = street.code("bob")
        street.says("bob", "yes")
        street.says("bob", street.wrong_code("bob"))
        street.passes(minutes=6)
        street.says("bob", old)
        street.says("bob", "thaw")
        street.says("bob", old)
        street.tweets("bob", "@smoney send 10€ @alice")
        assert "Your account is frozen" in street.heard("bob")[-1]

    def test_is_not_done_by_the_code_of_an_earlier_freeze(self, street):
        street.says("bob", "freeze")
        street.says("bob", "thaw")
        old = street.code("bob")
        street.answers("bob")
        street.says("bob", "freeze")
        street.says("bob", old)
        assert street.count("SELECT count(*) FROM people WHERE frozen_at IS NOT NULL") == 1

    def test_counts_wrong_codes_as_every_question_does(self, street):
        street.says("bob", "freeze")
        street.says("bob", "thaw")
        for _ in range(5):
            street.says("bob", street.wrong_code("bob"))
        assert "Too many wrong codes" in street.heard("bob")[-1]
        street.answers("bob")
        assert street.count("SELECT count(*) FROM people WHERE frozen_at IS NOT NULL") == 1

    def test_of_what_the_operator_froze_is_the_operators(self, street):
        freeze_as_operator(street, "bob")
        street.says("bob", "freeze")
        street.says("bob", "thaw")
        assert "those who run me" in street.heard("bob")[-1]
        freezing = street.town.bot.freezing
        street.town.bot.database.write(
            lambda session: freezing.by_operator(session, person(street, "bob", session))
        )
        street.tweets("bob", "@smoney send 10€ @alice")
        street.answers("bob")
        assert street.payments == 1

    def test_of_somebody_who_is_not_frozen_says_so(self, street):
        street.says("bob", "thaw")
        assert "nothing to thaw" in street.heard("bob")[-1]
