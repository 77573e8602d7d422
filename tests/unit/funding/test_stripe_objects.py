"""What Stripe's list of movements says, in our words; and what it may not say."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.funding.processor import MovementKind
from bot.funding.stripe_objects import Nonsense, movements_of
from ledger.errors import LedgerError
from ledger.money import EUR, Money


def a_movement(**other):
    return {
        "object": "balance_transaction", "id": "txn_1", "type": "refund", "amount": -500, "fee": 0, "currency": "eur",
        "created": 1_795_435_200, "source": {"object": "refund", "payment_intent": "pi_1"},
    } | other  # fmt: skip


def read(**other):
    (found,), _ = movements_of({"object": "list", "data": [a_movement(**other)], "has_more": False})
    return found


class TestMovement:
    def test_has_its_amount_time_and_payment(self):
        found = read(fee=25)
        assert (found.id, found.payment_id) == ("txn_1", "pi_1")
        assert (found.amount, found.fee) == (Money(-500, EUR), Money(25, EUR))
        assert found.at == datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("told", "kind"),
        [
            ("charge", MovementKind.CHARGE), ("payment", MovementKind.CHARGE), ("refund", MovementKind.RETURN),
            ("payment_refund", MovementKind.RETURN), ("adjustment", MovementKind.RETURN),
            ("refund_failure", MovementKind.RETURN), ("payout", MovementKind.PAYOUT),
            ("payout_failure", MovementKind.PAYOUT), ("stripe_fee", MovementKind.FEE),
            ("transfer", MovementKind.OTHER), (None, MovementKind.OTHER), ("", MovementKind.OTHER),
        ],
    )  # fmt: skip
    def test_is_of_the_kind_it_says(self, told, kind):
        assert read(type=told).kind is kind

    @pytest.mark.parametrize("source", [None, "re_1", {"object": "refund"}, {"payment_intent": None}])
    def test_of_no_payment_goes_back_to_nobody(self, source):
        assert read(type="adjustment", source=source).kind is MovementKind.OTHER

    @pytest.mark.parametrize(
        "wrong",
        [
            {"object": "charge"}, {"id": ""}, {"id": 7}, {"id": "x" * 256}, {"created": "now"}, {"created": True},
            {"amount": 1.5}, {"amount": "500"}, {"amount": 10**30}, {"fee": None}, {"currency": "isk"},
            {"currency": None}, {"currency": "zzz"},
        ],
    )  # fmt: skip
    def test_that_makes_no_sense_is_not_guessed_at(self, wrong):
        with pytest.raises((Nonsense, LedgerError)):
            read(**wrong)


class TestPage:
    def test_tells_whether_there_are_more(self):
        page = {"object": "list", "data": [], "has_more": True}
        assert movements_of(page) == ([], True)
        assert movements_of(page | {"has_more": "yes"}) == ([], False)

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text() | st.just("list"),
            lambda inner: (
                st.lists(inner) | st.dictionaries(st.sampled_from(["object", "data", "id", "amount"]), inner)
            ),
        )
    )
    def test_of_anything_else_is_nonsense(self, page):
        if isinstance(page, dict) and page.get("object") == "list" and page.get("data") == []:
            return
        with pytest.raises((Nonsense, LedgerError)):
            movements_of(page)
