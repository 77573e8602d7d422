"""The daemon: ticks that listen, work, deliver and sweep, and the one place that decides what an error means.

Each tick runs alone and is short; what is due lives in rows, so a tick that is missed or killed costs nothing but
time. After a fault a tick pauses, longer each time, and goes on by itself.
"""

import fcntl
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import structlog
from apscheduler.executors.base import BaseExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from bot.admin.proposals import proposals_of
from bot.book import is_paused
from bot.errors import InvariantBroken, Misconfigured, TryLater
from bot.push import Push, poll_every
from bot.sealing import seal
from bot.settings import Settings
from bot.watching.watch import Watch, open_watch
from bot.wiring import Bot, World
from bot.work import THE_DATABASE, in_one_line
from bot.x.gateway import Gateway, XUser
from ledger.clock import IdSource
from ledger.errors import InvariantBroken as LedgerBroken

log = structlog.get_logger(__name__)

FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(minutes=5)
WEBHOOK_SECONDS = 1800.0
LEASE_SECONDS = 20.0
"""How often the listener's lease is renewed, or asked for: it lasts a minute."""
USAGE_SECONDS = 30.0
"""How often what was asked of X is written down."""
VERIFY_SECONDS = 60.0
"""How often it is asked whether it is time to verify the whole book."""
ALARM_SECONDS = 2.0
"""How often alarms that were not taken by the webhook yet are looked for."""
LOOK_FOR_SIGNALS_SECONDS = 0.1
STOP_SECONDS = 5.0
"""How long what is running may take to end when the daemon stops; a send that X is slow to answer is then left to its
unknown fate, and looked for by the next run."""


class OneDaemon(AbstractContextManager["OneDaemon"]):
    """Holds a SQLite file for one daemon; a second one is refused with a sentence. The system lets go of it if we die."""

    def __init__(self, database_file: Path) -> None:
        self._path = database_file.with_name(database_file.name + ".daemon")
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        self._file = self._path.open("w")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise Misconfigured(
                "SMONEY_DATABASE_URL",
                "another smoney daemon already works on this file.",
                example="stop the other one, or give this one a database of its own",
            ) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()


@dataclass(slots=True)
class Tick:
    """Something done again and again, one at a time, with a growing pause after a fault."""

    name: str
    act: Callable[[], object]
    clock: Callable[[], datetime]
    stop: Callable[[InvariantBroken], None]
    _faults: int = 0
    _not_before: datetime | None = None
    _alone: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self) -> None:
        if self._not_before is not None and self.clock() < self._not_before:
            return
        if not self._alone.acquire(blocking=False):
            return
        try:
            self._run()
        finally:
            self._alone.release()

    def end(self, within_seconds: float) -> bool:
        """No further run; False if one is still going on after that time."""
        return self._alone.acquire(timeout=max(0.0, within_seconds))

    def _run(self) -> None:
        try:
            self.act()
        except TryLater as later:
            self._pause(later.at)
            log.warning(f"{self.name}.later", reason=str(later), until=str(self._not_before))
        except Misconfigured as wrong:
            self._pause(None)
            log.error(f"{self.name}.misconfigured", problem=str(wrong))
        except (InvariantBroken, LedgerBroken) as broken:
            log.critical(f"{self.name}.invariant_broken", problem=str(broken))
            self.stop(InvariantBroken(str(broken)))
        except THE_DATABASE as fault:
            self._pause(None)
            log.error(f"{self.name}.database", problem=in_one_line(fault))
        except Exception:
            self._pause(None)
            log.exception(f"{self.name}.fault")
        else:
            self._faults = 0
            self._not_before = None

    def _pause(self, until: datetime | None) -> None:
        pause = min(FIRST_PAUSE * 2 ** min(self._faults, 12), LONGEST_PAUSE)
        self._faults += 1
        self._not_before = until or self.clock() + pause


class _OwnThreads(BaseExecutor):  # type: ignore[misc]  # APScheduler ships no types
    """A thread for each run of a tick, none of which can keep the program from ending."""

    def _do_submit_job(self, job: Any, _: Any) -> None:
        threading.Thread(target=self._do, args=[job], name=job.name, daemon=True).start()

    def _do(self, job: Any) -> None:
        try:
            job.func()
        finally:
            self._run_job_success(job.id, [])


class Daemon:
    """Runs a bot until it is told to stop."""

    def __init__(self, bot: Bot, settings: Settings) -> None:
        self._bot = bot
        self._settings = settings
        self._stopped = False
        self._ended = threading.Event()
        self.broken: InvariantBroken | None = None
        self.watch: Watch = open_watch(bot, settings)
        self._proposals = proposals_of(bot.vault, bot.clock, IdSource(bot.clock, World().entropy))
        self._ticks: list[Tick] = []
        self._scheduler = BackgroundScheduler(
            executors={"default": _OwnThreads()},
            job_defaults={"coalesce": True, "max_instances": 100, "misfire_grace_time": None},
            timezone="UTC",
        )
        self._work = self._tick("work", lambda: bot.work.run(self._is_running))
        self._deliver = self._tick("deliver", lambda: bot.courier.deliver(self._is_running))

    def _tick(self, name: str, act: Callable[[], object]) -> Tick:
        tick = Tick(name, act, self._bot.clock, self._stop_for)
        self._ticks.append(tick)
        return tick

    def _is_running(self) -> bool:
        return not self._stopped

    def start(self) -> None:
        settings, bot = self._settings, self._bot
        bot.recover()
        paused = bot.database.read(is_paused)
        mentions = self._tick("listen.mentions", lambda: self._pass_on(bot.listening.read_mentions()))
        messages = self._tick("listen.messages", lambda: self._pass_on(bot.listening.read_messages()))
        self._every(poll_every(settings, "mentions").total_seconds(), mentions)
        self._every(poll_every(settings, "messages").total_seconds(), messages)
        self._begin_push()
        self._every(settings.work_poll_seconds, self._work_and_deliver)
        self._every(settings.deliver_poll_seconds, self._deliver)
        self._begin_cards()
        self._every(settings.sweep_poll_seconds, self._tick("sweep", bot.sweep_once))
        self._every(settings.sweep_poll_seconds, self._tick("proposals", self._lapse_proposals))
        self._every(USAGE_SECONDS, self._tick("usage", bot.usage.note))
        self._every(settings.seal_poll_seconds, self._tick("seal", self._seal))
        self._begin_watching()
        self._scheduler.start()
        log.info("daemon.started", bot=bot.account.username)
        if paused:
            log.warning(
                "daemon.paused", reason="a backup was restored; `smoney reconcile` lets payments go on"
            )

    def _begin_cards(self) -> None:
        cashier = self._bot.cashier
        if cashier is not None:
            tick = self._tick("cards", lambda: cashier.run(self._is_running))
            self._every(self._settings.cards_poll_seconds, tick)
            follow = self._tick("cards.follow", cashier.follow)
            self._every(self._settings.cards_follow_seconds, follow)

    def _begin_push(self) -> None:
        """A thread for each stream; webhooks are registered again now and then, since X drops what fails for long."""
        push = Push.of(self._bot, self._settings, self._work_and_deliver)
        for stream in push.streams:
            run = partial(stream.run, self._is_running, self._ended.wait)
            threading.Thread(target=run, name=f"stream.{stream.name}", daemon=True).start()
        if push.prepare is not None:
            self._every(WEBHOOK_SECONDS, self._tick("webhook", push.prepare))
        if self._bot.database.dialect != "sqlite":
            self._every(LEASE_SECONDS, self._tick("lease", self._bot.listening.lease.take))

    def _begin_watching(self) -> None:
        """Not at once: what waited while nobody was there is being worked first."""
        pause = self._settings.self_check_seconds
        self._every(pause, self._tick("self-check", self.watch.look), first_after=pause)
        verify = self._tick("verify", lambda: self.watch.verify_if_due(self._is_running))
        self._every(VERIFY_SECONDS, verify, first_after=pause)
        if self.watch.webhook is not None:
            self._every(ALARM_SECONDS, self._tick("alarms.webhook", self.watch.tell_the_webhook))

    def _every(self, seconds: float, tick: Callable[[], None], *, first_after: float = 0) -> None:
        first = self._now() + timedelta(seconds=first_after)
        self._scheduler.add_job(tick, "interval", seconds=seconds, next_run_time=first)

    def _now(self) -> datetime:
        return datetime.now(self._scheduler.timezone)

    def _seal(self) -> None:
        for made in seal(self._bot.database, self._settings, self._bot.clock):
            log.info("ledger.sealed", seal=made.number, transfers=made.transfers, root=made.root)

    def _lapse_proposals(self) -> None:
        if self._bot.database.read(self._proposals.has_overdue):
            lapsed = self._bot.database.write(self._proposals.lapse_overdue)
            log.info("proposals.lapsed", proposals=lapsed)

    def _pass_on(self, stored: int) -> None:
        """What was just heard is worked and answered at once, without waiting for the next ticks."""
        if stored:
            self._work_and_deliver()

    def _work_and_deliver(self) -> None:
        self._work()
        self._deliver()

    def _stop_for(self, broken: InvariantBroken) -> None:
        """The next start finds payments paused, and the alarm open."""
        self.broken = broken
        try:
            with suppress(*THE_DATABASE):
                self.watch.stopped_by(str(broken))
        finally:
            self._stopped = True

    def stop(self) -> None:
        """May be called by a signal's handler, which must not wait for any lock."""
        self._stopped = True

    def wait(self) -> None:
        """Until `stop`; then lets what is running finish its one step and closes. Seconds, not minutes."""
        while not self._stopped:  # not an event's wait: a signal that comes just before it would wake nobody
            time.sleep(LOOK_FOR_SIGNALS_SECONDS)
        self._ended.set()
        self._scheduler.shutdown(wait=False)
        deadline = time.monotonic() + STOP_SECONDS
        left = [tick.name for tick in self._ticks if not tick.end(deadline - time.monotonic())]
        if left:
            log.warning("daemon.not_waited_for", ticks=left)
        with suppress(*THE_DATABASE):
            self._bot.usage.note()
            self._bot.listening.lease.leave()
            self.watch.lease.leave()
        if not left:  # closing waits for who is at work; the end of the program does not
            with suppress(*THE_DATABASE):
                self._bot.database.close()
        log.info("daemon.stopped")


def who_am_i(gateway: Gateway, stopped: threading.Event) -> XUser | None:
    """The bot's own account, asked for until X answers; None if told to stop before. Raises `Misconfigured`."""
    answers: list[XUser | Exception | None] = []

    def ask() -> None:
        try:
            answers.append(_asked_until_answered(gateway, stopped))
        except Exception as error:  # noqa: BLE001 (raised again by the thread that waits)
            answers.append(error)

    asking = threading.Thread(target=ask, name="who-am-i", daemon=True)
    asking.start()
    while asking.is_alive() and not stopped.is_set():  # X may be slow, and a signal must not wait for it
        asking.join(LOOK_FOR_SIGNALS_SECONDS)
    answer = answers[0] if answers else None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _asked_until_answered(gateway: Gateway, stopped: threading.Event) -> XUser | None:
    pause = FIRST_PAUSE
    while not stopped.is_set():
        try:
            return gateway.me()
        except TryLater as later:
            log.warning("daemon.waiting_for_x", reason=str(later), seconds=pause.total_seconds())
            stopped.wait(pause.total_seconds())
            pause = min(pause * 2, LONGEST_PAUSE)
    return None
