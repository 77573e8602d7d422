"""Looks at everything the bot needs, one thing after another, and says what to mend.

It changes nothing: the database's willingness to be written is tried in a transaction that is taken back. It asks X
three questions, which count against X's limits like any others. It prints nothing; `smoney doctor` does.
"""

import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import Misconfigured, SmoneyError, TryLater
from bot.keys import keyring_from
from bot.settings import DEFAULT_ENV_FILE, Settings
from bot.x.gateway import PostId
from bot.x.snowflake import first_id_at
from ledger.clock import Clock

if TYPE_CHECKING:
    from sqlmodel import Session

    from bot.x.tweepy_gateway import TweepyGateway

MEGABYTE = 1_000_000
LEAST_FREE_BYTES = 100 * MEGABYTE
LITTLE_FREE_BYTES = 1000 * MEGABYTE
OLDEST_SQLITE = (3, 37, 0)  # STRICT tables
OLDEST_POSTGRESQL = 15
CLOCK_MAY_DIFFER = timedelta(seconds=5)
CLOCK_MUST_NOT_DIFFER = timedelta(seconds=60)


class Outcome(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, and what to do about it where something is to be done."""

    subject: str
    outcome: Outcome
    said: str
    mend: str = ""


def examine(settings: Settings, clock: Clock, *, env_file: Path = DEFAULT_ENV_FILE) -> Iterator[Finding]:
    """Each finding as it is made: the slow ones (X) come last."""
    yield from _secret_file("settings", env_file, "its keys")
    yield from _keys(settings)
    yield from _home(settings)
    yield from _database(settings)
    yield _alarms(settings)
    yield from _cards(settings, clock)
    yield from _x(settings, clock)


def _secret_file(subject: str, file: Path, what: str) -> Iterator[Finding]:
    if not file.exists():
        yield _ok(subject, f"no {file}; the environment and the defaults are used")
    elif stat.S_IMODE(file.stat().st_mode) & 0o077:
        yield _warn(subject, f"{file} and {what} can be read by others on this machine", f"chmod 600 {file}")
    else:
        yield _ok(subject, f"{file} is read, and only its owner can read it")


def _keys(settings: Settings) -> Iterator[Finding]:
    try:
        ring = keyring_from(settings)
    except Misconfigured as error:
        yield _fail(
            "keys",
            str(error),
            "put the line `smoney keys generate` prints into the settings, and keep a copy",
        )
        return
    shown = ", ".join(f"{key_id} ({ring.fingerprint(key_id)})" for key_id in ring.ids)
    yield _ok("keys", f"{shown}; the first is current")
    if settings.keys_file is not None:
        yield from _secret_file("keys file", settings.keys_file, "the master keys")


def _home(settings: Settings) -> Iterator[Finding]:
    """The directory the bot's files go into, or the one it will be made in."""
    home = settings.home.absolute()
    there = next(place for place in (home, *home.parents) if place.exists())
    if not there.is_dir():
        yield _fail("home", f"{there} is not a directory", "set SMONEY_HOME to one")
        return
    free = shutil.disk_usage(there).free
    said = f"{home}{'' if there == home else ', not there yet'}; {free // MEGABYTE:,} MB are free"
    if free < LEAST_FREE_BYTES:
        yield _fail("home", said, "make room: a full disk stops payments")
    elif free < LITTLE_FREE_BYTES:
        yield _warn("home", said, "make room before it is full: a full disk stops payments")
    else:
        yield _ok("home", said)


def _alarms(settings: Settings) -> Finding:
    told = [*settings.alarm_account_list, *(["the webhook"] if settings.alarm_webhook_url else [])]
    if told:
        return _ok("alarms", f"told to {', '.join(told)}")
    return _warn(
        "alarms",
        "nobody is told of an alarm but by the log and the metrics",
        "set SMONEY_ALARM_ACCOUNTS or SMONEY_ALARM_WEBHOOK_URL",
    )


def _cards(settings: Settings, clock: Clock) -> Iterator[Finding]:
    """Whether the processor takes our key: it is asked for a page that nobody ever made."""
    if settings.cards == "off":
        return
    from bot.funding.processor import UnknownCheckout  # noqa: PLC0415
    from bot.wiring import processor_of  # noqa: PLC0415 (heavy, and needed here alone)

    try:
        processor = processor_of(settings, clock)
        if processor is not None:
            processor.fetch("cs_test_nobody" if processor.is_test else "cs_live_nobody")
    except UnknownCheckout:
        said = f"{settings.cards} takes our key"
    except Misconfigured as error:
        yield _fail("cards", str(error), "see docs/operating/cards.md")
        return
    except TryLater as error:
        yield _warn("cards", f"the processor does not answer: {error}", "try again in a minute")
        return
    if settings.cards_webhook_secret is None:
        yield _warn(
            "cards",
            f"{said}; payments are found by asking alone, within minutes",
            "set SMONEY_CARDS_WEBHOOK_SECRET, see docs/operating/cards.md",
        )
    else:
        yield _ok("cards", said)


def _database(settings: Settings) -> Iterator[Finding]:
    from psycopg import Error as PsycopgError  # noqa: PLC0415 (heavy, and needed here alone)
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    from ledger.errors import LedgerError  # noqa: PLC0415

    file = settings.database_address.removeprefix("sqlite:///")
    if file != settings.database_address and not Path(file).exists():
        yield _ok("database", f"{file} is not there yet; it is made when it is first needed")
        return
    try:
        yield _tried_database(settings.database_address)
    except (SQLAlchemyError, PsycopgError, LedgerError, sqlite3.Error, OSError) as error:
        yield _fail(
            "database",
            _words(error, settings.database_address),
            "is it running, and may this user write to it?",
        )


def _words(error: Exception, url: str) -> str:
    """What the driver said, in one line, without the password it may repeat."""
    from sqlalchemy import make_url  # noqa: PLC0415

    said = " ".join(str(getattr(error, "orig", None) or error).split())[:200]
    password = make_url(url).password
    return f"it cannot be used: {said.replace(str(password), '***') if password else said}"


def _tried_database(url: str) -> Finding:
    from ledger.database import Database  # noqa: PLC0415 (heavy, and needed here alone)

    with Database(url, busy_seconds=3) as database:
        name, version, new_enough = database.read(_version)
        gone = database.read(_lost)
        with suppress(_TakenBack):
            database.write(_write_and_take_back)
    if not new_enough:
        wanted = f"SQLite {'.'.join(map(str, OLDEST_SQLITE))} or PostgreSQL {OLDEST_POSTGRESQL}"
        return _fail("database", f"{name} {version} is too old", f"use {wanted}, or a later one")
    if gone:
        return _warn(
            "database",
            f"{name} {version}; when the bot came back after a long time, X no longer had {gone}",
            "tell people whose orders may be among those; nothing of them was paid",
        )
    return _ok("database", f"{name} {version}; it can be read and written")


def _lost(session: "Session") -> str:
    """What was said to the bot and X no longer had."""
    from sqlalchemy import inspect  # noqa: PLC0415

    from bot.x.listening import lost  # noqa: PLC0415

    if not inspect(session.connection()).has_table("cursors"):
        return ""
    return ", ".join(
        f"{name} from before {before:%Y-%m-%d %H:%M} UTC" for name, (before, _) in lost(session).items()
    )


class _TakenBack(Exception):
    """Ends the trial: nothing of it is kept."""


def _version(session: "Session") -> tuple[str, str, bool]:
    from sqlalchemy import text  # noqa: PLC0415

    connection = session.connection()
    if connection.dialect.name == "sqlite":
        version = str(connection.execute(text("SELECT sqlite_version()")).scalar_one())
        return "SQLite", version, tuple(map(int, version.split("."))) >= OLDEST_SQLITE
    version = str(connection.execute(text("SHOW server_version")).scalar_one())
    return "PostgreSQL", version, int(version.partition(".")[0]) >= OLDEST_POSTGRESQL


def _write_and_take_back(session: "Session") -> None:
    from sqlalchemy import text  # noqa: PLC0415

    session.connection().execute(text("CREATE TABLE smoney_doctor_was_here (x INTEGER)"))
    raise _TakenBack


def _x(settings: Settings, clock: Clock) -> Iterator[Finding]:
    from bot.x.tweepy_gateway import TweepyGateway  # noqa: PLC0415 (heavy, and needed here alone)

    if not settings.is_real_x:
        yield _warn(
            "X",
            f"{settings.x_base_url} is a stand-in for X on this machine",
            "unset SMONEY_X_BASE_URL to go live",
        )
    try:
        credentials = settings.x_credentials()
    except Misconfigured as error:
        yield _fail("X keys", str(error), "take the four keys from X's developer portal")
        return
    gateway = TweepyGateway(
        credentials, clock=clock, base_url=settings.x_base_url, timeout_seconds=settings.x_timeout_seconds
    )
    try:
        yield from _asked(gateway, clock)
    finally:
        gateway.close()


def _asked(gateway: "TweepyGateway", clock: Clock) -> Iterator[Finding]:
    def account() -> str:
        own = gateway.me()
        return f"X knows the bot as @{own.username} ({own.id})"

    def mentions() -> str:
        gateway.mentions(since_id=_newest(clock))
        return "mentions can be read"

    def messages() -> str:
        gateway.direct_messages()
        return "direct messages can be read"

    known = _question("X keys", account)
    yield known
    yield from _clock(gateway)
    if known.outcome is Outcome.OK:
        yield _question("mentions", mentions)
        yield _question("direct messages", messages)


def _question(subject: str, ask: Callable[[], str]) -> Finding:
    try:
        return _ok(subject, ask())
    except Misconfigured as error:
        return _fail(subject, str(error), "mend the app's permissions or keys in X's developer portal")
    except SmoneyError as error:
        return _fail(
            subject, str(error), "try again later; if it stays so, look at X's status page and at the address"
        )


def _clock(gateway: "TweepyGateway") -> Iterator[Finding]:
    """A wrong clock makes X refuse signatures, and codes expire early or late."""
    ahead = gateway.clock_ahead
    if ahead is None:
        return
    apart = abs(ahead)
    said = f"this machine's clock is {apart.total_seconds():.0f} s {'ahead of' if ahead > timedelta(0) else 'behind'} X's"
    if apart > CLOCK_MUST_NOT_DIFFER:
        yield _fail("clock", said, "set it by NTP (timedatectl set-ntp true)")
    elif apart > CLOCK_MAY_DIFFER:
        yield _warn("clock", said, "set it by NTP (timedatectl set-ntp true)")
    else:
        yield _ok("clock", "this machine's clock agrees with X's")


def _newest(clock: Clock) -> PostId:
    """Newer than almost all: the question is whether mentions can be read, and X charges for each that is."""
    return PostId(first_id_at(clock() - timedelta(minutes=1)))


def _ok(subject: str, said: str) -> Finding:
    return Finding(subject, Outcome.OK, said)


def _warn(subject: str, said: str, mend: str) -> Finding:
    return Finding(subject, Outcome.WARN, said, mend)


def _fail(subject: str, said: str, mend: str) -> Finding:
    return Finding(subject, Outcome.FAIL, said, mend)
