"""What an operator halts: payments, sends, or the service for good. Nothing moves meanwhile, and nothing is lost."""

import os
from datetime import timedelta

import pytest

from bot.admin.acts import NotAllowed, Part, Role
from bot.admin.log import Actor
from bot.admin.office import open_office
from bot.errors import Misconfigured
from bot.wiring import World

OWNER = Actor("olga", Role.OWNER)


class Admin:
    """Who pauses and lets go on, by the town's clock."""

    def __init__(self, street):
        self.street = street
        self.office = open_office(street.town.settings, World(clock=street.world.now, entropy=os.urandom))

    def does(self, act, *given, by=OWNER):
        write = self.street.town.bot.database.write
        write(lambda session: getattr(self.office.switching, act)(session, by, *given, reason="a drill"))
        self.street.town.settle()


@pytest.fixture
def admin(street):
    return Admin(street)


class TestPausedPayments:
    def test_refuse_an_order_in_private_words(self, street, admin):
        admin.does("pause", Part.PAYMENTS)
        street.tweets("bob", "@smoney send 10€ @alice")
        assert street.heard("bob")[-1].startswith("Payments are paused")
        assert street.payments == 0
        assert "paused" not in "".join(street.replies())

    def test_pay_nothing_for_a_right_answer(self, street, admin):
        street.tweets("bob", "@smoney send 10€ @alice")
        admin.does("pause", Part.PAYMENTS)
        street.answers("bob")
        assert street.heard("bob")[-1].startswith("Payments are paused")
        assert (street.payments, street.has("bob")) == (0, 100_00)
        admin.does("resume", Part.PAYMENTS)
        street.answers("bob")
        assert street.payments == 0
        street.tweets("bob", "@smoney send 11€ @alice")
        street.answers("bob")
        assert street.has("alice") == 11_00

    def test_keep_held_money_where_it_is(self, street, admin):
        street.tweets("bob", "@smoney send 10€ @zoe")
        street.answers("bob")
        admin.does("pause", Part.PAYMENTS)
        for who, words in (("bob", f"cancel {street.reference('bob')}"), ("zoe", "decline")):
            street.says(who, words)
            assert "paused" in street.heard(who)[-1]
        street.passes(days=8)
        assert (
            street.has("bob"),
            street.count("SELECT count(*) FROM intent_lines WHERE state = 'held'"),
        ) == (90_00, 1)

    def test_give_no_time_away_and_who_came_meanwhile_gets_what_waited(self, street, admin):
        street.tweets("bob", "@smoney send 10€ @zoe")
        street.answers("bob")
        street.passes(days=6)
        admin.does("pause", Part.PAYMENTS)
        street.passes(days=3)
        street.says("zoe", "start")
        assert any("10.00" in words and "as soon as they go on" in words for words in street.heard("zoe"))
        assert street.has("zoe") == 0
        admin.does("resume", Part.PAYMENTS)
        assert street.has("zoe") == 10_00
        assert any("it is yours now" in words for words in street.heard("zoe"))
        assert "joined and now has your" in street.heard("bob")[-1]

    def test_let_a_hold_run_its_whole_time(self, street, admin):
        street.tweets("bob", "@smoney send 10€ @zoe")
        street.answers("bob")
        admin.does("pause", Part.PAYMENTS)
        street.passes(days=5)
        admin.does("resume", Part.PAYMENTS)
        street.passes(days=6)
        assert street.has("bob") == 90_00
        street.passes(days=2)
        assert street.has("bob") == 100_00

    def test_take_back_no_return(self, street, admin):
        street.tweets("bob", "@smoney send 10€ @alice")
        street.answers("bob")
        admin.does("pause", Part.PAYMENTS)
        street.says("alice", "return")
        assert "paused" in street.heard("alice")[-1]
        assert street.has("alice") == 10_00

    def test_still_let_people_freeze_stop_and_ask(self, street, admin):
        admin.does("pause", Part.PAYMENTS)
        street.says("bob", "balance")
        assert "100.00" in street.heard("bob")[-1]
        street.says("bob", "freeze")
        assert street.count("SELECT count(*) FROM people WHERE frozen_by = 'self'") == 1
        street.says("carol", "stop")
        assert street.count("SELECT count(*) FROM people WHERE standing = 'stopped'") == 1

    def test_leave_a_review_undecided(self, street, admin):
        admin.does("pause", Part.PAYMENTS)
        decide = admin.office.guarding.decide
        with pytest.raises(Misconfigured, match="payments are paused"):
            street.town.bot.database.write(
                lambda session: decide(session, OWNER, "P-222222", release=True, reason="it is good")
            )

    def test_are_paused_once_and_let_go_on_by_an_owner_alone(self, street, admin):
        admin.does("pause", Part.PAYMENTS, by=Actor("sam", Role.SUPPORT))
        with pytest.raises(Misconfigured, match="paused already"):
            admin.does("pause", Part.PAYMENTS)
        with pytest.raises(NotAllowed, match="needs the role owner; yours is treasurer"):
            admin.does("resume", Part.PAYMENTS, by=Actor("tom", Role.TREASURER))
        admin.does("resume", Part.PAYMENTS)
        with pytest.raises(Misconfigured, match="not paused"):
            admin.does("resume", Part.PAYMENTS)
        read = street.town.bot.database.read(admin.office.log.newest)
        assert [each.action for each in read] == ["payments.resume", "payments.pause"]


class TestPausedSends:
    def test_wait_and_go_out_afterwards_each_once(self, street, admin):
        admin.does("pause", Part.SENDS)
        before = len(street.heard("bob"))
        street.tweets("bob", "@smoney send 10€ @alice")
        street.says("bob", "balance")
        assert len(street.heard("bob")) == before
        admin.does("resume", Part.SENDS)
        assert len(street.heard("bob")) == before + 2
        street.answers("bob")
        assert street.has("alice") == 10_00

    def test_leave_time_to_answer(self, street, admin):
        """A code's five minutes begin when it is sent."""
        admin.does("pause", Part.SENDS)
        street.tweets("bob", "@smoney send 10€ @alice")
        street.passes(minutes=20)
        admin.does("resume", Part.SENDS)
        street.answers("bob")
        assert street.has("alice") == 10_00


class TestWindingDown:
    def test_refuses_orders_and_answers(self, street, admin):
        street.tweets("bob", "@smoney send 10€ @alice")
        admin.does("wind_down")
        street.answers("bob")
        street.tweets("carol", "@smoney send 1€ @alice")
        for who in ("bob", "carol"):
            assert street.heard(who)[-1].startswith("This service is closing")
        assert street.payments == 0

    def test_sends_held_money_back_at_once_and_says_why(self, street, admin):
        street.tweets("bob", "@smoney send 10€ @zoe")
        street.answers("bob")
        admin.does("wind_down")
        street.town.settle()
        assert street.has("bob") == 100_00
        assert "This service is closing, so your €10.00 for" in street.heard("bob")[-1]

    def test_takes_no_new_members(self, street, admin):
        admin.does("wind_down")
        street.says("zoe", "start")
        assert street.heard("zoe")[-1].startswith("This service is closing")
        assert street.count("SELECT count(*) FROM people WHERE standing = 'enrolled'") == 3

    def test_can_be_called_off(self, street, admin):
        admin.does("wind_down")
        admin.does("end_wind_down")
        street.tweets("bob", "@smoney send 10€ @alice")
        street.answers("bob")
        assert street.has("alice") == 10_00

    def test_lets_a_payee_give_back(self, street, admin):
        street.tweets("bob", "@smoney send 10€ @alice")
        street.answers("bob")
        admin.does("wind_down")
        street.says("alice", "return")
        assert street.has("bob") == 100_00


def test_a_pause_does_not_outlast_its_end_by_a_long_time(street, admin):
    """Money held when it began ends as much later as the pause was long."""
    street.tweets("bob", "@smoney send 10€ @zoe")
    street.answers("bob")
    due = "SELECT max(due_at) FROM intent_lines WHERE state = 'held'"
    before = street.count(due)
    admin.does("pause", Part.PAYMENTS)
    street.passes(hours=5)
    admin.does("resume", Part.PAYMENTS)
    assert street.count(due) - before == timedelta(hours=5) // timedelta(microseconds=1)
