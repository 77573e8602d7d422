"""What goes wrong between the bot and the processor, sorted by what is to be done about it; and nothing secret in any of it."""

import json
import logging
import socket
import traceback
from datetime import timedelta

import pytest

from bot.card_sandbox.calls import send_to
from bot.card_sandbox.core import CardProcessor, LiveKey
from bot.card_sandbox.faults import ApiFault
from bot.errors import Misconfigured, TryLater
from bot.funding.processor import CheckoutState, NotFromProcessor, OrderRefused, UnknownCheckout
from bot.funding.stripe_cards import StripeCards
from bot.sandbox.faults import FaultKind

SESSION = {
    "id": "cs_test_1",
    "object": "checkout.session",
    "livemode": False,
    "amount_total": 2000,
    "currency": "eur",
    "status": "open",
    "payment_status": "unpaid",
    "url": "https://checkout.stripe.com/c/pay/cs_test_1",
    "payment_intent": None,
    "client_reference_id": "T-7K3F9Q",
}


@pytest.fixture
def struck(processor, cards, checkout):
    """What `fetch` raises when this fault strikes."""

    def raised(kind: FaultKind, **how) -> Exception:
        processor.faults.plan(ApiFault(kind, "GET", **how))
        with pytest.raises((TryLater, Misconfigured)) as caught:
            cards.fetch(checkout.id)
        assert cards.fetch(checkout.id) == checkout  # and after it all is well
        return caught.value

    return raised


@pytest.fixture
def told(processor, cards):
    """What `fetch` makes of a session that is shown like this."""

    def fetch(**other):
        shown = {name: value for name, value in (SESSION | other).items() if value != "absent"}
        processor.faults.plan(ApiFault(FaultKind.NONSENSE, "GET", body=json.dumps(shown)))
        return cards.fetch("cs_test_1")

    return fetch


class TestTryLater:
    @pytest.mark.parametrize("status", [409, 500, 502, 503, 504, 429])
    def test_where_the_processor_is_in_trouble_or_busy(self, struck, status):
        assert isinstance(struck(FaultKind.REFUSE, status=status), TryLater)

    def test_where_another_request_holds_the_lock(self, struck):
        assert isinstance(struck(FaultKind.REFUSE, status=409, code="lock_timeout"), TryLater)

    @pytest.mark.parametrize("status", [429, 503])
    def test_says_when_where_the_processor_says_it(self, struck, clock, status):
        failure = struck(FaultKind.REFUSE, status=status, retry_after_seconds=30)
        assert isinstance(failure, TryLater)
        assert failure.at == clock() + timedelta(seconds=30)

    @pytest.mark.parametrize("kind", [FaultKind.CUT, FaultKind.LOSE])
    def test_where_the_connection_breaks(self, struck, kind):
        assert isinstance(struck(kind), TryLater)

    def test_where_nobody_is_there(self, cards_with):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        with pytest.raises(TryLater):
            cards_with(base_url=f"http://127.0.0.1:{port}").fetch("cs_test_1")

    def test_where_the_answer_takes_too_long(self, processor, cards_with, checkout):
        processor.faults.plan(ApiFault(FaultKind.DELAY, "GET", seconds=0.5))
        with pytest.raises(TryLater):
            cards_with(timeout_seconds=0.1).fetch(checkout.id)

    @pytest.mark.parametrize("status", [200, 400, 404, 500])
    @pytest.mark.parametrize(
        "body",
        [
            "",
            "<html>Over capacity</html>",
            "null",
            "[]",
            '"text"',
            "7",
            "{}",
            '{"error": null}',
            '{"error": []}',
            '{"error": {}}' * 2,
            '{"error": "oauth"}',
            '{"object": "list", "data": []}',
            '{"object": "checkout.session"}',
            "[" * 50_000,
            "9" * 50_000,
        ],
        ids=range(15),
    )
    def test_where_the_answer_is_nonsense(self, struck, status, body):
        assert isinstance(struck(FaultKind.NONSENSE, body=body, nonsense_status=status), TryLater)

    @pytest.mark.parametrize("status", [301, 302, 307])
    def test_where_it_is_led_elsewhere(self, struck, status):
        assert isinstance(struck(FaultKind.NONSENSE, nonsense_status=status), TryLater)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"id": "cs_test_other"},
            {"id": None},
            {"object": "event"},
            {"livemode": True},
            {"amount_total": "2000"},
            {"amount_total": 20.0},
            {"amount_total": 10**30},
            {"amount_total": True},
            {"currency": "points"},
            {"currency": None},
            {"currency": "isk"},
            {"status": "sleeping"},
            {"payment_status": "no_payment_required"},
            {"status": None, "payment_status": None},
            {"url": None},
            {"url": "javascript:alert(1)"},
            {"status": "complete", "payment_intent": {"object": "charge"}},
            {"status": "complete", "payment_intent": [7]},
            {
                "payment_status": "paid",
                "payment_intent": {"object": "payment_intent", "latest_charge": {"object": "x"}},
            },
        ],
        ids=str,
    )
    def test_where_the_answer_makes_no_sense(self, told, wrong):
        assert told().state is CheckoutState.OPEN
        with pytest.raises(TryLater):
            told(**wrong)


class TestState:
    @pytest.mark.parametrize(
        ("status", "state"),
        [
            ("processing", CheckoutState.PENDING),
            ("requires_action", CheckoutState.PENDING),
            ("succeeded", CheckoutState.PENDING),
            ("canceled", CheckoutState.FAILED),
            ("requires_payment_method", CheckoutState.FAILED),
        ],
    )
    def test_of_a_complete_and_unpaid_page_is_its_payments(self, told, status, state):
        payment = {"id": "pi_1", "object": "payment_intent", "status": status}
        assert told(status="complete", payment_intent=payment).state is state

    @pytest.mark.parametrize("payment", [None, "pi_1", "absent"])
    def test_of_a_complete_and_unpaid_page_without_a_payment_is_pending(self, told, payment):
        assert told(status="complete", payment_intent=payment).state is CheckoutState.PENDING

    @pytest.mark.parametrize("status", ["open", "complete", "expired"])
    def test_is_paid_wherever_money_came(self, told, status):
        found = told(status=status, payment_status="paid", payment_intent="pi_1")
        assert (found.state, found.payment_id, found.fee) == (CheckoutState.PAID, "pi_1", None)


class TestMisconfigured:
    @pytest.mark.parametrize("status", [401, 403])
    def test_where_the_key_is_not_taken(self, struck, status):
        failure = struck(FaultKind.REFUSE, status=status)
        assert isinstance(failure, Misconfigured)
        assert failure.setting == "SMONEY_CARDS_API_KEY"

    def test_where_the_key_is_another_ones(self, cards_with, order):
        with pytest.raises(Misconfigured, match="SMONEY_CARDS_API_KEY"):
            cards_with(api_key="sk_test_another").create(order())

    @pytest.mark.parametrize("prefix", ["sk_live_", "rk_live_"])
    def test_where_a_live_key_meets_the_sandbox(self, cards_with, order, prefix):
        with pytest.raises(Misconfigured):
            cards_with(api_key=prefix + "secret").create(order())

    def test_where_the_key_is_of_the_other_mode(self, cards):
        with pytest.raises(Misconfigured, match="test key"):
            cards.fetch("cs_live_1")

    @pytest.mark.parametrize("key", ["", "pk_test_1", "whsec_1", "sk_test_", "sk_test_a b", "sk_test_a\n"])
    def test_where_the_key_can_be_none(self, cards_with, key):
        with pytest.raises(Misconfigured) as failure:
            cards_with(api_key=key)
        assert not key or key.strip() not in str(failure.value).replace("sk_test_ followed", "")


class TestLiveKey:
    @pytest.mark.parametrize("prefix", ["sk_live_", "rk_live_"])
    def test_is_told_from_a_test_key(self, cards_with, prefix):
        assert not cards_with(api_key=prefix + "1").is_test
        assert cards_with(api_key=prefix.replace("live", "test") + "1").is_test

    def test_is_refused_by_the_sandbox(self, clock):
        with pytest.raises(LiveKey) as refused:
            CardProcessor(clock, bytes, api_key="sk_live_secret")
        assert "secret" not in str(refused.value)


class TestSecrets:
    """No key, secret, signed body or header stands where it could be logged."""

    def shown(self, failure: BaseException) -> str:
        """All of a failure and of what it came from, as deep as a report could dig."""
        said: list[str] = []
        each: BaseException | None = failure
        while each is not None:
            said += [
                repr(each),
                str(each),
                repr(each.args),
                repr(vars(each)),
                *traceback.format_exception(each),
            ]
            each = each.__cause__ or each.__context__
        return "\n".join(said)

    def test_are_in_no_repr(self, cards, processor, receiver):
        endpoint = processor.post.add_endpoint(receiver.url, secret="whsec_own")
        for shown in (repr(cards), repr(processor), repr(endpoint)):
            assert "sk_test" not in shown
            assert "whsec" not in shown

    @pytest.mark.parametrize(
        "how",
        [
            {"kind": FaultKind.REFUSE, "status": 401, "message": "Invalid API Key provided: {key}"},
            {"kind": FaultKind.REFUSE, "status": 400, "message": "What is {key}?"},
            {"kind": FaultKind.REFUSE, "status": 500, "message": "{key}"},
            {"kind": FaultKind.NONSENSE, "body": "{key}"},
            {"kind": FaultKind.CUT},
        ],
        ids=range(5),
    )
    def test_are_in_no_failure_and_no_log(self, processor, cards, order, how, caplog):
        caplog.set_level(logging.DEBUG)
        processor.faults.plan(
            ApiFault(
                **{
                    name: value.format(key=processor.api_key) if name in ("message", "body") else value
                    for name, value in how.items()
                }
            )
        )
        with pytest.raises((TryLater, Misconfigured, OrderRefused)) as caught:
            cards.create(order())
        assert processor.api_key not in self.shown(caught.value)
        assert processor.api_key not in caplog.text

    def test_are_in_no_refusal_of_a_webhook(self, cards, processor):
        with pytest.raises(NotFromProcessor) as caught:
            cards.hint_of(b'{"card": "of somebody"}', "t=1,v1=00")
        assert processor.webhook_secret not in self.shown(caught.value)
        assert "somebody" not in repr(caught.value)
        assert caught.value.__context__ is None


class TestUnknown:
    def test_only_where_the_processor_says_that_it_knows_nothing_of_it(self, cards, processor):
        with pytest.raises(UnknownCheckout):
            cards.fetch("cs_test_none")
        processor.faults.plan(ApiFault(FaultKind.REFUSE, status=404))
        with pytest.raises(TryLater):
            cards.fetch("cs_test_none")


class TestTelemetry:
    def test_tells_nothing_of_this_machine(self, processor, clock, order, tmp_path, monkeypatch):
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
        seen = []
        send = send_to(processor)

        def watched(method, url, headers, body):
            seen.append(dict(headers))
            return send(method, url, headers, body)

        cards = StripeCards(api_key=processor.api_key, webhook_secret="", clock=clock, send=watched)
        cards.fetch(cards.create(order()).id)
        assert set(seen[1]) == {"User-Agent", "Authorization", "Stripe-Version"}
        assert list(tmp_path.iterdir()) == []
