"""Raised once, told once, kept open while it lasts, cleared when it is over; and what breaks about money pauses payments."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from pydantic import SecretStr

from bot.admin.acts import Role
from bot.admin.admins import Admins
from bot.admin.log import Actor
from bot.admin.office import open_office
from bot.errors import Misconfigured, TryLater
from bot.keys import keyring_from
from bot.store.switches import Switch, those_on, turn_off
from bot.watching.watch import VERIFY_FIRST
from bot.watching.webhook import FIRST_PAUSE, SIGNATURE, webhook_key
from tests.integration.payments.conftest import Street, town_at
from tests.integration.watching.conftest import watched_town

BREAK = "UPDATE ledger_account SET credits_posted = credits_posted + 1, debits_posted = debits_posted + 1"
MEND = "UPDATE ledger_account SET credits_posted = credits_posted - 1, debits_posted = debits_posted - 1"


def set_aside(watched):
    watched.writes("UPDATE inbox SET state = 'set_aside', reason = 'on purpose' WHERE kind = 'post'")


def put_back(watched):
    watched.writes("UPDATE inbox SET state = 'done' WHERE kind = 'post'")


def halted(watched):
    return set(watched.street.town.bot.database.read(those_on))


class TestAnAlarm:
    def test_is_raised_once_while_it_lasts(self, watched):
        set_aside(watched)
        assert [each.alarm.value for each in watched.changes().raised] == ["rows_set_aside"]
        since = watched.street.count("SELECT raised_at FROM alarms")
        watched.street.passes(minutes=1)
        assert watched.changes().raised == ()
        assert watched.street.count("SELECT raised_at FROM alarms") == since

    def test_says_how_things_are_now(self, watched):
        set_aside(watched)
        assert watched.looks()["rows_set_aside"]["rows"] == 2
        watched.writes(
            "UPDATE inbox SET state = 'done' WHERE id = (SELECT min(id) FROM inbox WHERE state = 'set_aside')"
        )
        assert watched.looks()["rows_set_aside"]["rows"] == 1

    def test_is_cleared_when_it_is_over_and_may_come_again(self, watched):
        set_aside(watched)
        watched.looks()
        put_back(watched)
        assert [each.alarm.value for each in watched.changes().cleared] == ["rows_set_aside"]
        set_aside(watched)
        assert set(watched.looks()) == {"rows_set_aside"}
        assert watched.street.count("SELECT count(*) FROM alarms") == 2

    def test_of_the_running_pauses_nothing(self, watched):
        set_aside(watched)
        watched.looks()
        assert halted(watched) == set()

    def test_of_another_version_is_left_alone(self, watched):
        watched.writes("INSERT INTO alarms (id, name, raised_at, facts) VALUES (1, 'of_old', 1, '{}')")
        assert watched.looks() == {}
        watched.street.sleeps(minutes=10)
        watched.watch.verify_if_due()
        assert watched.street.count("SELECT count(*) FROM alarms WHERE cleared_at IS NULL") == 1

    def test_outlives_the_program_that_raised_it(self, watched):
        set_aside(watched)
        watched.looks()
        assert watched_town(watched.street).changes().raised == ()


class TestAnAlarmAboutMoney:
    def test_pauses_payments_in_the_audit_log_s_sight(self, watched, intruder):
        intruder()(BREAK)
        assert watched.changes().paused
        assert halted(watched) == {Switch.PAYMENTS_PAUSED}
        office = open_office(watched.street.town.settings)
        (action,) = watched.street.town.bot.database.read(office.log.newest)
        assert (action.by, action.action, action.subject) == ("self-check", "payments.pause", "book")
        assert action.reason == "alarm: ledger_broken"
        assert action.facts["alarm"] == watched.street.count("SELECT id FROM alarms")

    def test_leaves_the_bot_listening(self, watched):
        """A question put before is answered, and moves nothing."""
        watched.street.tweets("bob", "@smoney send 3€ @alice")
        paid, had = watched.street.payments, watched.street.has("bob")
        watched.watch.stopped_by("a test")
        watched.street.answers("bob")
        assert watched.street.payments == paid
        assert watched.street.has("bob") == had
        assert "paused" in watched.street.heard("bob")[-1]

    def test_is_not_over_because_a_look_does_not_see_it_any_more(self, watched, intruder):
        intruder()(BREAK)
        watched.looks()
        watched.watch._place.account = watched.watch._place.transfer = 2**62
        watched.watch._place.sums_at = watched.street.world.now()
        assert set(watched.looks()) == {"ledger_broken"}

    def test_is_over_when_the_whole_book_holds(self, watched, intruder):
        enter = intruder()
        enter(BREAK)
        watched.looks()
        assert set(_open_after_verify(watched)) == {"ledger_broken", "book_not_verified"}
        enter(MEND)
        watched.street.sleeps(hours=1)
        assert [each.alarm.value for each in watched.watch.verify_if_due().cleared] == [
            "ledger_broken",
            "book_not_verified",
        ]
        assert halted(watched) == {Switch.PAYMENTS_PAUSED}  # only an owner lets payments go on

    def test_does_not_pause_again_who_let_payments_go_on(self, watched, intruder):
        intruder()(BREAK)
        watched.looks()
        watched.street.town.bot.database.write(
            lambda session: turn_off(session, Switch.PAYMENTS_PAUSED) and None
        )
        assert not watched.changes().paused
        assert halted(watched) == set()

    def test_writes_no_second_pause_into_the_log(self, watched, intruder):
        watched.writes("INSERT INTO switches (name, since, set_by) VALUES ('payments_paused', 1, 'anna')")
        intruder()(BREAK)
        changes = watched.changes()
        assert changes.raised
        assert not changes.paused
        assert watched.street.count("SELECT count(*) FROM admin_actions") == 0

    def test_comes_with_an_invariant_that_stopped_the_program(self, watched):
        watched.watch.stopped_by("a test")
        assert set(watched.looks()) == {"invariant_broken"}
        assert halted(watched) == {Switch.PAYMENTS_PAUSED}
        assert [each.alarm.value for each in watched.watch.verify_if_due().cleared] == ["invariant_broken"]


def _open_after_verify(watched):
    watched.watch.verify_if_due()
    return watched.open()


class TestVerify:
    def test_is_done_some_time_after_the_start_and_then_once_a_day(self, watched, capfd):
        def is_done():
            watched.watch.verify_if_due()
            return "verify.done" in "".join(capfd.readouterr())

        assert not is_done()
        watched.street.sleeps(seconds=int(VERIFY_FIRST.total_seconds()))
        assert is_done()
        watched.street.sleeps(hours=23)
        assert not is_done()
        watched.street.sleeps(hours=1)
        assert is_done()

    def test_is_never_done_where_an_operator_does_not_want_it(self, watched):
        never = watched_town(watched.street, verify_hours=0)
        watched.street.sleeps(days=9)
        assert not never.watch._is_verify_due()
        never.watch.stopped_by("a test")
        assert never.watch._is_verify_due()

    def test_ends_with_the_program(self, watched):
        watched.street.sleeps(minutes=10)
        with pytest.raises(TryLater):
            watched.watch.verify_if_due(lambda: False)
        assert watched.open() == {}

    def test_finds_what_no_look_can_see(self, watched, intruder):
        """What a line says of its money is held against the ledger by the whole verify alone."""
        intruder()("UPDATE intent_lines SET amount_minor = amount_minor + 1 WHERE state = 'paid'")
        assert watched.looks() == {}
        watched.street.sleeps(minutes=10)
        assert _open_after_verify(watched) == {"book_not_verified": {"findings": 1}}
        assert halted(watched) == {Switch.PAYMENTS_PAUSED}


class TestAdminsOnX:
    @pytest.fixture
    def told(self, watched):
        """carol is a member, zoe has never written, nobody holds @ghost; dave wrote once and is no member."""
        dave = watched.street.world.create_person("dave", "Dave")
        watched.street.says("dave", "hello")
        return watched_town(watched.street, alarm_accounts=f"@carol, {dave.id}, @ghost, @zoe")

    def test_hear_of_an_alarm_once(self, told):
        set_aside(told)
        for _ in range(2):
            told.looks()
            told.street.town.settle()
        for username in ("carol", "dave"):
            heard = [words for words in told.street.heard(username) if "ALARM" in words]
            assert len(heard) == 1
            assert heard[0].startswith("ALARM rows_set_aside, since ")
            assert "in the runbook under this name" in heard[0]
            assert "Payments are paused" not in heard[0]
        assert told.street.heard("zoe") == []

    def test_hear_that_payments_are_paused(self, told, intruder):
        intruder()(BREAK)
        told.looks()
        told.street.town.bot.courier.deliver()
        assert "Payments are paused" in told.street.heard("carol")[-1]

    def test_hear_of_the_same_alarm_at_most_once_an_hour(self, told):
        def comes_and_goes():
            set_aside(told)
            told.looks()
            put_back(told)
            told.looks()
            told.street.town.bot.courier.deliver()
            return "".join(told.street.heard("carol")).count("ALARM rows_set_aside")

        assert comes_and_goes() == 1
        told.street.sleeps(minutes=40)
        assert comes_and_goes() == 1
        told.street.sleeps(minutes=21)
        assert comes_and_goes() == 2

    def test_hear_of_another_alarm_at_once(self, told):
        set_aside(told)
        told.looks()
        told.street.sleeps(minutes=11)
        told.looks()
        told.street.town.bot.courier.deliver()
        assert "".join(told.street.heard("carol")).count("ALARM") == 2


@dataclass
class Listener:
    """Somebody's own machine, which takes what is posted to it, or refuses it for a while."""

    server: HTTPServer
    taken: list[tuple[bytes, str]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/alarms?of=smoney"

    @property
    def told(self):
        return [json.loads(body) for body, _ in self.taken]


@pytest.fixture
def listener() -> Iterator[Listener]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = made.answers.pop(0) if made.answers else 204
            if status < 300:
                assert self.path == "/alarms?of=smoney"
                made.taken.append((body, self.headers[SIGNATURE]))
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_):
            pass

    made = Listener(HTTPServer(("127.0.0.1", 0), Handler))
    thread = threading.Thread(target=made.server.serve_forever, args=[0.05], daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


class TestTheWebhook:
    @pytest.fixture
    def posting(self, watched, listener):
        return watched_town(watched.street, alarm_webhook_url=SecretStr(listener.url))

    def test_is_told_when_an_alarm_is_raised_and_cleared(self, posting, listener):
        set_aside(posting)
        posting.looks()
        put_back(posting)
        posting.looks()
        assert posting.watch.webhook.deliver() == 2
        raised, cleared = listener.told
        assert (raised["name"], raised["state"], raised["facts"]["rows"]) == ("rows_set_aside", "raised", 2)
        assert raised["since"] == posting.street.world.now().isoformat()
        assert (cleared["state"], cleared["id"]) == ("cleared", raised["id"])

    def test_can_tell_that_it_is_ours(self, posting, listener):
        set_aside(posting)
        posting.looks()
        posting.watch.webhook.deliver()
        ((body, signature),) = listener.taken
        assert json.loads(body)["runbook"] == "docs/operating/runbook.md#rows_set_aside"
        key = webhook_key(keyring_from(posting.street.town.settings))
        assert signature == "sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest()

    @pytest.mark.parametrize("refusal", [500, 302, 404])
    def test_is_told_again_after_a_pause_where_it_did_not_take_it(self, posting, listener, refusal):
        listener.answers = [refusal]
        set_aside(posting)
        posting.looks()
        assert posting.watch.webhook.deliver() == 0
        assert posting.watch.webhook.deliver() == 0
        assert listener.taken == []
        posting.street.sleeps(seconds=int(FIRST_PAUSE.total_seconds()))
        assert posting.watch.webhook.deliver() == 1
        assert len(listener.taken) == 1

    def test_that_is_not_there_waits_longer_each_time(self, posting, listener):
        webhook = posting.watch.webhook
        webhook.url = "http://127.0.0.1:9/nobody"
        set_aside(posting)
        posting.looks()
        pauses = []
        for _ in range(12):
            webhook.deliver()
            pauses.append(webhook._not_before - posting.street.world.now())
            posting.street.world.advance(pauses[-1])
        assert pauses[:3] == [timedelta(seconds=5), timedelta(seconds=10), timedelta(seconds=20)]
        assert pauses[-1] == timedelta(minutes=15)

    def test_hears_after_a_start_what_the_program_before_it_left_untold(self, posting, listener):
        """It died between clearing an alarm and sending that: raised and cleared are both told, in order, once."""
        set_aside(posting)
        posting.looks()
        put_back(posting)
        posting.looks()
        again = watched_town(posting.street, alarm_webhook_url=SecretStr(listener.url))
        again.looks()
        assert again.watch.tell_the_webhook() == 2
        assert [told["state"] for told in listener.told] == ["raised", "cleared"]
        assert listener.told[0]["id"] == listener.told[1]["id"]
        once_more = watched_town(posting.street, alarm_webhook_url=SecretStr(listener.url))
        once_more.looks()
        assert once_more.watch.tell_the_webhook() == 0

    def test_hears_of_an_end_it_did_not_take_again_with_the_same_id(self, posting, listener):
        set_aside(posting)
        posting.looks()
        assert posting.watch.tell_the_webhook() == 1
        put_back(posting)
        posting.looks()
        listener.answers = [500]
        assert posting.watch.tell_the_webhook() == 0
        again = watched_town(posting.street, alarm_webhook_url=SecretStr(listener.url))
        again.looks()
        assert again.watch.tell_the_webhook() == 1
        raised, cleared = listener.told
        assert (cleared["state"], cleared["id"]) == ("cleared", raised["id"])

    def test_hears_twice_rather_than_never(self, posting, listener, monkeypatch):
        """The program died after it was taken and before that was written down."""
        set_aside(posting)
        posting.looks()

        def dies(*_, **__):
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr("bot.watching.webhook.note_told", dies)
            with pytest.raises(KeyboardInterrupt):
                posting.watch.tell_the_webhook()
        assert posting.watch.tell_the_webhook() == 1
        assert len({told["id"] for told in listener.told}) == 1
        assert len(listener.told) == 2

    def test_that_is_set_later_hears_of_what_is_open_and_not_of_what_was(self, watched, listener):
        set_aside(watched)
        watched.looks()
        put_back(watched)
        watched.looks()
        set_aside(watched)
        watched.looks()
        later = watched_town(watched.street, alarm_webhook_url=SecretStr(listener.url))
        later.looks()
        assert later.watch.tell_the_webhook() == 1
        assert [told["state"] for told in listener.told] == ["raised"]

    @pytest.mark.race
    @pytest.mark.postgresql
    def test_is_told_by_the_program_that_watches_alone(self, postgresql_url, tmp_path, listener):
        with town_at(postgresql_url, tmp_path) as town:
            first = watched_town(Street(town), alarm_webhook_url=SecretStr(listener.url))
            first.street.tweets("bob", "@smoney send 1€ @carol")
            other = watched_town(first.street, alarm_webhook_url=SecretStr(listener.url))
            object.__setattr__(other.watch.lease, "holder", 7)
            set_aside(first)
            first.looks()
            other.looks()
            assert other.watch.tell_the_webhook() == 0
            assert first.watch.tell_the_webhook() == 1


def test_no_admin_can_be_called_like_the_self_check(watched):
    office = open_office(watched.street.town.settings)
    admins: Admins = office.admins
    actor = Actor("anna", Role.OWNER)
    with pytest.raises(Misconfigured):
        watched.street.town.bot.database.write(
            lambda session: admins.add(session, actor, "self-check", Role.OWNER, login="x", reason="why not")
        )


@pytest.mark.race
@pytest.mark.postgresql
def test_of_several_programs_one_watches(postgresql_url, tmp_path):
    with town_at(postgresql_url, tmp_path) as town:
        first = watched_town(Street(town))
        first.street.tweets("bob", "@smoney send 1€ @carol")
        set_aside(first)
        first.looks()
        other = watched_town(first.street)
        object.__setattr__(other.watch.lease, "holder", 7)
        put_back(first)
        assert other.changes().cleared == ()
        first.watch.lease.leave()
        assert len(other.changes().cleared) == 1
