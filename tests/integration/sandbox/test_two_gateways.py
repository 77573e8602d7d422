"""The bot meets the same X by either way: over HTTP with tweepy in between, and in the same process."""

from datetime import timedelta

import pytest

from bot.errors import SmoneyError
from bot.sandbox.faults import FaultKind
from bot.sandbox.gateway import SandboxGateway
from bot.sandbox.limits import Operation
from bot.settings import XCredentials
from bot.x.tweepy_gateway import TweepyGateway


@pytest.fixture(params=["older names", "newer names"], autouse=True)
def spoken_names(request, world):
    world.newer_names = request.param == "newer names"


@pytest.fixture
def near(world, bot):
    return SandboxGateway(world, bot.id)


@pytest.fixture
def far(world, bot, address):
    keys = XCredentials(
        world.app.consumer_key, world.app.consumer_secret, bot.keys.access_token, bot.keys.access_token_secret
    )
    gateway = TweepyGateway(keys, base_url=address, timeout_seconds=5, clock=world.now)
    gateway.me()
    yield gateway
    gateway.close()


def error_of(act):
    """What it raised, as far as the bot looks at it."""
    with pytest.raises(SmoneyError) as raised:
        act()
    error = raised.value
    looked_at = ("at", "status", "duplicate", "gone", "unsummoned")
    return (type(error), *(getattr(error, name, None) for name in looked_at))


@pytest.fixture
def story(world, bot, alice, bob):
    """A bit of everything X can show."""
    bob.writes_long = True
    opening = world.post(alice, "hello @smoney & <friends>")
    world.post(bob, "send 10€ &lt; @alice smoney.com", in_reply_to=opening.id, language="en")
    world.repost(alice, opening.id)
    world.post(bob, "look here", quote_of=opening.id)
    world.edit(world.post(bob, "@smoney ten").id, "@smoney twelve")
    world.post(bob, "@smoney " + "long " * 100 + "@alice & done")
    world.rename(alice, "alicia")
    world.create_person("alice", "Somebody else")
    world.post(bob, "@Smoney pay @ALICE and @nobody #tip \N{GRINNING FACE}")
    world.post(bot, "news of today", in_reply_to=world.post(bob, "@smoney hi").id)
    world.send_message(bob, bot, "start & <go> @alicia")
    world.send_message(bot, bob, "welcome")
    world.send_to_group(bob, world.create_group(bob, [bot]), "all of you")
    return world


class TestBothGateways:
    def test_read_the_same(self, story, near, far, bob):
        assert far.me() == near.me()
        assert far.direct_messages() == near.direct_messages()
        assert far.messages_with(bob.id) == near.messages_with(bob.id)
        names = ["BOB", "alice", "nobody"]
        assert far.users_by_username(names) == near.users_by_username(names)

    @pytest.mark.parametrize("which", ["mentions", "own_posts"])
    def test_read_the_same_posts(self, story, near, far, which):
        here, there = getattr(near, which)(), getattr(far, which)()
        assert here.next_token == there.next_token
        assert [without_people(post) for post in here.items] == [without_people(post) for post in there.items]
        assert [set(post.people) for post in here.items] == [set(post.people) for post in there.items]

    def test_are_refused_the_same(self, world, near, far, bob):
        unsummoned = world.post(bob, "hello").id
        first, second, third = (world.post(bob, f"@smoney {number}").id for number in range(3))
        near.reply(first, "same")
        deleted = world.post(bob, "@smoney deleted").id
        world.delete(deleted)

        def refusals(gateway):
            return (
                error_of(lambda: gateway.send_message(bob.id, "hello")),
                error_of(lambda: gateway.reply(unsummoned, "hello")),
                error_of(lambda: gateway.reply(second, "same")),
                error_of(lambda: gateway.reply(third, "€" * 141)),
                error_of(lambda: gateway.reply(first, "again")),
                error_of(lambda: gateway.reply(deleted, "hello")),
            )

        assert refusals(near) == refusals(far)

    @pytest.mark.parametrize(
        ("kind", "status"),
        [
            *((FaultKind.REFUSE, status) for status in (400, 401, 402, 403, 404, 408, 429)),
            *((FaultKind.FAIL, status) for status in (500, 503)),
            *((kind, 0) for kind in (FaultKind.CUT, FaultKind.LOSE, FaultKind.NONSENSE)),
        ],
    )
    def test_suffer_faults_the_same(self, world, near, far, bot, bob, kind, status):
        world.send_message(bob, bot, "start")

        def outcomes(gateway):
            for operation in (Operation.MENTIONS, Operation.SEND_MESSAGE):
                world.plan_fault(kind, operation, status=status, title="A title", detail="A detail")
            reading = error_of(gateway.mentions)
            sending = error_of(lambda: gateway.send_message(bob.id, "hello"))
            return reading, sending

        assert outcomes(near) == outcomes(far)

    def test_learn_the_same_end_of_a_limit(self, world, near, far, bot, bob):
        world.send_message(bob, bot, "start")
        for number in range(15):
            near.send_message(bob.id, f"number {number}")
        assert error_of(lambda: near.send_message(bob.id, "x")) == error_of(
            lambda: far.send_message(bob.id, "x")
        )

    def test_learn_the_same_of_a_suspended_bot(self, world, near, far, bot):
        world.suspend(bot)
        assert error_of(near.mentions) == error_of(far.mentions)

    def test_move_through_pages_the_same(self, world, near, far, bot, bob):
        for number in range(120):
            world.post(bob, f"@smoney {number}")
            world.advance(timedelta(seconds=1))
        for gateway in (near, far):
            first = gateway.mentions()
            second = gateway.mentions(page_token=first.next_token)
            assert [len(page.items) for page in (first, second)] == [100, 20]
            assert second.next_token is None
            newer = gateway.mentions(since_id=first.items[5].id)
            assert [post.id for post in newer.items] == [post.id for post in first.items[:5]]


def without_people(post):
    return {name: getattr(post, name) for name in post.__slots__ if name != "people"}
