"""Tells another machine of each alarm, raised and cleared: a POST of JSON, signed, repeated with pauses until it is taken.

What is to be told is kept in memory: a program that starts tells again of what is open, and whoever listens knows an
alarm by its `id`. Nothing here holds up the self-check: sending has a tick of its own.

The signature is `X-Smoney-Signature: sha256=` and the hex HMAC-SHA256 of the body under a key that `smoney keys webhook`
prints; the body holds the time it was sent, so that an old one can be told from a new one.
"""

import hashlib
import hmac
import json
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import structlog

from bot.keys import Keyring, Purpose
from bot.watching.alarms import OpenAlarm
from bot.x.wire import Refused, WireFault, session_to
from ledger.clock import Clock

log = structlog.get_logger(__name__)

SIGNATURE = "X-Smoney-Signature"
TIMEOUT_SECONDS = 5.0
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=15)
MOST_KEPT = 200


@dataclass(frozen=True, slots=True)
class News:
    state: str
    """`raised` or `cleared`."""
    alarm: OpenAlarm


@dataclass(slots=True)
class Webhook:
    url: str
    key: bytes
    clock: Clock
    _waiting: "deque[News]" = field(default_factory=lambda: deque(maxlen=MOST_KEPT))
    _faults: int = 0
    _not_before: datetime | None = None

    def add(self, raised: Iterable[OpenAlarm], cleared: Iterable[OpenAlarm] = ()) -> None:
        self._waiting.extend(News("raised", alarm) for alarm in raised)
        self._waiting.extend(News("cleared", alarm) for alarm in cleared)

    def deliver(self) -> int:
        """Sends what waits, in order; how many were taken. After a fault nothing is sent for a while."""
        sent = 0
        while self._waiting and (self._not_before is None or self._not_before <= self.clock()):
            news = self._waiting[0]
            if not self._send(news):
                break
            if self._waiting[0] is news:  # else so much came meanwhile that it was pushed out
                self._waiting.popleft()
            sent += 1
        return sent

    def _send(self, news: News) -> bool:
        parts = urlsplit(self.url)
        body = _body(news, self.clock())
        headers = {"Content-Type": "application/json", SIGNATURE: signature(self.key, body)}
        try:
            with session_to(f"{parts.scheme}://{parts.netloc}", TIMEOUT_SECONDS) as session:
                session.post(self.url, data=body, headers=headers, allow_redirects=False)
        except WireFault as fault:
            self._pause(str(fault) if not isinstance(fault, Refused) else f"it answered {fault}")
            return False
        self._faults, self._not_before = 0, None
        return True

    def _pause(self, reason: str) -> None:
        pause = min(FIRST_PAUSE * 2 ** min(self._faults, 12), LONGEST_PAUSE)
        self._faults += 1
        self._not_before = self.clock() + pause
        log.warning(
            "alarms.webhook_later", reason=reason, seconds=pause.total_seconds(), waiting=len(self._waiting)
        )


def signature(key: bytes, body: bytes) -> str:
    return f"sha256={hmac.new(key, body, hashlib.sha256).hexdigest()}"


def webhook_key(keyring: Keyring) -> bytes:
    """For who listens, as `smoney keys webhook` prints it; another one with each new master key."""
    return keyring.derive(Purpose.ALARM_WEBHOOK)


def _body(news: News, now: datetime) -> bytes:
    told = {
        "id": str(news.alarm.id),
        "name": news.alarm.alarm.value,
        "state": news.state,
        "since": news.alarm.since.isoformat(),
        "facts": dict(news.alarm.facts),
        "sent_at": now.isoformat(),
    }
    return json.dumps(told, sort_keys=True).encode()
