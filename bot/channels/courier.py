"""Delivers the outbox: claims a row, sends it outside any transaction, writes down what became of it.

A send has three outcomes: sent, failed, unknown. An unknown one is looked for at X, after X's usual lag, before it is
sent again. A row that was being sent when the program died is an unknown one.
"""

import html
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlmodel import Session
from structlog.contextvars import bound_contextvars

from bot.book import is_paused
from bot.channels.about import trace_about
from bot.channels.together import Together, Worded
from bot.channels.waiting import Waiting
from bot.errors import Misconfigured, OutcomeUnknown, RateLimited, SendRefused, TryLater, UnreadableRow
from bot.payments.asking import Asking
from bot.payments.story import Story
from bot.people.second_factor import NOTICES, SecondFactors
from bot.store.inbox import Inbox, LookedUp
from bot.store.outbox import Outbox
from bot.store.switches import Switch, is_on
from bot.store.tables import ChallengeRow, OutboxRow, PersonRow
from bot.x.budget import LOOK_UP, REPLY, SEND, Budget
from bot.x.gateway import Gateway, PostId, UserId
from bot.x.snowflake import first_id_at
from ledger.clock import Clock
from ledger.database import Database

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=5)
"""A row being sent for longer than this has lost its sender; far longer than any request may take."""
FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=15)
HOUR = timedelta(hours=1)
KINDS = ("lookup", "message", "reply")
CALLS = {"message": SEND, "reply": REPLY, "lookup": LOOK_UP}
CLOCKS_DIFFER_BY = timedelta(minutes=2)
PAGES_LOOKED_AT = 5


@dataclass(frozen=True, slots=True)
class Claim:
    """One row in this courier's hands. `look_first`: an earlier send of it has an unknown fate."""

    row_id: int
    kind: str
    person_id: UserId
    text: str
    look_first: bool
    tried_before: bool
    first_attempted_at: datetime
    traces: tuple[tuple[int, str], ...]
    """The rows that go out in it, this one first, each with the trace of the order it is about."""
    reply_to: PostId | None = None
    waiting_id: int | None = None
    usernames: tuple[str, ...] = ()


@dataclass(slots=True)
class Courier:
    gateway: Gateway
    database: Database
    outbox: Outbox
    inbox: Inbox
    together: Together
    waiting: Waiting
    asking: Asking
    story: Story
    factors: SecondFactors
    budget: Budget
    replies_per_author: int
    """Public replies to one person in an hour, at most."""
    clock: Clock
    settles_after: timedelta
    """How long after a lost answer X shows what became of it."""
    _blocked_until: dict[str, datetime] = field(default_factory=dict)

    def deliver(self, keep_going: Callable[[], bool] = lambda: True) -> int:
        """Sends what is due, most urgent first; how many rows were dealt with."""
        done = 0
        due = self.database.read(self._due_kinds)  # mostly none is, and to look takes no writer's turn
        if "message" in due:
            due |= {"reply"}  # a message that cannot go out yet may make one that says so
        for kind in KINDS:
            while kind in due and keep_going() and self._step(kind):
                done += 1
        return done

    def _due_kinds(self, session: Session) -> set[str]:
        return {kind for kind in KINDS if self.outbox.may_be_due(session, kind)}

    def _step(self, kind: str) -> bool:
        blocked_until = self._blocked_until.get(kind)
        if blocked_until is not None and self.clock() < blocked_until:
            return False
        claimed = self.database.write(lambda session: self._claim(session, kind))
        if isinstance(claimed, Claim):
            with bound_contextvars(trace=claimed.traces[0][1]):
                return self._find(claimed) if claimed.look_first else self._send(claimed)
        return claimed

    # Claiming

    def _claim(self, session: Session, kind: str) -> Claim | bool:
        """The next row; True where one was dealt with without a send, False where there is nothing to do now."""
        halted = is_paused(session) or (kind != "lookup" and is_on(session, Switch.SENDS_PAUSED))
        row = None if halted else self.outbox.due(session, kind, lease=LEASE)
        if row is None:
            return False
        look_first = row.state in {"unknown", "sending"}
        tried_before = row.first_attempted_at is not None
        if not look_first:
            if (reason := self._unwanted(session, row)) is not None:
                return self._finish(session, row, "dropped", reason=reason)
            if not self._has_room(session, row):
                return False
        attempted_at = row.first_attempted_at or self.clock()
        try:
            worded = self._worded(
                session, row, attempted_at, look_first=look_first, tried_before=tried_before
            )
        except UnreadableRow as error:
            return self._leave(session, row, "failed", str(error), look_first=look_first)
        except (LookupError, TypeError, ValueError) as error:
            # A fault of ours in the words of one message must hold up no other.
            log.exception("courier.wording", row=row.id, phrase=row.phrase)
            reason = f"{type(error).__name__}: {error}"
            return self._leave(session, row, "failed", reason, look_first=look_first)
        if worded is None:
            return self._leave(session, row, "dropped", "it is asked no more", look_first=look_first)
        return self._take(session, worded, attempted_at, look_first=look_first, tried_before=tried_before)

    def _unwanted(self, session: Session, row: OutboxRow) -> str | None:
        """Why this is not said any more, if so."""
        if self.outbox.is_unwanted(session, row):
            return "the person has stopped"
        if row.kind == "reply" and not row.attempts:
            since = self.clock() - HOUR
            if self.outbox.replies_since(session, UserId(row.person_id), since) >= self.replies_per_author:
                return "enough public replies to one author in an hour"
        return None

    def _has_room(self, session: Session, row: OutboxRow) -> bool:
        """Takes the send from the budget; who has to wait for long hears so."""
        call = CALLS[row.kind]
        free_at = self.budget.reserve(session, call, row.priority)
        alone = self.database.dialect == "sqlite"  # then nobody else can have begun since the row was found
        if (
            free_at is None
            and row.kind == "message"
            and not alone
            and self.outbox.is_being_told(session, row)
        ):
            self.budget.give_back(session, call)
            return False
        if free_at is not None and row.challenge_id is not None:
            self.waiting.tell(session, free_at=free_at)
        return free_at is None

    def _worded(
        self,
        session: Session,
        row: OutboxRow,
        attempted_at: datetime,
        *,
        look_first: bool,
        tried_before: bool,
    ) -> Worded | None:
        if row.kind == "lookup":
            return Worded("", (row,))
        return self.together.word(
            session, row, attempted_at=attempted_at, tried_before=tried_before, may_be_out=look_first
        )

    def _leave(self, session: Session, row: OutboxRow, state: str, reason: str, *, look_first: bool) -> bool:
        """Nothing is sent after all."""
        if not look_first:
            self.budget.give_back(session, CALLS[row.kind])
        return self._finish(session, row, state, reason=reason)

    def _take(
        self,
        session: Session,
        worded: Worded,
        attempted_at: datetime,
        *,
        look_first: bool,
        tried_before: bool,
    ) -> Claim:
        now, traces, row = self.clock(), [], worded.rows[0]
        for each in worded.rows:
            traces.append((each.id, trace_about(session, each, self.outbox.parameters(each))))
            each.state = "sending"
            each.first_attempted_at = attempted_at
            if look_first:
                each.due_at = now + LEASE
            else:
                each.attempts += 1
                each.attempted_at = now
            session.add(each)
        usernames = self.outbox.parameters(row).get("usernames", ()) if row.kind == "lookup" else ()
        return Claim(
            row_id=row.id,
            kind=row.kind,
            person_id=UserId(row.person_id),
            text=worded.text,
            look_first=look_first and row.kind != "lookup",
            tried_before=tried_before,
            first_attempted_at=attempted_at,
            traces=tuple(traces),
            reply_to=PostId(row.reply_to_version) if row.reply_to_version else None,
            waiting_id=row.inbox_id,
            usernames=tuple(str(name) for name in usernames) if isinstance(usernames, tuple) else (),
        )

    # Sending

    def _send(self, claim: Claim) -> bool:
        try:
            self._settle(claim, self._sender(claim))
            for row_id, trace in claim.traces:
                log.info("courier.sent", row=row_id, kind=claim.kind, trace=trace)
        except TryLater as later:
            self._wait(claim, later)
            return False
        except Misconfigured as wrong:
            self._wait(claim, TryLater(str(wrong), at=self.clock() + LONGEST_PAUSE))
            log.error("courier.misconfigured", problem=str(wrong))
            return False
        except SendRefused as refused:
            self._refused(claim, refused)
        except OutcomeUnknown as unknown:
            self._unknown(claim, str(unknown))
        return True

    def _sender(self, claim: Claim) -> Callable[[Session, OutboxRow], None]:
        """Does the one thing outside; returns what is to be written about it."""
        if claim.kind == "lookup":
            found = self.gateway.users_by_username(claim.usernames)
            result = LookedUp(claim.waiting_id or 0, claim.usernames, tuple(found.values()))
            return lambda session, row: self._looked_up(session, row, result)
        if claim.kind == "reply":
            sent_id: int = self.gateway.reply(claim.reply_to or PostId(0), claim.text)
        else:
            sent_id = self.gateway.send_message(claim.person_id, claim.text)
        return lambda session, row: self._sent(session, row, sent_id)

    def _settle(self, claim: Claim, write: Callable[[Session, OutboxRow], None]) -> None:
        """Writes what became of it, the same for all that went out in one message."""

        def work(session: Session) -> None:
            row = session.get_one(OutboxRow, claim.row_id)
            together = self.outbox.merged(session, row) if len(claim.traces) > 1 else ()
            for each in (row, *together):
                write(session, each)
            self.budget.learn(session, CALLS[claim.kind], self.gateway.limits)

        self.database.write(work)

    def _sent(self, session: Session, row: OutboxRow, sent_id: int | None) -> None:
        row.sent_id = sent_id
        self._finish(session, row, "sent")

    def _looked_up(self, session: Session, row: OutboxRow, result: LookedUp) -> None:
        self.inbox.store_lookup(session, row.id, result)
        self._finish(session, row, "sent")

    def _finish(self, session: Session, row: OutboxRow, state: str, *, reason: str | None = None) -> bool:
        row.state = state
        row.reason = reason
        row.finished_at = self.clock()
        session.add(row)
        session.flush()
        if state in {"failed", "dropped"}:
            self.outbox.release(session, row)
        return True

    def _wait(self, claim: Claim, later: TryLater) -> None:
        """Nothing happened. X's limit holds for all rows of the kind, another fault for this one first."""

        def write(session: Session, row: OutboxRow) -> None:
            pause = min(FIRST_PAUSE * 2 ** min(row.attempts, 16), LONGEST_PAUSE)
            row.state = "waiting"
            row.first_attempted_at = row.first_attempted_at if claim.tried_before else None
            row.due_at = later.at or self.clock() + pause
            row.reason = str(later)
            if not claim.tried_before:
                row.merged_into = None
            session.add(row)
            self._blocked_until[claim.kind] = (
                row.due_at if isinstance(later, RateLimited) else self.clock() + FIRST_PAUSE
            )

        def settle(session: Session, row: OutboxRow) -> None:
            write(session, row)
            if row.id != claim.row_id:
                return
            if isinstance(later, RateLimited):
                self.budget.exhaust(session, CALLS[claim.kind], row.due_at)
            else:
                self.budget.give_back(session, CALLS[claim.kind])

        self._settle(claim, settle)
        log.warning("courier.later", row=claim.row_id, kind=claim.kind, reason=str(later))

    def _refused(self, claim: Claim, refused: SendRefused) -> None:
        """X said no for good. The same text, or a second reply, refused after a lost answer means that the first arrived."""
        if claim.tried_before and (refused.duplicate or refused.unsummoned):
            self._settle(claim, lambda session, row: self._sent(session, row, None))
            return

        def write(session: Session, row: OutboxRow) -> None:
            self._finish(session, row, "failed", reason=str(refused))
            if row.challenge_id is not None:
                self.asking.give_up(session, session.get_one(ChallengeRow, row.challenge_id))
            if row.phrase in NOTICES:
                self.factors.call_off(session, session.get_one(PersonRow, row.person_id))
            if refused.gone and row.reply_to is not None:
                self.story.post_is_gone(session, claim.person_id, row.reply_to)

        self._settle(claim, write)
        log.error("courier.refused", row=claim.row_id, kind=claim.kind, status=refused.status)

    def _unknown(self, claim: Claim, reason: str) -> None:
        def write(session: Session, row: OutboxRow) -> None:
            row.state = "unknown"
            row.due_at = self.clock() + self.settles_after
            row.reason = reason
            session.add(row)

        self._settle(claim, write)
        log.warning("courier.unknown", row=claim.row_id, kind=claim.kind)

    # Looking for what may have been sent

    def _find(self, claim: Claim) -> bool:
        try:
            sent_id = self._found_in_posts(claim) if claim.kind == "reply" else self._found_in_thread(claim)
        except (TryLater, Misconfigured) as later:
            self._unknown(claim, str(later))
            self._blocked_until[claim.kind] = getattr(later, "at", None) or self.clock() + self.settles_after
            return False

        def write(session: Session, row: OutboxRow) -> None:
            if sent_id is not None:
                self._sent(session, row, sent_id)
                return
            row.state = "waiting"
            row.due_at = self.clock()
            session.add(row)

        self._settle(claim, write)
        log.info("courier.looked", row=claim.row_id, kind=claim.kind, arrived=sent_id is not None)
        return True

    def _found_in_thread(self, claim: Claim) -> int | None:
        oldest = first_id_at(claim.first_attempted_at - CLOCKS_DIFFER_BY)
        others = self.database.read(lambda session: self.outbox.sent_ids(session, claim.person_id))
        token = None
        for _ in range(PAGES_LOOKED_AT):
            page = self.gateway.messages_with(claim.person_id, page_token=token)
            for message in page.items:
                if message.id < oldest:
                    return None
                is_ours = message.sender_id != claim.person_id and message.id not in others
                if is_ours and _same(message.text, claim.text):
                    return message.id
            token = page.next_token
            if token is None:
                return None
        return None

    def _found_in_posts(self, claim: Claim) -> int | None:
        """A reply begins with hidden mentions, so it is known by its end."""
        oldest = PostId(first_id_at(claim.first_attempted_at - CLOCKS_DIFFER_BY))
        token = None
        for _ in range(PAGES_LOOKED_AT):
            page = self.gateway.own_posts(since_id=oldest, page_token=token)
            for post in page.items:
                if _folded(post.text).endswith(_folded(claim.text)):
                    return post.id
            token = page.next_token
            if token is None:
                return None
        return None


def _same(there: str, here: str) -> bool:
    return _folded(there) == _folded(here)


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", html.unescape(text)).split())
