"""Listening by asking: reads what is new at X and writes it into the inbox, and nothing else.

A list is read page by page down to what is known; only when its last page is in hand is everything stored and the
cursor moved, in one transaction. So a crash or a fault half-way costs a second read and never a message.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import structlog
from sqlmodel import Session

from bot.payments.records import Records
from bot.payments.rules import Rules
from bot.store.inbox import Inbox
from bot.store.leases import Lease
from bot.store.tables import BookRow, CursorRow
from bot.x.gateway import DirectMessage, Gateway, Page, Post, PostId, Unreadable, UserId
from bot.x.pushes import alive_at
from bot.x.snowflake import first_id_at, instant_of
from ledger.clock import Clock
from ledger.database import Database

log = structlog.get_logger(__name__)

MENTIONS = "mentions"
MESSAGES = "messages"
LOST = ".lost"
MENTIONS_KEPT = 780
"""X keeps the 800 newest mentions; some of those may be hidden."""
MESSAGES_KEPT = timedelta(days=30)
OVERLAP = timedelta(minutes=1)
"""X may show a post a little after posts with higher ids; what was read twice is stored once."""
BEFORE_BIRTH = timedelta(hours=1)
"""What was said longer than this before the book was made was said to somebody else."""

Item = TypeVar("Item", Post, DirectMessage)


@dataclass(frozen=True, slots=True)
class Listening:
    gateway: Gateway
    database: Database
    inbox: Inbox
    records: Records
    rules: Rules
    clock: Clock
    bot_id: UserId
    lease: Lease

    def read_mentions(self) -> int:
        """Stores the posts that are new; how many. Raises what the gateway raises; then nothing was stored. Where
        another program listens, nothing is done."""
        started_at = self.clock()
        token = self.lease.take()
        if token is None:
            return 0
        since = self.database.read(lambda session: self._since(session, MENTIONS))
        posts, unreadable = _all_pages(
            lambda token: self.gateway.mentions(since_id=PostId(since), page_token=token), down_to=since
        )

        def work(session: Session) -> int:
            self.lease.check(session, token)
            self.inbox.store_unreadable(session, "post", unreadable, self.bot_id)
            self._note_lost(session, MENTIONS, started_at, oldest=_oldest(posts, since))
            return self._store(session, MENTIONS, posts, self.inbox.store_posts, started_at)

        return self.database.write(work)

    def read_messages(self) -> int:
        """The same for direct messages, whose list X does not cut by id: it is read back to what is known."""
        started_at = self.clock()
        token = self.lease.take()
        if token is None:
            return 0
        since = self.database.read(lambda session: self._since(session, MESSAGES))
        messages, unreadable = _all_pages(
            lambda token: self.gateway.direct_messages(page_token=token), down_to=since
        )

        def work(session: Session) -> int:
            self.lease.check(session, token)
            self.inbox.store_unreadable(session, "message", unreadable, self.bot_id)
            horizon = first_id_at(started_at - MESSAGES_KEPT)
            self._note_lost(session, MESSAGES, started_at, oldest=horizon if since < horizon else None)
            return self._store(session, MESSAGES, messages, self._store_messages, started_at)

        return self.database.write(work)

    def _store_messages(self, session: Session, messages: list[DirectMessage]) -> int:
        """X lists the bot's own messages too: they are nobody's order."""
        others = [message for message in messages if message.sender_id != self.bot_id]
        return self.inbox.store_messages(session, others)

    def _since(self, session: Session, name: str) -> int:
        cursor = session.get(CursorRow, name)
        if cursor is not None:
            return max(0, first_id_at(instant_of(cursor.x_id) - OVERLAP))
        born_at = session.get_one(BookRow, 1).created_at
        return first_id_at(born_at - BEFORE_BIRTH)

    def _store(
        self,
        session: Session,
        name: str,
        items: list[Item],
        store: Callable[[Session, list[Item]], int],
        started_at: datetime,
    ) -> int:
        stored = store(session, sorted(items, key=lambda item: item.id))
        self._move_cursor(session, name, max((item.id for item in items), default=0), started_at)
        return stored

    def _move_cursor(self, session: Session, name: str, newest: int, read_at: datetime) -> None:
        cursor = session.get(CursorRow, name)
        if cursor is None:
            cursor = CursorRow(name=name, x_id=self._since(session, name), read_at=read_at)
        elif name == MESSAGES:
            gap = read_at - max(cursor.read_at, alive_at(session, MESSAGES) or cursor.read_at)
            if gap >= self.rules.listening_gap:
                self.records.move_hold_ends(session, gap)
        cursor.x_id = max(cursor.x_id, newest)
        cursor.read_at = read_at
        session.add(cursor)
        session.flush()

    def messages_read_at(self, session: Session) -> datetime | None:
        """When the messages were last read to their end, or a stream of them was open."""
        cursor = session.get(CursorRow, MESSAGES)
        if cursor is None:
            return None
        return max(cursor.read_at, alive_at(session, MESSAGES) or cursor.read_at)

    def _note_lost(self, session: Session, name: str, read_at: datetime, *, oldest: int | None) -> None:
        """X keeps no more than 800 mentions and 30 days of messages: what was said before those, while the bot was
        away, it can no longer know. That is kept for the admin."""
        if oldest is None or session.get(CursorRow, name) is None:
            return
        row = session.get(CursorRow, name + LOST) or CursorRow(name=name + LOST, x_id=oldest, read_at=read_at)
        row.x_id, row.read_at = oldest, read_at
        session.add(row)
        log.error("listening.lost", what=name, before=instant_of(oldest).isoformat())


def lost(session: Session) -> dict[str, tuple[datetime, datetime]]:
    """What X no longer had when the bot came back, by the name of the list: said before the first, seen at the second."""
    rows = [(name, session.get(CursorRow, name + LOST)) for name in (MENTIONS, MESSAGES)]
    return {name: (instant_of(row.x_id), row.read_at) for name, row in rows if row is not None}


def _oldest(posts: list[Post], since: int) -> int | None:
    """The oldest post X still had, where X had so many that older ones may be missing."""
    if len(posts) < MENTIONS_KEPT:
        return None
    return max(since, min(post.id for post in posts))


def _all_pages(
    fetch: Callable[[str | None], Page[Item]], *, down_to: int
) -> tuple[list[Item], list[Unreadable]]:
    """Everything newer than `down_to`, newest first, and what could not be read on the way. A page token that repeats
    ends the list."""
    items: list[Item] = []
    unreadable: list[Unreadable] = []
    token: str | None = None
    seen: set[str] = set()
    while True:
        page = fetch(token)
        items += [item for item in page.items if item.id > down_to]
        unreadable += [item for item in page.unreadable if not 0 < item.x_id <= down_to]
        token = page.next_token
        reached = any(item.id <= down_to for item in page.items)
        if token is None or token in seen or reached:
            return items, unreadable
        seen.add(token)
