"""Stripe's own library reads every kind of object the sandbox shows."""

from datetime import timedelta

import pytest
import stripe

from bot.card_sandbox import balance
from bot.card_sandbox.cards import SUCCEEDS, card_of
from bot.card_sandbox.paying import pay


@pytest.fixture
def library(processor, served):
    return stripe.StripeClient(processor.api_key, base_addresses={"api": served.address}).v1


@pytest.fixture
def paid(processor, checkout):
    pay(processor, checkout.id, card_of(SUCCEEDS))
    return processor.session(checkout.id).payment_id


class TestLibrary:
    def test_reads_a_payment_with_all_below_it(self, library, paid):
        shown = library.payment_intents.retrieve(paid, {"expand": ["latest_charge.balance_transaction"]})
        assert isinstance(shown, stripe.PaymentIntent)
        assert isinstance(shown.latest_charge, stripe.Charge)
        assert isinstance(shown.latest_charge.balance_transaction, stripe.BalanceTransaction)
        assert shown.latest_charge.balance_transaction.net == 1945

    def test_reads_all_events_page_by_page(self, library, paid, processor, clock):
        since = {"gte": int(clock().timestamp())}
        listed = library.events.list({"limit": 1, "created": since})
        kinds = [event.type for event in listed.auto_paging_iter()]
        assert kinds == [event.kind for event in reversed(processor.events)]
        assert isinstance(listed.data[0].data.object, stripe.StripeObject)

    def test_refunds_and_reads_what_a_payout_is_made_of(self, library, paid, processor, clock):
        refund = library.refunds.create({"payment_intent": paid, "amount": 500})
        assert isinstance(refund, stripe.Refund)
        clock.advance(timedelta(days=2))
        made = balance.payout(processor)
        assert library.payouts.retrieve(made.id).amount == 1445
        movements = library.balance_transactions.list({"payout": made.id, "expand": ["data.source"]})
        sources = [type(movement.source) for movement in movements.auto_paging_iter()]
        assert sources == [stripe.Payout, stripe.Refund, stripe.Charge]

    def test_expires_a_session(self, library, checkout):
        assert library.checkout.sessions.expire(checkout.id).status == "expired"
        with pytest.raises(stripe.InvalidRequestError):
            library.checkout.sessions.expire(checkout.id)
