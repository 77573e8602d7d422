"""Money put in by card: the real library, a processor over HTTP, the whole bot, each database."""

import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlmodel import Session, col, select

from bot.admin.acts import Role
from bot.admin.log import Actor
from bot.admin.office import open_office
from bot.card_sandbox import paying
from bot.card_sandbox.cards import Behaviour, Card
from bot.card_sandbox.core import CardProcessor
from bot.card_sandbox.courier import deliver
from bot.card_sandbox.faults import ApiFault, PostFault, PostFaultKind
from bot.card_sandbox.http import serve
from bot.cashier import Cashier
from bot.errors import Misconfigured
from bot.funding.processor import NotFromProcessor
from bot.payments.topping_up import Due
from bot.payments.wallets import CARD_CLEARING, CARD_FEES
from bot.sandbox.faults import FaultKind
from bot.store.card_tables import TopUpRow
from bot.x.gateway import UserId
from ledger.accounts import AccountId
from ledger.money import EUR, Money
from tests.integration.payments.conftest import NOON, Street, a_street
from tests.integration.watching.conftest import watched_town

GOOD = Card("visa", "4242", Behaviour.SUCCEEDS)
LINK = re.compile(r"http://127\.0\.0\.1:\d+/c/pay/(cs_test_\w+)")
FEE = 25
"""And one and a half per cent."""


class LateClock:
    """The processor's: that of the town, once there is one."""

    street: Street | None = None

    def __call__(self):
        return self.street.world.now() if self.street else NOON


@dataclass
class Till:
    """A street in which cards are taken, and their processor."""

    street: Street
    processor: CardProcessor

    @property
    def cashier(self) -> Cashier:
        assert self.street.town.bot.cashier is not None
        return self.street.town.bot.cashier

    def brings(self) -> int:
        """The processor's webhooks that are due, as the web server hands them in."""

        def post_to(_: str, body: bytes, headers) -> int:
            try:
                self.cashier.receive(body, headers["stripe-signature"])
            except NotFromProcessor:
                return 400
            return 200

        return deliver(self.processor, post_to)

    def page(self, username: str) -> str:
        """The newest page this person was sent to: its session."""
        return [match[1] for words in self.street.heard(username) for match in LINK.finditer(words)][-1]

    def pays(self, session_id: str, card: Card = GOOD) -> paying.Outcome:
        return paying.pay(self.processor, session_id, card)

    def asks(self, username: str, amount_minor: int) -> str:
        """Without a message: the new page's session."""
        bot, person_id = self.street.town.bot, UserId(self.street.world.person(username).id)

        def ask(session: Session) -> Due:
            person = bot.people.get(session, person_id)
            return self.cashier.top_ups.ask_now(session, person, amount_minor, language="en")

        link = self.cashier.page_for(bot.database.write(ask))
        assert link is not None
        return LINK.fullmatch(link)[1]  # type: ignore[index]

    def goes_on(self) -> None:
        self.brings()
        self.street.town.settle()

    def follow(self) -> None:
        self.cashier.follow()
        self.street.town.settle()

    def owns(self, amount_minor: int) -> None:
        """The operator puts own money in."""
        bot, amount = self.street.town.bot, Money(amount_minor, EUR)
        bot.database.write(lambda session: bot.wallets.put_test_money_beside(session, amount, key="own"))

    def debt_of(self, username: str) -> int:
        bot, person = self.street.town.bot, UserId(self.street.world.person(username).id)
        return bot.database.read(
            lambda session: bot.wallets.debt(session, bot.people.get(session, person)).amount_minor
        )

    def balance_of(self, code: str) -> int:
        def work(session: Session) -> int:
            bot = self.street.town.bot
            account = AccountId(bot.wallets.house(session, code))
            return bot.ledger.account(session, account).posted_minor

        return self.street.town.bot.database.write(work)

    def rows(self) -> list[TopUpRow]:
        return self.street.town.bot.database.read(
            lambda session: list(session.exec(select(TopUpRow).order_by(col(TopUpRow.id))))
        )

    @property
    def states(self) -> list[str]:
        return [row.state for row in self.rows()]


@contextmanager
def a_till(url: str, home: Path, **chosen) -> Iterator[Till]:
    clock = LateClock()
    processor = CardProcessor(clock, random.Random(1).randbytes)
    processor.post.add_endpoint("http://127.0.0.1:9/webhooks/cards")
    with serve(processor, courier=False) as served:
        given = {
            "cards": "stripe",
            "cards_base_url": served.address,
            "cards_api_key": SecretStr(processor.api_key),
            "cards_webhook_secret": SecretStr(processor.webhook_secret),
        }
        with a_street(url, home, **(given | chosen)) as street:
            clock.street = street
            yield Till(street, processor)


@pytest.fixture
def till(database_url: str, tmp_path: Path) -> Iterator[Till]:
    with a_till(database_url, tmp_path) as till:
        yield till


class TestTopUp:
    def test_is_paid_on_the_processors_page_and_credited_once_it_says_so(self, till):
        till.street.says("bob", "top up 20€")
        link = till.street.heard("bob")[-1]
        assert "€20.00" in link
        assert till.street.has("bob") == 100_00
        till.pays(till.page("bob"))
        assert till.street.has("bob") == 100_00
        till.goes_on()
        assert till.street.has("bob") == 120_00
        told = till.street.heard("bob")[-1]
        assert "€20.00" in told
        assert "€120.00" in told
        assert till.rows()[0].reference in told

    def test_costs_the_person_nothing_and_the_operator_the_processors_fee(self, till):
        till.street.says("alice", "top up 20€")
        till.pays(till.page("alice"))
        till.goes_on()
        assert till.street.has("alice") == 20_00
        assert till.balance_of(CARD_FEES) == 30 + FEE
        assert till.balance_of(CARD_CLEARING) == 20_00 - 30 - FEE

    def test_asked_for_in_a_tweet_is_answered_in_private(self, till):
        till.street.tweets("bob", "@smoney top up 20€")
        assert till.page("bob")
        assert not till.street.replies()

    def test_edited_in_a_tweet_makes_no_second_page(self, till):
        post = till.street.tweets("bob", "@smoney top up 20€")
        till.street.edits(post, "@smoney top up 30€")
        assert [row.amount_minor for row in till.rows()] == [20_00]

    def test_without_an_amount_asks_how_much(self, till):
        till.street.says("bob", "top up")
        assert "€5.00" in till.street.heard("bob")[-1]
        assert "€250.00" in till.street.heard("bob")[-1]
        assert till.rows() == []

    @pytest.mark.parametrize("amount", ["4.99€", "250.01€"])
    def test_beyond_the_bounds_is_refused_and_asks_nothing_of_the_processor(self, till, amount):
        till.street.says("bob", f"top up {amount}")
        assert "€5.00" in till.street.heard("bob")[-1]
        assert till.rows() == []
        assert till.processor.sessions == {}

    def test_that_would_overfill_the_wallet_is_refused_and_pages_still_open_count(self, till):
        for amount in (250, 250, 250):
            till.street.says("bob", f"top up {amount}€")
        till.street.says("bob", "top up 250€")
        assert till.states == ["open"] * 3
        heard = till.street.heard("bob")[-1]
        for session in list(till.processor.sessions):
            till.pays(session)
        till.goes_on()
        assert till.street.has("bob") == 850_00
        till.street.says("bob", "top up 250€")
        assert till.page("bob") not in heard
        assert till.states.count("open") == 1

    def test_of_somebody_who_has_not_enrolled_is_answered_with_who_we_are(self, till):
        till.street.says("zoe", "top up 20€")
        assert till.rows() == []
        assert till.street.heard("zoe")

    def test_declined_on_the_page_may_be_paid_with_another_card(self, till):
        till.street.says("bob", "top up 20€")
        page = till.page("bob")
        till.pays(page, Card("visa", "0002", Behaviour.DECLINED))
        till.goes_on()
        assert till.states == ["open"]
        till.pays(page)
        till.goes_on()
        assert till.street.has("bob") == 120_00

    def test_paid_twice_in_two_windows_is_charged_and_credited_once(self, till):
        till.street.says("bob", "top up 20€")
        outcomes = [till.pays(till.page("bob")) for _ in range(2)]
        assert outcomes == [paying.Outcome.PAID, paying.Outcome.CLOSED]
        till.goes_on()
        assert till.street.has("bob") == 120_00

    @pytest.mark.parametrize(
        ("behaviour", "state", "has"),
        [(Behaviour.SUCCEEDS_LATE, "paid", 120_00), (Behaviour.FAILS_LATE, "failed", 100_00)],
    )
    def test_whose_outcome_comes_late_is_told_when_it_is_known(self, till, behaviour, state, has):
        till.street.says("bob", "top up 20€")
        till.pays(till.page("bob"), Card("visa", "0000", behaviour))
        till.goes_on()
        assert till.states == ["pending"]
        assert till.street.has("bob") == 100_00
        heard = len(till.street.heard("bob"))
        till.street.passes(minutes=5)
        till.goes_on()
        assert till.states == [state]
        assert till.street.has("bob") == has
        assert len(till.street.heard("bob")) == heard + 1

    def test_that_nobody_paid_ends_with_its_page_and_says_nothing(self, till):
        till.street.says("bob", "top up 20€")
        heard = len(till.street.heard("bob"))
        till.street.passes(hours=3)
        till.goes_on()
        assert till.states == ["failed"]
        assert len(till.street.heard("bob")) == heard

    def test_of_a_frozen_wallet_arrives(self, till):
        till.street.says("bob", "top up 20€")
        till.street.says("bob", "freeze")
        till.pays(till.page("bob"))
        till.goes_on()
        assert till.street.has("bob") == 120_00

    def test_waits_while_payments_are_paused(self, till):
        till.street.says("bob", "top up 20€")
        till.pays(till.page("bob"))
        till.street.change("INSERT INTO switches (name, since, set_by) VALUES ('payments_paused', 0, 'x')")
        till.goes_on()
        assert till.street.has("bob") == 100_00
        till.street.change("DELETE FROM switches")
        till.street.passes(minutes=2)
        assert till.street.has("bob") == 120_00

    def test_paid_after_its_person_was_erased_is_set_aside_for_a_person(self, till):
        till.street.says("alice", "top up 20€")
        page = till.page("alice")
        till.street.says("alice", "erase me")
        till.street.answers("alice")
        till.pays(page)
        till.goes_on()
        (row,) = till.rows()
        assert (row.state, row.transfer_id) == ("set_aside", None)
        assert row.person_id < 0
        assert row.payment_id
        watched = watched_town(till.street)
        assert watched.looks()["top_up_set_aside"]["reference"] == row.reference
        office, owner = open_office(till.street.town.settings), Actor("root", Role.OWNER)
        close = partial(office.top_ups.close, reason="given back by hand")
        database = till.street.town.bot.database
        database.write(lambda session: close(session, owner, row.reference.lower()))
        assert till.states == ["failed"]
        assert "top_up_set_aside" not in watched.looks()
        with pytest.raises(Misconfigured):
            database.write(lambda session: close(session, owner, row.reference))

    def test_is_not_offered_where_no_cards_are_taken(self, street):
        street.says("bob", "top up 20€")
        assert "card" in street.heard("bob")[-1]
        street.says("bob", "help")
        assert "TOP UP" not in street.heard("bob")[-1]


class TestProcessorThatFails:
    @pytest.mark.parametrize("kind", [FaultKind.LOSE, FaultKind.CUT, FaultKind.FAIL, FaultKind.NONSENSE])
    def test_to_make_a_page_makes_one_in_the_end_and_says_meanwhile_that_it_waits(self, till, kind):
        till.processor.faults.plan(ApiFault(kind, "POST", "/v1/checkout/sessions"))
        till.street.says("bob", "top up 20€")
        assert "€20.00" in till.street.heard("bob")[-1]
        assert not LINK.search(till.street.heard("bob")[-1])
        till.street.passes(minutes=2)
        assert len(till.processor.sessions) == 1
        till.pays(till.page("bob"))
        till.goes_on()
        assert till.street.has("bob") == 120_00

    def test_is_an_alarm_after_a_while(self, till):
        watched = watched_town(till.street)
        till.processor.faults.plan(ApiFault(FaultKind.FAIL, "POST", "/v1/checkout/sessions", times=1000))
        till.street.says("bob", "top up 20€")
        till.street.passes(minutes=10)
        assert "cards_late" not in watched.looks()
        till.street.passes(minutes=10)
        assert watched.looks()["cards_late"]["top_ups"] == 1

    def test_for_too_long_is_given_up_and_told(self, till):
        till.processor.faults.plan(ApiFault(FaultKind.FAIL, "POST", "/v1/checkout/sessions", times=1000))
        till.street.says("bob", "top up 20€")
        till.street.passes(minutes=80)
        assert till.states == ["failed"]
        assert "€20.00" in till.street.heard("bob")[-1]
        assert till.street.has("bob") == 100_00

    def test_to_answer_what_became_of_it_is_asked_again(self, till):
        till.street.says("bob", "top up 20€")
        till.pays(till.page("bob"))
        till.processor.faults.plan(ApiFault(FaultKind.LOSE, "GET", "/v1/checkout/sessions"))
        till.goes_on()
        assert till.street.has("bob") == 100_00
        till.street.passes(minutes=2)
        assert till.street.has("bob") == 120_00

    def test_that_answers_with_another_amount_is_not_believed(self, till):
        till.street.says("bob", "top up 20€")
        till.street.change("DROP TRIGGER what_was_topped_up_stays" + _ON_POSTGRESQL.get(_engine(till), ""))
        till.street.change("UPDATE top_ups SET amount_minor = 200000")
        till.pays(till.page("bob"))
        till.goes_on()
        assert till.states == ["set_aside"]
        assert till.street.has("bob") == 100_00


_ON_POSTGRESQL = {"postgresql": " ON top_ups"}


def _engine(till: Till) -> str:
    return till.street.town.bot.database.dialect


class TestWebhook:
    def test_that_never_comes_is_not_missed(self, till):
        till.street.says("bob", "top up 20€")
        till.pays(till.page("bob"))
        till.street.passes(minutes=5)
        assert till.street.has("bob") == 120_00

    @pytest.mark.parametrize("kind", list(PostFaultKind))
    def test_that_comes_in_whatever_way_credits_once(self, till, kind):
        till.processor.post.faults.plan(PostFault(kind, times=20))
        till.street.says("bob", "top up 20€")
        till.pays(till.page("bob"))
        for _ in range(6):
            till.goes_on()
            till.street.passes(minutes=3)
        assert till.street.has("bob") == 120_00
        assert till.street.count("SELECT count(*) FROM ledger_transfer WHERE code = 'top_up'") == 1

    def test_that_comes_while_the_processor_is_being_asked_is_not_lost(self, till):
        """The answer is older than the news: what it says must not put the next look off."""
        till.street.says("bob", "top up 20€")
        till.street.passes(minutes=2)
        fetched = till.cashier.processor.fetch(till.page("bob"))
        (before,) = till.rows()
        till.pays(till.page("bob"))
        till.brings()
        (row,) = till.rows()
        database = till.street.town.bot.database
        database.write(
            lambda session: till.cashier.top_ups.settle(session, row.id, fetched, hints=before.hints)
        )
        till.street.town.settle()
        assert till.street.has("bob") == 120_00

    def test_about_a_page_that_is_settled_credits_nothing_more(self, till):
        """Not even to who was just asking the processor about it."""
        till.street.says("bob", "top up 20€")
        page = till.page("bob")
        till.pays(page)
        (row,) = till.rows()
        found = till.cashier.processor.fetch(page)
        till.goes_on()
        settled, heard = till.rows(), till.street.heard("bob")
        database = till.street.town.bot.database
        database.write(lambda session: till.cashier.top_ups.settle(session, row.id, found, hints=row.hints))
        till.street.town.settle()
        assert [each.model_dump() for each in till.rows()] == [each.model_dump() for each in settled]
        assert till.street.has("bob") == 120_00
        assert till.street.heard("bob") == heard

    def test_about_somebody_elses_page_is_taken_and_does_nothing(self, till):
        other = till.processor.sessions
        till.street.says("bob", "top up 20€")
        page = till.page("bob")
        till.street.change("UPDATE top_ups SET due_at = NULL")
        till.pays(page)
        assert till.brings() > 0
        assert len(other) == 1
        assert till.street.has("bob") == 100_00


class TestTopUpRow:
    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE top_ups SET amount_minor = 1",
            "UPDATE top_ups SET person_id = (SELECT min(user_id) FROM people WHERE user_id <> person_id)",
            "UPDATE top_ups SET state = 'open', transfer_id = NULL",
            "UPDATE top_ups SET reference = 'T-AAAAAA'",
            "UPDATE top_ups SET checkout_id = 'cs_test_other'",
            "DELETE FROM top_ups",
        ],
    )
    def test_that_was_paid_is_not_changed_by_hand(self, till, change):
        till.street.says("carol", "top up 20€")
        till.pays(till.page("carol"))
        till.goes_on()
        with pytest.raises(Exception, match="top"):
            till.street.change(change)


@pytest.mark.prove
class TestManyWebhooks:
    def test_repeated_and_shuffled_credit_each_payment_once(self, till):
        """Each payment's bodies come among those of all before it, in any order: ten thousand for a thousand payments."""
        chance, payments = random.Random(7), 1_000 if _engine(till) == "sqlite" else 50
        till.street.change("UPDATE people SET tier = 'merchant', identified_at = 1 WHERE user_id > 0")
        people = ("bob", "alice", "carol")
        before = sum(till.street.has(name) for name in people)
        bodies: list[tuple[bytes, str]] = []

        def keep(_: str, body: bytes, headers) -> int:
            bodies.append((body, headers["stripe-signature"]))
            return 200

        brought = 0
        for number in range(payments):
            page = till.asks(people[number % 3], 500 + number % 2000)
            till.pays(page)
            old = len(bodies)
            deliver(till.processor, keep)
            some = [*bodies[old:], *(chance.choice(bodies) for _ in range(10 - len(bodies) + old))]
            chance.shuffle(some)
            for body, signature in some:
                till.cashier.receive(body, signature)
                if chance.random() < 0.3:
                    till.cashier.run()
            till.cashier.run()
            brought += len(some)
        assert brought >= 10 * payments
        assert till.states == ["paid"] * payments
        charged = sum(payment.amount for payment in till.processor.payments.values())
        assert sum(till.street.has(name) for name in people) - before == charged
        assert till.street.count("SELECT count(*) FROM ledger_transfer WHERE code = 'top_up'") == payments


def test_a_page_lasts_longer_than_a_processor_needs(till):
    till.street.says("bob", "top up 20€")
    (row,) = till.rows()
    assert row.expires_at - row.asked_at >= timedelta(minutes=30)
