"""X's streams and subscriptions over HTTP: one request, one answer, or lines until the line ends.

tweepy is not used here: its stream cannot be stopped, retries what will never work and does not count broken
connections. Requests go to the chosen address and nowhere else; no proxy, cookie or redirect has a say.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

import requests
from urllib3.exceptions import HTTPError

from bot.errors import GatewayUnavailable, Misconfigured
from bot.x import problems
from bot.x.pushed import MENTION, MESSAGE
from bot.x.tweepy_gateway import POST_EXPANSIONS, POST_FIELDS
from bot.x.user_token import UserToken
from bot.x.wire import Refused, WireFault
from ledger.clock import Clock

SIGNED_FOR = "https://api.twitter.com"
POSTS = "/2/tweets/search/stream"
RULES = "/2/tweets/search/stream/rules"
ACTIVITY = "/2/activity/stream"
SUBSCRIPTIONS = "/2/activity/subscriptions"
WEBHOOKS = "/2/webhooks"
SILENCE_SECONDS = 30.0
"""X sends a sign of life every 20 seconds; after longer silence the line is dead."""
LONGEST_LINE_BYTES = 1024 * 1024
TAG = "smoney"
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PushClient:
    """`session` sends whole requests (`wire.session_to`); streams have connections of their own."""

    session: requests.Session
    base_url: str
    bearer: str
    clock: Clock
    timeout_seconds: float = 20
    silence_seconds: float = SILENCE_SECONDS

    # What X is to push

    def listen_for(self, username: str) -> None:
        """The one rule of the filtered stream: posts that name the bot; other rules of ours are taken out."""
        value = f"@{username}"
        rules = self._call("GET", RULES).get("data", [])
        ours = [rule for rule in rules if rule.get("tag") == TAG]
        stale = [str(rule["id"]) for rule in ours if rule.get("value") != value]
        if stale:
            self._call("POST", RULES, {"delete": {"ids": stale}})
        if not any(rule.get("value") == value for rule in rules):
            self._call("POST", RULES, {"add": [{"value": value, "tag": TAG}]})

    def subscribe(self, user_id: int, kinds: set[str], token: UserToken, *, webhook_id: str | None) -> None:
        """Makes the subscriptions that are missing, as the bot's own account. X answers in three forms; all are read."""
        answer = self._call("GET", SUBSCRIPTIONS).get("data", [])
        known = answer if isinstance(answer, list) else [answer]
        have = {
            each.get("event_type")
            for each in known
            if str(each.get("filter", {}).get("user_id")) == str(user_id)
            and (webhook_id is None or str(each.get("webhook_id")) == webhook_id)
        }
        for kind in sorted(kinds - have):
            body: Json = {"event_type": kind, "filter": {"user_id": str(user_id)}, "tag": TAG}
            if webhook_id is not None:
                body["webhook_id"] = webhook_id
            self._as_user(token, lambda access, body=body: self._call("POST", SUBSCRIPTIONS, body, access))  # type: ignore[misc]

    @staticmethod
    def _as_user(token: UserToken, act: Callable[[str], Json]) -> None:
        try:
            act(token.access())
        except Misconfigured:  # a token can end before its time: once more with a fresh one
            token.expire()
            act(token.access())

    def webhook(self, url: str) -> str:
        """The id of the webhook with this address, registered if it is not there; X challenges the address at once."""
        for each in self._call("GET", WEBHOOKS).get("data", []):
            if each.get("url") == url:
                if not each.get("valid", True):
                    self._call("PUT", f"{WEBHOOKS}/{each['id']}")
                return str(each["id"])
        answer = self._call("POST", WEBHOOKS, {"url": url})
        return str(answer.get("data", answer)["id"])

    def _call(self, method: str, path: str, body: Json | None = None, access: str | None = None) -> Json:
        headers = {"Authorization": f"Bearer {access or self.bearer}"}
        try:
            response = self.session.request(method, SIGNED_FOR + path, json=body, headers=headers)
            answer = response.json()
        except Refused as refused:
            raise problems.of_a_read(refused.response, self.clock()) from None
        except (WireFault, ValueError) as fault:
            raise GatewayUnavailable(f"X gave no answer: {fault}") from None
        if not isinstance(answer, dict):
            raise GatewayUnavailable("X answered with something that is no answer")
        return answer

    # The streams

    @contextmanager
    def posts(self) -> Iterator[Iterator[Json | None]]:
        """The filtered stream, open; each line, or None for a sign of life. Ends where X ends it."""
        wanted = {"tweet.fields": ",".join(POST_FIELDS), "expansions": ",".join(POST_EXPANSIONS)}
        with self._open(POSTS, wanted) as lines:
            yield lines

    @contextmanager
    def activity(self) -> Iterator[Iterator[Json | None]]:
        """The same for the X Activity API."""
        with self._open(ACTIVITY, {}) as lines:
            yield lines

    @contextmanager
    def _open(self, path: str, query: Mapping[str, str]) -> Iterator[Iterator[Json | None]]:
        with requests.Session() as session:
            session.trust_env = False
            headers = {"Authorization": f"Bearer {self.bearer}", "Accept-Encoding": "identity"}
            try:
                response = session.get(
                    self.base_url + path,
                    params=dict(query),
                    headers=headers,
                    stream=True,
                    timeout=(self.timeout_seconds, self.silence_seconds),
                    allow_redirects=False,
                )
            except (requests.RequestException, HTTPError, HTTPException, OSError) as error:
                raise GatewayUnavailable(f"X's stream could not be opened: {type(error).__name__}") from None
            with response:
                if response.status_code != 200:
                    raise problems.of_a_read(response, self.clock())
                yield _lines(response)


def _lines(response: requests.Response) -> Iterator[Json | None]:
    """Line by line, as soon as each is whole. What is no JSON ends the line: nothing after it can be trusted."""
    held = b""
    try:
        for chunk in response.raw.stream(64 * 1024, decode_content=True):
            held += chunk
            *whole, held = held.split(b"\n")
            if len(held) > LONGEST_LINE_BYTES:
                raise GatewayUnavailable("X sent a line without an end")
            for line in whole:
                yield _read(line.strip())
    except (requests.RequestException, HTTPError, HTTPException, OSError) as error:
        raise GatewayUnavailable(f"X's stream broke: {type(error).__name__}") from None


def _read(line: bytes) -> Json | None:
    if not line:
        return None
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        raise GatewayUnavailable("X sent a line that is no JSON") from None
    if not isinstance(told, dict):
        raise GatewayUnavailable("X sent a line that is no object")
    return told


KINDS = {"mentions": MENTION, "messages": MESSAGE}
