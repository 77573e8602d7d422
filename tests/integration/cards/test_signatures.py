"""What is pushed is believed only with the processor's signature, and then no more than which checkout to look at."""

import json
from datetime import timedelta
from itertools import count
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.card_sandbox import cards as numbers
from bot.card_sandbox.cards import SUCCEEDS, card_of
from bot.card_sandbox.core import CardProcessor
from bot.card_sandbox.courier import deliver, over_http
from bot.card_sandbox.faults import PostFault, PostFaultKind
from bot.card_sandbox.paying import pay
from bot.card_sandbox.post import signature
from bot.funding.processor import Hint, NotFromProcessor
from bot.funding.stripe_cards import StripeCards
from bot.sandbox.ground import StoppedClock, system_clock

KIND = "checkout.session.completed"


def body_of(**other) -> bytes:
    event = {
        "id": "evt_1",
        "object": "event",
        "type": KIND,
        "data": {"object": {"id": "cs_test_1", "object": "checkout.session"}},
    }
    return json.dumps(event | other).encode()


@pytest.fixture
def signed(processor, clock):
    return lambda body: signature(processor.webhook_secret, body, clock())


class TestHint:
    @pytest.mark.parametrize(
        ("number", "kinds"),
        [
            (numbers.SUCCEEDS, [KIND]),
            (numbers.SUCCEEDS_LATE, [KIND, "checkout.session.async_payment_succeeded"]),
            (numbers.FAILS_LATE, [KIND, "checkout.session.async_payment_failed"]),
            (numbers.DECLINED, ["checkout.session.expired"]),
        ],
    )
    def test_names_the_checkout_for_each_thing_that_happens_to_it(
        self, cards, checkout, processor, clock, receiver, number, kinds
    ):
        processor.post.add_endpoint(receiver.url)
        pay(processor, checkout.id, card_of(number))
        deliver(processor, over_http)
        hints = [cards.hint_of(*each) for each in receiver.received]
        clock.advance(timedelta(hours=2))
        before = len(receiver.received)
        deliver(processor, over_http)
        hints += [cards.hint_of(*each) for each in receiver.received[before:]]
        assert [hint.kind for hint in hints if hint.checkout_id] == kinds
        assert {hint.checkout_id for hint in hints} == {"", checkout.id}
        assert len({hint.event_id for hint in hints}) == len(hints)

    def test_of_something_else_names_no_checkout(self, cards, signed):
        body = body_of(type="charge.refunded", data={"object": {"id": "ch_1", "object": "charge"}})
        assert cards.hint_of(body, signed(body)) == Hint("evt_1", "charge.refunded")

    def test_is_of_the_very_bytes(self, cards, signed):
        spaced = json.dumps(json.loads(body_of()), indent=3).encode()
        assert cards.hint_of(spaced, signed(spaced)).checkout_id == "cs_test_1"
        with pytest.raises(NotFromProcessor):
            cards.hint_of(spaced, signed(body_of()))

    def test_takes_one_right_signature_among_several(self, cards, signed):
        time, right = signed(body_of()).split(",")
        assert cards.hint_of(body_of(), f"{time},v1={'0' * 64},{right},v0=x").checkout_id == "cs_test_1"


class TestNotFromProcessor:
    @pytest.mark.parametrize(
        "forged",
        ["", "t=,v1=", "v1=abc", "t=1", "garbage", "t=é,v1=é", "t=" + "9" * 5000 + ",v1=a", ",,,=,t"],
    )
    def test_without_a_signature(self, cards, forged):
        with pytest.raises(NotFromProcessor):
            cards.hint_of(body_of(), forged)

    def test_with_the_signature_of_another_secret(self, cards, clock):
        with pytest.raises(NotFromProcessor):
            cards.hint_of(body_of(), signature("whsec_another", body_of(), clock()))

    def test_with_another_time_than_was_signed(self, cards, signed, clock):
        time, right = signed(body_of()).split(",")
        later = f"t={int(time[2:]) + 1},{right}"
        with pytest.raises(NotFromProcessor):
            cards.hint_of(body_of(), later)
        with pytest.raises(NotFromProcessor):
            cards.hint_of(body_of(), f"{later},{time}")

    @pytest.mark.parametrize("away", [timedelta(minutes=5, seconds=1), timedelta(minutes=-6)])
    def test_of_another_time_than_ours(self, cards, signed, clock, processor, away):
        header = signature(processor.webhook_secret, body_of(), clock() - away)
        with pytest.raises(NotFromProcessor, match="too old"):
            cards.hint_of(body_of(), header)

    def test_where_no_secret_is_set(self, cards_with, clock):
        for secret in ("", "  ", None):
            with pytest.raises(NotFromProcessor):
                cards_with(webhook_secret=secret).hint_of(
                    body_of(), signature(secret or "", body_of(), clock())
                )

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"\xff\xfe",
            b"not json",
            b"[]",
            b"null",
            b"9" * 10_000,
            b"[" * 100_000,
            b'{"a":' * 100_000,
            body_of(object="checkout.session"),
            body_of(id=5),
            body_of(id=""),
            body_of(type=None),
            body_of(data=None),
            body_of(data={"object": []}),
            body_of(data={"object": {"id": 7}}),
            body_of(data={"object": {"id": "../cs_test_1"}}),
        ],
        ids=range(16),
    )
    def test_signed_and_yet_no_event(self, cards, signed, body):
        try:
            header = signed(body)
            body.decode()
        except UnicodeDecodeError:
            header = signed(b"")
        with pytest.raises(NotFromProcessor) as refused:
            cards.hint_of(body, header)
        assert refused.value.__context__ is None or not str(refused.value.__context__).startswith("{")


NOW = StoppedClock(system_clock())
ALONE = CardProcessor(NOW, Random(2).randbytes)
NEAR = StripeCards(api_key=ALONE.api_key, webhook_secret=ALONE.webhook_secret, clock=NOW)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["id", "object", "type", "data", "x"]), inner, max_size=5)
    ),
    max_leaves=20,
)
EVENTS = st.fixed_dictionaries(
    {"object": st.just("event") | JSON, "id": st.text() | JSON, "type": st.just(KIND) | JSON, "data": JSON}
)


class TestHostile:
    @given(body=st.binary(), header=st.text() | st.from_regex(r"t=\d{1,12},v1=[0-9a-f]{0,64}"))
    def test_bodies_and_headers_are_refused(self, body, header):
        with pytest.raises(NotFromProcessor):
            NEAR.hint_of(body, header)

    @given(event=JSON | EVENTS)
    def test_bodies_even_signed_are_hints_or_refused(self, event):
        body = json.dumps(event).encode()
        try:
            hint = NEAR.hint_of(body, signature(ALONE.webhook_secret, body, NOW()))
        except NotFromProcessor:
            return
        assert isinstance(hint.event_id, str)
        assert hint.event_id
        assert hint.checkout_id == "" or hint.checkout_id.startswith("cs_")


def fault(kind: str, event: str) -> PostFault:
    return PostFault(PostFaultKind(kind), event, seconds=90)


class TestDelivery:
    """The sandbox's own, with what goes wrong on the way."""

    @pytest.fixture
    def paid(self, processor, checkout, receiver):
        """Pays, and delivers what is due; the kinds that came, in order."""
        numbered = count()

        def run(*faults) -> list[str]:
            for fault in faults:
                processor.post.faults.plan(fault)
            if next(numbered) == 0:
                processor.post.add_endpoint(receiver.url)
                pay(processor, checkout.id, card_of(SUCCEEDS))
            deliver(processor, over_http)
            return [json.loads(body)["type"] for body, _ in receiver.received]

        return run

    IN_ORDER = ("payment_intent.created", "charge.succeeded", "payment_intent.succeeded", KIND)

    def test_brings_each_event_once_in_order(self, paid, processor):
        assert paid() == list(self.IN_ORDER)
        assert paid() == list(self.IN_ORDER)
        assert processor.post.letters == []

    def test_is_tried_again_with_growing_pauses_until_it_is_taken(self, paid, clock, receiver, processor):
        receiver.statuses.extend([500, 404, 302, 500, 503])
        assert len(paid()) == 4
        clock.advance(timedelta(seconds=4))
        assert len(paid()) == 4
        clock.advance(timedelta(seconds=1))
        assert len(paid()) == 8
        clock.advance(timedelta(seconds=30))
        assert len(paid()) == 9
        assert processor.post.letters == []

    def test_is_given_up_after_a_day_of_refusals(self, paid, clock, receiver, processor):
        receiver.statuses.extend([500] * 1000)
        paid()
        for _ in range(20):
            clock.advance(timedelta(hours=13))
            paid()
        assert processor.post.letters == []
        assert len(set(processor.post.given_up)) == 4

    def test_repeated_comes_twice(self, paid):
        assert paid(fault("repeat", KIND)).count(KIND) == 2

    def test_dropped_never_comes_and_stands_in_the_list(self, paid, processor):
        assert KIND not in paid(fault("drop", KIND))
        assert processor.events[-1].kind == KIND

    def test_delayed_comes_later(self, paid, clock):
        assert KIND not in paid(fault("delay", KIND))
        clock.advance(timedelta(seconds=90))
        assert paid().count(KIND) == 1

    def test_reordered_comes_after_the_next(self, paid):
        came = paid(fault("reorder", "charge.succeeded"))
        assert came.index("charge.succeeded") == came.index("payment_intent.succeeded") + 1

    def test_forged_is_refused_and_comes_rightly_after(self, paid, cards, receiver, clock):
        receiver.statuses.extend([200, 200, 200, 400])
        paid(fault("forge", KIND))
        with pytest.raises(NotFromProcessor):
            cards.hint_of(*receiver.received[-1])
        clock.advance(timedelta(seconds=5))
        paid()
        assert cards.hint_of(*receiver.received[-1]).kind == KIND
