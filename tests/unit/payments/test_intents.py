"""What an order comes to: lines, totals, references, limits."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.language.reading import Mode
from bot.payments.intents import (
    REFERENCE_ALPHABET,
    AmountTooSmall,
    Order,
    OrderedPayee,
    OrderKey,
    PayeeIsBot,
    PayeeIsPayer,
    TooManyPayees,
    new_reference,
    plan,
    total_of,
)
from bot.payments.limits import (
    TooManyOpen,
    check_open_orders,
    lock_seconds,
)
from bot.payments.rules import Rules
from bot.x.gateway import UserId
from ledger.money import EUR, Money

PAYER, BOT = UserId(1), UserId(2)
RULES = Rules()


def order(*payees, amount=1000, mode=Mode.EACH):
    return Order(
        key=OrderKey("post", 5),
        version=5,
        payer_id=PAYER,
        payees=[OrderedPayee(UserId(number), f"user{number}") for number in payees],
        amount=Money(amount, EUR),
        mode=mode,
        note=None,
        language="en",
        said_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def planned(*payees, **rest):
    return plan(order(*payees, **rest), bot_id=BOT, most_payees=10)


class TestPlan:
    def test_gives_each_payee_the_amount(self):
        assert [line.amount.amount_minor for line in planned(10, 11)] == [1000, 1000]

    def test_shares_an_amount_to_the_cent(self):
        lines = planned(10, 11, 12, mode=Mode.SPLIT)
        assert sorted(line.amount.amount_minor for line in lines) == [333, 333, 334]
        assert total_of(lines) == Money(1000, EUR)

    def test_pays_a_payee_named_twice_once(self):
        assert len(planned(10, 10)) == 1

    def test_refuses_the_payer_among_the_payees(self):
        with pytest.raises(PayeeIsPayer):
            planned(10, PAYER)

    def test_refuses_the_bot_as_payee(self):
        with pytest.raises(PayeeIsBot):
            planned(10, BOT)

    def test_refuses_more_payees_than_the_rules_allow(self):
        with pytest.raises(TooManyPayees):
            planned(*range(10, 21))

    def test_refuses_shares_of_nothing(self):
        with pytest.raises(AmountTooSmall):
            planned(10, 11, 12, amount=2, mode=Mode.SPLIT)

    @given(st.lists(st.integers(10, 19), min_size=1, max_size=20), st.integers(10, 10**9))
    def test_a_shared_amount_is_shared_whole(self, payees, amount):
        assert total_of(planned(*payees, amount=amount, mode=Mode.SPLIT)) == Money(amount, EUR)


class TestReference:
    @given(st.binary(min_size=8, max_size=8))
    def test_is_short_and_cannot_be_misread(self, chance):
        reference = new_reference(lambda _: chance)
        assert reference.startswith("P-")
        assert len(reference) == 8
        assert set(reference[2:]) <= set(REFERENCE_ALPHABET)
        assert not set(REFERENCE_ALPHABET) & set("01ILOU")


class TestOpenOrders:
    def test_count_open_orders(self):
        check_open_orders(RULES.open_orders - 1, rules=RULES)
        with pytest.raises(TooManyOpen):
            check_open_orders(RULES.open_orders, rules=RULES)

    def test_locks_double_up_to_the_longest(self):
        lasts = [timedelta(seconds=lock_seconds(count, rules=RULES)) for count in range(9)]
        assert lasts[:3] == [timedelta(minutes=15), timedelta(minutes=30), timedelta(minutes=60)]
        assert lasts[-1] == RULES.longest_lock
