"""X itself, or a stand-in over HTTP, behind the bot's own port. The only importer of tweepy.

tweepy signs the requests and knows the routes; the line (`wire`), the words (`translation`) and the refusals
(`problems`) are ours. It keeps no state but what X said last about its limits and its clock, and the bot's own
account, which X is asked for once. It never waits, and never repeats a request.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import requests
import tweepy

from bot.errors import GatewayUnavailable, OutcomeUnknown
from bot.settings import REAL_X, XCredentials
from bot.x import problems, translation
from bot.x.gateway import DirectMessage, Limit, Limits, MessageId, Page, Post, PostId, UserId, XUser
from bot.x.translation import Json, NotUnderstood
from bot.x.wire import NotSent, Refused, WireFault, keep_secrets_out_of_logs, session_to
from ledger.clock import Clock

T = TypeVar("T")
PAGE_SIZE = 100
HANDLES_A_CALL = 100

POST_FIELDS = [
    "author_id",
    "display_text_range",
    "edit_history_tweet_ids",
    "entities",
    "in_reply_to_user_id",
    "lang",
    "note_tweet",
    "referenced_tweets",
]
POST_EXPANSIONS = ["author_id", "entities.mentions.username"]
MESSAGE_FIELDS = ["dm_conversation_id", "entities", "event_type", "id", "sender_id", "text"]


class TweepyGateway:
    """`bot.x.gateway.Gateway` over HTTP. May be used from several threads."""

    def __init__(
        self, credentials: XCredentials, *, clock: Clock, base_url: str = REAL_X, timeout_seconds: float = 20
    ) -> None:
        keep_secrets_out_of_logs()
        self._clock = clock
        self._client = tweepy.Client(
            consumer_key=credentials.api_key,
            consumer_secret=credentials.api_secret,
            access_token=credentials.access_token,
            access_token_secret=credentials.access_token_secret,
            return_type=requests.Response,
            wait_on_rate_limit=False,
        )
        self._client.session = session_to(base_url, timeout_seconds)
        self._lock = threading.Lock()
        self._limits: dict[str, tuple[Limit, ...]] = {}
        self._clock_ahead: timedelta | None = None
        self._own: XUser | None = None

    @property
    def limits(self) -> Limits:
        """What X said last about each call's limits, by the name of the method here."""
        with self._lock:
            return dict(self._limits)

    @property
    def clock_ahead(self) -> timedelta | None:
        """By how much our clock was ahead of X's at its last answer, to the second; None before the first."""
        return self._clock_ahead

    def close(self) -> None:
        self._client.session.close()

    def me(self) -> XUser:
        answer = self._read("me", self._client.get_me)
        self._own = own = _understood(lambda: translation.user(answer.get("data")))
        return own

    def mentions(self, *, since_id: PostId | None = None, page_token: str | None = None) -> Page[Post]:
        return self._posts("mentions", self._client.get_users_mentions, since_id, page_token)

    def own_posts(self, *, since_id: PostId | None = None, page_token: str | None = None) -> Page[Post]:
        return self._posts("own_posts", self._client.get_users_tweets, since_id, page_token)

    def direct_messages(self, *, page_token: str | None = None) -> Page[DirectMessage]:
        return self._messages("direct_messages", page_token)

    def messages_with(self, person: UserId, *, page_token: str | None = None) -> Page[DirectMessage]:
        return self._messages("messages_with", page_token, participant_id=person)

    def send_message(self, recipient: UserId, text: str) -> MessageId:
        answer = self._send(
            "send_message", lambda: self._client.create_direct_message(participant_id=recipient, text=text)
        )
        return MessageId(_made(answer, "dm_event_id"))

    def reply(self, post: PostId, text: str) -> PostId:
        answer = self._send("reply", lambda: self._client.create_tweet(in_reply_to_tweet_id=post, text=text))
        return PostId(_made(answer, "id"))

    def users_by_username(self, usernames: Sequence[str]) -> Mapping[str, XUser]:
        wanted = sorted({name.lower() for name in usernames if translation.is_username(name)})
        found = [user for some in _in_lots(wanted, HANDLES_A_CALL) for user in self._users(some)]
        return {user.username.lower(): user for user in found}

    def _users(self, usernames: Sequence[str]) -> tuple[XUser, ...]:
        answer = self._read(
            "users_by_username",
            lambda: self._client.get_users(usernames=usernames, user_auth=True),
            errors_may_do=True,
        )
        return _understood(lambda: translation.users(answer))

    def _posts(
        self,
        endpoint: str,
        get: Callable[..., requests.Response],
        since_id: PostId | None,
        page_token: str | None,
    ) -> Page[Post]:
        own = self._own_id()
        wanted = {"tweet_fields": POST_FIELDS, "expansions": POST_EXPANSIONS, "max_results": PAGE_SIZE}
        place = {"since_id": since_id, "pagination_token": page_token}
        answer = self._read(endpoint, lambda: get(own, user_auth=True, **wanted, **place))
        return _understood(lambda: translation.posts(answer))

    def _messages(self, endpoint: str, page_token: str | None, **of: Any) -> Page[DirectMessage]:
        own = self._own_id()
        answer = self._read(
            endpoint,
            lambda: self._client.get_direct_message_events(
                dm_event_fields=MESSAGE_FIELDS,
                event_types="MessageCreate",
                expansions=["sender_id"],
                max_results=PAGE_SIZE,
                pagination_token=page_token,
                **of,
            ),
        )
        return _understood(lambda: translation.messages(answer, own))

    def _own_id(self) -> UserId:
        return (self._own or self.me()).id

    def _read(
        self, endpoint: str, request: Callable[[], requests.Response], *, errors_may_do: bool = False
    ) -> Json:
        """X's answer to a question; whatever goes wrong, nothing has happened."""
        try:
            response = request()
        except Refused as refused:
            self._note(endpoint, refused.response)
            raise problems.of_a_read(refused.response, self._clock()) from None
        except WireFault as fault:
            raise GatewayUnavailable(f"X gave no answer: {fault}") from None
        self._note(endpoint, response)
        answer = _object_in(response)
        whole = answer is not None and (
            "data" in answer or "meta" in answer or (errors_may_do and "errors" in answer)
        )
        if answer is None or not whole:
            raise GatewayUnavailable(f"X answered {response.status_code} with something that is no answer")
        return answer

    def _send(self, endpoint: str, request: Callable[[], requests.Response]) -> Json:
        """X's answer to a send: every way to fail says whether it can have happened."""
        try:
            response = request()
        except Refused as refused:
            self._note(endpoint, refused.response)
            raise problems.of_a_send(refused.response, self._clock()) from None
        except NotSent as fault:
            raise GatewayUnavailable(f"X could not be reached: {fault}") from None
        except WireFault as fault:
            raise OutcomeUnknown(f"X gave no answer: {fault}") from None
        self._note(endpoint, response)
        return _object_in(response) or {}

    def _note(self, endpoint: str, response: requests.Response) -> None:
        """Keeps what X said about its limits and its clock."""
        limits = problems.limits_in(response)
        told = _date_of(response)
        with self._lock:
            if limits:
                self._limits[endpoint] = limits
            if told is not None:
                self._clock_ahead = self._clock() - told


def _object_in(response: requests.Response) -> Json | None:
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _understood(read: Callable[[], T]) -> T:
    try:
        return read()
    except NotUnderstood as problem:
        raise GatewayUnavailable(f"X answered with something that cannot be read: {problem}") from problem


def _made(answer: Json, name: str) -> int:
    """The id of what a send made. Without it nobody can say whether anything was made."""
    try:
        return translation.identity(answer["data"][name])
    except (NotUnderstood, KeyError, TypeError) as problem:
        raise OutcomeUnknown("X answered a send with something that cannot be read") from problem


def _date_of(response: requests.Response) -> datetime | None:
    try:
        told = parsedate_to_datetime(response.headers.get("date", ""))
    except (ValueError, TypeError, OverflowError):
        return None
    return told if told.tzinfo is not None else None


def _in_lots(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (items[start : start + size] for start in range(0, len(items), size))
