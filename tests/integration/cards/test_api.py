"""The sandbox's API by itself: what it takes, what it refuses, and in which words."""

import base64
import threading
from datetime import timedelta

import pytest
import requests

from bot.card_sandbox import balance
from bot.card_sandbox.cards import SUCCEEDS, card_of
from bot.card_sandbox.faults import ApiFault
from bot.card_sandbox.http import serve
from bot.card_sandbox.paying import pay
from bot.sandbox.faults import FaultKind

GOOD = {
    "mode": "payment",
    "line_items[0][quantity]": "1",
    "line_items[0][price_data][currency]": "eur",
    "line_items[0][price_data][unit_amount]": "2000",
    "line_items[0][price_data][product_data][name]": "Top-up",
    "success_url": "https://smoney.example/done?id={CHECKOUT_SESSION_ID}",
}
SESSIONS = "/v1/checkout/sessions"


@pytest.fixture
def call(served, processor):
    def send(method: str, path: str, data=None, *, key: str = "", **headers: str) -> requests.Response:
        given = {"authorization": f"Bearer {processor.api_key}"} | headers
        if key:
            given["idempotency-key"] = key
        return requests.request(method, served.address + path, data=data, headers=given, timeout=10)

    return send


@pytest.fixture
def paid(processor, checkout):
    pay(processor, checkout.id, card_of(SUCCEEDS))
    return processor.session(checkout.id).payment_id


def error(answer: requests.Response, status: int) -> dict:
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error"}
    found: dict = answer.json()["error"]
    return found


class TestKey:
    @pytest.mark.parametrize(
        "authorization", ["", "Bearer", "Bearer ", "Digest x", "Basic %%%", "Basic //79"]
    )
    def test_is_asked_for(self, call, authorization):
        assert (
            error(call("GET", "/v1/events", authorization=authorization), 401)["type"]
            == "invalid_request_error"
        )

    @pytest.mark.parametrize("key", ["sk_test_wrong", "é", "pk_test_1"])
    def test_must_be_the_own_one(self, call, key):
        answer = error(call("GET", "/v1/events", authorization=f"Bearer {key}".encode()), 401)
        assert key not in str(answer)

    @pytest.mark.parametrize("key", ["sk_live_1", "rk_live_1"])
    def test_of_the_live_mode_is_refused_with_a_clear_word(self, call, key):
        answer = error(call("GET", "/v1/events", authorization=f"Bearer {key}"), 401)
        assert "takes no live key" in answer["message"]

    def test_may_come_as_basic(self, call, processor):
        basic = base64.b64encode(f"{processor.api_key}:".encode()).decode()
        assert call("GET", "/v1/events", authorization=f"Basic {basic}").status_code == 200


class TestCreatingASession:
    def test_takes_what_is_right(self, call, served):
        made = call("POST", SESSIONS, GOOD).json()
        assert made["object"] == "checkout.session"
        assert made["id"].startswith("cs_test_")
        assert made["url"] == f"{served.address}/c/pay/{made['id']}"
        assert (made["livemode"], made["status"], made["payment_status"]) == (False, "open", "unpaid")
        assert made["expires_at"] - made["created"] == 24 * 3600

    @pytest.mark.parametrize(
        ("wrong", "parameter", "code"),
        [
            ({"colour": "blue"}, "colour", "parameter_unknown"),
            ({"line_items[0][size]": "1"}, "line_items[0][size]", "parameter_unknown"),
            (
                {"payment_intent_data[capture_method]": "manual"},
                "payment_intent_data[capture_method]",
                "parameter_unknown",
            ),
            ({"mode": None}, "mode", "parameter_missing"),
            ({"success_url": None}, "success_url", "parameter_missing"),
            ({"line_items[0][quantity]": None}, "line_items[0][quantity]", "parameter_missing"),
            ({"mode": "subscription"}, "mode", ""),
            ({"locale": "tlh"}, "locale", ""),
            ({"success_url": "smoney.example"}, "success_url", "url_invalid"),
            ({"cancel_url": "ftp://smoney.example"}, "cancel_url", "url_invalid"),
            ({"cancel_url": 'https://a.example">'}, "cancel_url", "url_invalid"),
            ({"cancel_url": "https://a@b.example"}, "cancel_url", "url_invalid"),
            ({"cancel_url": "https://a.example:99999"}, "cancel_url", "url_invalid"),
            ({"expires_at": "soon"}, "expires_at", "parameter_invalid_integer"),
            ({"expires_at": "1"}, "expires_at", ""),
            ({"expires_at": "9" * 18}, "expires_at", ""),
            ({"metadata[a]": "x" * 501}, "metadata[a]", ""),
            ({"metadata": "x"}, "metadata", ""),
            ({"mode[a]": "payment"}, "mode[a]", ""),
            ({"payment_method_types[0]": "sepa_debit"}, "payment_method_types", ""),
            ({"line_items[2][quantity]": "1"}, "line_items", ""),
            ({"a[b": "1"}, "a[b", ""),
            ({"a" + "[b]" * 20: "1"}, "a" + "[b]" * 20, ""),
        ],
        ids=lambda value: str(value)[:50],
    )
    def test_refuses_what_is_not(self, call, processor, wrong, parameter, code):
        given = {name: value for name, value in (GOOD | wrong).items() if value is not None}
        found = error(call("POST", SESSIONS, given), 400)
        assert (found["type"], found["param"][:100], found.get("code", "")) == (
            "invalid_request_error",
            parameter[:100],
            code,
        )
        assert not processor.sessions

    @pytest.mark.parametrize("amount", ["49", "-2000", "20.00", "1e4", "100000000", "", "٢٠٠٠", "9" * 400])
    def test_refuses_an_amount_that_is_none(self, call, amount):
        name = "line_items[0][price_data][unit_amount]"
        assert error(call("POST", SESSIONS, GOOD | {name: amount}), 400)["param"] == name

    def test_takes_a_window_of_half_an_hour_to_a_day_to_the_second(self, call, clock):
        now = int(clock().timestamp())
        for seconds, status in ((1799, 400), (1800, 200), (86_400, 200), (86_401, 400)):
            assert call("POST", SESSIONS, GOOD | {"expires_at": str(now + seconds)}).status_code == status

    def test_refuses_another_form_of_body(self, call):
        error(call("POST", SESSIONS, b"{}", **{"content-type": "application/json"}), 400)
        error(
            call("POST", SESSIONS, b"mode=%ff", **{"content-type": "application/x-www-form-urlencoded"}), 400
        )
        error(call("POST", SESSIONS, {"a": "x" * 70_000}), 400)

    def test_tells_where_there_is_nothing(self, call):
        for method, path in (
            ("GET", "/v1/tokens"),
            ("DELETE", SESSIONS),
            ("GET", SESSIONS),
            ("POST", "/v1/events"),
        ):
            assert "Unrecognized request URL" in error(call(method, path), 404)["message"]


class TestIdempotencyKey:
    def test_gives_the_stored_answer_again(self, call, processor):
        first, second = (call("POST", SESSIONS, GOOD, key="k") for _ in range(2))
        assert first.json() == second.json()
        assert "idempotent-replayed" not in first.headers
        assert second.headers["idempotent-replayed"] == "true"
        assert len(processor.sessions) == 1

    def test_is_for_one_request_only(self, call):
        call("POST", SESSIONS, GOOD, key="k")
        for path, data in ((SESSIONS, GOOD | {"mode": "setup"}), ("/v1/refunds", GOOD)):
            assert error(call("POST", path, data, key="k"), 400)["type"] == "idempotency_error"

    def test_stays_free_where_the_parameters_were_refused(self, call):
        error(call("POST", SESSIONS, GOOD | {"mode": "setup"}, key="k"), 400)
        assert call("POST", SESSIONS, GOOD, key="k").status_code == 200

    def test_keeps_a_refusal_that_came_of_carrying_it_out(self, call, paid, processor):
        too_much = {"payment_intent": paid, "amount": "2001"}
        first, second = (call("POST", "/v1/refunds", too_much, key="k") for _ in range(2))
        assert error(first, 400) == error(second, 400)
        assert second.headers["idempotent-replayed"] == "true"

    def test_is_forgotten_after_a_day(self, call, clock, processor):
        call("POST", SESSIONS, GOOD, key="k")
        clock.advance(timedelta(hours=24))
        assert "idempotent-replayed" not in call("POST", SESSIONS, GOOD, key="k").headers
        assert len(processor.sessions) == 2

    def test_is_in_use_while_the_first_is_under_way(self, call, processor):
        processor.faults.plan(ApiFault(FaultKind.DELAY, "POST", seconds=0.5))
        answers = []
        first = threading.Thread(target=lambda: answers.append(call("POST", SESSIONS, GOOD, key="k")))
        first.start()
        while not processor.sessions:
            pass
        assert error(call("POST", SESSIONS, GOOD, key="k"), 409)["code"] == "idempotency_key_in_use"
        first.join()
        assert call("POST", SESSIONS, GOOD, key="k").json() == answers[0].json()

    def test_is_not_too_long(self, call):
        error(call("POST", SESSIONS, GOOD, key="k" * 256), 400)


class TestLooking:
    def test_expands_what_is_asked(self, call, checkout, paid):
        path = f"{SESSIONS}/{checkout.id}"
        assert call("GET", path).json()["payment_intent"] == paid
        asked = f"{path}?expand[]=payment_intent.latest_charge.balance_transaction"
        movement = call("GET", asked).json()["payment_intent"]["latest_charge"]["balance_transaction"]
        assert (movement["amount"], movement["fee"], movement["net"]) == (2000, 55, 1945)

    @pytest.mark.parametrize("path", ["payment_intent.colour", "colour", "", "a.b.c.d.e"])
    def test_refuses_to_expand_what_is_no_object(self, call, checkout, paid, path):
        asked = f"{SESSIONS}/{checkout.id}?expand[]={path}"
        assert error(call("GET", asked), 400)["param"].startswith("expand")

    def test_shows_a_payment_and_its_charge_without_the_number(self, call, paid):
        charge = call("GET", f"/v1/payment_intents/{paid}?expand[0]=latest_charge").json()["latest_charge"]
        assert charge["payment_method_details"]["card"] == {"brand": "visa", "last4": "4242"}
        assert call("GET", f"/v1/charges/{charge['id']}").json()["paid"] is True

    @pytest.mark.parametrize(
        "kind", ["payment_intents", "charges", "refunds", "payouts", "checkout/sessions"]
    )
    def test_knows_nothing_of_an_unknown_id(self, call, kind):
        assert error(call("GET", f"/v1/{kind}/x_1"), 404)["code"] == "resource_missing"

    def test_refuses_an_unknown_parameter(self, call):
        assert error(call("GET", "/v1/events?colour=blue"), 400)["code"] == "parameter_unknown"


class TestEvents:
    def listed(self, call, query: str = "") -> list[str]:
        return [event["type"] for event in call("GET", f"/v1/events{query}").json()["data"]]

    def test_are_listed_newest_first_page_by_page(self, call, paid, processor):
        kinds = [event.kind for event in reversed(processor.events)]
        assert self.listed(call) == kinds
        first = call("GET", "/v1/events?limit=3").json()
        assert (len(first["data"]), first["has_more"]) == (3, True)
        assert self.listed(call, f"?starting_after={first['data'][-1]['id']}") == kinds[3:]

    def test_are_listed_since_a_time(self, call, checkout, paid, clock, processor):
        clock.advance(timedelta(minutes=5))
        balance.refund(processor, paid)
        since = int(clock().timestamp())
        assert self.listed(call, f"?created[gte]={since}") == ["charge.refunded"]
        assert "charge.refunded" not in self.listed(call, f"?created[lt]={since}")
        assert self.listed(call, "?type=checkout.session.completed") == ["checkout.session.completed"]

    @pytest.mark.parametrize("query", ["?limit=0", "?limit=101", "?limit=x", "?created=x", "?created[at]=1"])
    def test_refuse_a_wrong_question(self, call, query):
        error(call("GET", "/v1/events" + query), 400)


class TestServe:
    @pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1"])
    def test_listens_on_this_machine_only(self, processor, host):
        with pytest.raises(ValueError, match="this machine only"), serve(processor, host=host):
            pass

    def test_brings_webhooks_only_to_this_machine(self, processor):
        for url in ("https://smoney.example/hook", "http://192.0.2.1/", "file:///etc", "//"):
            with pytest.raises(ValueError, match="this machine only"):
                processor.post.add_endpoint(url)

    def test_brings_webhooks_by_itself(self, processor, receiver, order, cards_with):
        with serve(processor) as served:
            processor.post.add_endpoint(receiver.url)
            cards = cards_with(base_url=served.address)
            made = cards.create(order())
            pay(processor, made.id, card_of(SUCCEEDS))
            for _ in range(500):
                if len(receiver.received) == 4:
                    break
                threading.Event().wait(0.01)
        assert cards.hint_of(*receiver.received[-1]).checkout_id == made.id
