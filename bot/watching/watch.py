"""The self-check: looks at the bot and its book on one snapshot, raises and clears alarms, and tells of them.

`look` is done each minute and costs about the same however large the book is; `verify` recomputes everything, once a day,
and each hour while an alarm about money is open: nothing else ends one of those. Of several programs on one PostgreSQL one
watches, by a lease; it looks at its own disk and clock.
"""

import shutil
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import text
from sqlmodel import Session

from bot.admin.log import AuditLog
from bot.auditing import verify
from bot.errors import TryLater
from bot.keys import keyring_from
from bot.payments.authorisations import Authorisations
from bot.sealing import public_keys
from bot.settings import Settings
from bot.store.leases import Lease
from bot.watching import money_checks, running_checks
from bot.watching.alarms import Alarms, Changes, open_alarms
from bot.watching.figures import figures_of
from bot.watching.looks import Bounds, Look, Place
from bot.watching.names import MONEY, Alarm, Facts, Found, by_alarm, runbook_of
from bot.watching.telling import AdminMessages
from bot.watching.webhook import Webhook, webhook_key
from bot.wiring import Bot, World
from ledger.clock import IdSource
from ledger.seals import LAG

log = structlog.get_logger(__name__)

VERIFY_FIRST: Final = timedelta(minutes=10)
"""How long after its start a program verifies the whole book for the first time."""
VERIFY_AGAIN: Final = timedelta(hours=1)
"""How often it does while an alarm about money is open."""
MOST_LOGGED = 20
PASSING: Final = frozenset(Alarm) - MONEY
"""What is over when a look does not find it any more."""


@dataclass(frozen=True, slots=True)
class LastLook:
    at: datetime
    seconds: float


@dataclass(slots=True)
class Watch:
    bot: Bot
    settings: Settings
    alarms: Alarms
    messages: AdminMessages
    authorisations: Authorisations
    lease: Lease
    webhook: Webhook | None
    bounds: Bounds
    began_at: datetime
    last: LastLook | None = None
    _place: Place = field(default_factory=Place)
    _verified_at: datetime | None = None
    _watches: bool = False
    """Whether this program was the one that watches, at its last look."""

    def look(self) -> Changes:
        """One look. Raises what the database raises; then it is looked again."""
        self._watches = self.lease.take() is not None
        if not self._watches:
            return Changes()
        began = time.monotonic()
        found, place = self._found()
        changes = self._settle(by_alarm(found), clears=PASSING)
        self._place = place
        self.last = LastLook(self.bot.clock(), time.monotonic() - began)
        return changes

    def _found(self) -> tuple[list[Found], Place]:
        keys = public_keys(self.settings)
        free = shutil.disk_usage(self.settings.home).free
        ahead = self.bot.listening.gateway.clock_ahead

        def work(session: Session) -> tuple[list[Found], Place]:
            now = self.bot.clock()
            place = replace(self._place)  # this look's own: a work may be run again
            look = Look(
                session=session,
                figures=figures_of(session, self.bot.budget, now),
                place=place,
                bounds=self.bounds,
                authorisations=self.authorisations,
                public_keys=keys,
                began_at=self.began_at,
                clock_ahead=_ahead_of_the_database(session, now) if ahead is None else ahead,
                disk_free_bytes=free,
            )
            checks = (*money_checks.CHECKS, *running_checks.CHECKS)
            return [found for check in checks for found in check(look)], place

        return self.bot.database.read(work)

    def verify_if_due(self, keep_going: Callable[[], bool] = lambda: True) -> Changes:
        """The whole book, where it is time for it and this program watches. Raises `TryLater` where it is not to go on."""

        def progress(_done: int, _total: int) -> None:
            if not keep_going():
                raise TryLater("the program stops")

        if not self._is_verify_due() or self.lease.take() is None:
            return Changes()
        self._verified_at = self.bot.clock()
        findings = verify(self.bot.database, self.settings, progress=progress).findings
        for sentence in findings[:MOST_LOGGED]:
            log.critical("verify.finding", finding=sentence)
        log.info("verify.done", findings=len(findings))
        found: dict[Alarm, Facts] = {Alarm.BOOK_NOT_VERIFIED: {"findings": len(findings)}} if findings else {}
        return self._settle(found, clears=() if findings else MONEY)

    def _is_verify_due(self) -> bool:
        now = self.bot.clock()
        pauses = []
        if self.settings.verify_hours:
            pauses.append(timedelta(hours=self.settings.verify_hours) if self._verified_at else VERIFY_FIRST)
        if any(each.alarm in MONEY for each in self.bot.database.read(open_alarms)):
            pauses.append(VERIFY_AGAIN if self._verified_at else timedelta())
        return bool(pauses) and now - (self._verified_at or self.began_at) >= min(pauses)

    def stopped_by(self, problem: str) -> Changes:
        """The program stops because something that must always hold does not: the next start finds payments paused."""
        log.critical("invariant_broken.stopping", problem=problem)
        return self._settle({Alarm.INVARIANT_BROKEN: {}}, clears=())

    def tell_the_webhook(self) -> int:
        """What it has not taken yet; how many pieces it took. Of several programs the one that watches tells."""
        return self.webhook.deliver() if self.webhook is not None and self._watches else 0

    def _settle(self, found: Mapping[Alarm, Facts], *, clears: Collection[Alarm]) -> Changes:
        def work(session: Session) -> Changes:
            changes = self.alarms.settle(session, found, clears=clears)
            self.messages.tell(session, changes.raised, paused=changes.paused)
            return changes

        changes = self.bot.database.write(work)
        _log(changes)
        return changes


def _ahead_of_the_database(session: Session, now: datetime) -> timedelta | None:
    """The clock of another machine, for as long as X has not said what time it is. SQLite has none of its own."""
    if session.get_bind().dialect.name != "postgresql":
        return None
    there: datetime = session.connection().execute(text("SELECT clock_timestamp()")).scalar_one()
    return now - there


def _log(changes: Changes) -> None:
    for each in changes.raised:
        told = {
            "alarm": each.alarm.value,
            "facts": dict(each.facts),
            "runbook": runbook_of(each.alarm),
        }
        if each.alarm in MONEY:
            log.critical("alarm.raised", **told)
        else:
            log.warning("alarm.raised", **told)
    for each in changes.cleared:
        log.info("alarm.cleared", alarm=each.alarm.value, since=each.since.isoformat())
    if changes.paused:
        log.critical("payments.paused", by="self-check")


def open_watch(bot: Bot, settings: Settings, world: World | None = None) -> Watch:
    """Raises `Misconfigured` without the keys."""
    ids = IdSource(bot.clock, (world or World()).entropy)
    keyring = keyring_from(settings)
    url = settings.alarm_webhook_url
    interval = timedelta(seconds=settings.self_check_seconds)
    return Watch(
        bot=bot,
        settings=settings,
        alarms=Alarms(AuditLog(vault=bot.vault, clock=bot.clock, ids=ids), bot.clock, ids, bool(url)),
        messages=AdminMessages(settings.alarm_account_list, bot.people, bot.outbox, bot.vault, bot.clock),
        authorisations=bot.authorisations,
        lease=Lease(bot.database, "watching", holder=bot.listening.lease.holder, lasts=3 * interval),
        webhook=Webhook(url.get_secret_value(), webhook_key(keyring), bot.clock, bot.database)
        if url
        else None,
        bounds=Bounds(
            seal_late=3 * timedelta(seconds=settings.seal_poll_seconds) + LAG + timedelta(minutes=10),
            disk_free_bytes=settings.disk_free_least_mb * 1_000_000,
            review_ending=min(timedelta(days=1), timedelta(days=settings.review_days) / 2),
        ),
        began_at=bot.clock(),
    )
