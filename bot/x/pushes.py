"""What X pushes, stored: by its streams, or by a webhook whose bodies the web server hands in.

`receive` and `crc_response` are all the web server needs. A body counts only with X's signature over its very bytes, and
is answered only once it is in the inbox. There is no time in a signature: what is sent again is known by its ids. Push
never moves a cursor, so whatever it misses is still polled.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlmodel import Session

from bot.store.inbox import Inbox
from bot.store.leases import Lease
from bot.store.tables import CursorRow
from bot.x import pushed
from bot.x.counted import CountedGateway
from bot.x.gateway import UserId
from bot.x.pushed import Pushed
from bot.x.translation import NotUnderstood
from ledger.clock import Clock
from ledger.database import Database

log = structlog.get_logger(__name__)

ALIVE = ".push"
"""What is added to a list's name for the row that says until when a stream of the same things was alive."""
NOTE_ALIVE_EVERY = timedelta(seconds=45)
LARGEST_BODY_BYTES = 1024 * 1024
_TOKEN = re.compile(r"[A-Za-z0-9_=-]{1,128}", re.ASCII)
"""No body of an event can have this form, which has no brace: so a challenge's answer never signs one."""


class NotFromX(Exception):
    """A body without X's signature, or none of X's: it is answered with 4xx and nothing of it is kept."""


@dataclass(frozen=True, slots=True)
class Pushes:
    database: Database
    inbox: Inbox
    lease: Lease
    gateway: CountedGateway
    clock: Clock
    bot_id: UserId
    consumer_secret: str | None

    # What the web server calls

    def receive(self, body: bytes, signature: str) -> int:
        """Stores what a webhook's body tells of; the number of new rows. Raises `NotFromX`; whatever else is raised, X
        must not be answered 200."""
        if len(body) > LARGEST_BODY_BYTES or not self._is_signed(body, signature):
            raise NotFromX("the signature is not X's")
        try:
            told = json.loads(body)
            found = pushed.read(told, self.bot_id)
        except (ValueError, RecursionError, NotUnderstood, pushed.Disconnect) as error:
            raise NotFromX(f"not a body of X's: {type(error).__name__}") from None
        return self.store(found)

    def crc_response(self, token: str) -> dict[str, str]:
        """The answer to X's challenge of the address. Raises `NotFromX` for what is no challenge."""
        if self.consumer_secret is None or not _TOKEN.fullmatch(token):
            raise NotFromX("not a challenge of X's")
        return {"response_token": _signature(self.consumer_secret, token.encode())}

    def _is_signed(self, body: bytes, signature: str) -> bool:
        if self.consumer_secret is None:
            return False
        own = _signature(self.consumer_secret, body)
        return hmac.compare_digest(own.encode(), signature.encode("utf-8", "replace"))

    # What the streams call

    def line(self, told: Any, *, token: int) -> int:
        """Stores what a stream's line tells of. Raises `Disconnect`, `LeaseLost`."""
        try:
            found = pushed.read(told, self.bot_id)
        except NotUnderstood as problem:
            log.warning("push.line_unreadable", problem=str(problem))
            return 0
        return self.store(found, token=token)

    def store(self, found: Pushed, *, token: int | None = None) -> int:
        """`token`: of the listener's lease, checked in the same transaction; a webhook has none."""
        if found == Pushed():
            return 0
        stored = self.database.write(lambda session: self._store(session, found, token))
        self.gateway.pushed("pushed_mention", (post.id for post in found.posts))
        self.gateway.pushed("pushed_message", (message.id for message in found.messages))
        return stored

    def _store(self, session: Session, found: Pushed, token: int | None) -> int:
        if token is not None:
            self.lease.check(session, token)
        elif self.database.dialect != "sqlite":
            self.lease.lock(session)
        self.inbox.store_unreadable(session, "post", found.unreadable_posts, self.bot_id)
        self.inbox.store_unreadable(session, "message", found.unreadable_messages, self.bot_id)
        posts = self.inbox.store_posts(session, found.posts)
        others = [message for message in found.messages if message.sender_id != self.bot_id]
        return posts + self.inbox.store_pushed(session, others)

    def note_alive(self, lists: Iterable[str], *, token: int) -> None:
        """A stream of these is open: nothing said to the bot is missed just now."""
        now = self.clock()

        def work(session: Session) -> None:
            self.lease.check(session, token)
            for name in lists:
                row = session.get(CursorRow, name + ALIVE) or CursorRow(
                    name=name + ALIVE, x_id=0, read_at=now
                )
                row.read_at = max(row.read_at, now)
                session.add(row)

        self.database.write(work)


def alive_at(session: Session, name: str) -> datetime | None:
    """Until when a stream of what stands in this list was alive."""
    row = session.get(CursorRow, name + ALIVE)
    return row.read_at if row else None


def _signature(secret: str, content: bytes) -> str:
    return "sha256=" + base64.b64encode(hmac.new(secret.encode(), content, hashlib.sha256).digest()).decode()
