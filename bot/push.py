"""Puts push together as the settings choose it: which streams are open, and what is still polled."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta

from bot.settings import Settings
from bot.wiring import Bot
from bot.x.push_client import KINDS, PushClient
from bot.x.streaming import Lines, Streaming
from bot.x.user_token import UserToken
from bot.x.wire import session_to


@dataclass(frozen=True, slots=True)
class Push:
    """What runs beside the ticks. `prepare` is done once before polling, for webhooks."""

    streams: tuple[Streaming, ...]
    prepare: Callable[[], None] | None

    @classmethod
    def of(cls, bot: Bot, settings: Settings, heard: Callable[[], None]) -> "Push":
        """Nothing where everything is polled."""
        ways = {"mentions": settings.x_mentions_by, "messages": settings.x_messages_by}
        if set(ways.values()) == {"poll"}:
            return cls((), None)
        client = client_of(bot, settings)
        streams = []
        if ways["mentions"] == "stream":
            prepare = lambda: client.listen_for(bot.account.username)  # noqa: E731 - one line says it
            streams.append(
                _stream(
                    "posts", bot, prepare, client.posts, bot.listening.read_mentions, heard, ("mentions",)
                )
            )
        by_activity = {what for what, way in ways.items() if way == "activity"}
        if by_activity:
            token = token_of(bot, settings)
            kinds = {KINDS[what] for what in by_activity}
            subscribe = lambda: client.subscribe(bot.account.id, kinds, token, webhook_id=None)  # noqa: E731
            fill = _filling(bot, by_activity)
            streams.append(
                _stream("activity", bot, subscribe, client.activity, fill, heard, tuple(sorted(by_activity)))
            )
        return cls(tuple(streams), _webhook(bot, settings, client, ways))


def client_of(bot: Bot, settings: Settings) -> PushClient:
    session = session_to(settings.x_base_url, settings.x_timeout_seconds)
    return PushClient(session, settings.x_base_url, settings.required("x_bearer_token"), bot.clock)


def token_of(bot: Bot, settings: Settings) -> UserToken:
    return UserToken(
        database=bot.database,
        vault=bot.vault,
        clock=bot.clock,
        session=session_to(settings.x_base_url, settings.x_timeout_seconds),
        user_id=bot.account.id,
        client_id=settings.required("x_client_id"),
        client_secret=settings.required("x_client_secret"),
        first_refresh_token=settings.required("x_refresh_token"),
    )


def poll_every(settings: Settings, what: str) -> timedelta:
    """How often a list is read: where it is pushed only now and then, since what a stream missed is read after every
    connect. A webhook tells nobody when it misses something, so there the reading goes on before a hold could end."""
    way = {"mentions": settings.x_mentions_by, "messages": settings.x_messages_by}[what]
    polled = settings.mentions_poll_seconds if what == "mentions" else settings.messages_poll_seconds
    gap = settings.gap_poll_minutes * 60
    seconds = {"poll": polled, "webhook": min(gap, 540)}.get(way, gap)
    return timedelta(seconds=seconds)


def _stream(
    name: str,
    bot: Bot,
    prepare: Callable[[], None],
    opened: Callable[[], AbstractContextManager[Lines]],
    fill_gap: Callable[[], int],
    heard: Callable[[], None],
    lists: tuple[str, ...],
) -> Streaming:
    return Streaming(
        name,
        bot.pushes,
        bot.listening.lease,
        prepare,
        opened,
        fill_gap,
        heard,
        bot.clock,
        lists,
    )


def _filling(bot: Bot, what: set[str]) -> Callable[[], int]:
    reads = {"mentions": bot.listening.read_mentions, "messages": bot.listening.read_messages}
    return lambda: sum(reads[name]() for name in sorted(what))


def _webhook(
    bot: Bot, settings: Settings, client: PushClient, ways: Mapping[str, str]
) -> Callable[[], None] | None:
    kinds = {KINDS[what] for what, way in ways.items() if way == "webhook"}
    if not kinds:
        return None
    token = token_of(bot, settings)

    def prepare() -> None:
        webhook_id = client.webhook(settings.required("x_webhook_url"))
        client.subscribe(bot.account.id, kinds, token, webhook_id=webhook_id)

    return prepare
