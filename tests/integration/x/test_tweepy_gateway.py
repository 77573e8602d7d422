"""The gateway over a real connection: what it sends, and what it makes of every kind of answer and silence."""

import json
import logging
import socket
import ssl
import struct
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bot.errors import (
    GatewayUnavailable,
    Misconfigured,
    OutcomeUnknown,
    RateLimited,
    SendRefused,
    SmoneyError,
    TryLater,
)
from bot.x.gateway import Gateway, Limit, PostId, UserId
from bot.x.tweepy_gateway import TweepyGateway
from bot.x.wire import session_to
from tests.integration.x.conftest import CREDENTIALS, ME, NOW, answer, says

ALICE = UserId(3003)
READS = ["me", "mentions", "direct_messages", "messages_with", "own_posts", "users_by_username"]
SENDS = ["send_message", "reply"]
SENT = {
    "send_message": {"data": {"dm_event_id": "77", "dm_conversation_id": "1001-3003"}},
    "reply": {"data": {"id": "77", "text": "t"}},
}
NOTHING = {"meta": {"result_count": 0}}


def call(gateway: TweepyGateway, name: str):
    """Any of the port's calls."""
    arguments: dict[str, list[Any]] = {
        "messages_with": [ALICE],
        "users_by_username": [["alice"]],
        "send_message": [ALICE, "hello"],
        "reply": [PostId(55), "hello"],
    }
    return getattr(gateway, name)(*arguments.get(name, []))


def introduce(x, gateway) -> None:
    """Has the bot learn who it is, as its first call does."""
    x.will(answer(200, ME))
    gateway.me()
    x.requests.clear()


def problem(status: int, title: str = "", *, kind: str = "about:blank", detail: str = "", **headers: Any):
    body = {"status": status, "title": title, "type": kind, "detail": detail}
    return answer(status, body, content_type="application/problem+json", **headers)


def resets(connection: socket.socket) -> bool:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    return False


class TestRequests:
    def test_are_made_for_the_bots_own_mentions_with_the_fields_that_are_needed(self, x, gateway):
        x.will(answer(200, ME), answer(200, NOTHING))
        gateway.mentions(since_id=PostId(123), page_token="abc")
        line = x.requests[1].splitlines()[0]
        assert line.startswith("GET /2/users/1001/mentions?")
        for part in (
            "since_id=123",
            "pagination_token=abc",
            "max_results=100",
            "expansions=author_id%2Centities.mentions.username",
            "note_tweet",
            "display_text_range",
        ):
            assert part in line
        assert "metrics" not in line

    def test_ask_who_the_bot_is_only_once(self, x, gateway):
        x.will(answer(200, ME), *[answer(200, NOTHING)] * 3)
        gateway.mentions()
        gateway.own_posts()
        gateway.direct_messages()
        paths = [request.split("?")[0].split()[1] for request in x.requests]
        assert paths == [
            "/2/users/me",
            "/2/users/1001/mentions",
            "/2/users/1001/tweets",
            "/2/dm_events",
        ]

    def test_for_direct_messages_ask_for_messages_only(self, x, gateway):
        x.will(answer(200, ME), answer(200, NOTHING), answer(200, NOTHING))
        gateway.direct_messages(page_token="0123456789abcdef")
        gateway.messages_with(ALICE)
        assert "event_types=MessageCreate" in x.requests[1]
        assert "pagination_token=0123456789abcdef" in x.requests[1]
        assert x.requests[2].startswith("GET /2/dm_conversations/with/3003/dm_events?")

    def test_send_a_message_and_a_reply_as_json(self, x, gateway):
        x.will(answer(201, SENT["send_message"]), answer(201, SENT["reply"]))
        assert gateway.send_message(ALICE, "10,00 € 🐘") == 77
        assert gateway.reply(PostId(55), "one moment") == 77
        first, second = x.requests
        assert first.startswith("POST /2/dm_conversations/with/3003/messages ")
        assert json.loads(first.split("\r\n\r\n")[1]) == {"text": "10,00 € 🐘"}
        assert second.startswith("POST /2/tweets ")
        assert json.loads(second.split("\r\n\r\n")[1]) == {
            "reply": {"in_reply_to_tweet_id": "55"},
            "text": "one moment",
        }

    @pytest.mark.parametrize("name", READS + SENDS)
    def test_are_signed_with_the_bots_own_token(self, x, gateway, name):
        introduce(x, gateway)
        x.will(answer(200, ME if name == "me" else {**SENT.get(name, {}), **NOTHING}))
        call(gateway, name)
        assert 'oauth_token="1001-token"' in x.requests[0]
        assert "Authorization: OAuth " in x.requests[0]
        assert "app-secret" not in x.requests[0]
        assert "token-secret" not in x.requests[0]

    def test_go_to_the_address_of_the_settings_whatever_the_environment_says(
        self, x, gateway, monkeypatch, tmp_path
    ):
        (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
        monkeypatch.setenv("HOME", str(tmp_path))
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        x.will(answer(200, ME))
        assert gateway.me().username == "smoney"
        assert "Authorization: OAuth " in x.requests[0]

    def test_keep_no_cookies(self, x):
        x.will(answer(200, set_cookie="guest_id=1; Path=/"), answer(200))
        with session_to(x.url, 1) as session:
            session.get(x.url)
            session.get(x.url)
        assert "guest_id" not in x.requests[1]

    def test_may_be_made_from_several_threads(self, x):
        patient = TweepyGateway(CREDENTIALS, base_url=x.url, timeout_seconds=10, clock=lambda: NOW)
        introduce(x, patient)
        x.will(*[answer(200, NOTHING)] * 8)
        threads = [Thread(target=patient.mentions) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert len(x.requests) == 8
        patient.close()

    def test_for_handles_leave_out_what_is_none_and_ask_for_a_hundred_at_a_time(self, x, gateway):
        x.will(
            answer(200, {"data": [{"id": "3003", "name": "A", "username": "Alice"}]}),
            answer(200, {"errors": [{"title": "Not Found"}]}),
        )
        found = gateway.users_by_username(
            ["ALICE", "no handle", "", *[f"u{number:03}" for number in range(120)]]
        )
        assert {handle: user.id for handle, user in found.items()} == {"alice": 3003}
        assert len(x.requests) == 2
        assert "no+handle" not in x.requests[0]

    def test_for_no_handles_are_not_made(self, x, gateway):
        assert gateway.users_by_username([]) == {}
        assert x.requests == []

    def test_fulfil_the_port(self, gateway):
        port: Gateway = gateway
        assert port is gateway


class TestAReadThatFails:
    """Nothing has happened: it is tried again later, or an admin must mend something."""

    @pytest.mark.parametrize("name", READS)
    @pytest.mark.parametrize("status", [500, 502, 503, 504, 400, 404, 418, 304])
    def test_at_x_is_tried_again_later(self, x, gateway, name, status):
        introduce(x, gateway)
        x.will(answer(status, {"title": "Something"}))
        with pytest.raises(GatewayUnavailable, match=str(status)):
            call(gateway, name)

    @pytest.mark.parametrize(
        "raw",
        [
            b"",
            b"<html>Over capacity</html>",
            b"[]",
            b"5",
            b"null",
            b'"text"',
            b"{",
            b"\xff\xfe\x00",
            b"{}",
            b'{"errors": [{"title": "Forbidden"}]}',
            b'{"data": 5, "meta": {}}',
            b'{"data": null}',
            b"[" * 100_000,
            b'{"data": [], "meta": {"next_token": 5}}',
        ],
        ids=lambda raw: raw[:20].decode("latin-1"),
    )
    def test_in_its_answer_is_tried_again_later(self, x, gateway, raw):
        introduce(x, gateway)
        x.will(answer(raw=raw))
        with pytest.raises(GatewayUnavailable):
            gateway.mentions()

    @pytest.mark.parametrize("length", [0, 1, 20, 60, 80, 95])
    def test_by_a_connection_that_is_cut_is_tried_again_later(self, x, gateway, length):
        introduce(x, gateway)
        x.will(
            says(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 31\r\n\r\n"[:length]
                + b'{"meta": {"result'
            )
        )
        with pytest.raises(GatewayUnavailable):
            gateway.mentions()

    def test_by_silence_ends_in_time(self, x, gateway):
        introduce(x, gateway)
        x.will(x.hangs(), x.hangs(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{"))
        for _ in range(2):
            with pytest.raises(GatewayUnavailable):
                gateway.mentions()

    def test_by_an_answer_that_never_ends_ends_in_time(self, x, gateway):
        introduce(x, gateway)
        x.will(x.drips(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n", b" "))
        with pytest.raises(GatewayUnavailable, match="too long"):
            gateway.mentions()

    @pytest.mark.parametrize(
        ("head", "drop"),
        [(b"", b"H"), (b"HTTP/1.1 200 OK\r\nx-long: ", b"x"), (b"HTTP/1.1 200 OK\r\n", b"x-more: y\r\n")],
    )
    def test_by_an_answer_that_never_quite_begins_ends_in_time(self, x, gateway, head, drop):
        introduce(x, gateway)
        x.will(x.drips(head, drop))
        with pytest.raises(GatewayUnavailable):
            gateway.mentions()

    def test_by_an_answer_far_too_large_ends_early(self, x, gateway, monkeypatch):
        monkeypatch.setattr("bot.x.wire.LARGEST_ANSWER_BYTES", 1000)
        introduce(x, gateway)
        x.will(answer(raw=b" " * 70_000))
        with pytest.raises(GatewayUnavailable, match="too large"):
            gateway.mentions()

    def test_with_nobody_there_is_tried_again_later(self, x):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        gateway = TweepyGateway(CREDENTIALS, base_url=url, timeout_seconds=0.3, clock=lambda: NOW)
        with pytest.raises(GatewayUnavailable, match="refused"):
            gateway.me()

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_by_being_sent_elsewhere_goes_nowhere(self, x, gateway, status):
        introduce(x, gateway)
        x.will(answer(status, location=f"{x.url}/elsewhere"))
        with pytest.raises(GatewayUnavailable):
            gateway.mentions()
        assert len(x.requests) == 1

    @pytest.mark.parametrize("name", READS + SENDS)
    def test_for_its_keys_is_for_an_admin_to_mend(self, x, gateway, name):
        introduce(x, gateway)
        x.will(answer(401, {"errors": [{"code": 89, "message": "Invalid or expired token."}]}))
        with pytest.raises(Misconfigured, match=r"SMONEY_X_ACCESS_TOKEN: .*clock.*Invalid or expired token"):
            call(gateway, name)

    @pytest.mark.parametrize("name", READS + SENDS)
    @pytest.mark.parametrize("host", ["api.twitter.com", "api.x.com"])
    @pytest.mark.parametrize("kind", ["oauth1-permissions", "client-forbidden", "unsupported-authentication"])
    def test_for_what_the_app_may_do_is_for_an_admin_to_mend(self, x, gateway, name, host, kind):
        introduce(x, gateway)
        x.will(problem(403, "Forbidden", kind=f"https://{host}/2/problems/{kind}"))
        with pytest.raises(Misconfigured, match="SMONEY_X_ACCESS_TOKEN: "):
            call(gateway, name)

    @pytest.mark.parametrize("name", READS + SENDS)
    def test_for_what_the_apps_plan_lacks_is_for_an_admin_to_mend(self, x, gateway, name):
        introduce(x, gateway)
        x.will(answer(403, {"errors": [{"code": 453, "message": "You currently have access to a subset."}]}))
        with pytest.raises(Misconfigured, match="v2 API"):
            call(gateway, name)

    @pytest.mark.parametrize("name", READS)
    def test_for_any_other_permission_is_for_an_admin_to_mend(self, x, gateway, name):
        introduce(x, gateway)
        x.will(problem(403, "Forbidden", detail="You are not permitted to perform this action."))
        with pytest.raises(Misconfigured, match="not permitted to perform this action"):
            call(gateway, name)

    def test_for_one_thing_among_many_is_tried_again_later(self, x, gateway):
        introduce(x, gateway)
        x.will(problem(403, kind="https://api.twitter.com/2/problems/not-authorized-for-resource"))
        with pytest.raises(GatewayUnavailable):
            gateway.messages_with(ALICE)

    @pytest.mark.parametrize("name", READS + SENDS)
    def test_for_want_of_credits_waits(self, x, gateway, name):
        introduce(x, gateway)
        x.will(problem(402, "CreditsDepleted"))
        with pytest.raises(TryLater, match="credits") as caught:
            call(gateway, name)
        assert caught.value.at == NOW + timedelta(minutes=15)
        assert not isinstance(caught.value, RateLimited)


class TestALimit:
    @pytest.mark.parametrize("name", READS + SENDS)
    def test_ends_when_x_says(self, x, gateway, name):
        introduce(x, gateway)
        end = NOW + timedelta(minutes=4)
        x.will(problem(429, x_rate_limit_reset=str(int(end.timestamp())), x_rate_limit_remaining="0"))
        with pytest.raises(RateLimited) as caught:
            call(gateway, name)
        assert caught.value.at == end

    @pytest.mark.parametrize(
        "reset", [None, "", "soon", "-5", "9" * 18, "9" * 30, "１２", "1.5", "1830000000"]
    )
    def test_without_an_end_that_can_be_read_ends_in_fifteen_minutes(self, x, gateway, reset):
        x.will(
            answer(
                429, {}, **({} if reset is None else {"x_rate_limit_reset": reset.encode().decode("latin-1")})
            )
        )
        with pytest.raises(RateLimited) as caught:
            gateway.send_message(ALICE, "hello")
        assert caught.value.at == NOW + timedelta(minutes=15)

    def test_that_has_just_ended_leaves_a_moment(self, x, gateway):
        x.will(answer(429, {}, x_rate_limit_reset=str(int(NOW.timestamp()) - 5)))
        with pytest.raises(RateLimited) as caught:
            gateway.send_message(ALICE, "hello")
        assert caught.value.at == NOW + timedelta(seconds=1)

    def test_of_the_day_outlasts_that_of_the_window(self, x, gateway):
        day = NOW + timedelta(hours=20)
        headers: dict[str, Any] = {
            "x_rate_limit_reset": str(int(NOW.timestamp()) + 60),
            "x_rate_limit_remaining": "12",
            "x_user_limit_24hour_reset": str(int(day.timestamp())),
            "x_user_limit_24hour_remaining": "0",
        }
        x.will(answer(429, {}, **headers))
        with pytest.raises(RateLimited) as caught:
            gateway.send_message(ALICE, "hello")
        assert caught.value.at == day

    def test_of_the_day_that_is_not_used_up_does_not_matter(self, x, gateway):
        headers: dict[str, Any] = {
            "x_rate_limit_reset": str(int(NOW.timestamp()) + 60),
            "x_rate_limit_remaining": "0",
            "x_user_limit_24hour_reset": str(int(NOW.timestamp()) + 72_000),
            "x_user_limit_24hour_remaining": "800",
        }
        x.will(answer(429, {}, **headers))
        with pytest.raises(RateLimited) as caught:
            gateway.send_message(ALICE, "hello")
        assert caught.value.at == NOW + timedelta(minutes=1)

    def test_is_remembered_for_each_call(self, x, gateway):
        end = datetime(2026, 11, 23, 12, 9, tzinfo=UTC)
        told: dict[str, Any] = {"x_rate_limit_limit": "15", "x_rate_limit_reset": str(int(end.timestamp()))}
        x.will(
            answer(200, ME),
            answer(200, NOTHING, x_rate_limit_remaining="14", **told),
            answer(201, SENT["send_message"], x_rate_limit_remaining="3", **told),
            answer(429, {}, x_rate_limit_remaining="0", **told),
        )
        gateway.direct_messages()
        gateway.send_message(ALICE, "hello")
        with pytest.raises(RateLimited):
            gateway.reply(PostId(55), "hello")
        assert gateway.limits == {
            "direct_messages": (Limit(15, 14, end),),
            "send_message": (Limit(15, 3, end),),
            "reply": (Limit(15, 0, end),),
        }


@pytest.mark.parametrize("name", SENDS)
class TestASendThatFails:
    """What matters is whether it can have happened."""

    @pytest.mark.parametrize("status", [500, 502, 503, 504, 408, 304])
    def test_at_x_may_have_happened(self, x, gateway, name, status):
        x.will(answer(status, {"title": "Something"}))
        with pytest.raises(OutcomeUnknown):
            call(gateway, name)

    @pytest.mark.parametrize(
        "raw",
        [
            b"",
            b"<html>",
            b"[]",
            b"null",
            b"{}",
            b'{"errors": [{"title": "Forbidden"}]}',
            b'{"data": []}',
            b'{"data": {}}',
            b'{"data": {"id": 77, "dm_event_id": 77}}',
            b'{"data": {"id": "x", "dm_event_id": "x"}}',
            b"[" * 100_000,
        ],
        ids=lambda raw: raw[:20].decode("latin-1"),
    )
    @pytest.mark.parametrize("status", [200, 201])
    def test_in_its_answer_may_have_happened(self, x, gateway, name, raw, status):
        x.will(answer(status, raw=raw))
        with pytest.raises(OutcomeUnknown):
            call(gateway, name)

    @pytest.mark.parametrize("length", [0, 1, 20, 60, 80])
    def test_by_a_connection_that_is_cut_may_have_happened(self, x, gateway, name, length):
        x.will(
            says(
                b'HTTP/1.1 201 Created\r\ncontent-length: 99\r\n\r\n{"data": {"id": "77", "dm_event_id": "77"'[
                    :length
                ]
            )
        )
        with pytest.raises(OutcomeUnknown):
            call(gateway, name)

    def test_by_a_connection_that_is_reset_may_have_happened(self, x, gateway, name):
        x.will(resets)
        with pytest.raises(OutcomeUnknown):
            call(gateway, name)

    def test_by_silence_may_have_happened(self, x, gateway, name):
        x.will(x.hangs(), x.hangs(b"HTTP/1.1 201 Created\r\ncontent-length: 10\r\n\r\n{"))
        for _ in range(2):
            with pytest.raises(OutcomeUnknown):
                call(gateway, name)

    def test_by_an_answer_that_never_quite_begins_may_have_happened(self, x, gateway, name):
        x.will(x.drips(b"HTTP/1.1 201 Created\r\nx-long: ", b"x"))
        with pytest.raises(OutcomeUnknown):
            call(gateway, name)

    def test_by_being_sent_elsewhere_may_have_happened_and_goes_nowhere(self, x, gateway, name):
        x.will(answer(307, location=f"{x.url}/elsewhere"))
        with pytest.raises(OutcomeUnknown):
            call(gateway, name)
        assert len(x.requests) == 1

    def test_because_nobody_is_there_has_not_happened(self, name):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        gateway = TweepyGateway(CREDENTIALS, base_url=url, timeout_seconds=0.3, clock=lambda: NOW)
        with pytest.raises(GatewayUnavailable):
            call(gateway, name)

    def test_because_nobody_takes_the_call_has_not_happened(self, name):
        """A full queue of connections: the line rings until the limit and was never answered."""
        with socket.create_server(("127.0.0.1", 0), backlog=0) as busy:
            callers = [socket.socket() for _ in range(4)]
            for caller in callers:
                caller.setblocking(False)
                caller.connect_ex(busy.getsockname())
            url = f"http://127.0.0.1:{busy.getsockname()[1]}"
            gateway = TweepyGateway(CREDENTIALS, base_url=url, timeout_seconds=0.3, clock=lambda: NOW)
            with pytest.raises(GatewayUnavailable):
                call(gateway, name)
            for caller in callers:
                caller.close()

    @pytest.mark.parametrize("status", [400, 403, 404, 409, 422])
    def test_because_x_refuses_is_over(self, x, gateway, name, status):
        x.will(problem(status, "No", detail="You do not have permission to DM one or more participants."))
        with pytest.raises(SendRefused) as caught:
            call(gateway, name)
        assert (caught.value.status, caught.value.duplicate) == (status, False)
        assert caught.value.detail == "You do not have permission to DM one or more participants"

    @pytest.mark.parametrize(
        "body",
        [
            {"detail": "You are not allowed to create a Tweet with duplicate content."},
            {"errors": [{"code": 187, "message": "Status is a duplicate."}]},
        ],
    )
    def test_as_a_repetition_says_so(self, x, gateway, name, body):
        x.will(answer(403, body))
        with pytest.raises(SendRefused) as caught:
            call(gateway, name)
        assert caught.value.duplicate

    @pytest.mark.parametrize(
        ("words", "told"),
        [
            ("You attempted to reply to a Tweet that is deleted or not visible to you.", "gone"),
            ("... because you have not been mentioned or otherwise engaged by the author ...", "unsummoned"),
        ],
    )
    def test_because_there_is_nothing_to_answer_says_so(self, x, gateway, name, words, told):
        for status in (403, 400):
            x.will(answer(status, {"detail": words}))
            with pytest.raises(SendRefused) as caught:
                call(gateway, name)
            found = [each for each in ("duplicate", "gone", "unsummoned") if getattr(caught.value, each)]
            assert found == ([told] if status == 403 else [])

    @pytest.mark.parametrize(
        "body", [{}, [], None, {"detail": 5}, {"errors": "x"}, {"errors": [5]}, {"title": "\n a\n b"}]
    )
    def test_without_words_that_can_be_read_is_over_all_the_same(self, x, gateway, name, body):
        x.will(answer(403, body))
        with pytest.raises(SendRefused) as caught:
            call(gateway, name)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("code", [64, 326])
    def test_because_the_account_is_locked_is_for_an_admin(self, x, gateway, name, code):
        x.will(answer(403, {"errors": [{"code": code, "message": "Your account is suspended."}]}))
        with pytest.raises(Misconfigured, match="locked or suspended"):
            call(gateway, name)

    def test_is_not_repeated(self, x, gateway, name):
        x.will(answer(503), answer(201, SENT[name]))
        with pytest.raises(OutcomeUnknown):
            call(gateway, name)
        assert len(x.requests) == 1

    def test_does_not_fail_on_a_connection_that_a_read_left_behind(self, x, gateway, name):
        """X may hang up on an idle connection at any moment: a send starts on one of its own."""
        introduce(x, gateway)
        x.will(answer(201, SENT[name]))
        assert call(gateway, name) == 77
        assert "Connection: close" in x.requests[0]


class TestAnAddressWithAWrongCertificate:
    """Somebody else answers at X's address: nothing is said to them, so nothing has happened."""

    @pytest.fixture
    def impostor(self, tmp_path):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self_signed(tmp_path))
        with socket.create_server(("127.0.0.1", 0)) as listener:
            heard: list[bytes] = []
            thread = Thread(target=serve_one, args=[listener, context, heard])
            thread.start()
            gateway = TweepyGateway(
                CREDENTIALS,
                base_url=f"https://127.0.0.1:{listener.getsockname()[1]}",
                timeout_seconds=2,
                clock=lambda: NOW,
            )
            yield gateway, heard
            thread.join(10)

    @pytest.mark.parametrize("name", ["me", *SENDS])
    def test_is_told_nothing_whatever_the_environment_trusts(self, impostor, name, monkeypatch, tmp_path):
        gateway, heard = impostor
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "impostor.pem"))
        with pytest.raises(GatewayUnavailable, match="certificate"):
            call(gateway, name)
        assert heard == []


def self_signed(folder: Path) -> Path:
    """A key and a certificate nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), 1, NOW - timedelta(days=9), NOW + timedelta(days=9999)
    )
    addressed = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = builder.add_extension(addressed, critical=False).sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    file = folder / "impostor.pem"
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(secret + certificate.public_bytes(pem))
    return file


def serve_one(listener: socket.socket, context: ssl.SSLContext, heard: list[bytes]) -> None:
    connection, _ = listener.accept()
    with connection:
        try:
            with context.wrap_socket(connection, server_side=True) as secured:
                heard.append(secured.recv(1000))
        except (ssl.SSLError, OSError):
            return


class TestSecrets:
    def test_stay_out_of_the_log_at_every_level(self, x, gateway, caplog):
        caplog.set_level(logging.DEBUG)
        x.will(answer(200, ME), answer(401, {}), answer(201, SENT["send_message"]))
        gateway.me()
        with pytest.raises(Misconfigured):
            gateway.me()
        gateway.send_message(ALICE, "K 482913")
        said = caplog.text
        for secret in ("app-key", "app-secret", "1001-token", "token-secret", "oauth_signature", "482913"):
            assert secret not in said

    @pytest.mark.parametrize("name", READS + SENDS)
    def test_stay_out_of_errors(self, x, gateway, name):
        introduce(x, gateway)
        x.will(resets)
        with pytest.raises(SmoneyError) as caught:
            call(gateway, name)
        assert "1001-token" not in repr(caught.value)


class TestXsClock:
    def test_is_compared_with_ours_at_every_answer(self, x, gateway):
        assert gateway.clock_ahead is None
        x.will(
            answer(200, ME, date="Mon, 23 Nov 2026 11:58:00 GMT"),
            answer(401, {}, date="Mon, 23 Nov 2026 12:00:05 GMT"),
        )
        gateway.me()
        assert gateway.clock_ahead == timedelta(minutes=2)
        with pytest.raises(Misconfigured):
            gateway.me()
        assert gateway.clock_ahead == timedelta(seconds=-5)

    @pytest.mark.parametrize(
        "date", ["", "yesterday", "Mon, 99 Nov 2026 11:58:00 GMT", "Mon, 23 Nov 2026 11:58:00 -0000"]
    )
    def test_is_left_alone_where_it_cannot_be_read(self, x, gateway, date):
        x.will(answer(200, ME, date=date))
        gateway.me()
        assert gateway.clock_ahead is None
