"""Limits as people meet them: many payments, two at once, money that comes back, and wallets that are full."""

import threading

import pytest

from bot.payments.authorisations import Cause
from bot.payments.page_answers import Question
from bot.people.tiers import Tier
from bot.store.tables import ChallengeRow
from bot.x.gateway import UserId
from tests.integration.payments.conftest import CODE, Street, town_at
from tests.integration.payments.test_page_answers import Form


def is_known_as(street: Street, username: str, tier: Tier) -> None:
    bot, user_id = street.town.bot, UserId(street.world.person(username).id)
    bot.database.write(
        lambda session: bot.people.set_tier(
            session, bot.people.get(session, user_id), tier, at=street.world.now()
        )
    )


def pays(street: Street, payer: str, euros: int, payee: str) -> bool:
    """Orders and answers; whether it was paid."""
    before, heard = street.payments, len(street.heard(payer))
    street.tweets(payer, f"@smoney send {euros}€ @{payee} for lunch {heard}")
    if any(CODE.search(words) for words in street.heard(payer)[heard:]):
        street.answers(payer)
    return street.payments > before


@pytest.fixture
def bound(database_url, tmp_path):
    """A street with the operator's own defaults: 30 € and 100 € a day without a second factor."""
    with town_at(
        database_url, tmp_path, allowance_per_payment_minor=30_00, allowance_per_day_minor=100_00
    ) as town:
        yield Street(town)


class TestWithoutASecondFactor:
    def test_thirty_euros_are_paid_and_thirty_one_are_not(self, bound):
        bound.tweets("bob", "@smoney send 30.01€ @alice")
        assert "30.00" in bound.heard("bob")[-1]
        assert "authenticator app" in bound.heard("bob")[-1]
        bound.tweets("bob", "@smoney send 30€ @alice")
        bound.answers("bob")
        assert bound.has("alice") == 30_00

    def test_a_hundred_a_day_in_whatever_pieces(self, bound):
        paid = [pays(bound, "bob", 25, "alice") for _ in range(5)]
        assert paid == [True, True, True, True, False]
        assert bound.has("alice") == 100_00

    def test_the_day_rolls(self, database_url, tmp_path):
        with town_at(
            database_url, tmp_path, allowance_per_payment_minor=30_00, allowance_per_day_minor=30_00
        ) as town:
            street = Street(town)
            assert pays(street, "bob", 30, "alice")
            street.passes(hours=23, minutes=59, seconds=59)
            assert not pays(street, "bob", 1, "alice")
            street.passes(seconds=1)
            assert pays(street, "bob", 1, "alice")

    def test_a_new_second_factor_raises_nothing_for_48_hours(self, bound):
        form = Form(bound)
        form.enrols()
        for hours in (0, 47):
            bound.passes(hours=hours)
            assert not pays(bound, "bob", 31, "alice")
            # Nor is it asked on the page, where the new factor could answer.
            assert not form.asks("questions")
        bound.passes(hours=1)
        assert answers_on_the_page(bound, form, 31)


class TestWithASecondFactor:
    """Whoever has stolen the session on X reads the messages of its owner, and answers them."""

    def test_a_message_pays_no_more_than_without_one(self, bound):
        form = active(bound)
        bound.tweets("bob", "@smoney send 30.01€ @alice")
        assert CODE.search(bound.heard("bob")[-1]) is None
        assert "on my page with your authenticator app" in bound.heard("bob")[-1]
        (question,) = form.asks("questions")
        bound.says("bob", question.answer)  # were the code known all the same
        assert "A message is not enough" in bound.heard("bob")[-1]
        assert (bound.payments, bound.has("alice")) == (0, 0)
        assert form.sends(question).state == "paid"
        assert bound.has("alice") == 30_01

    def test_small_ones_are_still_paid_by_a_message(self, bound):
        active(bound)
        assert pays(bound, "bob", 30, "alice")

    def test_messages_pay_no_more_in_a_day_than_without_one_and_the_page_does(self, bound):
        form = active(bound)
        is_known_as(bound, "bob", Tier.IDENTIFIED)
        assert answers_on_the_page(bound, form, 40)
        with_messages = [pays(bound, "bob", 20, "alice") for _ in range(2)]
        assert with_messages == [True, True]
        assert bound.has("alice") == 80_00

    def test_a_question_that_no_message_can_answer_any_more_is_answered_on_the_page(
        self, database_url, tmp_path
    ):
        """Each fits by itself when it is asked; then the day's allowance is used up."""
        with town_at(
            database_url, tmp_path, allowance_per_payment_minor=30_00, allowance_per_day_minor=50_00
        ) as town:
            street = Street(town)
            form = active(street)
            codes = []
            for payee in ("alice", "carol"):
                street.tweets("bob", f"@smoney send 28€ @{payee}")
                codes.append(street.code("bob"))
            for code in codes:
                street.says("bob", code)
            assert street.payments == 1
            assert "A message is not enough" in street.heard("bob")[-1]
            (question,) = form.asks("questions")
            assert form.sends(question).state == "paid"

    def test_a_yes_to_what_is_answered_on_the_page_is_told_so(self, bound):
        active(bound)
        bound.tweets("bob", "@smoney send 31€ @alice")
        bound.says("bob", "yes")
        assert "A message is not enough" in bound.heard("bob")[-1]


def active(street: Street) -> Form:
    form = Form(street)
    form.is_active()
    form.waits(minutes=1)
    return form


def answers_on_the_page(street: Street, form: Form, euros: int) -> bool:
    street.tweets("bob", f"@smoney send {euros}€ @alice")
    (question,) = form.asks("questions")
    return bool(form.sends(question).state == "paid")


class TestEachTier:
    def test_is_new_until_an_admin_says_otherwise(self, street):
        street.says("zoe", "start")
        street.tweets("bob", "@smoney send 60€ @zoe")
        street.answers("bob")
        assert not pays(street, "zoe", 51, "alice")
        is_known_as(street, "zoe", Tier.IDENTIFIED)
        assert pays(street, "zoe", 51, "alice")

    def test_goes_back_to_new_if_an_admin_says_so(self, street):
        is_known_as(street, "bob", Tier.NEW)
        assert not pays(street, "bob", 51, "alice")


class TestCounting:
    def test_held_money_counts_and_what_came_back_does_not(self, database_url, tmp_path):
        with town_at(
            database_url, tmp_path, allowance_per_payment_minor=50_00, allowance_per_day_minor=50_00
        ) as town:
            street = Street(town)
            assert pays(street, "bob", 50, "zoe")
            reference = street.reference("bob")
            assert not pays(street, "bob", 1, "alice")
            street.says("bob", f"cancel {reference}")
            assert street.has("bob") == 100_00
            assert pays(street, "bob", 50, "alice")

    def test_two_orders_answered_one_after_the_other_cannot_both_slip_under(self, database_url, tmp_path):
        """Each fits by itself when it is asked; the second is counted again when it is answered."""
        with town_at(
            database_url, tmp_path, allowance_per_payment_minor=30_00, allowance_per_day_minor=50_00
        ) as town:
            street = Street(town)
            codes: list[str] = []
            for payee in ("alice", "carol"):
                street.tweets("bob", f"@smoney send 28€ @{payee} for lunch {len(codes)}")
                codes.append(street.code("bob"))
            for code in codes:
                street.says("bob", code)
            assert street.payments == 1
            assert street.has("bob") == 100_00 - 28_00

    @pytest.mark.race
    def test_two_paying_at_the_same_moment_cannot_both_slip_under(self, database_url, tmp_path):
        """As on the page, where no worker holds the person: whoever pays takes the payer first."""
        with town_at(
            database_url, tmp_path, allowance_per_payment_minor=60_00, allowance_per_day_minor=60_00
        ) as town:
            street, bot = Street(town), town.bot
            bob = UserId(street.world.person("bob").id)
            for payee in ("alice", "carol"):
                street.tweets("bob", f"@smoney send 40€ @{payee}")
            questions: list[Question] = []
            bot.database.write(
                lambda s: questions.extend(bot.page_answers.questions(s, bot.people.get(s, bob)))
            )

            def pay(question):
                def work(session):
                    payer = bot.people.lock(session, [bob])[bob]
                    challenge = session.get_one(ChallengeRow, question.challenge_id)
                    bot.story.pay(session, payer, challenge, cause=Cause.PAGE, evidence=challenge.id)

                bot.database.write(work)

            both = [threading.Thread(target=pay, args=(question,)) for question in questions]
            for one in both:
                one.start()
            for one in both:
                one.join()
            assert len(questions) == 2
            assert (street.payments, street.has("bob")) == (1, 60_00)


class TestAFullWallet:
    def test_is_paid_no_more_and_nothing_moves(self, database_url, tmp_path):
        with small_wallets(database_url, tmp_path) as town:
            street = Street(town)
            street.says("zoe", "start")
            assert pays(street, "bob", 10, "zoe")
            assert not pays(street, "bob", 1, "zoe")
            assert "cannot receive" in street.heard("bob")[-1]
            assert (street.has("bob"), street.has("zoe")) == (90_00, 10_00)

    def test_takes_what_fits_when_it_is_claimed_and_leaves_the_rest_held(self, database_url, tmp_path):
        with small_wallets(database_url, tmp_path) as town:
            street = Street(town)
            assert pays(street, "bob", 7, "zoe")
            assert pays(street, "carol", 6, "zoe")
            assert pays(street, "bob", 3, "zoe")
            street.says("zoe", "start")
            assert street.has("zoe") == 10_00
            assert any("hold up to" in words for words in street.heard("zoe"))
            street.tweets("zoe", "@smoney send 5€ @alice")
            street.answers("zoe")
            street.says("zoe", "start")
            assert street.has("zoe") == 5_00
            street.tweets("zoe", "@smoney send 1€ @alice")
            street.answers("zoe")
            street.says("zoe", "start")
            assert street.has("zoe") == 10_00

    def test_gives_the_rest_back_by_its_time(self, database_url, tmp_path):
        with small_wallets(database_url, tmp_path) as town:
            street = Street(town)
            pays(street, "bob", 7, "zoe")
            pays(street, "bob", 7, "zoe")
            street.says("zoe", "start")
            street.passes(days=8)
            assert (street.has("zoe"), street.has("bob")) == (7_00, 93_00)


def small_wallets(url, home):
    """Who is new may hold 10 €."""
    file = home / "limits.toml"
    file.write_text("[new]\nbalance_minor = 1000\n", encoding="utf-8")
    return town_at(url, home / "home", limits_file=file)
