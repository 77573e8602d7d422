"""Payments without a code, where the operator allows them: off by default, exact at their edges, told in the receipt."""

from typing import Any

import pytest

from bot.payments.exemptions import TrustedPayees
from bot.people.factor_states import Outcome
from bot.x.gateway import UserId
from tests.integration.payments.conftest import Street, a_street
from tests.integration.payments.test_second_factor import Page


@pytest.fixture
def small(database_url, tmp_path):
    """Small payments need no code: 30 € at most, 100 € in all since the last one."""
    with a_street(database_url, tmp_path, low_value_payments=True) as street:
        yield street


@pytest.fixture
def few(database_url, tmp_path):
    """The same, counted: five since the last one."""
    with a_street(database_url, tmp_path, low_value_payments=True, low_value_counter="payments") as street:
        yield street


def orders(street: Street, amount: str, payee: str = "alice") -> bool:
    """Whether it was paid without a code."""
    before = street.payments
    street.tweets(
        "bob", f"@smoney send {amount}€ @{payee} for lunch {street.count('SELECT count(*) FROM intents')}"
    )
    return street.payments > before


def confirms(street: Street) -> None:
    """A full confirmation, over whatever is asked."""
    street.answers("bob")


def kinds(street: Street) -> int:
    return street.count("SELECT count(*) FROM authorisations WHERE kind = 'low_value'")


class TestASmallPayment:
    def test_needs_its_code_unless_the_operator_says_otherwise(self, street):
        assert not orders(street, "1")
        confirms(street)
        assert not orders(street, "1")

    def test_needs_a_first_full_confirmation(self, small):
        assert not orders(small, "1")
        confirms(small)
        assert orders(small, "1")

    def test_may_be_thirty_euros_and_not_a_cent_more(self, small):
        orders(small, "1")
        confirms(small)
        assert not orders(small, "30.01")
        assert orders(small, "30")

    def test_a_hundred_euros_in_all_and_then_a_code_again(self, small):
        orders(small, "0.01")
        confirms(small)
        paid = [orders(small, amount) for amount in ("30", "30", "29.98")]
        assert paid == [True, True, True]
        assert not orders(small, "10.03")
        small.says("bob", "no")
        assert orders(small, "10")
        small.tweets("carol", "@smoney send 20€ @bob")
        small.answers("carol")
        assert orders(small, "0.02")
        assert not orders(small, "0.01")
        confirms(small)
        assert orders(small, "0.01")

    def test_five_in_a_row_and_then_a_code_again(self, few):
        orders(few, "1")
        confirms(few)
        assert [orders(few, "0.01") for _ in range(6)] == [True] * 5 + [False]
        confirms(few)
        assert orders(few, "0.01")

    def test_is_authorised_as_such_and_its_receipt_says_so(self, small):
        orders(small, "1")
        confirms(small)
        orders(small, "2")
        assert kinds(small) == 1
        assert "No code was asked for: it was a small amount" in small.heard("bob")[-1]

    def test_delivered_twice_is_paid_once(self, small):
        orders(small, "1")
        confirms(small)
        post = small.tweets("bob", "@smoney send 2€ @alice")
        small.edits(post, "@smoney send 20€ @alice")
        assert small.has("alice") == 3_00

    def test_keeps_to_the_limits(self, database_url, tmp_path):
        with a_street(
            database_url,
            tmp_path,
            low_value_payments=True,
            allowance_per_day_minor=10_00,
            allowance_per_payment_minor=10_00,
        ) as street:
            orders(street, "1")
            confirms(street)
            assert orders(street, "9")
            assert not orders(street, "0.01")


class TestATrustedPayee:
    @pytest.fixture
    def trusting(self, database_url, tmp_path):
        with a_street(database_url, tmp_path, trusted_payees=True) as street:
            yield Page(street).is_active()

    def does(self, page: Page, name: str, payee: str, **named: Any) -> Any:
        bot, world = page.street.town.bot, page.street.world
        bob, box = UserId(world.person("bob").id), []
        trusted: TrustedPayees = bot.trusted

        def work(session):
            payer = bot.people.get(session, bob)
            box.append(getattr(trusted, name)(session, payer, UserId(world.person(payee).id), **named))

        bot.database.write(work)
        return box[-1]

    def test_is_paid_without_a_code_whatever_the_amount_within_the_limits(self, trusting):
        assert self.does(trusting, "add", "alice", code=trusting.app()).accepted
        assert orders(trusting.street, "60")
        assert "you trust everyone" in trusting.street.heard("bob")[-1]
        assert trusting.street.count("SELECT count(*) FROM authorisations WHERE kind = 'trusted'") == 1

    def test_is_added_by_a_right_code_of_an_active_factor_only(self, trusting):
        assert self.does(trusting, "add", "alice", code=trusting.wrong()).outcome is Outcome.WRONG
        assert not orders(trusting.street, "1")

    def test_among_others_is_not_enough(self, trusting):
        self.does(trusting, "add", "alice", code=trusting.app())
        trusting.street.tweets("bob", "@smoney send 1€ each to @alice and @carol")
        assert trusting.street.payments == 0

    def test_is_trusted_by_the_one_who_said_so_alone(self, trusting):
        self.does(trusting, "add", "alice", code=trusting.app())
        trusting.street.tweets("carol", "@smoney send 1€ @alice")
        assert trusting.street.payments == 0

    def test_no_longer_trusted_needs_a_code_again(self, trusting):
        self.does(trusting, "add", "alice", code=trusting.app())
        self.does(trusting, "remove", "alice")
        assert not orders(trusting.street, "1")

    def test_counts_for_nothing_where_the_operator_has_it_off(self, street):
        page = Page(street).is_active()
        assert self.does(page, "add", "alice", code=page.app()).accepted
        assert not orders(street, "1")


class TestTheUndoWindow:
    @pytest.fixture
    def undoable(self, database_url, tmp_path):
        with a_street(database_url, tmp_path, undo_seconds=120) as street:
            street.tweets("bob", "@smoney send 10€ @alice")
            street.answers("bob")
            yield street

    def test_sets_the_money_aside_and_tells_the_payer_how_to_take_it_back(self, undoable):
        assert (undoable.has("bob"), undoable.has("alice")) == (90_00, 0)
        assert "CANCEL P-" in undoable.heard("bob")[-1]
        undoable.says("bob", f"cancel {undoable.reference('bob')}")
        assert (undoable.has("bob"), undoable.has("alice")) == (100_00, 0)
        undoable.passes(minutes=5)
        assert undoable.has("alice") == 0

    def test_ends_by_its_time_and_the_payee_is_told_then(self, undoable):
        heard = len(undoable.heard("alice"))
        undoable.passes(minutes=1, seconds=59)
        assert (undoable.has("alice"), len(undoable.heard("alice"))) == (0, heard)
        undoable.passes(minutes=1)
        assert undoable.has("alice") == 10_00
        assert len(undoable.heard("alice")) == heard + 1
        undoable.says("bob", f"cancel {undoable.reference('bob')}")
        assert undoable.has("alice") == 10_00

    def test_a_cancel_said_in_time_counts_though_it_is_read_late(self, undoable):
        reference = undoable.reference("bob")
        undoable.sleeps(minutes=1)
        undoable.says("bob", f"cancel {reference}", settle=False)
        undoable.sleeps(minutes=10)
        undoable.town.settle()
        assert (undoable.has("bob"), undoable.has("alice")) == (100_00, 0)

    def test_counts_as_spent_meanwhile(self, undoable):
        undoable.tweets("bob", "@smoney send 95€ @carol")
        assert "Not enough" in undoable.heard("bob")[-1]
