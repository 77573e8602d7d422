"""What guessing costs: locks that grow, a count of 30 days that no success clears, and who unlocks."""

from typing import Any

import pytest
from sqlalchemy import text

from bot.people.factor_states import Outcome, Tried
from bot.x.gateway import UserId
from tests.integration.payments.conftest import Street
from tests.integration.payments.test_second_factor import Page


def asks_again(street: Street, number: int) -> None:
    street.tweets("bob", f"@smoney send 1€ @alice for try {number}")


def guesses_until_locked(street: Street, number: int, most: int = 5) -> int:
    """Orders, and answers wrongly until nothing is taken any more; how many answers were counted."""
    before = street.count("SELECT count(*) FROM wrong_answers")
    asks_again(street, number)
    for _ in range(most):
        street.says("bob", street.wrong_code("bob"))
    street.says("bob", "no")
    return street.count("SELECT count(*) FROM wrong_answers") - before


def unlocks(street: Street, name: str, *arguments: Any) -> Any:
    bot, bob = street.town.bot, UserId(street.world.person("bob").id)
    box: list[Any] = []
    bot.database.write(
        lambda s: box.append(getattr(bot.unlocking, name)(s, bot.people.get(s, bob), *arguments))
    )
    street.town.settle()
    return box[-1]


def is_barred(street: Street) -> Street:
    for number in range(4):
        guesses_until_locked(street, number)
        street.passes(days=1)
    return street


class TestGuessing:
    def test_for_a_month_by_whoever_never_rests_gives_twenty_tries(self, street):
        """The odds in docs/threats.md stand on this."""
        for number in range(30):
            if street.count("SELECT count(*) FROM people WHERE barred_at IS NOT NULL"):
                break
            guesses_until_locked(street, number)
            street.passes(days=1)
        assert street.count("SELECT count(*) FROM wrong_answers") == 20
        asks_again(street, 99)
        assert "30 days" in street.heard("bob")[-1]

    def test_a_right_answer_between_does_not_clear_the_count(self, street):
        for number in range(5):
            asks_again(street, number)
            for _ in range(4):
                street.says("bob", street.wrong_code("bob"))
            street.answers("bob")
        assert street.payments == 4
        assert street.count("SELECT count(*) FROM people WHERE barred_at IS NOT NULL") == 1

    def test_counts_only_the_last_30_days(self, street):
        for number in range(3):
            guesses_until_locked(street, number)
            street.passes(days=1)
        street.passes(days=30)
        guesses_until_locked(street, 4)
        assert street.count("SELECT count(*) FROM people WHERE barred_at IS NOT NULL") == 0

    @pytest.mark.parametrize("words", ["12345", "1234567", "hello", "K", "K 48291", "yes", "٤٨٢٩١٣"])
    def test_is_only_what_has_the_shape_of_a_code(self, street, words):
        asks_again(street, 1)
        street.says("bob", words)
        assert street.count("SELECT count(*) FROM wrong_answers") == 0

    def test_counts_only_while_a_question_is_open(self, street):
        street.says("bob", "K 482913")
        asks_again(street, 1)
        street.answers("bob")
        street.says("bob", "A 482913")
        assert street.count("SELECT count(*) FROM wrong_answers") == 0

    def test_somebody_who_is_barred_cannot_even_answer_rightly(self, street):
        asks_again(street, 100)
        code = street.code("bob")
        number = 0
        while not street.count("SELECT count(*) FROM people WHERE barred_at IS NOT NULL"):
            street.says("bob", f"{code[0]} {(int(code[2:]) + 1 + number) % 10**6:06d}")
            street.town.bot.database.write(unlock_quietly)
            number += 1
        street.says("bob", code)
        assert street.payments == 0


def unlock_quietly(session):
    session.connection().execute(text("UPDATE people SET locked_until = NULL, wrong_answers = 0"))


class TestUnlocking:
    def test_by_an_active_second_factor(self, street):
        page = Page(street).is_active()
        is_barred(street)
        assert unlocks(street, "with_factor", page.wrong()).outcome is Outcome.WRONG
        assert unlocks(street, "with_factor", page.app()).accepted
        assert "Unlocked" in street.heard("bob")[-1]
        asks_again(street, 100)
        street.answers("bob")
        assert street.payments == 1

    def test_not_by_a_new_one_for_it_may_be_the_guessers_own(self, street):
        is_barred(street)
        page = Page(street)
        page.enrols()
        page.waits(minutes=1)
        assert unlocks(street, "with_factor", page.app()) == Tried(Outcome.NOTHING)
        asks_again(street, 100)
        assert "30 days" in street.heard("bob")[-1]

    def test_by_an_admin(self, street):
        is_barred(street)
        unlocks(street, "by_admin")
        asks_again(street, 100)
        street.answers("bob")
        assert street.payments == 1

    def test_begins_the_count_anew(self, street):
        is_barred(street)
        unlocks(street, "by_admin")
        assert guesses_until_locked(street, 100) == 5
        assert street.count("SELECT count(*) FROM people WHERE barred_at IS NOT NULL") == 0
