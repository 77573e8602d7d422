"""X's activity events: subscribed to by a person, told by the app's stream and by webhook, in the form of X's samples."""

import base64
import hashlib
import hmac
import json
import queue
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.sandbox.meter import Price


@pytest.fixture
def subscribe(plain, bot):
    def send(kind: str, **more: Any) -> Any:
        body = {"event_type": kind, "filter": {"user_id": str(bot.id)}, "tag": kind, **more}
        return plain.user(bot, "POST", "/2/activity/subscriptions", json=body)

    return send


@pytest.fixture
def lines(plain, bot):
    response = plain.app("GET", "/2/activity/stream", stream=True)
    yield (json.loads(line) for line in response.iter_lines(chunk_size=1) if line)
    response.close()


class TestSubscriptions:
    def test_are_made_listed_changed_and_ended(self, subscribe, plain, bot):
        made = subscribe("dm.received").json()
        assert made["data"]["filter"] == {"user_id": str(bot.id)}
        assert made["meta"] == {"total_subscriptions": 1}
        path = f"/2/activity/subscriptions/{made['data']['subscription_id']}"
        assert plain.user(bot, "PUT", path, json={"tag": "other"}).json()["data"]["tag"] == "other"
        assert len(plain.app("GET", "/2/activity/subscriptions").json()["data"]) == 1
        assert plain.user(bot, "DELETE", path).json()["data"] == {"deleted": True}
        assert "data" not in plain.app("GET", "/2/activity/subscriptions").json()

    def test_to_the_events_of_somebody_else_are_refused(self, subscribe, bob):
        assert subscribe("dm.received", filter={"user_id": str(bob.id)}).status_code == 403

    def test_are_made_with_an_oauth_2_token_alone(self, plain, bot):
        path = "/2/activity/subscriptions"
        body = {"event_type": "dm.received", "filter": {"user_id": str(bot.id)}}
        answer = plain.send("POST", path, plain.signed(bot, "POST", path), json=body)
        assert answer.status_code == 403
        assert "[OAuth 2.0 User Context]" in answer.json()["detail"]
        assert plain.user(bot, "POST", path, json=body).status_code == 200

    @pytest.mark.parametrize(
        "wrong", [{"tag": "x" * 201}, {"filter": 5}, {"filter": {}}, {"colour": 1}], ids=str
    )
    def test_that_are_wrong_are_refused(self, subscribe, wrong):
        assert subscribe("dm.received", **wrong).status_code == 400

    def test_to_unknown_events_are_refused(self, subscribe):
        assert subscribe("nonsense").status_code == 400


class TestStream:
    def test_tells_of_mentions_in_the_visible_text_only(self, subscribe, lines, world, bot, bob, alice):
        subscribe("post.mention.create")
        opening = world.post(alice, "hello @smoney")
        world.post(bob, "hidden mention only", in_reply_to=opening.id)
        second = world.post(bob, "@smoney send 10€ & more")
        told = [next(lines) for _ in range(2)]
        assert [each["data"]["payload"]["id"] for each in told] == [str(opening.id), str(second.id)]
        payload = told[1]["data"]["payload"]
        assert payload["text"] == "@smoney send 10€ &amp; more"
        assert payload["entities"]["mentions"][0]["start_str"] == "0"
        assert payload["edit_controls"]["edits_remaining_str"] == "5"
        assert {user["username"] for user in told[1]["data"]["includes"]["users"]} == {"smoney", "bob"}
        assert told[1]["data"]["tag"] == told[1]["data"]["event_type"] == "post.mention.create"

    def test_tells_of_messages_in_their_older_form(self, subscribe, lines, world, bot, bob):
        subscribe("dm.received")
        message = world.send_message(bob, bot, "start & go")
        world.send_message(bot, bob, "not told to its sender")
        world.send_message(bob, bot, "last")
        first, last = next(lines), next(lines)
        (event,) = first["data"]["payload"]["direct_message_events"]
        assert event["id"] == str(message.id)
        assert event["message_create"]["sender_id"] == str(bob.id)
        assert event["message_create"]["message_data"]["text"] == "start &amp; go"
        assert event["created_timestamp"] == str(int(message.created_at.timestamp() * 1000))
        assert first["data"]["payload"]["users"][str(bob.id)]["data"]["username"] == "bob"
        assert "last" in json.dumps(last)

    def test_repeats_and_costs_a_message_once_and_never_the_bots_own(self, subscribe, lines, world, bot, bob):
        subscribe("dm.received")
        message = world.send_message(bob, bot, "start")
        world.send_message(bot, bob, "welcome")
        world.redeliver(message.id)
        told = [
            next(lines)["data"]["payload"]["direct_message_events"][0]["message_create"]["message_data"]
            for _ in range(2)
        ]
        assert [each["text"] for each in told] == ["start", "start"]
        assert world.meter.counts[Price.PUSHED_MESSAGE] == 1

    def test_needs_the_app(self, plain, bot):
        assert plain.user(bot, "GET", "/2/activity/stream").status_code == 403


class Receiver:
    """A bot's webhook: answers challenges with the secret it has, and keeps what it is brought."""

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self.brought: queue.Queue[tuple[str, bytes]] = queue.Queue()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            disable_nagle_algorithm = True

            def do_GET(self):
                token = parse_qs(urlsplit(self.path).query)["crc_token"][0]
                self._say(json.dumps({"response_token": receiver.sign(token.encode())}).encode())

            def do_POST(self):
                content = self.rfile.read(int(self.headers["content-length"]))
                receiver.brought.put((self.headers["x-twitter-webhooks-signature"], content))
                self._say(b"{}")

            def _say(self, content):
                self.send_response(200)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                """Says nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def sign(self, content: bytes) -> str:
        digest = hmac.new(self.secret.encode(), content, hashlib.sha256).digest()
        return "sha256=" + base64.b64encode(digest).decode()

    def close(self) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


@pytest.fixture
def receiver(world):
    made = Receiver(world.app.consumer_secret)
    yield made
    made.close()


class TestWebhooks:
    def test_are_checked_and_brought_signed_events(self, plain, subscribe, receiver, world, bot, bob):
        made = plain.app("POST", "/2/webhooks", json={"url": receiver.url}).json()["data"]
        assert made["valid"]
        subscribe("dm.received", webhook_id=made["id"])
        world.send_message(bob, bot, "start é")
        signature, content = receiver.brought.get(timeout=5)
        assert signature == receiver.sign(content)
        assert json.loads(content)["data"]["event_type"] == "dm.received"
        assert world.meter.counts[Price.PUSHED_MESSAGE] == 1

    def test_that_cannot_answer_the_challenge_are_refused(self, plain, receiver):
        receiver.secret = "wrong"
        answer = plain.app("POST", "/2/webhooks", json={"url": receiver.url})
        assert (answer.status_code, answer.json()["title"]) == (400, "CrcValidationFailed")

    def test_are_checked_again_listed_and_removed(self, plain, receiver):
        path = (
            "/2/webhooks/" + plain.app("POST", "/2/webhooks", json={"url": receiver.url}).json()["data"]["id"]
        )
        assert (
            plain.app("POST", "/2/webhooks", json={"url": receiver.url}).json()["title"]
            == "DuplicateUrlFailed"
        )
        receiver.secret = "wrong"
        assert plain.app("PUT", path).json() == {"data": {"valid": False}}
        assert plain.app("GET", "/2/webhooks").json()["data"][0]["valid"] is False
        assert plain.app("DELETE", path).json() == {"data": {"deleted": True}}
        assert plain.app("DELETE", path).status_code == 400

    @pytest.mark.parametrize(
        "url", ["https://example.com/hook", "http://10.0.0.1/", "file:///etc/passwd", "x", 5, None]
    )
    def test_elsewhere_are_refused(self, plain, bot, url):
        assert plain.app("POST", "/2/webhooks", json={"url": url}).json()["title"] == "UrlValidationFailed"
