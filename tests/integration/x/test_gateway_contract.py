"""What every gateway must do: the same tests for the sandbox in this process and for tweepy talking to it over HTTP.

Where a test needs more than the port, it acts in the sandbox's world, which stands behind both.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from bot.errors import GatewayUnavailable, Misconfigured, OutcomeUnknown, RateLimited, SendRefused, TryLater
from bot.sandbox.core import World
from bot.sandbox.faults import FaultKind
from bot.sandbox.gateway import SandboxGateway
from bot.sandbox.ground import MovableClock
from bot.sandbox.http import serve
from bot.sandbox.limits import QUARTER_HOUR, WIDE, X_LIMITS, Limits, Operation
from bot.sandbox.people import Person
from bot.settings import XCredentials
from bot.x.gateway import Gateway, Page, Post, PostId, UserId, XUser
from bot.x.tweepy_gateway import TweepyGateway

READS: dict[Operation, Callable[[Gateway], object]] = {
    Operation.ME: lambda gateway: gateway.me(),
    Operation.MENTIONS: lambda gateway: gateway.mentions(),
    Operation.OWN_POSTS: lambda gateway: gateway.own_posts(),
    Operation.MESSAGES: lambda gateway: gateway.direct_messages(),
    Operation.MESSAGES_WITH: lambda gateway: gateway.messages_with(UserId(5)),
    Operation.USERS: lambda gateway: gateway.users_by_username(["alice"]),
}


@dataclass
class Scene:
    """A world with the bot, Alice and Bob in it; Bob has written to the bot, and so may be written to."""

    world: World
    gateway: Gateway
    bot: Person
    alice: Person
    bob: Person

    @property
    def sends(self) -> dict[Operation, Callable[[], object]]:
        post = self.world.post(self.bob, "@smoney balance")
        return {
            Operation.SEND_MESSAGE: lambda: self.gateway.send_message(UserId(self.bob.id), "K 123456"),
            Operation.CREATE_POST: lambda: self.gateway.reply(PostId(post.id), "one moment"),
        }


def _in_process(world: World, bot: Person) -> Iterator[Gateway]:
    yield SandboxGateway(world, bot.id, timeout_seconds=1)


def _over_http(world: World, bot: Person) -> Iterator[Gateway]:
    credentials = XCredentials(
        world.app.consumer_key, world.app.consumer_secret, bot.keys.access_token, bot.keys.access_token_secret
    )
    with serve(world) as served:
        gateway = TweepyGateway(credentials, clock=world.now, base_url=served.address, timeout_seconds=1)
        yield gateway
        gateway.close()


def _by_newer_names(world: World, bot: Person) -> Iterator[Gateway]:
    world.newer_names = True
    yield from _over_http(world, bot)


MAKERS = {"in process": _in_process, "over HTTP": _over_http, "by X's newer names": _by_newer_names}


@pytest.fixture(params=list(MAKERS))
def kind(request) -> str:
    name: str = request.param
    return name


def scene_with(limits: Limits) -> tuple[World, Person, Person, Person]:
    world = World(MovableClock(), chance=random.Random(5), limits=limits)
    bot, alice, bob = (world.create_person(name, name.title()) for name in ("smoney", "alice", "bob"))
    bot.open_messages = True
    world.send_message(bob, bot, "start")
    return world, bot, alice, bob


@pytest.fixture
def scene(kind) -> Iterator[Scene]:
    world, bot, alice, bob = scene_with(WIDE)
    for gateway in MAKERS[kind](world, bot):
        yield Scene(world, gateway, bot, alice, bob)


@pytest.fixture
def strict_scene(kind) -> Iterator[Scene]:
    """With X's own limits."""
    world, bot, alice, bob = scene_with(X_LIMITS)
    for gateway in MAKERS[kind](world, bot):
        yield Scene(world, gateway, bot, alice, bob)


def all_pages(read: Callable[[str | None], Page]) -> list:
    page = read(None)
    found = list(page.items)
    while page.next_token is not None:
        page = read(page.next_token)
        found += page.items
    return found


def only(page: Page[Post]) -> Post:
    assert len(page.items) == 1
    return page.items[0]


class TestOneself:
    def test_is_known_with_id_handle_and_name(self, scene):
        assert scene.gateway.me() == XUser(UserId(scene.bot.id), "smoney", "Smoney")

    def test_that_is_suspended_is_for_an_admin_to_mend(self, scene):
        scene.gateway.me()
        scene.world.suspend(scene.bot)
        with pytest.raises(Misconfigured, match="suspended"):
            scene.gateway.mentions()
        with pytest.raises(Misconfigured, match="suspended"):
            scene.gateway.send_message(UserId(scene.bob.id), "hello")


class TestMentions:
    def test_are_none_at_first(self, scene):
        assert scene.gateway.mentions() == Page()

    def test_carry_the_text_the_author_and_who_is_mentioned_where(self, scene):
        scene.world.post(scene.bob, "🐘 <3 @smoney send 10€ @Alice & thanks")
        post = only(scene.gateway.mentions())
        assert post.text == "🐘 &lt;3 @smoney send 10€ @Alice &amp; thanks"
        assert post.author == XUser(UserId(scene.bob.id), "bob", "Bob")
        assert [post.text[each.start : each.end] for each in post.mentions] == ["@smoney", "@Alice"]
        assert [each.user_id for each in post.mentions] == [scene.bot.id, scene.alice.id]
        assert {person.id for person in post.people} == {scene.bot.id, scene.alice.id, scene.bob.id}
        assert (post.display_start, post.is_repost, post.is_truncated) == (0, False, False)
        assert post.first_id == post.id

    def test_know_where_links_stand(self, scene):
        scene.world.post(scene.bob, "@smoney see https://example.com/a now")
        post = only(scene.gateway.mentions())
        assert len(post.urls) == 1
        assert post.text[post.urls[0].start : post.urls[0].end].startswith("http")

    def test_come_newest_first_and_only_those_after_a_given_one(self, scene):
        made = [scene.world.post(scene.bob, f"@smoney balance {number}").id for number in range(4)]
        assert [post.id for post in scene.gateway.mentions().items] == made[::-1]
        assert [post.id for post in scene.gateway.mentions(since_id=PostId(made[1])).items] == [
            made[3],
            made[2],
        ]
        assert scene.gateway.mentions(since_id=PostId(made[3])) == Page()

    def test_come_in_pages_without_gap_or_repetition(self, scene):
        made = [scene.world.post(scene.bob, f"@smoney balance {number}").id for number in range(205)]
        pages = all_pages(lambda token: scene.gateway.mentions(page_token=token))
        assert [post.id for post in pages] == made[::-1]
        after = all_pages(lambda token: scene.gateway.mentions(since_id=PostId(made[49]), page_token=token))
        assert [post.id for post in after] == made[:49:-1]

    def test_reach_back_eight_hundred(self, scene):
        made = [scene.world.post(scene.bob, f"@smoney balance {number}").id for number in range(810)]
        pages = all_pages(lambda token: scene.gateway.mentions(page_token=token))
        assert [post.id for post in pages] == made[:9:-1]

    def test_that_are_edited_come_as_their_newest_version_with_the_first_id(self, scene):
        first = scene.world.post(scene.bob, "@smoney send 10€ @alice")
        second = scene.world.edit(first.id, "@smoney send 12€ @alice")
        post = only(scene.gateway.mentions())
        assert (post.id, post.first_id) == (second.id, first.id)
        assert "12€" in post.text

    def test_that_are_deleted_are_gone(self, scene):
        scene.world.delete(scene.world.post(scene.bob, "@smoney send 10€ @alice").id)
        assert scene.gateway.mentions() == Page()

    def test_hidden_before_a_reply_stand_before_the_visible_text(self, scene):
        asked = scene.world.post(scene.alice, "@smoney is this a good idea?")
        scene.world.post(scene.bob, "@smoney send 10€ @alice", in_reply_to=asked.id)
        post = scene.gateway.mentions().items[0]
        assert post.text[: post.display_start] == "@alice @smoney "
        assert post.text[post.display_start :] == "@smoney send 10€ @alice"
        assert post.in_reply_to_user_id == scene.alice.id

    def test_in_a_repost_are_known_as_such_and_in_a_quote_are_not(self, scene):
        order = scene.world.post(scene.bob, "@smoney send 10€ @alice")
        scene.world.repost(scene.alice, order.id)
        scene.world.post(scene.alice, "@smoney look at this", quote_of=order.id)
        assert [post.is_repost for post in scene.gateway.mentions().items] == [False, True, False]

    def test_of_a_long_post_are_read_from_the_whole_of_it(self, scene):
        scene.bob.writes_long = True
        text = "@smoney send 10€ @alice " + "for the long evening " * 30 + "with @bob"
        scene.world.post(scene.bob, text)
        post = only(scene.gateway.mentions())
        assert post.text == text
        assert [each.username for each in post.mentions] == ["smoney", "alice", "bob"]
        assert not post.is_truncated

    @pytest.mark.parametrize(
        "text", ["\u202e€01 dnes", "a\u200bb", "e\u0301", "'; DROP TABLE posts; --", "%s {0} \\n", "٣٫٥"]
    )
    def test_carry_hostile_text_as_it_is(self, scene, text):
        scene.world.post(scene.bob, f"@smoney {text}")
        post = only(scene.gateway.mentions())
        assert post.text == scene.world.posts[post.id].text

    def test_keep_the_id_of_a_person_whose_handle_went_to_somebody_else(self, scene):
        scene.world.post(scene.bob, "@smoney send 10€ @alice")
        scene.world.rename(scene.alice, "alice_two")
        scene.world.create_person("alice", "Not Alice")
        named = only(scene.gateway.mentions()).mentions[1]
        assert (named.username, named.user_id) == ("alice", scene.alice.id)

    def test_are_not_seen_before_x_shows_them(self, scene):
        scene.world.ground.lag = timedelta(seconds=30)
        scene.world.post(scene.bob, "@smoney balance")
        assert scene.gateway.mentions() == Page()
        scene.world.advance(timedelta(seconds=31))
        assert len(scene.gateway.mentions().items) == 1


class TestMessages:
    def test_come_newest_first_with_the_bots_own_among_them(self, scene):
        sent = scene.gateway.send_message(UserId(scene.bob.id), "welcome")
        page = scene.gateway.direct_messages()
        assert [(each.sender_id, each.text) for each in page.items] == [
            (scene.bot.id, "welcome"),
            (scene.bob.id, "start"),
        ]
        assert page.items[0].id == sent
        assert all(each.one_to_one for each in page.items)
        assert page.items[1].people == (XUser(UserId(scene.bob.id), "bob", "Bob"),)

    def test_name_who_is_mentioned_in_them(self, scene):
        scene.world.send_message(scene.bob, scene.bot, "send 5€ & more to @alice")
        message = scene.gateway.direct_messages().items[0]
        assert [message.text[each.start : each.end] for each in message.mentions] == ["@alice"]
        assert message.mentions[0].user_id in (scene.alice.id, None)

    def test_of_a_group_are_known_as_such(self, scene):
        group = scene.world.create_group(scene.bob, [scene.bot, scene.alice])
        scene.world.send_to_group(scene.alice, group, "send 10€ @bob")
        message = scene.gateway.direct_messages().items[0]
        assert (message.text, message.one_to_one) == ("send 10€ @bob", False)
        assert len(scene.gateway.direct_messages().items) == 2

    def test_with_one_person_are_only_those(self, scene):
        scene.gateway.send_message(UserId(scene.bob.id), "welcome")
        scene.world.send_message(scene.alice, scene.bot, "hello")
        assert [each.text for each in scene.gateway.messages_with(UserId(scene.bob.id)).items] == [
            "welcome",
            "start",
        ]
        assert [each.text for each in scene.gateway.messages_with(UserId(scene.alice.id)).items] == ["hello"]

    def test_with_somebody_who_never_wrote_are_none(self, scene):
        assert scene.gateway.messages_with(UserId(scene.alice.id)) == Page()

    def test_come_in_pages_without_gap_or_repetition(self, scene):
        texts = [f"number {number}" for number in range(120)]
        for text in texts:
            scene.world.send_message(scene.bob, scene.bot, text)
        pages = all_pages(lambda token: scene.gateway.direct_messages(page_token=token))
        assert [each.text for each in pages] == [*texts[::-1], "start"]
        thread = all_pages(lambda token: scene.gateway.messages_with(UserId(scene.bob.id), page_token=token))
        assert thread == pages

    @pytest.mark.parametrize(
        "text", ["K 482913", "10,00 € → @alice\n“merci” 🐘", "x" * 9_999, "<b>&amp;</b>"]
    )
    def test_arrive_as_they_were_sent(self, scene, text):
        scene.gateway.send_message(UserId(scene.bob.id), text)
        assert scene.world.thread(scene.bob, scene.bot)[-1].text == text

    def test_to_somebody_who_has_not_written_first_are_refused(self, scene):
        with pytest.raises(SendRefused) as caught:
            scene.gateway.send_message(UserId(scene.alice.id), "hello")
        assert (caught.value.status, caught.value.duplicate) == (403, False)
        assert caught.value.detail == "You do not have permission to DM one or more participants"

    def test_to_nobody_are_refused(self, scene):
        with pytest.raises(SendRefused):
            scene.gateway.send_message(UserId(999), "hello")


class TestReplies:
    def test_appear_under_the_post_they_answer(self, scene):
        order = scene.world.post(scene.bob, "@smoney send 10€ @alice")
        sent = scene.gateway.reply(PostId(order.id), "waiting for you")
        assert scene.world.posts[sent].in_reply_to_id == order.id
        mine = only(scene.gateway.own_posts())
        assert (mine.id, mine.author.id) == (sent, scene.bot.id)
        assert mine.text[mine.display_start :] == "waiting for you"
        assert mine.in_reply_to_user_id == scene.bob.id

    def test_are_refused_the_second_time(self, scene):
        order = scene.world.post(scene.bob, "@smoney send 10€ @alice")
        scene.gateway.reply(PostId(order.id), "one")
        with pytest.raises(SendRefused) as caught:
            scene.gateway.reply(PostId(order.id), "two")
        assert (caught.value.status, caught.value.duplicate) == (403, False)

    def test_that_nobody_asked_for_are_refused(self, scene):
        talk = scene.world.post(scene.bob, "good morning")
        with pytest.raises(SendRefused, match="not been mentioned"):
            scene.gateway.reply(PostId(talk.id), "good morning")

    def test_with_a_text_that_was_there_before_are_refused_as_such(self, scene):
        orders = [scene.world.post(scene.bob, f"@smoney send {amount}€ @alice") for amount in (1, 2)]
        scene.gateway.reply(PostId(orders[0].id), "waiting for you")
        with pytest.raises(SendRefused) as caught:
            scene.gateway.reply(PostId(orders[1].id), "waiting for you")
        assert caught.value.duplicate

    def test_to_a_deleted_post_are_refused(self, scene):
        order = scene.world.post(scene.bob, "@smoney send 10€ @alice")
        scene.world.delete(order.id)
        with pytest.raises(SendRefused) as refused:
            scene.gateway.reply(PostId(order.id), "waiting for you")
        assert refused.value.gone

    def test_that_are_too_long_are_refused(self, scene):
        order = scene.world.post(scene.bob, "@smoney send 10€ @alice")
        with pytest.raises(SendRefused):
            scene.gateway.reply(PostId(order.id), "€" * 141)


class TestHandles:
    def test_are_looked_up_in_any_case(self, scene):
        found = scene.gateway.users_by_username(["ALICE", "bob", "nobody_here", "not a handle", ""])
        assert found == {
            "alice": XUser(UserId(scene.alice.id), "alice", "Alice"),
            "bob": XUser(UserId(scene.bob.id), "bob", "Bob"),
        }

    def test_lead_to_whoever_holds_them_now(self, scene):
        scene.world.rename(scene.alice, "alice_two")
        assert scene.gateway.users_by_username(["alice"]) == {}
        other = scene.world.create_person("alice", "Not Alice")
        assert scene.gateway.users_by_username(["alice"])["alice"].id == other.id

    def test_of_people_who_are_gone_lead_nowhere(self, scene):
        scene.world.suspend(scene.alice)
        scene.world.close_account(scene.bob)
        assert scene.gateway.users_by_username(["alice", "bob"]) == {}

    def test_in_no_number_are_not_asked_for(self, scene):
        assert scene.gateway.users_by_username([]) == {}


@pytest.mark.parametrize("operation", list(READS))
class TestAReadThatFails:
    @pytest.mark.parametrize("fault", [FaultKind.FAIL, FaultKind.NONSENSE, FaultKind.CUT, FaultKind.LOSE])
    def test_is_unavailable_once_and_then_well(self, scene, operation, fault):
        scene.gateway.me()
        scene.world.plan_fault(fault, operation)
        with pytest.raises(GatewayUnavailable):
            READS[operation](scene.gateway)
        READS[operation](scene.gateway)

    @pytest.mark.parametrize(
        ("status", "error"),
        [(401, Misconfigured), (403, Misconfigured), (402, TryLater), (404, GatewayUnavailable)],
    )
    def test_because_x_refuses_says_what_is_to_be_done(self, scene, operation, status, error):
        scene.gateway.me()
        scene.world.plan_fault(FaultKind.REFUSE, operation, status=status, title="No", detail="No.")
        with pytest.raises(error):
            READS[operation](scene.gateway)


@pytest.mark.parametrize("operation", [Operation.SEND_MESSAGE, Operation.CREATE_POST])
class TestASendThatFails:
    def happened(self, scene) -> bool:
        said = scene.world.thread(scene.bob, scene.bot)[-1].text == "K 123456"
        replied = any(post.author_id == scene.bot.id for post in scene.world.timeline())
        return said or replied

    @pytest.mark.parametrize(
        ("fault", "happens"),
        [(FaultKind.FAIL, False), (FaultKind.CUT, False), (FaultKind.LOSE, True), (FaultKind.NONSENSE, True)],
    )
    def test_without_a_usable_answer_has_an_unknown_outcome(self, scene, operation, fault, happens):
        send = scene.sends[operation]
        scene.world.plan_fault(fault, operation)
        with pytest.raises(OutcomeUnknown):
            send()
        assert self.happened(scene) is happens

    def test_because_the_answer_is_too_late_has_an_unknown_outcome(self, scene, operation):
        send = scene.sends[operation]
        scene.world.plan_fault(FaultKind.DELAY, operation, seconds=1.3)
        with pytest.raises(OutcomeUnknown):
            send()

    @pytest.mark.parametrize(
        ("status", "error"), [(401, Misconfigured), (402, TryLater), (403, SendRefused), (400, SendRefused)]
    )
    def test_because_x_refuses_has_not_happened(self, scene, operation, status, error):
        send = scene.sends[operation]
        scene.world.plan_fault(FaultKind.REFUSE, operation, status=status, title="No", detail="No.")
        with pytest.raises(error):
            send()
        assert not self.happened(scene)

    def test_and_is_found_and_sent_again_is_there_once(self, scene, operation):
        """The way back from an unknown outcome: what was lost is found where one looks for it."""
        send = scene.sends[operation]
        scene.world.plan_fault(FaultKind.LOSE, operation)
        with pytest.raises(OutcomeUnknown):
            send()
        if operation is Operation.SEND_MESSAGE:
            texts = [each.text for each in scene.gateway.messages_with(UserId(scene.bob.id)).items]
            assert texts.count("K 123456") == 1
        else:
            assert "one moment" in only(scene.gateway.own_posts()).text


class TestXsLimits:
    def test_let_fifteen_messages_through_and_say_when_the_next_may_go(self, strict_scene):
        began = strict_scene.world.now()
        for number in range(15):
            strict_scene.gateway.send_message(UserId(strict_scene.bob.id), f"number {number}")
        with pytest.raises(RateLimited) as caught:
            strict_scene.gateway.send_message(UserId(strict_scene.bob.id), "one too many")
        assert began + QUARTER_HOUR <= caught.value.at <= began + QUARTER_HOUR + timedelta(seconds=30)
        assert len(strict_scene.world.thread(strict_scene.bob, strict_scene.bot)) == 16

    def test_let_fifteen_reads_of_messages_through(self, strict_scene):
        for _ in range(15):
            strict_scene.gateway.direct_messages()
        with pytest.raises(RateLimited):
            strict_scene.gateway.direct_messages()

    def test_are_over_when_the_window_is(self, strict_scene):
        for _ in range(15):
            strict_scene.gateway.direct_messages()
        with pytest.raises(RateLimited) as caught:
            strict_scene.gateway.direct_messages()
        strict_scene.world.advance(caught.value.at - strict_scene.world.now())
        strict_scene.gateway.direct_messages()

    def test_do_not_touch_other_calls(self, strict_scene):
        for _ in range(15):
            strict_scene.gateway.direct_messages()
        strict_scene.gateway.mentions()
        strict_scene.gateway.messages_with(UserId(strict_scene.bob.id))


class TestBothGateways:
    @pytest.mark.parametrize("way", ["over HTTP", "by X's newer names"])
    def test_say_the_same_of_the_same_world(self, way):
        """Everything but X's guess at the language, which only the wire carries."""
        world, bot, alice, bob = scene_with(WIDE)
        order = world.post(bob, "🐘 <3 @smoney send 10€ @Alice & @nobody https://example.com")
        world.edit(order.id, "🐘 <3 @smoney send 11€ @Alice & @nobody https://example.com")
        world.repost(alice, order.id)
        world.post(alice, "@smoney thanks", in_reply_to=order.id)
        world.send_message(bob, bot, "send 5€ & more to @alice")
        (inside,) = _in_process(world, bot)
        for outside in MAKERS[way](world, bot):
            assert outside.me() == inside.me()
            assert _without_language(outside.mentions()) == _without_language(inside.mentions())
            assert outside.users_by_username(["alice", "x"]) == inside.users_by_username(["alice", "x"])
            assert outside.direct_messages() == inside.direct_messages()
            assert _without_language(outside.own_posts()) == _without_language(inside.own_posts())


def _without_language(page: Page[Post]) -> list[Post]:
    """Posts, their people in the order of ids: X promises no order."""
    return [
        replace(post, language="und", people=tuple(sorted(post.people, key=lambda person: person.id)))
        for post in page.items
    ]
