"""Whatever is sent, the sandbox answers as X would: never with a fault of its own, and always as described."""

import json
from datetime import UTC, datetime
from random import Random
from typing import Any

import requests

from bot.sandbox.core import World
from bot.sandbox.ground import StoppedClock
from bot.sandbox.http import serve
from bot.sandbox.routes import ROUTES

ODD = [
    "",
    "0",
    "1",
    "-1",
    "9" * 18,
    "9" * 19,
    "9" * 40,
    "abc",
    "é",
    "%00",
    "%ff",
    "%2F..%2F",
    "1,2,3",
    "null",
    "[]",
    "true",
    "id,text",
    "author_id",
    "2026-11-23T12:00:00Z",
    "x" * 3000,
    "٣",
    "²",
]
BODIES: list[Any] = [
    None,
    0,
    "text",
    [],
    {},
    {"text": None},
    {"text": []},
    {"text": "\x00"},
    {"text": "\ufeff"},
    {"text": "hello"},
    {"text": "x", "reply": {"in_reply_to_tweet_id": None}},
    {"text": "x", "reply": {"in_reply_to_tweet_id": {"a": 1}}},
    {"text": "x", "reply": {"in_reply_to_tweet_id": "1", "exclude_reply_user_ids": [None]}},
    {"text": "x", "edit_options": {"previous_post_id": "1"}},
    {"text": "x", "edit_options": []},
    {"add": None},
    {"add": [None]},
    {"add": [{"value": 5}]},
    {"add": [{"value": '"'}]},
    {"add": [{"value": "((((" * 200}]},
    {"add": [{"value": "-" * 900}]},
    {"add": [{"value": "a", "tag": 5}]},
    {"delete": None},
    {"delete": {"ids": None}},
    {"delete": {"ids": [None, {}, "²"]}},
    {"delete": {"values": 5}},
]
PARAMETERS = (
    "ids usernames tweet.fields user.fields dm_event.fields expansions max_results pagination_token since_id until_id "
    "start_time end_time exclude event_types dry_run post.fields nonsense"
)


class TestOddRequests:
    def test_are_answered_without_a_fault(self, address, world, bot, bob, clients):
        """Some hundred requests put together by chance, the same ones in each run."""
        chance = Random(11)
        plain = clients.Plain(address, world)
        parameters = PARAMETERS.split()
        for _ in range(600):
            world.windows.clear()
            route = chance.choice(ROUTES)
            path = route.pattern.pattern
            for part in ("id", "username", "participant_id"):
                value = chance.choice([*ODD, str(bot.id), str(bob.id), "bob"]).replace("/", "_") or "_"
                path = path.replace(f"(?P<{part}>[^/]+)", value)
            query = "&".join(
                f"{chance.choice(parameters)}={chance.choice(ODD)}" for _ in range(chance.randrange(3))
            )
            body = chance.choice(BODIES) if route.method == "POST" else None
            ask = (
                plain.app if route.app and chance.random() < 0.5 else lambda *a, **b: plain.user(bot, *a, **b)
            )
            answer = ask(route.method, f"{path}?{query}" if query else path, json=body)
            assert answer.status_code < 500, (route.method, path, query, body, answer.text)
        plain.close()


CONTROL = "people person posts edit delete repost messages groups group-messages faults clock drop-streams"
FIELDS = (
    "username name person author text id in_reply_to sender recipient creator others group kind operation times seconds "
    "advance_seconds blocks skip status language closed"
)
VALUES: list[Any] = [
    None,
    0,
    -1,
    10**30,
    1.5,
    "",
    "bob",
    "smoney",
    "abc",
    "²",
    [],
    [None],
    ["bob"],
    {},
    {"a": 1},
    True,
    "\ud800",
    "x" * 500,
]


class TestOddControl:
    def test_is_refused_without_a_fault(self):
        chance = Random(12)
        fields, paths = FIELDS.split(), CONTROL.split()
        session = requests.Session()
        world = World(StoppedClock(datetime(2026, 11, 23, 12, 0, tzinfo=UTC)))
        world.create_person("smoney", open_messages=True)
        world.create_person("bob")
        with serve(world) as served:
            for _ in range(600):
                path = chance.choice(paths)
                body = {chance.choice(fields): chance.choice(VALUES) for _ in range(chance.randrange(5))}
                answer = session.post(
                    f"{served.address}/sandbox/{path}",
                    data=json.dumps(body),
                    headers={"content-type": "application/json"},
                    timeout=10,
                )
                assert answer.status_code < 500, (path, body, answer.text)
                session.get(f"{served.address}/sandbox/view?person=x", timeout=10).json()
            for raw in (b"", b"[", b"null", b"\xff", b'"' * 10):
                for path in ("posts", "preview"):
                    headers = {"content-type": "application/json"}
                    url = f"{served.address}/sandbox/{path}"
                    assert session.post(url, data=raw, headers=headers, timeout=10).status_code == 400
        session.close()
