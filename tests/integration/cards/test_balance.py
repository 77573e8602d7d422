"""Money that goes back, is taken back, or goes out to the bank, to the last minor unit."""

from datetime import timedelta

import pytest
import requests

from bot.card_sandbox import balance
from bot.card_sandbox.cards import DISPUTED, SUCCEEDS, card_of
from bot.card_sandbox.paying import pay
from bot.card_sandbox.refusals import StripeRefusal


@pytest.fixture
def call(served, processor):
    def send(method: str, path: str, **data: str) -> dict:
        answer = requests.request(
            method,
            served.address + path,
            data=data,
            headers={"authorization": f"Bearer {processor.api_key}"},
            timeout=10,
        )
        found: dict = answer.json()
        return found

    return send


@pytest.fixture
def payment(processor, cards, order):
    """Pays a page; the payment's id."""

    def make(reference: str = "T-1", amount_minor: int = 2000, number: str = SUCCEEDS) -> str:
        made = cards.create(order(reference, amount_minor))
        pay(processor, made.id, card_of(number))
        return processor.session(made.id).payment_id or ""

    return make


def kinds(processor) -> list[str]:
    return [
        event.kind
        for event in processor.events
        if event.kind.startswith(("charge.refu", "charge.disp", "payout"))
    ]


class TestFee:
    @pytest.mark.parametrize(
        ("amount", "fee"),
        [(50, 26), (100, 27), (133, 27), (166, 27), (167, 28), (2000, 55), (99_999_999, 1_500_025)],
    )
    def test_is_a_share_and_a_fixed_part_a_half_rounded_up(self, amount, fee):
        assert balance.fee_of(amount) == fee


class TestRefund:
    def test_gives_back_a_part_and_then_the_rest(self, processor, payment, call):
        paid = payment()
        first = call("POST", "/v1/refunds", payment_intent=paid, amount="500", reason="duplicate")
        assert (first["amount"], first["status"], first["reason"]) == (500, "succeeded", "duplicate")
        assert call("POST", "/v1/refunds", payment_intent=paid)["amount"] == 1500
        assert call("POST", "/v1/refunds", payment_intent=paid)["error"]["code"] == "charge_already_refunded"
        assert kinds(processor) == ["charge.refunded"] * 2
        shown = call("GET", f"/v1/charges/{first['charge']}")
        assert (shown["amount_refunded"], shown["refunded"]) == (2000, True)

    @pytest.mark.parametrize("amount", [0, -1, 2001])
    def test_gives_back_no_more_than_came(self, processor, payment, amount):
        with pytest.raises(StripeRefusal):
            balance.refund(processor, payment(), amount)
        assert processor.refunds == {}

    def test_is_not_of_what_was_never_charged(self, processor, cards, order):
        with pytest.raises(StripeRefusal):
            balance.refund(processor, "pi_none")


class TestDispute:
    def test_comes_by_itself_after_a_disputed_card(self, processor, payment, clock):
        payment(number=DISPUTED)
        clock.advance(timedelta(minutes=2))
        processor.catch_up()
        assert kinds(processor) == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]

    @pytest.mark.parametrize("won", [True, False])
    def test_takes_the_amount_and_a_fee_and_gives_them_back_where_it_is_won(
        self, processor, payment, clock, won
    ):
        paid = payment()
        clock.advance(timedelta(days=2))
        before = balance.available(processor)
        dispute = balance.dispute(processor, paid)
        assert balance.available(processor) == before - 2000 - 1500
        balance.resolve_dispute(processor, dispute.id, won=won)
        assert balance.available(processor) == (before if won else before - 3500)
        assert "charge.dispute.closed" in kinds(processor)
        assert ("charge.dispute.funds_reinstated" in kinds(processor)) == won
        with pytest.raises(StripeRefusal):
            balance.resolve_dispute(processor, dispute.id, won=True)
        with pytest.raises(StripeRefusal):
            balance.refund(processor, paid)


class TestPayout:
    def test_pays_out_all_that_is_available_once(self, processor, payment, clock, call):
        payment("T-1", 2000)
        balance.refund(processor, payment("T-2", 5000), 1000)
        assert balance.available(processor) == -1000
        listed = call("GET", "/v1/balance_transactions?type=charge")["data"]
        assert {each["status"] for each in listed} == {"pending"}
        with pytest.raises(StripeRefusal):
            balance.payout(processor)
        clock.advance(timedelta(days=2))
        out = balance.payout(processor)
        assert out.amount == (2000 - 55) + (5000 - 100) - 1000
        assert balance.available(processor) == 0
        assert kinds(processor)[-1] == "payout.paid"
        listed = call("GET", f"/v1/balance_transactions?payout={out.id}&limit=100")["data"]
        assert [each["type"] for each in listed] == ["payout", "refund", "charge", "charge"]
        assert sum(each["net"] for each in listed) == 0
        assert {each["status"] for each in listed} == {"available"}
        assert call("GET", "/v1/payouts")["data"][0] == call("GET", f"/v1/payouts/{out.id}")

    def test_leaves_what_is_not_available_yet_for_the_next(self, processor, payment, clock, cards, order):
        payment("T-1")
        clock.advance(timedelta(days=2))
        made = cards.create(order("T-2", expires_at=clock() + timedelta(hours=1)))
        pay(processor, made.id, card_of(SUCCEEDS))
        assert balance.payout(processor).amount == 1945
        clock.advance(timedelta(days=2))
        assert balance.payout(processor).amount == 1945
