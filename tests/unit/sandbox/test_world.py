"""The world itself: what people can do in it, and what its clock, ids and listeners promise."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from bot.sandbox.core import Happening, World
from bot.sandbox.ground import MovableClock, StoppedClock
from bot.sandbox.limits import X_LIMITS
from bot.sandbox.meter import Meter, Price
from bot.sandbox.refusals import XRefusal
from bot.sandbox.rules import matcher
from bot.sandbox.state import dump, load, restore, save
from bot.x.snowflake import instant_of

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


class TestIds:
    def test_grow_strictly_and_carry_the_time(self, world, bob):
        ids = [world.post(bob, f"number {number}").id for number in range(50)]
        assert ids == sorted(set(ids))
        assert instant_of(ids[0]) == NOON

    def test_are_the_same_for_the_same_clock_and_chance(self):
        def ids():
            world = World(StoppedClock(NOON), chance=Random(5))
            return [world.create_person(name).id for name in ("a", "b")]

        assert ids() == ids()


class TestClock:
    def test_moves_forward_only(self):
        clock = MovableClock(lambda: NOON)
        assert clock.advance(timedelta(minutes=5)) == NOON + timedelta(minutes=5)
        with pytest.raises(ValueError, match="never goes back"):
            clock.advance(timedelta(seconds=-1))

    def test_of_somebody_else_is_not_moved(self):
        with pytest.raises(TypeError):
            World(lambda: NOON).advance(timedelta(seconds=1))


class TestPosts:
    def test_know_only_people_who_hold_the_handle_when_they_are_written(self, world, alice, bob):
        post = world.post(bob, "@alice @later")
        world.create_person("later")
        world.rename(alice, "alicia")
        assert [(each.username, each.user_id) for each in post.mentions] == [("alice", alice.id)]

    def test_answered_keep_the_conversation_and_hide_their_mentions(self, world, alice, bob, bot):
        opening = world.post(alice, "hi @smoney and @bob")
        answer = world.post(bob, "@smoney send 1€", in_reply_to=opening.id)
        assert answer.text == "@alice @smoney @smoney send 1€"
        assert answer.visible_text == "@smoney send 1€"
        assert answer.conversation_id == opening.id
        assert [each.start for each in answer.mentions] == [0, 7, 15]

    def test_count_their_visible_text_only(self, world, alice, bob):
        opening = world.post(alice, "hi")
        assert world.post(bob, "a" * 280, in_reply_to=opening.id).visible_text == "a" * 280

    def test_are_composed_and_trimmed(self, world, bob):
        assert world.post(bob, "  cafe\u0301 \n").text == "café"

    def test_may_be_repeated_after_a_day_or_after_deletion(self, world, bob):
        first = world.post(bob, "again")
        with pytest.raises(XRefusal, match="duplicate"):
            world.post(bob, "again")
        world.delete(first.id)
        world.post(bob, "again")
        world.advance(timedelta(days=1))
        world.post(bob, "again")

    def test_edited_show_once_with_the_newest_text(self, world, bob):
        post = world.post(bob, "one")
        world.edit(post.id, "two")
        assert [each.text for each in world.timeline()] == ["two"]

    def test_deleted_take_all_versions_with_them(self, world, bob):
        post = world.post(bob, "one")
        version = world.edit(post.id, "two")
        world.delete(version.id)
        assert world.timeline() == []
        with pytest.raises(XRefusal):
            world.edit(post.id, "three")

    def test_show_the_old_version_until_the_new_one_can_be_seen(self, world, bob):
        post = world.post(bob, "one")
        world.ground.lag = timedelta(seconds=5)
        world.edit(post.id, "two")
        assert [each.text for each in world.timeline()] == ["one"]
        world.advance(timedelta(seconds=5))
        assert [each.text for each in world.timeline()] == ["two"]

    def test_of_people_who_left_are_not_shown(self, world, alice, bob):
        world.post(alice, "one")
        world.post(bob, "two")
        world.close_account(alice)
        world.suspend(bob)
        assert world.timeline() == []

    def test_reposted_mention_only_who_was_there(self, world, alice, bob, bot):
        world.create_person("sm")
        post = world.post(bob, "x" * 127 + " @smoney")
        repost = world.repost(alice, post.id)
        assert len(repost.text) == 140
        assert {each.user_id for each in repost.mentions} == {bob.id}


class TestPeople:
    def test_keep_their_id_and_can_hand_on_their_handle(self, world, alice):
        world.rename(alice, "alicia", "Alicia")
        again = world.create_person("ALICE")
        assert world.person("alice") is again
        assert world.person(alice.id).name == "Alicia"

    @pytest.mark.parametrize("username", ["", "with space", "abcdefghijklmnop", "é", "@bob"])
    def test_need_a_handle_x_would_allow(self, world, username):
        with pytest.raises(XRefusal):
            world.create_person(username)

    def test_do_not_share_a_handle(self, world, bob):
        with pytest.raises(XRefusal, match="taken"):
            world.create_person("Bob")

    def test_have_keys_of_their_own_that_say_where_they_are_from(self, world, alice, bob):
        assert alice.keys != bob.keys
        assert alice.keys.access_token.startswith(f"{alice.id}-sandbox")

    @pytest.mark.parametrize("end", ["suspend", "close_account"])
    def test_who_are_suspended_or_gone_can_do_nothing(self, world, alice, bob, bot, end):
        post = world.post(bob, "hi")
        world.post(alice, "hello")
        world.send_message(bob, bot, "start")
        group = world.create_group(bob, [bot])
        getattr(world, end)(bob)
        for act in (
            lambda: world.post(bob, "again"),
            lambda: world.edit(post.id, "other"),
            lambda: world.repost(bob, world.timeline()[0].id),
            lambda: world.send_message(bob, bot, "again"),
            lambda: world.send_to_group(bob, group, "all"),
        ):
            with pytest.raises(XRefusal) as refused:
                act()
            assert refused.value.status == 403


class TestMessages:
    def test_between_strangers_need_open_messages_or_a_first_word(self, world, alice, bob, bot):
        with pytest.raises(XRefusal, match="permission"):
            world.send_message(alice, bob, "hi")
        world.send_message(alice, bot, "hi")
        world.send_message(bot, alice, "hello")
        with pytest.raises(XRefusal, match="permission"):
            world.send_message(bot, bob, "hello")

    def test_in_a_group_are_for_its_members(self, world, alice, bob, bot):
        group = world.create_group(alice, [bot])
        world.send_to_group(bot, group, "hi")
        with pytest.raises(XRefusal):
            world.send_to_group(bob, group, "hi")

    def test_cannot_be_sent_by_or_to_people_who_are_gone(self, world, bob, bot):
        world.send_message(bob, bot, "start")
        world.close_account(bob)
        with pytest.raises(XRefusal, match="permission"):
            world.send_message(bot, bob, "hello")


class TestListeners:
    def test_hear_what_happens_until_they_stop(self, world, bob):
        heard: list[Happening] = []
        stop = world.on_change(heard.append)
        post = world.post(bob, "hi")
        world.delete(post.id)
        stop()
        world.post(bob, "unheard")
        assert heard == [Happening("post", post.id), Happening("delete", post.id)]


class TestMeter:
    def test_charges_a_reading_once_a_day(self):
        meter = Meter()
        for when in (NOON, NOON + timedelta(hours=1), NOON + timedelta(days=1)):
            meter.read(Price.MESSAGE_READ, [1, 2], when)
        meter.wrote(Price.MESSAGE_SENT)
        assert meter.counts[Price.MESSAGE_READ] == 4
        assert meter.thousandths == 55

    def test_charges_what_was_pushed_and_is_read_once(self):
        meter = Meter()
        meter.read(Price.PUSHED_POST, [1], NOON)
        meter.read(Price.MENTION_READ, [1, 2], NOON)
        meter.read(Price.MESSAGE_READ, [1], NOON)
        meter.read(Price.PUSHED_MESSAGE, [1], NOON)
        assert meter.thousandths == 5 + 1 + 10


class TestRules:
    @pytest.mark.parametrize(
        ("rule", "matches"),
        [
            ("@smoney", True),
            ("@SMONEY -is:retweet", True),
            ("@alice", False),
            ("#tip OR nothing", True),
            ('"send 10€"', True),
            ('"send 1"', False),
            ("from:bob to:bob", False),
            ("from:bob -(is:reply OR is:quote) has:links", True),
            ("-@smoney", False),
            ("(@alice OR #tip) hello", False),
        ],
    )
    def test_match_posts(self, world, bot, bob, rule, matches):
        post = world.post(bob, "@smoney send 10€ #tip smoney.com")
        assert matcher(world, rule)(post) is matches

    @pytest.mark.parametrize("rule", ["(a", "a)", "colour:red", "OR", "a OR", "()", "-", 'a "', '""'])
    def test_that_cannot_be_read_are_refused(self, world, rule):
        with pytest.raises(ValueError):  # noqa: PT011 - whatever is said
            matcher(world, rule)


class TestState:
    def test_comes_back_as_it_was(self, world, alice, bob, bot, tmp_path):
        post = world.edit(world.post(bob, "@smoney hi #tip a.com").id, "@smoney ho #tip a.com")
        world.post(alice, "me too", in_reply_to=post.id)
        world.send_message(bob, bot, "start @alice")
        world.create_group(alice, [bot])
        world.close_account(alice)
        world.block(bob, bot)
        file = tmp_path / "world.json"
        save(world, file)
        fresh = World(StoppedClock(NOON))
        assert load(fresh, file)
        assert dump(fresh) == dump(world)
        assert fresh.people.holder("alice") is None
        assert file.stat().st_mode & 0o077 == 0

    def test_of_another_kind_is_refused(self, world, tmp_path):
        file = tmp_path / "world.json"
        assert not load(world, file)
        file.write_text("{}")
        with pytest.raises(ValueError, match="form"):
            load(world, file)

    def test_goes_on_with_greater_ids(self, world, bob):
        fresh = World(StoppedClock(NOON - timedelta(days=1)))
        restore(fresh, dump(world))
        assert fresh.post(bob.id, "next").id > bob.id
