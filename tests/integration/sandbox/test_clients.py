"""Two clients that were not written for the sandbox are content with it: tweepy, and X's own SDK."""

import json
import threading
from typing import Any

import pytest
import tweepy
from xdk.streaming import StreamConfig, StreamError

from bot.sandbox.limits import Operation
from bot.sandbox.meter import Price


@pytest.fixture
def tweepy_as(address, world, clients):
    """Makes tweepy clients, and closes them."""
    made: list[tweepy.Client] = []

    def make(person):
        made.append(clients.tweepy_client(address, world, person))
        return made[-1]

    yield make
    for client in made:
        client.session.close()


@pytest.fixture
def xdk_as(address, world, clients):
    """Makes clients of X's own SDK, and closes them."""
    made: list[Any] = []

    def make(person, **how):
        made.append(clients.xdk_client(address, world, person, **how))
        return made[-1]

    yield make
    for client in made:
        client.session.close()


class TestTweepy:
    def test_knows_itself_and_others(self, tweepy_as, bot, alice, bob):
        client = tweepy_as(bot)
        assert client.get_me().data.username == "smoney"
        assert client.get_user(id=bob.id, user_auth=True).data.username == "bob"
        assert client.get_user(username="ALICE", user_auth=True).data.id == alice.id
        both = client.get_users(usernames=["alice", "nobody"], user_auth=True)
        assert [user.id for user in both.data] == [alice.id]
        assert both.errors[0]["value"] == "nobody"
        assert client.get_users(ids=[bob.id], user_auth=True).data[0].name == "Bob"

    def test_reads_mentions_page_by_page(self, tweepy_as, world, bot, bob):
        ids = [world.post(bob, f"@smoney send {number}€ & so #on").id for number in range(7)]
        client = tweepy_as(bot)
        first = client.get_users_mentions(
            bot.id,
            user_auth=True,
            max_results=5,
            tweet_fields=["author_id", "entities", "created_at", "edit_history_tweet_ids"],
            expansions=["author_id", "entities.mentions.username"],
        )
        second = client.get_users_mentions(
            bot.id, user_auth=True, max_results=5, pagination_token=first.meta["next_token"]
        )
        assert [post.id for post in first.data + second.data] == ids[::-1]
        assert {user.username for user in first.includes["users"]} == {"smoney", "bob"}
        assert first.data[0].entities["mentions"][0]["id"] == str(bot.id)
        none = client.get_users_mentions(bot.id, user_auth=True, since_id=ids[-1])
        assert (none.data, none.meta["result_count"]) == (None, 0)

    def test_posts_replies_and_deletes(self, tweepy_as, world, bot, bob):
        client = tweepy_as(bot)
        asked = world.post(bob, "@smoney hi")
        reply = client.create_tweet(text="hello & welcome", in_reply_to_tweet_id=asked.id)
        own = client.get_users_tweets(bot.id, user_auth=True)
        assert [post.id for post in own.data] == [int(reply.data["id"])]
        assert client.get_tweet(reply.data["id"], user_auth=True).data.text == "@bob hello &amp; welcome"
        assert client.delete_tweet(reply.data["id"]).data == {"deleted": True}
        assert client.get_tweet(reply.data["id"], user_auth=True).data is None

    def test_exchanges_messages(self, tweepy_as, world, bot, bob):
        client, other = tweepy_as(bot), tweepy_as(bob)
        with pytest.raises(tweepy.Forbidden, match="permission to DM"):
            client.create_direct_message(participant_id=bob.id, text="hello")
        other.create_direct_message(participant_id=bot.id, text="START")
        sent = client.create_direct_message(participant_id=bob.id, text="welcome")
        events = client.get_direct_message_events(
            dm_event_fields=["id", "text", "event_type", "sender_id", "dm_conversation_id", "created_at"],
            expansions=["sender_id"],
        )
        assert [(event.text, event.sender_id) for event in events.data] == [
            ("welcome", bot.id),
            ("START", bob.id),
        ]
        assert events.data[0].created_at == world.now()
        with_bob = client.get_direct_message_events(participant_id=bob.id)
        assert str(with_bob.data[0].id) == sent.data["dm_event_id"]
        by_name = client.get_direct_message_events(dm_conversation_id=sent.data["dm_conversation_id"])
        assert len(by_name.data) == 2

    def test_is_refused_in_ways_it_understands(self, tweepy_as, world, bot, bob):
        client = tweepy_as(bot)
        client.create_tweet(text="once")
        with pytest.raises(tweepy.Forbidden, match="duplicate content"):
            client.create_tweet(text="once")
        with pytest.raises(tweepy.Forbidden, match="not been mentioned"):
            client.create_tweet(text="hm", in_reply_to_tweet_id=world.post(bob, "hi").id)
        with pytest.raises(tweepy.BadRequest, match="max_results"):
            client.get_users_mentions(bot.id, user_auth=True, max_results=1)
        bot.keys.access_token_secret = "another"
        with pytest.raises(tweepy.Unauthorized):
            client.get_me()

    def test_learns_when_a_limit_ends(self, tweepy_as, bot):
        client = tweepy_as(bot)
        for _ in range(15):
            client.get_direct_message_events()
        with pytest.raises(tweepy.TooManyRequests) as refused:
            client.get_direct_message_events()
        assert refused.value.reset_time == 1795436100

    def test_hears_the_stream(self, address, world, clients, bot, bob):
        heard: list[int] = []
        done = threading.Event()

        class Listener(tweepy.StreamingClient):  # type: ignore[misc]  # tweepy has no types
            def on_tweet(self, tweet):
                heard.append(tweet.id)
                self.disconnect()
                done.set()

        listener = Listener(world.app.bearer_token)
        listener.session.trust_env = False
        listener.session.mount(clients.X, clients.Redirected(address))
        listener.add_rules(tweepy.StreamRule("@smoney -is:retweet", tag="mentions"))
        assert listener.get_rules().data[0].tag == "mentions"
        thread = listener.filter(threaded=True, tweet_fields=["author_id"])
        _until_connected(world)
        post = world.post(bob, "@smoney hi")
        assert done.wait(5)
        thread.join(5)
        listener.session.close()
        assert heard == [post.id]


class TestXsOwnSdk:
    @pytest.mark.parametrize("oauth2", [False, True], ids=["OAuth 1", "OAuth 2"])
    def test_plays_a_person(self, xdk_as, world, bot, alice, bob, oauth2):
        client = xdk_as(bob, oauth2=oauth2)
        assert client.users.get_me(user_fields=["created_at"]).data.username == "bob"
        created = client.posts.create({"text": "@smoney send 10€ to @alice"})
        (seen,) = xdk_as(bot).users.get_mentions(
            str(bot.id),
            tweet_fields=["author_id", "entities", "display_text_range"],
            expansions=["author_id", "entities.mentions.username"],
        )
        assert seen.data[0].id == created.data.id
        assert {user.username for user in seen.includes.users} == {"smoney", "alice", "bob"}
        assert client.posts.delete(created.data.id).data.deleted

    def test_exchanges_messages_by_all_three_ways_of_reading(self, xdk_as, world, bot, bob):
        person, program = xdk_as(bob, oauth2=True), xdk_as(bot)
        person.direct_messages.create_by_participant_id(str(bot.id), {"text": "START"})
        sent = program.direct_messages.create_by_participant_id(str(bob.id), {"text": "welcome"})
        pages = (
            program.direct_messages.get_events(dm_event_fields=["text", "sender_id", "created_at"]),
            program.direct_messages.get_events_by_participant_id(str(bob.id)),
            program.direct_messages.get_events_by_conversation_id(sent.data.dm_conversation_id),
        )
        for page in pages:
            (only,) = page
            assert [event.text for event in only.data] == ["welcome", "START"]

    def test_walks_all_pages_and_stops(self, xdk_as, world, bot, bob):
        for number in range(12):
            world.post(bob, f"@smoney {number}")
        pages = list(xdk_as(bot).users.get_mentions(str(bot.id), max_results=5))
        assert [len(page.data) for page in pages] == [5, 5, 2]

    def test_hears_the_stream(self, xdk_as, world, address, bot, bob):
        app = xdk_as(None)
        app.stream.update_rules({"add": [{"value": "@smoney", "tag": "mentions"}]})
        stream = app.stream.posts(tweet_fields=["author_id"], stream_config=StreamConfig(timeout=5))
        speaker = threading.Thread(target=lambda: (_until_connected(world), world.post(bob, "@smoney hi")))
        speaker.start()
        line = next(stream)
        stream.close()
        speaker.join()
        assert (line.data.text, line.matching_rules[0].tag) == ("@smoney hi", "mentions")

    def test_subscribes_to_activity_and_hears_it(self, xdk_as, world, address, bot, bob):
        body = {"event_type": "dm.received", "filter": {"user_id": str(bot.id)}, "tag": "inbound"}
        xdk_as(bot, oauth2=True).activity.create_subscription(body)
        stream = xdk_as(None).activity.stream(stream_config=StreamConfig(timeout=5))
        speaker = threading.Thread(
            target=lambda: (_until_connected(world), world.send_message(bob, bot, "start"))
        )
        speaker.start()
        line = next(stream)
        stream.close()
        speaker.join()
        assert (line.data.event_type, line.data.tag) == ("dm.received", "inbound")

    def test_is_refused_a_stream_with_a_persons_token(self, xdk_as, bob):
        with pytest.raises((StreamError, ValueError)):
            next(xdk_as(bob, oauth2=True).stream.posts())


class TestStream:
    @pytest.fixture
    def lines(self, plain, world, address):
        """An open stream, as an iterator over its lines with content."""
        plain.app("POST", "/2/tweets/search/stream/rules", json={"add": [{"value": "@smoney", "tag": "m"}]})
        response = plain.app("GET", "/2/tweets/search/stream?tweet.fields=author_id", stream=True)
        assert response.headers["transfer-encoding"] == "chunked"
        yield (json.loads(line) for line in response.iter_lines(chunk_size=1) if line)
        response.close()

    def test_sends_what_matches_and_nothing_else(self, lines, world, alice, bob):
        world.protect(alice)
        world.post(alice, "@smoney secret")
        world.post(bob, "hello world")
        post = world.post(bob, "@smoney é日本😀")
        line = next(lines)
        assert (line["data"]["id"], line["data"]["text"]) == (str(post.id), "@smoney é日本😀")
        assert line["matching_rules"][0]["tag"] == "m"

    def test_sends_an_edit_as_a_post_and_repeats_on_order(self, lines, world, bob):
        post = world.post(bob, "@smoney ten")
        version = world.edit(post.id, "@smoney twelve")
        world.redeliver(post.id)
        assert [next(lines)["data"]["id"] for _ in range(3)] == [str(post.id), str(version.id), str(post.id)]

    def test_comes_late_and_in_another_order_where_it_is_told_to(self, lines, world, bob):
        world.hold_pushes()
        first, second = (world.post(bob, f"@smoney {number}") for number in range(2))
        world.release_pushes(reverse=True)
        third = world.post(bob, "@smoney 3")
        assert [next(lines)["data"]["id"] for _ in range(3)] == [
            str(post.id) for post in (second, first, third)
        ]

    def test_is_charged_for_each_post_once_a_day(self, lines, world, bob):
        post = world.post(bob, "@smoney hi")
        world.redeliver(post.id)
        world.post(bob, "nothing for the bot")
        for _ in range(2):
            next(lines)
        assert world.meter.counts[Price.PUSHED_POST] == 1

    def test_allows_one_connection(self, lines, plain, world, bob):
        second = plain.app("GET", "/2/tweets/search/stream")
        assert second.status_code == 429
        assert second.json()["title"] == "ConnectionException"

    def test_ends_when_it_is_dropped(self, lines, world, bob):
        world.post(bob, "@smoney hi")
        next(lines)
        world.drop_streams()
        assert list(lines) == []

    def test_keeps_the_line_alive(self, plain, world, bot):
        response = plain.app("GET", "/2/tweets/search/stream", stream=True)
        assert response.raw.read(2) == b"\r\n"
        response.close()


class TestRules:
    @pytest.fixture
    def change(self, plain, bot):
        return lambda body, query="": plain.app(
            "POST", f"/2/tweets/search/stream/rules{query}", json=body
        ).json()

    def test_are_added_listed_and_deleted(self, change, plain):
        added = change({"add": [{"value": "@smoney"}, {"value": "from:bob", "tag": "bob"}]})
        assert added["meta"]["summary"]["created"] == 2
        listed = plain.app("GET", "/2/tweets/search/stream/rules").json()
        assert [rule["value"] for rule in listed["data"]] == ["@smoney", "from:bob"]
        change({"delete": {"ids": [added["data"][0]["id"]]}})
        assert plain.app("GET", "/2/tweets/search/stream/rules").json()["meta"]["result_count"] == 1

    def test_that_are_there_or_cannot_be_read_come_back_as_problems(self, change):
        change({"add": [{"value": "@smoney"}]})
        for wrong in ("@smoney", "", "(a", "a)", "colour:red", "a OR", "x" * 1025):
            answer = change({"add": [{"value": wrong}]})
            assert answer["errors"], wrong
            assert "data" not in answer

    def test_tried_dry_are_not_kept(self, change, plain):
        change({"add": [{"value": "@smoney"}]}, "?dry_run=true")
        assert "data" not in plain.app("GET", "/2/tweets/search/stream/rules").json()


def _until_connected(world):
    """Waits for the other thread's stream: its connection is counted, and from then on it misses nothing."""
    for _ in range(3000):
        if world.windows.quarter_hour("app", Operation.STREAM, world.now()).remaining < 50:
            threading.Event().wait(0.05)
            return
        threading.Event().wait(0.01)
    raise AssertionError("nobody connected")
