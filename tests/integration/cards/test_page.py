"""The hosted page, as a browser without scripts meets it."""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import requests

from bot.card_sandbox import cards as numbers
from bot.funding.processor import CheckoutState

BACK = "http://127.0.0.1:9/me/top-ups?done=1"
PAID, OPEN, PENDING, FAILED = (
    CheckoutState.PAID,
    CheckoutState.OPEN,
    CheckoutState.PENDING,
    CheckoutState.FAILED,
)


def charged(processor) -> int:
    return sum(charge.status == "succeeded" for charge in processor.charges.values())


class TestPage:
    def test_says_what_is_paid_to_whom_and_that_it_is_test_money(self, visitor, checkout):
        page = visitor.open(checkout.url)
        text = visitor.text_of(page)
        assert page.status_code == 200
        for said in ("TEST MONEY", "€20.00", "Pay smoney", "T-7K3F9Q", "Top-up of your smoney account"):
            assert said in text

    def test_has_no_script_and_lets_none_in(self, visitor, checkout):
        page = visitor.open(checkout.url)
        assert "<script" not in page.text
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert "form-action 'self' http://127.0.0.1:9;" in policy

    def test_turns_back_by_a_link(self, visitor, checkout):
        assert f'href="{BACK}"' in visitor.open(checkout.url).text

    def test_has_its_style(self, visitor, served):
        answer = visitor.open(f"{served.address}/static/card.css")
        assert answer.headers["content-type"].startswith("text/css")
        assert "prefers-color-scheme" in answer.text

    def test_escapes_all_it_is_given(self, visitor, cards_with, order, served):
        hostile = '"><img src=x onerror=alert(1)>'
        made = cards_with(product=hostile).create(order(reference=hostile))
        assert "<img" not in visitor.open(made.url).text
        shown = visitor.fill(made.url, number=hostile, name=hostile, expiry=hostile, cvc=hostile)
        assert "<img" not in shown.text

    @pytest.mark.parametrize("path", ["/", "/c/pay/cs_test_none", "/c/pay/%2e%2e", "/c/pay/x/approval"])
    def test_knows_nothing_elsewhere(self, visitor, served, path):
        answer = visitor.open(served.address + path)
        assert answer.status_code == 404
        assert "no such page" in answer.text

    def test_is_not_reached_by_a_foreign_name(self, served, checkout):
        answer = requests.get(checkout.url, headers={"host": "evil.example"}, timeout=5)
        assert answer.status_code == 421


class TestCard:
    def test_that_succeeds_is_charged_and_leads_back(self, visitor, checkout, cards, processor):
        answer = visitor.fill(checkout.url)
        assert (answer.status_code, answer.headers["location"]) == (303, BACK)
        assert cards.fetch(checkout.id).state is PAID
        assert charged(processor) == 1

    @pytest.mark.parametrize(
        ("number", "said"),
        [(numbers.DECLINED, "was declined"), (numbers.INSUFFICIENT_FUNDS, "not enough money")],
    )
    def test_that_is_declined_leaves_the_page_open_for_another(
        self, visitor, checkout, cards, processor, number, said
    ):
        answer = visitor.fill(checkout.url, number=number)
        assert answer.status_code == 402
        assert said in visitor.text_of(answer)
        assert cards.fetch(checkout.id) == checkout
        assert charged(processor) == 0
        assert (
            visitor.send(checkout.url, visitor.token_on(answer), number=numbers.SUCCEEDS).status_code == 303
        )
        assert cards.fetch(checkout.id).state is PAID
        assert charged(processor) == 1

    def test_that_asks_for_approval_is_charged_once_it_is_given(self, visitor, checkout, cards, processor):
        answer = visitor.fill(checkout.url, number=numbers.ASKS_APPROVAL)
        assert answer.headers["location"] == f"/c/pay/{checkout.id}/approval"
        assert cards.fetch(checkout.id).state is OPEN
        assert "ends in 3155" in visitor.text_of(visitor.open(checkout.url + "/approval"))
        assert visitor.open(checkout.url).headers["location"] == f"/c/pay/{checkout.id}/approval"
        assert visitor.decide(checkout.url, "approve").headers["location"] == BACK
        assert cards.fetch(checkout.id).state is PAID
        assert charged(processor) == 1

    def test_that_asks_for_approval_is_not_charged_where_it_is_refused(
        self, visitor, checkout, cards, processor
    ):
        visitor.fill(checkout.url, number=numbers.ASKS_APPROVAL)
        assert visitor.decide(checkout.url, "refuse").headers["location"] == f"/c/pay/{checkout.id}"
        assert "was not approved" in visitor.text_of(visitor.open(checkout.url))
        assert cards.fetch(checkout.id) == checkout
        assert charged(processor) == 0

    def test_that_succeeds_late_is_pending_until_then(self, visitor, checkout, cards, clock):
        assert visitor.fill(checkout.url, number=numbers.SUCCEEDS_LATE).headers["location"] == BACK
        found = cards.fetch(checkout.id)
        assert (found.state, found.fee) == (PENDING, None)
        assert "on its way" in visitor.text_of(visitor.open(checkout.url))
        clock.advance(timedelta(minutes=2))
        assert cards.fetch(checkout.id).state is PAID
        assert cards.fetch(checkout.id).fee is not None

    def test_that_fails_late_has_failed_then(self, visitor, checkout, cards, clock, processor):
        visitor.fill(checkout.url, number=numbers.FAILS_LATE)
        assert cards.fetch(checkout.id).state is PENDING
        clock.advance(timedelta(minutes=2))
        assert cards.fetch(checkout.id).state is FAILED
        assert charged(processor) == 0
        assert "did not come through" in visitor.text_of(visitor.open(checkout.url))

    def test_pending_when_its_page_would_expire_still_comes_through(self, visitor, checkout, cards, clock):
        clock.advance(timedelta(minutes=59))
        visitor.fill(checkout.url, number=numbers.SUCCEEDS_LATE)
        clock.advance(timedelta(minutes=5))
        assert cards.fetch(checkout.id).state is PAID


class TestTyping:
    @pytest.mark.parametrize(
        ("field", "typed", "said"),
        [
            ("number", "4242 4242 4242 4241", "no card number"),
            ("number", "4111 1111 1111 1111", "Only test cards"),
            ("number", "", "The number on the card"),
            ("number", "٤٢٤٢" * 4, "no card number"),
            ("expiry", "10/26", "has expired"),
            ("expiry", "13/31", "Month and year"),
            ("expiry", "soon", "Month and year"),
            ("cvc", "12", "3 or 4 digits"),
            ("cvc", "12345", "3 or 4 digits"),
            ("name", "  ", "The name on the card"),
        ],
    )
    def test_a_mistake_is_told_beside_its_field(self, visitor, checkout, cards, field, typed, said):
        answer = visitor.fill(checkout.url, **{field: typed})
        assert answer.status_code == 422
        beside = answer.text.partition(f'id="{field}-wrong"')[2].partition("</p>")[0]
        assert said in beside
        assert answer.text.count('aria-invalid="true"') == 1
        assert cards.fetch(checkout.id) == checkout

    def test_this_month_is_still_good(self, visitor, checkout):
        assert visitor.fill(checkout.url, expiry="11/26").status_code == 303

    def test_nothing_typed_is_lost_but_the_number_and_the_cvc(self, visitor, checkout):
        for number in ("4242 4242 4242 4241", numbers.DECLINED):
            answer = visitor.fill(checkout.url, number=number, cvc="987", name="Zoë", expiry="07/33")
            assert 'value="Zoë"' in answer.text
            assert 'value="07/33"' in answer.text
            assert "987" not in answer.text
            assert number[-9:] not in answer.text.partition("<summary>Test cards")[0]

    def test_number_and_cvc_are_kept_nowhere(self, visitor, checkout, processor, caplog):
        caplog.set_level(logging.DEBUG)
        visitor.fill(checkout.url, cvc="8317")
        kept = (
            repr([vars(processor), processor.events, processor.charges, vars(processor.post)]) + caplog.text
        )
        assert "4242424242424242" not in kept.replace(" ", "")
        assert "8317" not in kept
        assert "last4='4242'" in kept


class TestChargedOnce:
    def test_by_a_button_pressed_twice(self, visitor, checkout, processor):
        token = visitor.token_on(visitor.open(checkout.url))

        def press(_):
            return visitor.send(checkout.url, token, number=numbers.SUCCEEDS).headers["location"]

        with ThreadPoolExecutor(4) as several:
            assert set(several.map(press, range(8))) == {BACK}
        assert charged(processor) == 1

    def test_by_two_tabs(self, visitor, checkout, processor, cards):
        first, second = (visitor.token_on(visitor.open(checkout.url)) for _ in range(2))
        visitor.send(checkout.url, first, number=numbers.SUCCEEDS)
        paid = cards.fetch(checkout.id)
        assert visitor.send(checkout.url, second, number=numbers.DECLINED).headers["location"] == BACK
        assert cards.fetch(checkout.id) == paid
        assert charged(processor) == 1

    def test_by_the_way_back(self, visitor, checkout, processor):
        visitor.fill(checkout.url)
        text = visitor.text_of(visitor.open(checkout.url))
        assert "This is paid" in text
        assert "CVC" not in text
        assert charged(processor) == 1

    def test_and_a_mistake_typed_afterwards_shows_no_form_again(self, visitor, checkout):
        token = visitor.token_on(visitor.open(checkout.url))
        visitor.send(checkout.url, token, number=numbers.SUCCEEDS)
        answer = visitor.send(checkout.url, token, number="4242")
        assert (answer.status_code, answer.headers["location"]) == (303, BACK)

    def test_by_an_approval_given_twice_or_beside_another_card(self, visitor, checkout, processor):
        visitor.fill(checkout.url, number=numbers.ASKS_APPROVAL)
        token = processor.form_token(checkout.id, "approval")
        for decision in ("approve", "approve", "refuse"):
            visitor.send(checkout.url + "/approval", token, decision=decision)
        visitor.send(checkout.url, processor.form_token(checkout.id, "pay"), number=numbers.SUCCEEDS)
        assert charged(processor) == 1

    def test_not_at_all_once_it_has_expired(self, visitor, checkout, processor, clock, cards):
        token = visitor.token_on(visitor.open(checkout.url))
        clock.advance(timedelta(hours=2))
        answer = visitor.send(checkout.url, token, number=numbers.SUCCEEDS)
        assert "has expired" in visitor.text_of(visitor.open(checkout.url))
        assert answer.headers["location"] == f"/c/pay/{checkout.id}"
        assert charged(processor) == 0
        assert cards.fetch(checkout.id).state is FAILED

    def test_not_at_all_where_the_approval_comes_too_late(self, visitor, checkout, processor, clock, cards):
        visitor.fill(checkout.url, number=numbers.ASKS_APPROVAL)
        clock.advance(timedelta(hours=2))
        visitor.send(
            checkout.url + "/approval", processor.form_token(checkout.id, "approval"), decision="approve"
        )
        assert charged(processor) == 0
        assert cards.fetch(checkout.id).state is FAILED


class TestForeignForm:
    @pytest.mark.parametrize("token", ["", "0" * 64, "é"])
    def test_without_the_pages_token_charges_nothing(self, visitor, checkout, processor, token):
        answer = visitor.send(checkout.url, token, number=numbers.SUCCEEDS)
        assert answer.status_code == 403
        assert "not sent from this page" in visitor.text_of(answer)
        assert charged(processor) == 0

    def test_with_the_token_of_another_page_charges_nothing(self, visitor, checkout, processor, cards, order):
        other = cards.create(order("T-OTHER"))
        answer = visitor.send(
            checkout.url, visitor.token_on(visitor.open(other.url)), number=numbers.SUCCEEDS
        )
        assert (answer.status_code, charged(processor)) == (403, 0)

    def test_sent_from_another_site_charges_nothing(self, visitor, checkout, processor):
        token = visitor.token_on(visitor.open(checkout.url))
        answer = visitor.send(checkout.url, token, site="cross-site", number=numbers.SUCCEEDS)
        assert (answer.status_code, charged(processor)) == (403, 0)

    def test_too_long_or_of_another_kind_charges_nothing(self, visitor, checkout, processor):
        token = visitor.token_on(visitor.open(checkout.url))
        answer = visitor.send(checkout.url, token, number=numbers.SUCCEEDS, name="n" * 20_000)
        assert (answer.status_code, charged(processor)) == (403, 0)
