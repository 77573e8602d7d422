"""Tells another machine of each alarm, raised and cleared: a POST of JSON, signed, repeated with pauses until it is taken.

What is to be told stands in the alarms' rows until it was taken: it outlives the program, and is told at least once. A
program that dies after it was taken and before that was written down tells it again; whoever listens knows an alarm by its
`id`. Nothing here holds up the self-check: sending has a tick of its own.

The signature is `X-Smoney-Signature: sha256=` and the hex HMAC-SHA256 of the body under a key that `smoney keys webhook`
prints; the body holds the time it was sent, so that an old one can be told from a new one.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import structlog

from bot.keys import Keyring, Purpose
from bot.watching.alarms import News, note_told, untold
from bot.watching.names import runbook_of
from bot.x.wire import Refused, WireFault, session_to
from ledger.clock import Clock
from ledger.database import Database

log = structlog.get_logger(__name__)

SIGNATURE = "X-Smoney-Signature"
TIMEOUT_SECONDS = 5.0
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=15)
AT_ONCE = 200
"""So many alarms are told of in one pass, the oldest first."""


@dataclass(slots=True)
class Webhook:
    url: str
    key: bytes
    clock: Clock
    database: Database
    _faults: int = 0
    _not_before: datetime | None = None

    def deliver(self) -> int:
        """Sends what waits, in order; how many were taken. After a fault nothing is sent for a while."""
        if self._not_before is not None and self._not_before > self.clock():
            return 0
        waiting = self.database.read(lambda session: untold(session, limit=AT_ONCE))
        for sent, news in enumerate(waiting):
            if not self._send(news, waiting=len(waiting) - sent):
                return sent
            now = self.clock()
            self.database.write(lambda session: note_told(session, news, at=now))  # noqa: B023 (done within)
        return len(waiting)

    def _send(self, news: News, *, waiting: int) -> bool:
        parts = urlsplit(self.url)
        body = _body(news, self.clock())
        headers = {"Content-Type": "application/json", SIGNATURE: signature(self.key, body)}
        try:
            with session_to(f"{parts.scheme}://{parts.netloc}", TIMEOUT_SECONDS) as session:
                session.post(self.url, data=body, headers=headers, allow_redirects=False)
        except WireFault as fault:
            self._pause(str(fault) if not isinstance(fault, Refused) else f"it answered {fault}", waiting)
            return False
        self._faults, self._not_before = 0, None
        return True

    def _pause(self, reason: str, waiting: int) -> None:
        pause = min(FIRST_PAUSE * 2 ** min(self._faults, 12), LONGEST_PAUSE)
        self._faults += 1
        self._not_before = self.clock() + pause
        log.warning("alarms.webhook_later", reason=reason, seconds=pause.total_seconds(), waiting=waiting)


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
        "runbook": runbook_of(news.alarm.alarm),
        "sent_at": now.isoformat(),
    }
    return json.dumps(told, sort_keys=True).encode()
