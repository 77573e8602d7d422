"""The bot's port on a world in the same process: what it gives, and what it raises."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from bot.errors import GatewayUnavailable, Misconfigured, OutcomeUnknown, RateLimited, SendRefused, TryLater
from bot.sandbox.core import World
from bot.sandbox.faults import FaultKind
from bot.sandbox.gateway import SandboxGateway
from bot.sandbox.ground import StoppedClock
from bot.sandbox.limits import X_LIMITS, Operation
from bot.x.gateway import MentionEntity, UserId, XUser

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def world():
    return World(StoppedClock(NOON), chance=Random(1), limits=X_LIMITS)


@pytest.fixture
def bot(world):
    return world.create_person("smoney", "S-money", open_messages=True)


@pytest.fixture
def alice(world):
    return world.create_person("alice", "Alice")


@pytest.fixture
def bob(world):
    return world.create_person("bob", "Bob")


@pytest.fixture
def gateway(world, bot):
    return SandboxGateway(world, bot.id)


class TestMe:
    def test_is_the_bots_own_account(self, gateway, bot):
        assert gateway.me() == XUser(UserId(bot.id), "smoney", "S-money")


class TestMentions:
    def test_come_escaped_with_entities_by_id_and_the_people_in_them(self, world, gateway, alice, bob, bot):
        post = world.post(bob, "@smoney send 10€ & <3 to @alice")
        (found,) = gateway.mentions().items
        assert found.id == found.first_id == post.id
        assert found.author == XUser(UserId(bob.id), "bob", "Bob")
        assert found.text == "@smoney send 10€ &amp; &lt;3 to @alice"
        assert [found.text[each.start : each.end] for each in found.mentions] == ["@smoney", "@alice"]
        assert [each.user_id for each in found.mentions] == [bot.id, alice.id]
        assert {user.username for user in found.people} == {"bob", "smoney", "alice"}
        assert found.created_at == NOON

    def test_are_newest_first_and_paged(self, world, bot, bob):
        ids = [world.post(bob, f"@smoney {number}").id for number in range(5)]
        gateway = SandboxGateway(world, bot.id, page_size=2)
        first = gateway.mentions()
        second = gateway.mentions(page_token=first.next_token)
        third = gateway.mentions(page_token=second.next_token)
        assert [[post.id for post in page.items] for page in (first, second, third)] == [
            ids[:2:-1],
            ids[2:0:-1],
            ids[:1],
        ]
        assert third.next_token is None

    def test_newer_than_an_id_leave_that_one_out(self, world, gateway, bob):
        first, second = (world.post(bob, f"@smoney {number}").id for number in range(2))
        assert [post.id for post in gateway.mentions(since_id=first).items] == [second]
        assert gateway.mentions(since_id=second).items == ()

    def test_in_a_reply_begin_with_hidden_ones(self, world, gateway, alice, bob, bot):
        opening = world.post(alice, "hello @smoney")
        world.post(bob, "send 10€", in_reply_to=opening.id)
        found = gateway.mentions().items[0]
        assert found.text == "@alice @smoney send 10€"
        assert found.text[found.display_start :] == "send 10€"
        assert found.in_reply_to_user_id == alice.id
        assert found.mentions[1] == MentionEntity(7, 14, "smoney", UserId(bot.id))

    def test_show_the_newest_version_only_with_the_first_id(self, world, gateway, bob):
        post = world.post(bob, "@smoney send 10€")
        version = world.edit(post.id, "@smoney send 20€")
        (found,) = gateway.mentions().items
        assert (found.id, found.first_id) == (version.id, post.id)

    def test_are_gone_with_their_post(self, world, gateway, bob):
        world.delete(world.post(bob, "@smoney send 10€").id)
        assert gateway.mentions().items == ()

    def test_in_a_repost_are_marked(self, world, gateway, alice, bob):
        world.repost(alice, world.post(bob, "@smoney send 10€").id)
        repost, original = gateway.mentions().items
        assert (repost.is_repost, original.is_repost) == (True, False)
        assert repost.text == "RT @bob: @smoney send 10€"

    def test_of_protected_or_suspended_people_are_not_seen(self, world, gateway, alice, bob):
        world.post(alice, "@smoney one")
        world.post(bob, "@smoney two")
        world.protect(alice)
        world.suspend(bob)
        assert gateway.mentions().items == ()

    def test_appear_after_the_lag(self, world, gateway, bob):
        world.ground.lag = timedelta(seconds=5)
        world.post(bob, "@smoney one")
        assert gateway.mentions().items == ()
        world.advance(timedelta(seconds=5))
        assert len(gateway.mentions().items) == 1

    def test_reach_back_to_the_newest_800(self, world, bot, bob):
        for number in range(810):
            world.post(bob, f"@smoney {number}")
        gateway = SandboxGateway(world, bot.id, page_size=800)
        page = gateway.mentions()
        assert (len(page.items), page.next_token) == (800, None)


class TestMessages:
    def test_may_be_sent_only_to_people_who_wrote_first(self, world, gateway, bot, bob):
        with pytest.raises(SendRefused, match="permission to DM") as refused:
            gateway.send_message(bob.id, "hello")
        assert refused.value.status == 403
        world.send_message(bob, bot, "start")
        sent = gateway.send_message(bob.id, "hello")
        assert [message.id for message in world.thread(bob, bot)][-1] == sent

    def test_list_the_bots_own_and_mark_groups(self, world, gateway, bot, alice, bob):
        world.send_message(bob, bot, "start & go")
        gateway.send_message(bob.id, "hello")
        group = world.create_group(alice, [bob, bot])
        world.send_to_group(alice, group, "send 10€ @bob")
        in_group, hello, start = gateway.direct_messages().items
        assert (start.text, start.sender_id, start.one_to_one) == ("start &amp; go", bob.id, True)
        assert (hello.text, hello.sender_id) == ("hello", bot.id)
        assert (in_group.one_to_one, in_group.mentions[0].user_id) == (False, bob.id)

    def test_with_one_person_are_that_conversation_only(self, world, gateway, bot, alice, bob):
        world.send_message(bob, bot, "from bob")
        world.send_message(alice, bot, "from alice")
        assert [message.text for message in gateway.messages_with(bob.id).items] == ["from bob"]

    def test_older_than_thirty_days_are_gone(self, world, gateway, bot, bob):
        world.send_message(bob, bot, "old")
        world.advance(timedelta(days=30, seconds=1))
        assert gateway.direct_messages().items == ()

    def test_to_somebody_who_blocked_the_bot_are_refused(self, world, gateway, bot, bob):
        world.send_message(bob, bot, "start")
        world.block(bob, bot)
        with pytest.raises(SendRefused, match="permission to DM"):
            gateway.send_message(bob.id, "hello")


class TestReply:
    def test_is_posted_below_its_post_with_hidden_mentions(self, world, gateway, bot, bob):
        post = world.post(bob, "@smoney send 10€")
        reply = world.posts[gateway.reply(post.id, "waiting for you")]
        assert (reply.in_reply_to_id, reply.text, reply.visible_text) == (
            post.id,
            "@bob waiting for you",
            "waiting for you",
        )
        assert [own.id for own in gateway.own_posts().items] == [reply.id]

    def test_is_refused_where_the_bot_was_not_named(self, world, gateway, bob):
        with pytest.raises(SendRefused, match="not been mentioned"):
            gateway.reply(world.post(bob, "hello world").id, "hello")

    def test_is_allowed_once_for_each_post_through_its_edits(self, world, gateway, bob):
        post = world.post(bob, "@smoney send 10€")
        gateway.reply(post.id, "first")
        version = world.edit(post.id, "@smoney send 20€")
        for target in (post, version):
            with pytest.raises(SendRefused, match="not been mentioned"):
                gateway.reply(target.id, f"again {target.id}")

    def test_is_allowed_to_a_quote_of_the_bots_post(self, world, gateway, bot, bob):
        own = world.post(bot, "news")
        gateway.reply(world.post(bob, "look", quote_of=own.id).id, "thanks")

    def test_with_the_same_text_is_refused_as_duplicate(self, world, gateway, bob):
        first, second = (world.post(bob, f"@smoney {number}") for number in range(2))
        gateway.reply(first.id, "the same")
        with pytest.raises(SendRefused) as refused:
            gateway.reply(second.id, "the same")
        assert refused.value.duplicate

    def test_to_a_deleted_post_is_refused(self, world, gateway, bob):
        post = world.post(bob, "@smoney send 10€")
        world.delete(post.id)
        with pytest.raises(SendRefused, match="deleted or not visible"):
            gateway.reply(post.id, "hello")

    def test_of_more_than_280_weighted_characters_is_refused(self, world, gateway, bob):
        with pytest.raises(SendRefused, match="too long"):
            gateway.reply(world.post(bob, "@smoney").id, "€" * 141)


class TestUsersByUsername:
    def test_are_those_who_hold_the_names_now(self, world, gateway, alice, bob):
        world.rename(alice, "alice_old")
        newcomer = world.create_person("Alice", "Somebody else")
        found = gateway.users_by_username(["ALICE", "bob", "nobody", "not a name"])
        assert found == {
            "alice": XUser(UserId(newcomer.id), "Alice", "Somebody else"),
            "bob": XUser(UserId(bob.id), "bob", "Bob"),
        }


class TestLimits:
    def test_end_with_the_window_that_began_with_the_first_call(self, world, gateway, bot, bob):
        world.send_message(bob, bot, "start")
        world.advance(timedelta(seconds=7))
        for number in range(15):
            gateway.send_message(bob.id, f"number {number}")
        with pytest.raises(RateLimited) as limited:
            gateway.send_message(bob.id, "one too many")
        assert limited.value.at == NOON + timedelta(minutes=15, seconds=7)
        world.advance(timedelta(minutes=15))
        gateway.send_message(bob.id, "again")

    def test_of_the_day_count_too(self, world, gateway, bot, bob):
        world.send_message(bob, bot, "start")
        for number in range(1440):
            if number % 15 == 0 and number:
                world.advance(timedelta(minutes=14, seconds=50))
                world.windows._counts = {
                    key: count for key, count in world.windows._counts.items() if key[2] == timedelta(days=1)
                }
            gateway.send_message(bob.id, f"number {number}")
        world.advance(timedelta(minutes=5))
        with pytest.raises(RateLimited) as limited:
            gateway.send_message(bob.id, "one too many")
        assert limited.value.at == NOON + timedelta(days=1)


class TestFaults:
    def test_that_cut_before_a_send_leave_the_outcome_unknown_and_nothing_done(
        self, world, gateway, bot, bob
    ):
        world.send_message(bob, bot, "start")
        world.plan_fault(FaultKind.CUT, Operation.SEND_MESSAGE)
        with pytest.raises(OutcomeUnknown):
            gateway.send_message(bob.id, "hello")
        assert len(world.thread(bob, bot)) == 1

    @pytest.mark.parametrize(
        "how",
        [{"kind": FaultKind.LOSE}, {"kind": FaultKind.NONSENSE}, {"kind": FaultKind.DELAY, "seconds": 60}],
        ids=lambda how: how["kind"],
    )
    def test_that_lose_the_answer_leave_it_done(self, world, gateway, bot, bob, how):
        world.send_message(bob, bot, "start")
        world.plan_fault(operation=Operation.SEND_MESSAGE, **how)
        with pytest.raises(OutcomeUnknown):
            gateway.send_message(bob.id, "hello")
        assert [message.text for message in world.thread(bob, bot)] == ["start", "hello"]

    def test_on_reads_mean_try_later(self, world, gateway):
        for kind in (FaultKind.CUT, FaultKind.LOSE, FaultKind.FAIL, FaultKind.NONSENSE):
            world.plan_fault(kind, Operation.MENTIONS)
            with pytest.raises(GatewayUnavailable):
                gateway.mentions()
        gateway.mentions()

    def test_strike_after_those_they_let_pass_and_so_often(self, world, gateway):
        world.plan_fault(FaultKind.FAIL, skip=1, times=2)
        gateway.mentions()
        for _ in range(2):
            with pytest.raises(GatewayUnavailable):
                gateway.mentions()
        gateway.mentions()
        assert world.faults.waiting == ()

    def test_of_the_server_on_a_send_leave_the_outcome_unknown(self, world, gateway, bot, bob):
        world.send_message(bob, bot, "start")
        world.plan_fault(FaultKind.FAIL, Operation.SEND_MESSAGE)
        with pytest.raises(OutcomeUnknown):
            gateway.send_message(bob.id, "hello")

    def test_can_be_a_refusal_of_any_kind(self, world, gateway):
        world.plan_fault(FaultKind.REFUSE, status=402, title="CreditsDepleted", detail="no credits")
        with pytest.raises(TryLater, match="credits"):
            gateway.mentions()
        world.plan_fault(FaultKind.REFUSE, status=401, title="Unauthorized", detail="Unauthorized")
        with pytest.raises(Misconfigured):
            gateway.mentions()

    def test_short_delays_are_no_fault_to_the_bot(self, world, gateway):
        world.plan_fault(FaultKind.DELAY, seconds=1)
        gateway.mentions()


class TestASuspendedBot:
    def test_is_told_so(self, world, gateway, bot):
        world.suspend(bot)
        with pytest.raises(Misconfigured, match="suspended"):
            gateway.mentions()
