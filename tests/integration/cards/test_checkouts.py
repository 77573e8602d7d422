"""A page is made once for a reference, whatever becomes of the answer, and looked up as it is."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.card_sandbox.calls import send_to
from bot.card_sandbox.cards import SUCCEEDS, card_of
from bot.card_sandbox.faults import ApiFault
from bot.card_sandbox.paying import pay
from bot.errors import TryLater
from bot.funding.processor import CheckoutState, OrderRefused, UnknownCheckout
from bot.funding.stripe_cards import StripeCards
from bot.sandbox.faults import FaultKind
from ledger.money import Currency, Money, currency_of


class TestCreate:
    def test_makes_an_open_page_for_the_amount(self, cards, order, served):
        made = cards.create(order())
        assert made.state is CheckoutState.OPEN
        assert made.amount == order().amount
        assert made.reference == "T-7K3F9Q"
        assert made.url == f"{served.address}/c/pay/{made.id}"
        assert (made.payment_id, made.fee) == ("", None)

    def test_hands_over_all_of_the_order(self, checkout, processor, order):
        kept = processor.sessions[checkout.id].order
        assert (kept.locale, kept.reference, kept.currency, kept.amount) == ("fr", "T-7K3F9Q", "eur", 2000)
        assert kept.expires_at == order().expires_at
        assert kept.success_url == kept.cancel_url == order().return_url
        assert kept.metadata == kept.payment_metadata == {"reference": "T-7K3F9Q"}

    def test_leaves_a_language_the_page_does_not_speak_to_the_browser(self, cards, order, processor):
        made = cards.create(order(language="tlh"))
        assert processor.sessions[made.id].order.locale == "auto"

    def test_asked_again_is_the_same_page(self, cards, order, processor):
        assert cards.create(order()) == cards.create(order())
        assert len(processor.sessions) == 1

    def test_asked_again_shows_the_page_as_it_is_by_now(self, cards, order, processor):
        made = cards.create(order())
        pay(processor, made.id, card_of(SUCCEEDS))
        again = cards.create(order())
        assert (again.id, again.state) == (made.id, CheckoutState.PAID)

    @pytest.mark.parametrize("kind", [FaultKind.LOSE, FaultKind.NONSENSE])
    def test_makes_one_page_though_the_answer_was_lost(self, cards, order, processor, kind):
        processor.faults.plan(ApiFault(kind, "POST"))
        with pytest.raises(TryLater):
            cards.create(order())
        made = cards.create(order())
        assert list(processor.sessions) == [made.id]

    def test_makes_none_where_the_connection_breaks_before(self, cards, order, processor):
        processor.faults.plan(ApiFault(FaultKind.CUT, "POST"))
        with pytest.raises(TryLater):
            cards.create(order())
        assert not processor.sessions
        assert cards.create(order()).state is CheckoutState.OPEN

    def test_refuses_another_order_under_the_same_reference(self, cards, order, processor):
        cards.create(order())
        with pytest.raises(OrderRefused, match="another order"):
            cards.create(order(amount_minor=2001))
        assert len(processor.sessions) == 1

    @pytest.mark.parametrize(
        ("wrong", "parameter"),
        [
            ({"amount_minor": 49}, "unit_amount"),
            ({"amount_minor": 100_000_000}, "unit_amount"),
            ({"return_url": "javascript:alert(1)"}, "success_url"),
            ({"reference": "r" * 201}, "client_reference_id"),
        ],
    )
    def test_says_what_of_an_order_is_not_taken(self, cards, order, processor, wrong, parameter):
        with pytest.raises(OrderRefused) as refused:
            cards.create(order(**wrong))
        assert parameter in refused.value.parameter
        assert not processor.sessions

    @pytest.mark.parametrize("after", [timedelta(minutes=29), timedelta(hours=24, minutes=1)])
    def test_refuses_a_page_that_is_open_too_short_or_too_long(self, cards, order, clock, after):
        with pytest.raises(OrderRefused, match="expires_at"):
            cards.create(order(expires_at=clock() + after))

    @pytest.mark.parametrize("currency", [Currency("POINT", 0), currency_of("ISK"), currency_of("UGX")])
    def test_refuses_a_currency_that_is_counted_otherwise_there(self, cards, order, currency):
        with pytest.raises(OrderRefused, match="currency"):
            cards.create(order(amount=Money(5000, currency)))

    def test_an_order_refused_may_be_put_right_under_its_reference(self, cards, order):
        with pytest.raises(OrderRefused):
            cards.create(order(amount_minor=1))
        assert cards.create(order()).state is CheckoutState.OPEN

    def test_after_a_day_the_same_order_is_refused_and_no_second_page_is_made(
        self, cards, order, clock, processor
    ):
        cards.create(order())
        clock.advance(timedelta(hours=25))
        with pytest.raises(OrderRefused, match="expires_at"):
            cards.create(order())
        assert len(processor.sessions) == 1


class TestFetch:
    def test_is_what_was_made(self, cards, checkout):
        assert cards.fetch(checkout.id) == checkout

    def test_knows_what_is_kept_of_a_payment(self, cards, checkout, processor):
        pay(processor, checkout.id, card_of(SUCCEEDS))
        found = cards.fetch(checkout.id)
        assert found.state is CheckoutState.PAID
        assert found.payment_id.startswith("pi_")
        assert found.fee == Money(55, found.amount.currency)
        assert found.url == ""

    def test_an_expired_page_has_failed(self, cards, checkout, clock):
        clock.advance(timedelta(minutes=61))
        found = cards.fetch(checkout.id)
        assert (found.state, found.url, found.payment_id) == (CheckoutState.FAILED, "", "")

    @pytest.mark.parametrize(
        "unknown", ["cs_test_unknown", "", "..", "cs_test_a/../../events", "cs_x?y=1", "pi_1"]
    )
    def test_knows_nothing_of_an_id_that_is_none(self, cards, unknown):
        with pytest.raises(UnknownCheckout):
            cards.fetch(unknown)

    def test_works_in_the_same_process_too(self, processor, clock, order):
        near = StripeCards(api_key=processor.api_key, webhook_secret="", clock=clock, send=send_to(processor))
        made = near.create(order())
        assert near.fetch(made.id) == replace(made)
        processor.faults.plan(ApiFault(FaultKind.LOSE))
        with pytest.raises(TryLater):
            near.fetch(made.id)
