"""What X pushes reaches the inbox once, whatever way it comes, however often, and with whichever id."""

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.demo.town import demo_settings, open_town
from bot.errors import LeaseLost, Misconfigured
from bot.push import Push, client_of, token_of
from bot.sandbox.activity import charge, events
from bot.sandbox.core import Subscription
from bot.sandbox.core import World as SandboxWorld
from bot.sandbox.ground import MovableClock, StoppedClock
from bot.sandbox.http import serve
from bot.sandbox.limits import WIDE
from bot.settings import Settings
from bot.store import leases
from bot.store.leases import Lease
from bot.x.gateway import MessageId
from bot.x.listening import lost
from bot.x.pushed import Pushed
from bot.x.pushes import NotFromX, Pushes, alive_at
from bot.x.usage import bill
from tests.integration.payments.conftest import NOON, RESIDENTS, Street

SECRET = "sandbox-secret-of-the-app"


def signed(body: bytes, secret: str = SECRET) -> str:
    return "sha256=" + base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


@pytest.fixture
def pushed(sqlite_url: str, tmp_path: Path) -> Iterator[Street]:
    """A town whose people are heard by what X pushes; the bot's account is subscribed to its events."""
    sandbox = SandboxWorld(StoppedClock(NOON), limits=WIDE)
    settings = demo_settings(
        tmp_path, os.urandom, database_url=SecretStr(sqlite_url), x_api_secret=SecretStr(SECRET)
    )
    with open_town(settings, sandbox, entropy=os.urandom, residents=RESIDENTS) as town:
        yield Street(town)


def bodies(
    street: Street, since: int, kinds: tuple[str, ...] = ("post.mention.create", "dm.received")
) -> list[bytes]:
    """What X's webhook would bring of what happened since."""
    world, bot = street.world, street.town.bot_person
    made = []
    for kind in kinds:
        subscription = Subscription(7, kind, bot.id, "smoney", None)
        world.subscriptions = {7: subscription}
        made += [
            json.dumps(event.body).encode()
            for happening in world.happened[since:]
            for event in events(world, happening)
        ]
    world.subscriptions = {}
    return made


def bring(street: Street, since: int) -> int:
    return sum(street.town.bot.pushes.receive(body, signed(body)) for body in bodies(street, since))


class TestAWebhook:
    def test_brings_an_order_and_its_answer(self, pushed):
        mark = len(pushed.world.happened)
        pushed.tweets("bob", "@smoney send 2€ @alice", settle=False)
        assert bring(pushed, mark) == 1
        pushed.town.bot.work.run()
        pushed.town.bot.courier.deliver()
        mark = len(pushed.world.happened)
        pushed.answers("bob", settle=False)
        assert bring(pushed, mark) == 1
        pushed.town.bot.work.run()
        assert pushed.has("alice") == 2_00

    def test_that_repeats_itself_changes_nothing(self, pushed):
        mark = len(pushed.world.happened)
        pushed.tweets("bob", "@smoney send 2€ @alice", settle=False)
        pushed.says("bob", "balance", settle=False)
        assert [bring(pushed, mark) for _ in range(3)] == [2, 0, 0]
        pushed.town.settle()
        assert pushed.count("SELECT count(*) FROM inbox WHERE kind = 'post'") == 1
        assert (
            sum(words.startswith("Balance") or "balance" in words.lower() for words in pushed.heard("bob"))
            >= 1
        )

    def test_is_believed_only_with_x_s_signature_over_its_very_bytes(self, pushed):
        mark = len(pushed.world.happened)
        pushed.tweets("bob", "@smoney send 2€ @alice", settle=False)
        (body,) = bodies(pushed, mark)
        receive = pushed.town.bot.pushes.receive
        for wrong in ("", "sha256=", signed(body, "another"), signed(body + b" "), signed(body)[:-2], "é"):
            with pytest.raises(NotFromX):
                receive(body, wrong)
        with pytest.raises(NotFromX):
            receive(body.replace(b"2\\u20ac", b"9\\u20ac"), signed(body))
        assert pushed.count("SELECT count(*) FROM inbox WHERE kind = 'post'") == 0

    @pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"data":5}', b"\xff", b"[" * 5000])
    def test_with_a_signed_body_that_is_none_of_x_s_is_refused(self, pushed, body):
        with pytest.raises(NotFromX):
            pushed.town.bot.pushes.receive(body, signed(body))

    def test_answers_x_s_challenge(self, pushed):
        answer = pushed.town.bot.pushes.crc_response("abc-DEF_123=")
        assert answer == {"response_token": signed(b"abc-DEF_123=")}

    @pytest.mark.parametrize("token", ["", "x" * 129, '{"data":1}', "a b", "a\n", "é", "a%"])
    def test_signs_no_event_that_comes_as_a_challenge(self, pushed, token):
        with pytest.raises(NotFromX):
            pushed.town.bot.pushes.crc_response(token)

    def test_for_somebody_else_is_nothing_to_the_bot(self, pushed):
        mark = len(pushed.world.happened)
        pushed.says("bob", "balance", settle=False)
        (body,) = bodies(pushed, mark)
        told = json.loads(body)
        told["data"]["filter"]["user_id"] = "1"
        body = json.dumps(told).encode()
        assert pushed.town.bot.pushes.receive(body, signed(body)) == 0

    def test_of_a_message_that_cannot_be_read_keeps_it(self, pushed):
        mark = len(pushed.world.happened)
        pushed.says("bob", "balance", settle=False)
        told = json.loads(bodies(pushed, mark)[0])
        del told["data"]["payload"]["direct_message_events"][0]["message_create"]["sender_id"]
        body = json.dumps(told).encode()
        pushed.town.bot.pushes.receive(body, signed(body))
        assert pushed.count("SELECT count(*) FROM inbox WHERE state = 'set_aside'") == 1


class TestAMessageWithTwoIds:
    """Whether a pushed message bears the id it has in the list, X does not say."""

    def _pushed(self, street: Street, shift: int) -> Pushes:
        """What was said last, pushed under another id."""
        bot = street.town.bot
        page = bot.listening.gateway.direct_messages()
        message = page.items[0]
        other = replace(message, id=MessageId(message.id + shift))
        bot.pushes.store(Pushed(messages=(other,)))
        return bot.pushes

    @pytest.mark.parametrize("pushed_first", [True, False])
    def test_counts_once(self, pushed, pushed_first):
        pushed.says("bob", "balance", settle=False)
        if pushed_first:
            self._pushed(pushed, 3 << 22)
            pushed.town.bot.listening.read_messages()
        else:
            pushed.town.bot.listening.read_messages()
            self._pushed(pushed, 3 << 22)
        pushed.town.bot.listening.read_messages()
        self._pushed(pushed, 3 << 22)
        assert pushed.count("SELECT count(*) FROM inbox WHERE state = 'waiting'") == 1

    def test_said_twice_counts_twice(self, pushed):
        pushed.says("bob", "balance", settle=False)
        self._pushed(pushed, 3 << 22)
        pushed.says("bob", "balance", settle=False)
        self._pushed(pushed, 5 << 22)
        pushed.town.bot.listening.read_messages()
        assert pushed.count("SELECT count(*) FROM inbox WHERE state = 'waiting'") == 2


class TestTheListenersLease:
    def test_keeps_an_old_holder_from_writing(self, postgresql_url, tmp_path):
        sandbox = SandboxWorld(StoppedClock(NOON), limits=WIDE)
        settings = demo_settings(tmp_path, os.urandom, database_url=SecretStr(postgresql_url))
        with open_town(settings, sandbox, entropy=os.urandom, residents=RESIDENTS) as town:
            street, bot = Street(town), town.bot
            street.says("bob", "balance", settle=False)
            other = Lease(bot.database, "listening", holder=99, lasts=leases.LASTS)
            assert other.take() is None  # another listens
            mine = bot.listening.lease.take()
            assert mine is not None
            bot.listening.lease.leave()
            theirs = other.take()
            assert theirs is not None
            assert theirs > mine
            assert bot.listening.read_messages() == 0
            with pytest.raises(LeaseLost):
                bot.pushes.note_alive(["messages"], token=mine)
            with pytest.raises(LeaseLost):
                bot.pushes.store(Pushed(messages=bot.listening.gateway.direct_messages().items), token=mine)
            assert street.count("SELECT count(*) FROM inbox WHERE state = 'waiting'") == 0
            other.leave()
            assert bot.listening.read_messages() == 1


@pytest.fixture
def live(
    sqlite_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[tuple[Street, Settings]]:
    """The sandbox over HTTP, its lines alive every tenth of a second; a test may want X's newer names in them."""
    sandbox = SandboxWorld(MovableClock(), limits=WIDE)
    sandbox.newer_names = sandbox.newer_names or getattr(request, "param", "") == "newer names"
    bot = sandbox.create_person("smoney", "smoney (demo)", open_messages=True)
    with serve(sandbox, bot_id=bot.id, keep_alive_seconds=0.1) as served:
        settings = demo_settings(
            tmp_path,
            os.urandom,
            database_url=SecretStr(sqlite_url),
            x_base_url=served.address,
            x_mentions_by="stream",
            x_messages_by="activity",
            x_bearer_token=SecretStr(sandbox.app.bearer_token),
            x_client_id=SecretStr(sandbox.app.consumer_key),
            x_client_secret=SecretStr(sandbox.app.consumer_secret),
            x_refresh_token=SecretStr(bot.keys.refresh_token),
        )
        with open_town(settings, sandbox, entropy=os.urandom, residents=RESIDENTS) as town:
            yield Street(town), settings


def until(done: Callable[[], bool], *, lines: int = 200) -> Callable[[], bool]:
    """Goes on until it is done, or so many lines have come."""
    left = iter(range(lines))
    return lambda: next(left, None) is not None and not done()


class TestAStream:
    @pytest.mark.parametrize("live", ["older names", "newer names"], indirect=True)
    def test_fills_the_gap_first_and_then_hears_at_once(self, live):
        street, settings = live
        bot = street.town.bot
        posts, activity = Push.of(bot, settings, lambda: None).streams
        street.tweets("bob", "@smoney send 2€ @alice", settle=False)  # while nobody listened
        heard: list[object] = []

        def count() -> int:
            return int(street.count("SELECT count(*) FROM inbox WHERE kind = 'post'"))

        def going() -> bool:
            if count() == 1 and not heard:
                heard.append(street.tweets("bob", "@smoney send 3€ @alice", settle=False))
            return count() < 2

        pause = posts.once(until(lambda: not going()))
        assert count() == 2
        assert pause == timedelta(seconds=1)

        def ask() -> int:
            return int(street.count("SELECT count(*) FROM inbox WHERE kind = 'message' AND pushed"))

        def waits() -> bool:
            if (
                bot.database.read(lambda session: alive_at(session, "messages")) is not None
                and len(heard) == 1
            ):
                street.says("carol", "balance", settle=False)
                heard.append("carol")
            return ask() < 1

        activity.once(until(lambda: not waits()))
        assert ask() == 1
        assert street.count("SELECT count(*) FROM cursors WHERE name = 'messages.push'") == 1

    def test_that_cannot_be_opened_is_tried_again_ever_later(self, live):
        street, settings = live
        wrong = settings.model_copy(update={"x_bearer_token": SecretStr("sandbox-wrong")})
        posts, _ = Push.of(street.town.bot, wrong, lambda: None).streams
        assert [posts.once(lambda: True).total_seconds() for _ in range(4)] == [1, 2, 4, 8]

    def test_subscribes_once_and_with_a_token_that_is_renewed(self, live):
        street, settings = live
        world, bot = street.world, street.town.bot
        client, token = client_of(bot, settings), token_of(bot, settings)
        for _ in range(2):
            client.subscribe(bot.account.id, {"dm.received"}, token, webhook_id=None)
        assert len(world.subscriptions) == 1
        first = token.access()
        assert token.access() == first
        world.advance(timedelta(hours=3))
        assert token.access() != first
        assert street.count("SELECT count(*) FROM user_tokens WHERE access_sealed IS NOT NULL") == 1

    def test_without_a_refresh_token_that_x_takes_says_what_to_do(self, live):
        street, settings = live
        wrong = settings.model_copy(update={"x_refresh_token": SecretStr("used up")})
        with pytest.raises(Misconfigured, match="SMONEY_X_REFRESH_TOKEN"):
            token_of(street.town.bot, wrong).access()


class TestLinesOutOfOrder:
    """X's streams come late, twice and in another order; a message of the bot's own is never among them."""

    def test_pay_each_order_once_and_the_highest_version(self, pushed):
        world, bot = pushed.world, pushed.town.bot
        world.hold_pushes()
        mark = len(world.happened)
        post = pushed.tweets("bob", "@smoney send 2€ @alice", settle=False)
        pushed.edits(post, "@smoney send 3€ @alice", settle=False)
        assert bring(pushed, mark) == 0  # held back
        world.release_pushes(reverse=True)
        world.redeliver(post.id)
        assert bring(pushed, mark) == 2
        bot.work.run()
        bot.courier.deliver()
        mark = len(world.happened)
        pushed.answers("bob", settle=False)
        world.redeliver(world.happened[-1].id)
        assert bring(pushed, mark) == 1
        pushed.town.settle()
        assert pushed.has("alice") == 3_00

    def test_cost_what_the_bot_counts(self, pushed):
        """Pushed, repeated, and read from the list as well: X charges each thing once a day."""
        world, bot = pushed.world, pushed.town.bot
        pushed.town.settle()
        bot.usage.note()
        spent = world.meter.thousandths
        before = bot.database.read(lambda session: bill(session, now=NOON, days=1))
        mark = len(world.happened)
        post = pushed.tweets("bob", "@smoney send 2€ @alice", settle=False)
        pushed.says("carol", "balance", settle=False)
        world.redeliver(post.id)
        for happening in world.happened[mark:]:
            charge(world, happening)  # as its streams and webhooks do
        assert bring(pushed, mark) == 2
        pushed.town.settle()
        bot.usage.note()
        after = bot.database.read(lambda session: bill(session, now=NOON, days=1))
        assert {line.call for line in after.lines} >= {"pushed_mention", "pushed_message"}
        assert after.microdollars - before.microdollars == (world.meter.thousandths - spent) * 1000


class TestBackAfterALongTime:
    def test_what_x_no_longer_has_is_said(self, pushed):
        bot = pushed.town.bot
        pushed.town.settle()
        pushed.sleeps(days=3)
        for number in range(810):
            pushed.world.post(pushed.world.person("carol").id, f"@smoney is this on? {number}")
        assert bot.listening.read_mentions() >= 780
        gone = bot.database.read(lost)
        assert set(gone) == {"mentions"}
        pushed.sleeps(days=40)
        bot.listening.read_messages()
        assert set(bot.database.read(lost)) == {"mentions", "messages"}


class TestASuspendedBot:
    def test_keeps_all_money_safe_and_says_everything_afterwards(self, pushed):
        """What was paid stands, what is held stays held, questions and receipts wait."""
        bot, world = pushed.town.bot, pushed.world
        pushed.tweets("bob", "@smoney send 2€ @zoe")
        pushed.answers("bob")
        pushed.tweets("bob", "@smoney send 3€ @alice")
        code = pushed.code("bob")
        pushed.says("bob", code, settle=False)
        bot.listening.read_messages()
        world.suspend(pushed.town.bot_person.id)
        bot.work.run()
        bot.courier.deliver()
        assert pushed.has("alice") == 3_00
        with pytest.raises(Misconfigured, match="suspended"):
            bot.listening.read_messages()
        pushed.sleeps(days=9)  # longer than money is held
        bot.sweep_once()
        world.suspend(pushed.town.bot_person.id, suspended=False)
        pushed.town.settle()
        assert pushed.count("SELECT count(*) FROM intent_lines WHERE state = 'held'") == 1
        assert any("You received" in words for words in pushed.heard("alice"))
        assert pushed.has("bob") == 95_00
