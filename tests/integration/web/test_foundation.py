"""What holds for every page, and the pages anybody and any machine may see."""

from datetime import timedelta

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from bot.errors import Misconfigured
from bot.sandbox.ground import StoppedClock
from bot.store.switches import Switch, turn_on
from bot.watching.watch import open_watch
from bot.web.figures import Gauges
from bot.web.growing import Growing
from bot.web.metrics import exposition, watching
from bot.web.rates import Rate, Rates
from bot.web.server import listener_on
from tests.integration.payments.conftest import NOON


def metric(text: str, name: str, **labels: str) -> float:
    found = [
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]
    assert len(found) == 1, (name, labels, found)
    return found[0]


class TestEveryAnswer:
    @pytest.mark.parametrize("path", ["/status", "/healthz", "/static/pages.css", "/nowhere", "/metrics"])
    def test_forbids_scripts_frames_and_strangers(self, visitor, path):
        headers = visitor.gets(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"

    def test_sets_cookies_no_script_and_no_other_site_can_use(self, visitor):
        cookie = visitor.gets("/status").headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie

    def test_is_for_our_own_host_alone(self, visitor):
        assert visitor.gets("/status", Host="evil.example").status_code == 421

    def test_says_what_is_missing_in_the_language_of_who_asks(self, visitor):
        answer = visitor.gets("/nowhere/at/all", **{"Accept-Language": "fr-CH, en;q=0.5"})
        assert answer.status_code == 404
        assert "Il n&#39;y a rien ici" in answer.text

    def test_takes_no_huge_body(self, visitor):
        answer = visitor.session.post(visitor.address + "/status", data=b"x" * 300_000, timeout=20)
        assert answer.status_code == 413

    def test_names_no_secret_of_a_link_in_the_log(self, visitor, capfd):
        visitor.gets("/status?t=very-secret-token")
        visitor.gets("/very-secret-token")
        assert "very-secret-token" not in "".join(capfd.readouterr())


class TestStatus:
    def test_tells_of_the_last_payment_and_how_to_get_help(self, served, visitor):
        served.street.tweets("bob", "@smoney send 10€ @alice")
        served.street.says("bob", served.street.code("bob"))
        page = visitor.gets("/status").text
        assert "Everything works" in page
        assert "23 Nov 2026" in page
        assert "Send HELP to @smoney" in page

    def test_says_when_the_bot_is_behind(self, served, visitor):
        served.street.sleeps(minutes=30)
        assert "We are behind" in visitor.gets("/status").text

    def test_says_that_payments_are_paused_or_the_service_closes(self, served, visitor):
        bot = served.street.town.bot
        for switch, words in (
            (Switch.WINDING_DOWN, "This service is closing"),
            (Switch.PAYMENTS_PAUSED, "Payments are paused"),
        ):
            bot.database.write(lambda session: turn_on(session, switch, by="anna", clock=bot.clock))  # noqa: B023
            page = visitor.gets("/status").text
            assert words in page
            assert "Everything works" not in page

    def test_says_that_a_check_has_found_something_and_not_what(self, served, visitor):
        assert "automatic check" not in visitor.gets("/status").text
        open_watch(served.street.town.bot, served.street.town.settings).stopped_by("a test")
        page = visitor.gets("/status").text
        assert "An automatic check has found something" in page
        assert "invariant" not in page

    def test_shows_neither_amounts_nor_people(self, served, visitor):
        served.street.tweets("bob", "@smoney send 12,34€ @alice")
        served.street.says("bob", served.street.code("bob"))
        page = visitor.gets("/status").text
        assert "12" + "," + "34" not in page
        assert "12.34" not in page
        assert "alice" not in page


class TestMachines:
    def test_are_told_it_is_alive_and_ready(self, served, visitor):
        assert visitor.gets("/healthz").text == "ok\n"
        assert visitor.gets("/readyz").status_code == 200
        served.street.sleeps(minutes=30)
        assert visitor.gets("/readyz").status_code == 503
        assert visitor.gets("/healthz").status_code == 200

    def test_are_given_figures_of_what_happened(self, served, visitor):
        street = served.street
        street.tweets("bob", "@smoney send 10€ @alice")
        street.says("bob", street.code("bob"))
        street.tweets("carol", "@smoney send 90€ @alice")
        text = visitor.gets("/metrics").text
        assert metric(text, "smoney_orders_closed_total", state="paid") == 1
        assert metric(text, "smoney_refusals_total", reason="insufficient_funds") == 1
        assert metric(text, "smoney_owed_minor_units", currency="EUR") == 120_00
        assert metric(text, "smoney_held_minor_units", currency="EUR") == 120_00
        assert metric(text, "smoney_inbox_rows", state="waiting") == 0
        assert metric(text, "smoney_outbox_oldest_waiting_seconds") == 0
        assert metric(text, "smoney_last_payment_timestamp_seconds") > NOON.timestamp() - 1

    def test_are_told_of_each_alarm_and_switch_open_or_not(self, served, visitor):
        text = visitor.gets("/metrics").text
        assert metric(text, "smoney_alarm_active", alarm="invariant_broken") == 0
        assert metric(text, "smoney_paused", what="payments") == 0
        open_watch(served.street.town.bot, served.street.town.settings).stopped_by("a test")
        text = visitor.gets("/metrics").text
        assert metric(text, "smoney_alarm_active", alarm="invariant_broken") == 1
        assert metric(text, "smoney_alarm_active", alarm="disk_low") == 0
        assert metric(text, "smoney_paused", what="payments") == 1
        assert metric(text, "smoney_paused", what="winding_down") == 0

    def test_are_told_when_the_self_check_looked_last(self, served):
        town = served.street.town
        watch = open_watch(town.bot, town.settings)
        gauges = Gauges(town.bot)
        assert b"self_check" not in exposition(town.bot, gauges, [watching(watch)])
        watch.look()
        text = exposition(town.bot, gauges, [watching(watch)]).decode()
        assert metric(text, "smoney_self_check_timestamp_seconds") == served.street.world.now().timestamp()
        assert metric(text, "smoney_self_check_duration_seconds") > 0

    def test_do_not_count_twice_what_has_settled(self, served, visitor):
        street = served.street
        for cents in (10, 20):
            street.tweets("bob", f"@smoney send 1.{cents}€ @alice")
            street.says("bob", street.code("bob"))
            assert metric(visitor.gets("/metrics").text, "smoney_orders_closed_total", state="paid")
            street.passes(minutes=25)
        assert metric(visitor.gets("/metrics").text, "smoney_orders_closed_total", state="paid") == 2

    def test_far_away_get_no_figures(self, visitor):
        """A proxy on this machine says who asked; only machines of the operator's own network are answered."""
        assert visitor.gets("/metrics", **{"X-Forwarded-For": "8.8.8.8"}).status_code == 403


class TestRates:
    def test_let_no_address_ask_without_end(self):
        rates = Rates(StoppedClock(NOON))
        few = Rate(3, timedelta(minutes=1))
        assert [rates.allows("x", "a", few) for _ in range(5)] == [True, True, True, False, False]
        assert rates.allows("x", "b", few)

    def test_begin_again_with_the_next_window(self):
        clock = StoppedClock(NOON)
        rates, one = Rates(clock), Rate(1, timedelta(minutes=1))
        assert rates.allows("x", "a", one)
        assert not rates.allows("x", "a", one)
        clock.advance(timedelta(minutes=2))
        assert rates.allows("x", "a", one)

    def test_keep_no_more_keys_than_fit(self):
        rates, one = Rates(StoppedClock(NOON)), Rate(1, timedelta(minutes=1))
        for number in range(45_000):
            rates.allows("x", str(number), one)
        assert len(rates._used) <= 20_001


class TestServer:
    def test_says_which_port_is_taken(self):
        taken = listener_on("127.0.0.1", 0)
        with taken, pytest.raises(Misconfigured, match="SMONEY_WEB_PORT"):
            listener_on("127.0.0.1", taken.getsockname()[1])

    def test_ends_with_the_block(self, served):
        address = served.address
        assert requests.get(address + "/healthz", timeout=5).ok


def test_growing_counts_start_from_nothing(served):
    growing = Growing(served.street.world.clock, "SELECT 'a', 0 WHERE :after < :until")
    assert served.street.town.bot.database.read(growing.counts) == {}
