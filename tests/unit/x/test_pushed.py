"""What X pushes, in the shape of its published samples: envelopes, older forms of messages, twins of numbers in text."""

import json
from copy import deepcopy
from typing import Any

import pytest

from bot.sandbox.x_api import Exchange
from bot.x.gateway import UserId
from bot.x.pushed import Disconnect, read
from bot.x.translation import NotUnderstood
from tests.description import DESCRIPTION, Judge

BOT = UserId(1111)
POST: dict[str, Any] = {
    "id": "2080000000000000001",
    "text": "hey @smoney send 5€ @alice &amp; thanks",
    "author_id": "2222",
    "created_at": "2026-07-24T21:23:23.000Z",
    "conversation_id": "2080000000000000001",
    "edit_history_tweet_ids": ["2080000000000000001"],
    "edit_controls": {
        "edits_remaining": 5,
        "edits_remaining_str": "5",
        "is_edit_eligible": True,
        "editable_until": "2026-07-24T22:23:23.000Z",
    },
    "display_text_range": [0, 39],
    "entities": {
        "mentions": [
            {"start": 4, "start_str": "4", "end": 11, "end_str": "11", "username": "smoney", "id": "1111"},
            {"start": 20, "start_str": "20", "end": 26, "end_str": "26", "username": "alice", "id": "3333"},
        ]
    },
    "lang": "en",
    "possibly_sensitive": False,
    "reply_settings": "everyone",
}
USERS = [
    {"id": "2222", "username": "bob", "name": "Bob"},
    {"id": "1111", "username": "smoney", "name": "S-money"},
]
MENTION: dict[str, Any] = {
    "data": {
        "event_uuid": "2080000000000000001",
        "filter": {"user_id": "1111"},
        "event_type": "post.mention.create",
        "tag": "mentions",
        "payload": POST,
        "includes": {"users": USERS, "tweets": [POST]},
    }
}


def spoken(identity: str, text: str, sender: str = "2222", **more: Any) -> dict[str, Any]:
    entities: dict[str, Any] = {"hashtags": [], "symbols": [], "user_mentions": [], "urls": []}
    return {
        "type": "message_create",
        "id": identity,
        "created_timestamp": "1784928224372",
        "message_create": {
            "target": {"recipient_id": "1111"},
            "sender_id": sender,
            "message_data": {"text": text, "entities": entities | more},
        },
    }


def received(*events: dict[str, Any]) -> dict[str, Any]:
    return {
        "data": {
            "event_uuid": "-6850000000000000001",
            "filter": {"user_id": "1111"},
            "event_type": "dm.received",
            "tag": "inbound",
            "payload": {
                "direct_message_events": list(events),
                "users": {user["id"]: {"data": user} for user in USERS},
            },
        }
    }


class TestAMention:
    def test_is_read_with_its_people(self):
        (post,) = read(MENTION, BOT).posts
        assert (post.id, post.first_id, post.author.username) == (2080000000000000001,) * 2 + ("bob",)
        assert [(each.username, each.user_id) for each in post.mentions] == [
            ("smoney", 1111),
            ("alice", 3333),
        ]

    def test_is_read_by_the_newer_names_and_with_its_people_outside(self):
        """Where includes stand is not settled, and names change."""
        told = deepcopy(MENTION)
        payload = told["data"]["payload"]
        payload["edit_history_post_ids"] = ["2079999999999999999", *payload.pop("edit_history_tweet_ids")]
        told["includes"] = told["data"].pop("includes")
        (post,) = read(told, BOT).posts
        assert (post.first_id, post.author.username) == (2079999999999999999, "bob")

    def test_for_another_account_or_of_another_kind_is_nothing(self):
        for change in ({"filter": {"user_id": "5"}}, {"event_type": "post.like.create"}):
            told = deepcopy(MENTION)
            told["data"] |= change
            assert read(told, BOT) == read(received(), BOT)


class TestAMessage:
    def test_comes_with_others_in_one_event_and_never_the_bots_own(self):
        told = received(spoken("21", "start"), spoken("22", "K 482913"), spoken("23", "hi", "1111"))
        found = read(told, BOT).messages
        assert [(each.id, each.text, each.one_to_one, each.with_id) for each in found] == [
            (21, "start", True, 2222),
            (22, "K 482913", True, 2222),
        ]

    def test_has_its_mentions_in_their_older_form(self):
        mention = {"screen_name": "alice", "id_str": "3333", "indices": [8, 14]}
        (found,) = read(received(spoken("21", "send 5€ @alice", user_mentions=[mention])), BOT).messages
        assert [(each.username, each.user_id) for each in found.mentions] == [("alice", 3333)]

    def test_to_a_group_is_not_one_to_one(self):
        event = spoken("21", "send 5€ @alice") | {"dm_conversation_id": "1590000000000000000"}
        (found,) = read(received(event), BOT).messages
        assert not found.one_to_one


class TestAnythingElse:
    def test_that_says_the_line_will_end_ends_it(self):
        with pytest.raises(Disconnect, match="operational"):
            read({"errors": [{"title": "operational-disconnect"}]}, BOT)

    @pytest.mark.parametrize("body", [[], {}, {"data": 5}, {"meta": {}}])
    def test_is_not_understood(self, body):
        with pytest.raises(NotUnderstood):
            read(body, BOT)


@pytest.mark.shared
@pytest.mark.skipif(not DESCRIPTION.exists(), reason="X's description is not beside the project (shared)")
def test_the_judge_is_content_with_the_samples():
    """So what it asks of the sandbox's events is what X's samples have."""
    for told in (MENTION, received(spoken("21", "start"))):
        body = json.dumps(told).encode()
        Judge()(Exchange("GET", "/2/activity/stream", {}, 200, "application/json", body))
