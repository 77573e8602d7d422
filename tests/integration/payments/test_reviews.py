"""Payments that somebody looks at first: what raises the alarm, and that nothing reaches anybody until then."""

from typing import Any

import pytest

from bot.payments.reviews import NotUnderReview
from tests.integration.payments.conftest import Street, a_street


def decides(street: Street, name: str, reference: str) -> None:
    reviews: Any = street.town.bot.reviews
    street.town.bot.database.write(lambda session: getattr(reviews, name)(session, reference))
    street.town.settle()


def waiting(street: Street) -> list[str]:
    return street.town.bot.database.read(
        lambda session: [review.alarms for review in street.town.bot.reviews.waiting(session)]
    )


def pays(street: Street, payee: str, amount: str = "1") -> None:
    street.tweets(
        "bob", f"@smoney send {amount}€ @{payee} for lunch {street.count('SELECT count(*) FROM intents')}"
    )
    street.answers("bob")


@pytest.fixture
def watched(database_url, tmp_path):
    """Two new payees in a day are many, and so are three refusals."""
    with a_street(
        database_url, tmp_path, review_new_payees=2, review_refusals=3, review_reissued_handles=True
    ) as street:
        yield street


@pytest.fixture
def under_review(watched: Street) -> Street:
    pays(watched, "alice")
    pays(watched, "carol", "10")
    return watched


class TestAlarms:
    def test_many_new_payees(self, watched):
        pays(watched, "alice")
        assert waiting(watched) == []
        pays(watched, "carol")
        assert waiting(watched) == ["new_payees"]

    def test_payees_of_old_are_not_new(self, watched):
        pays(watched, "alice")
        watched.passes(days=1)
        pays(watched, "carol")
        pays(watched, "alice")
        assert waiting(watched) == []

    def test_many_refusals(self, watched):
        pays(watched, "alice")
        for number in range(3):
            watched.tweets("bob", f"@smoney send 900€ @alice for {number} cars")
        pays(watched, "alice")
        assert waiting(watched) == ["refusals"]
        watched.passes(days=1)
        pays(watched, "alice")
        assert len(waiting(watched)) == 1

    def test_a_handle_that_was_somebody_else_when_last_paid(self, watched):
        pays(watched, "alice")
        watched.passes(days=2)
        world = watched.world
        world.rename(world.person("alice").id, "alice_old")
        world.create_person("alice", "Alice Durand")
        pays(watched, "alice")
        assert waiting(watched) == ["reissued_handle"]

    def test_the_first_payment_after_the_payee_changed_its_handle(self, database_url, tmp_path):
        with a_street(database_url, tmp_path, review_changed_handles=True) as street:
            pays(street, "alice")
            assert waiting(street) == []
            street.passes(days=1)
            street.world.rename(street.world.person("alice").id, "alice_moved")
            pays(street, "alice_moved")
            assert waiting(street) == ["changed_handle"]
            decides(street, "release", street.reference("bob"))
            street.passes(minutes=1)
            pays(street, "alice_moved")
            assert waiting(street) == []
            street.passes(days=31)
            street.tweets("carol", "@smoney send 1€ @alice_moved")
            street.answers("carol")
            assert waiting(street) == []

    def test_are_raised_again_by_another_try(self, watched):
        """Else whoever waits for a refusal, or does not wait at all, would pay at the second try."""
        pays(watched, "alice")
        watched.passes(days=2)
        world = watched.world
        world.rename(world.person("alice").id, "alice_old")
        world.create_person("alice", "Alice Durand")
        pays(watched, "alice")
        pays(watched, "alice")
        assert waiting(watched) == ["reissued_handle", "reissued_handle"]
        decides(watched, "refuse", watched.reference("bob"))
        pays(watched, "alice")
        assert len(waiting(watched)) == 2

    def test_are_off_in_a_town_without_an_office(self, street):
        for payee in ("alice", "carol", "zoe"):
            pays(street, payee)
        assert waiting(street) == []


class TestUnderReview:
    def test_the_money_is_set_aside_and_reaches_nobody(self, under_review):
        assert (under_review.has("bob"), under_review.has("carol")) == (89_00, 20_00)
        assert "being checked" in under_review.heard("bob")[-1]
        under_review.passes(days=1)
        assert under_review.has("carol") == 20_00

    def test_released_it_goes_through_and_both_are_told(self, under_review):
        decides(under_review, "release", under_review.reference("bob"))
        assert under_review.has("carol") == 30_00
        assert "went through" in under_review.heard("bob")[-1]
        assert "10.00" in under_review.heard("carol")[-1]

    def test_refused_it_goes_back_and_gives_its_limit_back(self, under_review):
        decides(under_review, "refuse", under_review.reference("bob"))
        assert (under_review.has("bob"), under_review.has("carol")) == (99_00, 20_00)
        assert "not let through" in under_review.heard("bob")[-1]

    def test_is_decided_once(self, under_review):
        reference = under_review.reference("bob")
        decides(under_review, "release", reference)
        for name in ("release", "refuse"):
            with pytest.raises(NotUnderReview):
                decides(under_review, name, reference)
        assert under_review.has("carol") == 30_00

    def test_taken_back_by_its_payer_it_is_not_there_any_more(self, under_review):
        reference = under_review.reference("bob")
        under_review.says("bob", f"cancel {reference}")
        assert under_review.has("bob") == 99_00
        assert waiting(under_review) == []
        with pytest.raises(NotUnderReview):
            decides(under_review, "release", reference)

    def test_nobody_looks_at_in_a_week_goes_back(self, under_review):
        under_review.passes(days=7, minutes=1)
        assert (under_review.has("bob"), under_review.has("carol")) == (99_00, 20_00)
        assert "not let through" in under_review.heard("bob")[-1]

    def test_released_for_somebody_who_has_not_enrolled_is_held_for_them(self, watched):
        pays(watched, "alice")
        pays(watched, "zoe", "10")
        decides(watched, "release", watched.reference("bob"))
        assert watched.count("SELECT count(*) FROM intent_lines WHERE state = 'held'") == 1
        watched.says("zoe", "start")
        assert watched.has("zoe") == 10_00
