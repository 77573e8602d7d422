"""Starts and ends the daemon as a program: settings in, signals, one SQLite file for one daemon, an exit code out."""

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import structlog
from sqlalchemy import make_url

from bot.daemon import Daemon, OneDaemon, who_am_i
from bot.keys import keyring_from
from bot.settings import Settings
from bot.telemetry import configure
from bot.web.app import build_app
from bot.web.metrics import Source, watching
from bot.web.server import listener_on, serving
from bot.wiring import Bot, World, build, open_database
from bot.x.tweepy_gateway import TweepyGateway

log = structlog.get_logger(__name__)


def run_daemon(settings: Settings, *, is_demo: bool = False) -> bool:
    """Until SIGTERM or SIGINT. True where it ended because something that must always hold did not.

    Raises `Misconfigured`: for a setting that is missing or wrong, before anything was touched.
    """
    configure(log_format=settings.log_format, level=settings.log_level)
    credentials = settings.x_credentials()
    keyring_from(settings)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    world = World()
    gateway = TweepyGateway(
        credentials,
        clock=world.clock,
        base_url=settings.x_base_url,
        timeout_seconds=settings.x_timeout_seconds,
    )
    with one_daemon(settings):
        database = open_database(settings, is_demo=is_demo, world=world)
        account = who_am_i(gateway, stopped)
        if account is None:
            return False
        bot = build(settings, gateway, account, database, world)
        daemon = Daemon(bot, settings)
        threading.Thread(target=_pass_on, args=(stopped, daemon), daemon=True).start()
        with pages_of(bot, settings, world, sources=[watching(daemon.watch)]):
            daemon.start()
            daemon.wait()
        return daemon.broken is not None


@contextmanager
def pages_of(bot: Bot, settings: Settings, world: World, *, sources: Sequence[Source]) -> Iterator[None]:
    """Serves the bot's pages while the block runs, where the settings want them. Raises `Misconfigured`."""
    if not settings.web_port:
        yield
        return
    app = build_app(bot, settings, entropy=world.entropy, sources=sources)
    with serving(app, listener_on(settings.web_host, settings.web_port)):
        yield


def one_daemon(settings: Settings) -> AbstractContextManager[object]:
    """On SQLite one daemon owns the file; on PostgreSQL the rows are locked one by one. Raises `Misconfigured`."""
    url = make_url(settings.database_address)
    if url.get_backend_name() != "sqlite" or not url.database:
        return nullcontext()
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    return OneDaemon(Path(url.database))


def _pass_on(stopped: threading.Event, daemon: Daemon) -> None:
    """A signal handler only sets an event; ending the daemon is done outside of it."""
    stopped.wait()
    daemon.stop()
