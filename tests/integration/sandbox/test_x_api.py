"""X's API v2 as served: what it gives, what it refuses, and that it says both as X does."""

from datetime import timedelta
from typing import Any

import pytest
import requests

from bot.sandbox.core import World
from bot.sandbox.faults import FaultKind
from bot.sandbox.ground import StoppedClock
from bot.sandbox.http import RealKeys, refuse_real_keys, serve
from bot.sandbox.limits import Operation

NOBODY = "2000000000000000000"


def problem(response: requests.Response, status: int) -> dict:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    found: dict = response.json()
    return found


class TestSigningIn:
    @pytest.fixture
    def me(self, plain, bot):
        """The answer to users/me with this Authorization."""
        return lambda authorization, path="/2/users/me": plain.send("GET", path, authorization)

    @pytest.mark.parametrize(
        "base", ["https://api.twitter.com", None], ids=["X's address", "its own address"]
    )
    def test_takes_a_right_signature_over_either_address(self, plain, bot, me, base):
        answer = me(plain.signed(bot, "GET", "/2/users/me", base=base))
        assert answer.json()["data"]["username"] == "smoney"

    def test_takes_each_signature_once(self, plain, bot, me):
        signature = plain.signed(bot, "GET", "/2/users/me")
        assert me(signature).status_code == 200
        problem(me(signature), 401)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"client_secret": "wrong"},
            {"resource_owner_secret": "wrong"},
            {"resource_owner_key": "123-wrong"},
            {"client_key": "wrong"},
            {"shift_seconds": -310},
            {"shift_seconds": 310},
            {"signature_method": "PLAINTEXT"},
            {"signature_method": "HMAC-SHA256"},
            {"base": "https://elsewhere.example"},
        ],
        ids=lambda wrong: " ".join(map(str, wrong.items())),
    )
    def test_refuses_a_wrong_signature(self, plain, bot, me, wrong):
        problem(me(plain.signed(bot, "GET", "/2/users/me", **wrong)), 401)

    def test_takes_a_clock_that_is_a_little_off(self, plain, bot, me):
        for shift in (-280, 280):
            assert me(plain.signed(bot, "GET", "/2/users/me", shift_seconds=shift)).status_code == 200

    def test_refuses_a_signature_for_another_query_path_or_method(self, plain, bot, me):
        signature = plain.signed(bot, "GET", "/2/users/me")
        problem(me(signature, "/2/users/me?user.fields=name"), 401)
        problem(me(signature, f"/2/users/{bot.id}"), 401)
        problem(plain.send("POST", "/2/users/me", signature), 401)

    @pytest.mark.parametrize(
        "authorization", [None, "", "Basic abc", "Bearer wrong", "Bearer", "OAuth", "OAuth x=y"]
    )
    def test_refuses_what_is_no_signature(self, me, authorization):
        problem(me(authorization), 401)

    def test_takes_a_persons_own_token_and_the_apps(self, plain, bot):
        assert plain.user(bot, "GET", "/2/users/me").status_code == 200
        assert plain.app("GET", f"/2/users/{bot.id}").status_code == 200

    def test_refuses_the_apps_token_where_a_person_is_needed(self, plain, bot):
        found = problem(plain.app("GET", "/2/users/me"), 403)
        assert found["type"].endswith("/unsupported-authentication")
        problem(plain.app("GET", "/2/dm_events"), 403)
        problem(plain.app("POST", "/2/tweets", json={"text": "hello"}), 403)

    def test_refuses_a_persons_token_where_the_app_is_needed(self, plain, bot):
        problem(plain.user(bot, "GET", "/2/tweets/search/stream"), 403)
        problem(plain.user(bot, "GET", "/2/tweets/search/stream/rules"), 403)


class TestTokensThatEnd:
    @pytest.fixture
    def refresh(self, plain, world):
        def send(token: str, *, secret: str | None = None) -> Any:
            return plain.session.post(
                f"{plain.address}/2/oauth2/token",
                data={"grant_type": "refresh_token", "refresh_token": token},
                auth=(world.app.consumer_key, secret or world.app.consumer_secret),
                timeout=5,
            )

        return send

    def test_are_refused_after_two_hours_and_can_be_renewed_once(self, plain, world, bot, refresh):
        world.renew_user_token(bot)
        old = bot.keys.refresh_token
        assert plain.user(bot, "GET", "/2/users/me").status_code == 200
        world.advance(timedelta(hours=2))
        problem(plain.user(bot, "GET", "/2/users/me"), 401)
        granted = refresh(old).json()
        assert (granted["expires_in"], granted["token_type"]) == (7200, "bearer")
        assert granted["access_token"] == bot.keys.user_token
        assert plain.user(bot, "GET", "/2/users/me").status_code == 200
        assert refresh(old).status_code == 400

    def test_are_renewed_for_the_app_only(self, bot, refresh):
        assert refresh(bot.keys.refresh_token, secret="wrong").status_code == 401


class TestCredits:
    def test_that_are_used_up_end_everything_with_a_402(self, plain, world, bot):
        world.credit_thousandths = 15
        plain.user(bot, "POST", "/2/tweets", json={"text": "hello"})
        found = problem(plain.user(bot, "GET", "/2/users/me"), 402)
        assert found["title"] == "CreditsDepleted"


class TestUsers:
    def test_give_the_fields_that_were_asked_for_and_no_others(self, plain, bot):
        assert plain.user(bot, "GET", "/2/users/me").json() == {
            "data": {"id": str(bot.id), "name": "S-money", "username": "smoney"}
        }
        fields = "created_at,description,protected,public_metrics,verified,verified_type,receives_your_dm"
        full = plain.user(bot, "GET", f"/2/users/{bot.id}?user.fields={fields}").json()["data"]
        assert set(full) == {"id", "name", "username", *fields.split(",")}
        assert full["created_at"] == "2026-11-23T12:00:00.000Z"

    def test_unknown_are_problems_of_an_answer_that_is_200(self, plain, bot):
        for path in (f"/2/users/{NOBODY}", "/2/users/by/username/nobody", f"/2/users/{NOBODY}/mentions"):
            answer = plain.app("GET", path)
            assert answer.status_code == 200
            assert answer.json()["errors"][0]["title"] == "Not Found Error"
            assert "data" not in answer.json()

    def test_known_and_unknown_come_in_one_answer(self, plain, bot, bob):
        answer = plain.app("GET", f"/2/users?ids={bob.id},{NOBODY}").json()
        assert [user["username"] for user in answer["data"]] == ["bob"]
        assert answer["errors"][0]["value"] == NOBODY
        answer = plain.app("GET", "/2/users/by?usernames=BOB,nobody").json()
        assert [user["id"] for user in answer["data"]] == [str(bob.id)]
        assert answer["errors"][0]["value"] == "nobody"

    def test_suspended_are_said_to_be(self, plain, world, bob):
        world.suspend(bob)
        answer = plain.app("GET", f"/2/users/{bob.id}").json()
        assert "suspended" in answer["errors"][0]["detail"]

    def test_hold_a_name_only_until_they_give_it_up(self, plain, world, bob):
        world.rename(bob, "robert")
        newcomer = world.create_person("bob")
        assert plain.app("GET", "/2/users/by/username/bob").json()["data"]["id"] == str(newcomer.id)
        assert plain.app("GET", f"/2/users/{bob.id}").json()["data"]["username"] == "robert"

    @pytest.mark.parametrize(
        "path",
        [
            "/2/users/abc",
            "/2/users/99999999999999999999",
            "/2/users/9999999999999999999",
            "/2/users/by/username/not-a-name",
            "/2/users?ids=",
            "/2/users?ids=1,x",
            "/2/users",
            "/2/users/by?usernames=abcdefghijklmnop",
            "/2/users/me?user.fields=password",
            "/2/users/me?nonsense=1",
            "/2/users/me?expansions=author_id",
        ],
    )
    def test_are_refused_to_a_request_that_is_wrong(self, plain, bot, path):
        found = problem(plain.user(bot, "GET", path), 400)
        assert found["type"].endswith("/invalid-request")
        assert found["errors"]


class TestMentions:
    FIELDS = (
        "tweet.fields=author_id,conversation_id,created_at,display_text_range,edit_controls,entities,"
        "in_reply_to_user_id,lang,note_tweet,possibly_sensitive,public_metrics,referenced_tweets,reply_settings"
        "&expansions=author_id,entities.mentions.username,in_reply_to_user_id,referenced_tweets.id,"
        "referenced_tweets.id.author_id,edit_history_tweet_ids&user.fields=created_at"
    )

    @pytest.fixture
    def mentions(self, plain, bot):
        def get(query: str = "") -> Any:
            answer = plain.user(bot, "GET", f"/2/users/{bot.id}/mentions{query}")
            assert answer.status_code == 200, answer.text
            return answer.json()

        return get

    def test_are_absent_when_there_are_none(self, mentions):
        assert mentions() == {"meta": {"result_count": 0}}

    def test_have_three_fields_unless_more_are_asked_for(self, mentions, world, bob):
        post = world.post(bob, "@smoney <hello> & so on")
        assert mentions()["data"] == [
            {
                "id": str(post.id),
                "text": "@smoney &lt;hello&gt; &amp; so on",
                "edit_history_tweet_ids": [str(post.id)],
            }
        ]

    def test_have_all_that_was_asked_for(self, mentions, world, bot, alice, bob):
        opening = world.post(alice, "hello world")
        first = world.post(bob, "@smoney send 10€ #tip smoney.com", in_reply_to=opening.id, language="en")
        version = world.edit(first.id, "@smoney send 12€ #tip smoney.com")
        answer = mentions("?" + self.FIELDS)
        (post,) = answer["data"]
        assert post["edit_history_tweet_ids"] == [str(first.id), str(version.id)]
        assert post["display_text_range"] == [7, 39]
        assert post["text"][7:] == "@smoney send 12€ #tip smoney.com"
        assert post["in_reply_to_user_id"] == str(alice.id)
        assert post["referenced_tweets"] == [{"type": "replied_to", "id": str(opening.id)}]
        assert post["conversation_id"] == str(opening.id)
        assert (post["author_id"], post["lang"]) == (str(bob.id), "en")
        assert post["edit_controls"] == {
            "edits_remaining": 4,
            "is_edit_eligible": True,
            "editable_until": "2026-11-23T13:00:00.000Z",
        }
        assert [(each["username"], each["id"]) for each in post["entities"]["mentions"]] == [
            ("alice", str(alice.id)),
            ("smoney", str(bot.id)),
        ]
        assert post["entities"]["hashtags"][0]["tag"] == "tip"
        assert post["entities"]["urls"][0]["display_url"] == "smoney.com"
        assert {user["username"] for user in answer["includes"]["users"]} == {"alice", "bob", "smoney"}
        assert {each["id"] for each in answer["includes"]["tweets"]} == {str(opening.id), str(first.id)}

    def test_are_paged_newest_first(self, mentions, world, bob):
        ids = [str(world.post(bob, f"@smoney {number}").id) for number in range(12)]
        first = mentions("?max_results=5")
        second = mentions(f"?max_results=5&pagination_token={first['meta']['next_token']}")
        third = mentions(f"?max_results=5&pagination_token={second['meta']['next_token']}")
        assert [[post["id"] for post in page["data"]] for page in (first, second, third)] == [
            ids[:6:-1],
            ids[6:1:-1],
            ids[1::-1],
        ]
        assert "next_token" not in third["meta"]
        assert first["meta"] | {"next_token": ""} == {
            "result_count": 5,
            "newest_id": ids[11],
            "oldest_id": ids[7],
            "next_token": "",
        }

    def test_number_ten_where_nothing_is_said(self, mentions, world, bob):
        for number in range(12):
            world.post(bob, f"@smoney {number}")
        assert mentions()["meta"]["result_count"] == 10

    def test_can_be_cut_by_id_as_numbers_and_by_time(self, mentions, world, bob):
        early = world.post(bob, "@smoney early")
        world.advance(timedelta(minutes=1))
        late = world.post(bob, "@smoney late")
        assert [each["id"] for each in mentions(f"?since_id={early.id}")["data"]] == [str(late.id)]
        assert [each["id"] for each in mentions("?since_id=9")["data"]] == [str(late.id), str(early.id)]
        assert [each["id"] for each in mentions(f"?until_id={late.id}")["data"]] == [str(early.id)]
        assert [each["id"] for each in mentions("?start_time=2026-11-23T12:01:00Z")["data"]] == [str(late.id)]
        assert [each["id"] for each in mentions("?end_time=2026-11-23T12:01:00.000Z")["data"]] == [
            str(early.id)
        ]

    @pytest.mark.parametrize(
        "query",
        [
            "?max_results=4",
            "?max_results=101",
            "?max_results=x",
            "?since_id=x",
            "?pagination_token=x",
            "?start_time=yesterday",
            "?start_time=2026-13-23T12:01:00Z",
            "?tweet.fields=",
            "?tweet.fields=colour",
            "?dm_event.fields=text",
        ],
    )
    def test_are_refused_to_a_request_that_is_wrong(self, plain, bot, query):
        problem(plain.user(bot, "GET", f"/2/users/{bot.id}/mentions{query}"), 400)

    def test_of_a_long_post_are_cut_with_the_whole_in_a_note(self, mentions, world, bot, bob, alice):
        bob.writes_long = True
        world.post(bob, "@smoney " + "word " * 80 + "@alice")
        (post,) = mentions("?tweet.fields=note_tweet,entities,display_text_range")["data"]
        assert post["text"].endswith("…")
        assert len(post["text"]) < 290
        assert post["note_tweet"]["text"].endswith("@alice")
        assert [each["username"] for each in post["entities"]["mentions"]] == ["smoney"]
        assert [each["username"] for each in post["note_tweet"]["entities"]["mentions"]] == [
            "smoney",
            "alice",
        ]

    def test_of_a_reply_to_a_deleted_post_name_what_is_missing(self, mentions, world, alice, bob):
        opening = world.post(alice, "hello")
        world.post(bob, "@smoney hi", in_reply_to=opening.id)
        world.delete(opening.id)
        answer = mentions("?expansions=referenced_tweets.id")
        assert answer["errors"][0]["value"] == str(opening.id)
        assert len(answer["data"]) == 1

    def test_can_speak_the_newer_names(self, mentions, world, bob):
        world.post(bob, "@smoney hi")
        (post,) = mentions("?post.fields=edit_history_post_ids,author_id")["data"]
        assert "edit_history_post_ids" in post
        assert "edit_history_tweet_ids" not in post
        assert "edit_history_tweet_ids" in mentions()["data"][0]

    def test_speak_them_everywhere_where_the_world_does(self, mentions, plain, world, bot):
        world.newer_names = True
        created = plain.user(bot, "POST", "/2/tweets", json={"text": "@smoney hi"}).json()["data"]
        query = "?tweet.fields=public_metrics&expansions=author_id&user.fields=public_metrics"
        answer = mentions(query)
        (post,), (author,) = answer["data"], answer["includes"]["users"]
        assert created["edit_history_post_ids"] == post["edit_history_post_ids"] == [post["id"]]
        assert {"repost_count", "like_count"} <= post["public_metrics"].keys()
        assert author["public_metrics"]["post_count"] == 1
        older = ("edit_history_tweet_ids", "retweet_count", "tweet_count")
        assert not any(name in str(answer) + str(created) for name in older)


class TestPosts:
    def test_are_created_shown_and_deleted(self, plain, bot, world):
        created = plain.user(bot, "POST", "/2/tweets", json={"text": "hello <world>"})
        assert created.status_code == 201
        identity = created.json()["data"]["id"]
        assert created.json()["data"]["text"] == "hello &lt;world&gt;"
        shown = plain.user(bot, "GET", f"/2/tweets/{identity}?tweet.fields=author_id").json()
        assert shown["data"]["author_id"] == str(bot.id)
        assert plain.user(bot, "DELETE", f"/2/tweets/{identity}").json() == {"data": {"deleted": True}}
        gone = plain.user(bot, "GET", f"/2/tweets/{identity}")
        assert gone.status_code == 200
        assert gone.json()["errors"][0]["resource_type"] == "tweet"

    def test_can_be_asked_for_together(self, plain, bot, world, bob):
        post = world.post(bob, "hello")
        answer = plain.app("GET", f"/2/tweets?ids={post.id},{NOBODY}").json()
        assert [each["id"] for each in answer["data"]] == [str(post.id)]
        assert answer["errors"][0]["value"] == NOBODY

    def test_of_one_person_can_leave_out_replies_and_reposts(self, plain, world, bot, bob):
        own = world.post(bot, "news")
        world.post(bot, "answer", in_reply_to=world.post(bob, "@smoney hi").id)
        world.repost(bot, world.post(bob, "look").id)
        path = f"/2/users/{bot.id}/tweets"
        assert plain.user(bot, "GET", path).json()["meta"]["result_count"] == 3
        only = plain.user(bot, "GET", f"{path}?exclude=replies,retweets").json()
        assert [each["id"] for each in only["data"]] == [str(own.id)]

    def test_of_somebody_else_cannot_be_deleted(self, plain, world, bot, bob):
        problem(plain.user(bot, "DELETE", f"/2/tweets/{world.post(bob, 'mine').id}"), 403)

    def test_can_be_edited_within_the_hour(self, plain, world, bob):
        first = plain.user(bob, "POST", "/2/tweets", json={"text": "ten"}).json()["data"]["id"]
        change = {"text": "twelve", "edit_options": {"previous_post_id": first}}
        version = plain.user(bob, "POST", "/2/tweets", json=change).json()["data"]
        assert version["edit_history_tweet_ids"] == [first, version["id"]]
        world.advance(timedelta(hours=1))
        change["text"] = "thirteen"
        problem(plain.user(bob, "POST", "/2/tweets", json=change), 403)

    def test_can_be_edited_five_times(self, plain, world, bob):
        first = world.post(bob, "zero")
        for number in range(5):
            world.edit(first.id, f"edit {number}")
        change = {"text": "sixth", "edit_options": {"previous_post_id": str(first.id)}}
        problem(plain.user(bob, "POST", "/2/tweets", json=change), 403)

    @pytest.mark.parametrize(
        ("text", "detail"),
        [
            ("a" * 281, "too long"),
            ("€" * 141, "too long"),
        ],
    )
    def test_too_long_are_refused(self, plain, bot, text, detail):
        assert detail in problem(plain.user(bot, "POST", "/2/tweets", json={"text": text}), 403)["detail"]

    def test_of_140_euro_signs_are_taken(self, plain, bot):
        assert plain.user(bot, "POST", "/2/tweets", json={"text": "€" * 140}).status_code == 201

    def test_said_twice_are_refused_in_xs_words(self, plain, bot):
        plain.user(bot, "POST", "/2/tweets", json={"text": "hello"})
        found = problem(plain.user(bot, "POST", "/2/tweets", json={"text": " hello "}), 403)
        assert found["detail"] == "You are not allowed to create a Tweet with duplicate content."

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"text": ""},
            {"text": " \n"},
            {"text": 5},
            {"text": "x", "colour": "red"},
            {"text": "x", "reply": 5},
            {"text": "x", "reply": {}},
            {"text": "x", "reply": {"in_reply_to_tweet_id": "abc"}},
            {"text": "x", "reply": {"in_reply_to_tweet_id": "1", "colour": "red"}},
            {"text": "x", "quote_tweet_id": "abc"},
        ],
        ids=str,
    )
    def test_wrongly_asked_for_are_refused(self, plain, bot, body):
        problem(plain.user(bot, "POST", "/2/tweets", json=body), 400)

    @pytest.mark.parametrize("raw", [b"[1]", b"nonsense", b'"text"', b"[" * 100_000, b'{"text": "\\ud800"}'])
    def test_asked_for_with_no_object_are_refused(self, plain, bot, raw):
        problem(plain.user(bot, "POST", "/2/tweets", data=raw), 400)

    def test_asked_for_with_a_huge_body_are_refused(self, plain, bot):
        assert plain.user(bot, "POST", "/2/tweets", data=b"x" * 1_100_000).status_code == 413


class TestReplies:
    NOT_SUMMONED = (
        "Reply to this conversation is not allowed because you have not been mentioned or otherwise engaged "
        "by the author of the post you are replying to."
    )

    @pytest.fixture
    def reply(self, plain, bot):
        def send(target: int, text: str, **more: object) -> Any:
            body = {"text": text, "reply": {"in_reply_to_tweet_id": str(target), **more}}
            return plain.user(bot, "POST", "/2/tweets", json=body)

        return send

    def test_need_a_summons_in_that_very_post(self, reply, world, bob):
        world.post(bob, "@smoney hello")
        found = problem(reply(world.post(bob, "by the way").id, "yes?"), 403)
        assert found["detail"] == self.NOT_SUMMONED

    def test_are_allowed_once(self, reply, world, bob):
        post = world.post(bob, "@smoney hello")
        assert reply(post.id, "yes?").status_code == 201
        assert problem(reply(post.id, "still here"), 403)["detail"] == self.NOT_SUMMONED

    def test_to_a_quote_of_an_own_post_are_allowed(self, reply, world, bot, bob):
        post = world.post(bob, "look", quote_of=world.post(bot, "news").id)
        assert reply(post.id, "thanks").status_code == 201

    def test_mention_all_who_were_there_unless_left_out(self, reply, world, alice, bob):
        post = world.post(bob, "@smoney send 1€ to @alice")
        shown = reply(post.id, "ok", exclude_reply_user_ids=[str(alice.id)]).json()["data"]
        assert shown["text"] == "@bob ok"

    def test_to_nothing_are_refused(self, reply):
        problem(reply(int(NOBODY), "hello?"), 403)


class TestMessages:
    FIELDS = (
        "dm_event.fields=created_at,dm_conversation_id,sender_id,participant_ids,entities,event_type,text,id"
    )

    @pytest.fixture
    def send(self, plain, bot):
        def send(recipient: int, text: str = "hello") -> Any:
            path = f"/2/dm_conversations/with/{recipient}/messages"
            return plain.user(bot, "POST", path, json={"text": text})

        return send

    def test_go_only_to_people_who_wrote_first(self, send, world, bot, bob):
        found = problem(send(bob.id), 403)
        assert found["detail"] == "You do not have permission to DM one or more participants."
        problem(send(int(NOBODY)), 403)
        world.send_message(bob, bot, "start")
        sent = send(bob.id)
        assert sent.status_code == 201
        pair = "-".join(map(str, sorted([bot.id, bob.id])))
        assert sent.json()["data"]["dm_conversation_id"] == pair

    def test_are_listed_newest_first_the_bots_own_among_them(self, plain, send, world, bot, bob):
        world.send_message(bob, bot, "start & @smoney")
        send(bob.id)
        answer = plain.user(bot, "GET", f"/2/dm_events?{self.FIELDS}&expansions=sender_id").json()
        own, start = answer["data"]
        assert (own["text"], own["sender_id"]) == ("hello", str(bot.id))
        assert start["text"] == "start &amp; @smoney"
        assert start["entities"]["mentions"] == [
            {"start": 12, "end": 19, "username": "smoney", "id": str(bot.id)}
        ]
        assert start["created_at"] == "2026-11-23T12:00:00.000Z"
        assert {user["username"] for user in answer["includes"]["users"]} == {"smoney", "bob"}

    def test_have_three_fields_unless_more_are_asked_for(self, plain, world, bot, bob):
        message = world.send_message(bob, bot, "start")
        assert plain.user(bot, "GET", "/2/dm_events").json() == {
            "data": [{"id": str(message.id), "event_type": "MessageCreate", "text": "start"}],
            "meta": {"result_count": 1},
        }
        assert plain.user(bob, "GET", f"/2/dm_conversations/with/{bob.id}/dm_events").json() == {
            "meta": {"result_count": 0}
        }

    def test_of_one_conversation_can_be_asked_for_both_ways(self, plain, world, bot, alice, bob):
        world.send_message(bob, bot, "from bob")
        world.send_message(alice, bot, "from alice")
        pair = "-".join(map(str, sorted([bot.id, bob.id])))
        for path in (f"with/{bob.id}", pair):
            answer = plain.user(bot, "GET", f"/2/dm_conversations/{path}/dm_events").json()
            assert [each["text"] for each in answer["data"]] == ["from bob"]

    def test_of_other_people_cannot_be_read(self, plain, world, bot, alice, bob):
        world.send_message(bob, bot, "secret")
        pair = "-".join(map(str, sorted([bot.id, bob.id])))
        problem(plain.user(alice, "GET", f"/2/dm_conversations/{pair}/dm_events"), 403)
        assert plain.user(alice, "GET", "/2/dm_events").json()["meta"]["result_count"] == 0

    def test_are_paged_with_tokens_of_sixteen_characters(self, plain, world, bot, bob):
        for number in range(3):
            world.send_message(bob, bot, f"number {number}")
        first = plain.user(bot, "GET", "/2/dm_events?max_results=2").json()
        assert len(first["meta"]["next_token"]) >= 16
        token = first["meta"]["next_token"]
        second = plain.user(bot, "GET", f"/2/dm_events?max_results=2&pagination_token={token}").json()
        assert [each["text"] for each in first["data"] + second["data"]] == [
            "number 2",
            "number 1",
            "number 0",
        ]
        assert "next_token" not in second["meta"]

    def test_of_a_group_tell_who_joined(self, plain, world, bot, alice, bob):
        group = world.create_group(alice, [bob, bot])
        world.send_to_group(bob, group, "hi all")
        answer = plain.user(bot, "GET", f"/2/dm_events?{self.FIELDS}&expansions=participant_ids").json()
        said, joined = answer["data"]
        assert (said["dm_conversation_id"], said["text"]) == (group, "hi all")
        assert joined["event_type"] == "ParticipantsJoin"
        assert set(joined["participant_ids"]) == {str(alice.id), str(bob.id), str(bot.id)}
        only = plain.user(bot, "GET", "/2/dm_events?event_types=MessageCreate").json()
        assert only["meta"]["result_count"] == 1

    @pytest.mark.parametrize(
        "path",
        [
            "/2/dm_events?max_results=0",
            "/2/dm_events?max_results=101",
            "/2/dm_events?event_types=Party",
            "/2/dm_events?since_id=5",
            "/2/dm_conversations/with/abc/dm_events",
            "/2/dm_conversations/12/dm_events",
        ],
    )
    def test_are_refused_to_a_request_that_is_wrong(self, plain, bot, path):
        problem(plain.user(bot, "GET", path), 400)

    @pytest.mark.parametrize(
        "body", [{}, {"text": ""}, {"text": "a" * 10_001}, {"text": "x", "more": 1}], ids=len
    )
    def test_that_are_none_are_refused(self, plain, world, bot, bob, body):
        world.send_message(bob, bot, "start")
        problem(plain.user(bot, "POST", f"/2/dm_conversations/with/{bob.id}/messages", json=body), 400)


class TestLimits:
    def test_stand_in_every_answers_headers(self, plain, bot):
        headers = plain.user(bot, "GET", "/2/users/me").headers
        assert headers["x-rate-limit-limit"] == "75"
        assert headers["x-rate-limit-remaining"] == "74"
        assert headers["x-rate-limit-reset"] == "1795436100"

    def test_used_up_are_a_429_until_the_window_ends(self, plain, world, bot):
        for _ in range(15):
            assert plain.user(bot, "GET", "/2/dm_events").status_code == 200
        refused = plain.user(bot, "GET", "/2/dm_events")
        assert problem(refused, 429)["title"] == "Too Many Requests"
        assert refused.headers["x-rate-limit-remaining"] == "0"
        world.advance(timedelta(minutes=15))
        assert plain.user(bot, "GET", "/2/dm_events").status_code == 200

    def test_of_one_person_do_not_touch_another(self, plain, bot, bob):
        for _ in range(15):
            plain.user(bot, "GET", "/2/dm_events")
        assert plain.user(bob, "GET", "/2/dm_events").status_code == 200

    def test_of_the_day_have_headers_of_their_own(self, plain, world, bot, bob):
        world.send_message(bob, bot, "start")
        path = f"/2/dm_conversations/with/{bob.id}/messages"
        headers = plain.user(bot, "POST", path, json={"text": "hello"}).headers
        assert headers["x-user-limit-24hour-limit"] == "1440"
        assert headers["x-user-limit-24hour-remaining"] == "1439"


class TestFaults:
    def test_break_the_connection_before_or_after_it_is_done(self, plain, world, bot):
        for kind, posts in ((FaultKind.CUT, 0), (FaultKind.LOSE, 1)):
            world.plan_fault(kind, Operation.CREATE_POST)
            with pytest.raises(requests.ConnectionError):
                plain.user(bot, "POST", "/2/tweets", json={"text": f"hello {kind}"})
            assert len(world.timeline()) == posts

    def test_answer_nonsense_refusals_and_failures(self, plain, world, bot):
        world.plan_fault(FaultKind.NONSENSE, body="<html>")
        assert plain.user(bot, "GET", "/2/users/me").text == "<html>"
        world.plan_fault(FaultKind.FAIL)
        problem(plain.user(bot, "GET", "/2/users/me"), 503)
        world.plan_fault(FaultKind.REFUSE, status=402, title="CreditsDepleted", detail="No credits.")
        assert problem(plain.user(bot, "GET", "/2/users/me"), 402)["title"] == "CreditsDepleted"

    def test_delay_an_answer(self, plain, world, bot):
        world.plan_fault(FaultKind.DELAY, seconds=0.3)
        with pytest.raises(requests.ReadTimeout):
            plain.session.get(
                f"{plain.address}/2/users/me",
                headers={"Authorization": f"Bearer {bot.keys.user_token}"},
                timeout=0.1,
            )

    def test_strike_only_whom_they_are_meant_for(self, plain, world, bot, bob):
        world.plan_fault(FaultKind.FAIL, caller_id=bob.id)
        assert plain.user(bot, "GET", "/2/users/me").status_code == 200
        assert plain.user(bob, "GET", "/2/users/me").status_code == 503


class TestOtherRoads:
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/2/nothing"),
            ("PUT", "/2/tweets"),
            ("DELETE", "/2/users/me"),
            ("GET", "/2/users/1/likes/2"),
        ],
    )
    def test_lead_nowhere(self, world, bot, clients, method, path):
        with serve(world) as served:
            client = clients.Plain(served.address, world)
            problem(client.user(bot, method, path), 404)
            client.close()

    def test_tell_a_suspended_caller(self, plain, world, bot):
        world.suspend(bot)
        found = problem(plain.user(bot, "GET", "/2/users/me"), 403)
        assert found["errors"][0]["code"] == 64


class TestServing:
    def test_is_for_this_machine_only(self, world):
        with pytest.raises(ValueError, match="this machine only"), serve(world, host="0.0.0.0"):
            pass

    @pytest.mark.parametrize(
        "key",
        [
            "AAAAAAAAAAAAAAAAAAAAAMLheAAAAAAA0%2BuSeid%2BULvsea4JtiGRiSDSJSI",
            "1234567890-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN",
            "xvz1evFS4wEEPTGEFPHBog123",
            "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw4hjKL8A",
        ],
    )
    def test_refuses_what_could_be_a_real_key(self, key):
        with pytest.raises(RealKeys):
            refuse_real_keys(["", key])

    def test_takes_its_own_keys(self, world, bot):
        app, own = world.app, bot.keys
        refuse_real_keys(
            [
                "",
                app.consumer_key,
                app.consumer_secret,
                app.bearer_token,
                own.access_token,
                own.access_token_secret,
            ]
        )

    def test_raises_what_the_observer_objected_to(self, world):
        def object_to(exchange: object) -> None:
            raise AssertionError("no")

        def ask() -> None:
            with serve(world, observe=object_to) as served:
                requests.get(f"{served.address}/2/users/me", timeout=5)

        with pytest.raises(ExceptionGroup):
            ask()

    def test_keeps_its_world_in_a_file(self, world, bot, bob, tmp_path):
        file = tmp_path / "world.json"
        with serve(world, state=file):
            post = world.post(bob, "@smoney hi <there>")
            world.send_message(bob, bot, "start")
            group = world.create_group(bob, [bot])
        fresh = World(StoppedClock(world.now()))
        with serve(fresh, state=file):
            again = fresh.person("bob")
            assert again.keys == bob.keys
            assert fresh.posts[post.id] == post
            assert [each.text for each in fresh.thread(bob.id, bot.id)] == ["start"]
            assert fresh.messages.groups_of(bot.id) == [group]
            assert fresh.app == world.app
            assert fresh.post(bob.id, "next").id > post.id
            fresh.send_message(bot.id, bob.id, "hello")
