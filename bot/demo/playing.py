"""The three ways to play: the page, the story in the terminal, and the sandbox alone."""

import os
import shutil
import signal
import socket
import tempfile
import threading
import time
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from bot.admin.acts import Role
from bot.admin.admins import login_name
from bot.admin.log import Actor
from bot.admin.office import open_office
from bot.auditing import verify
from bot.card_sandbox.http import Served as CardsServed
from bot.daemon import LOOK_FOR_SIGNALS_SECONDS, Daemon
from bot.demo.bank import DemoBank
from bot.demo.cards import cards_taken, fund_the_operator, settings_for
from bot.demo.preview import preview
from bot.demo.town import Resident, Town, demo_settings, open_town
from bot.demo.transcript import Player, Transcript, Untrue, parse
from bot.errors import Misconfigured
from bot.ledger_views import accounts, history
from bot.sandbox.core import World as SandboxWorld
from bot.sandbox.ground import StoppedClock
from bot.sandbox.http import Served, refuse_real_keys, serve
from bot.sandbox.limits import WIDE, X_LIMITS
from bot.sandbox.people import Person
from bot.settings import XCredentials
from bot.telemetry import configure
from bot.web.app import build_app
from bot.web.server import listener_on, serving
from bot.x.gateway import Gateway
from bot.x.tweepy_gateway import TweepyGateway

RESIDENTS = (
    Resident("bob", "Bob Martin", 100_00),
    Resident("alice", "Alice Durand", 20_00),
    Resident("carol", "Carol Weber", 50_00),
    Resident("zoe", "Zoé (new here)"),
)
"""Who lives in the demo: three who have enrolled and own test money, and one who has not."""


PAGES_PORT = 8350
STORY_BEGINS = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def over_http(served: Served) -> Callable[[SandboxWorld, Person], Gateway]:
    """The real tweepy, talking to the sandbox over HTTP with the bot's own keys there."""

    def make(world: SandboxWorld, bot_person: Person) -> Gateway:
        return TweepyGateway(credentials_of(world, bot_person), clock=world.clock, base_url=served.address)

    return make


def credentials_of(world: SandboxWorld, person: Person) -> XCredentials:
    """A person's keys in the sandbox, as X would issue them."""
    return XCredentials(
        world.app.consumer_key,
        world.app.consumer_secret,
        person.keys.access_token,
        person.keys.access_token_secret,
    )


# The page


def run_demo(*, port: int, open_browser: bool) -> None:
    """Sandbox, daemon and page in one process, until Ctrl-C."""
    configure(log_format="console", level="warning")
    _refuse_real_keys()
    sandbox = SandboxWorld(limits=WIDE)
    bot_person = sandbox.create_person("smoney", "smoney (demo)", open_messages=True)
    bank = _LateBank()
    pages = _listener()
    address = f"http://127.0.0.1:{pages.getsockname()[1]}"
    with (
        _home() as home,
        _serving(sandbox, port, bot_person, bank, f"{address}/status") as served,
        cards_taken(sandbox.clock, pages=address) as cards,
    ):
        settings = demo_settings(
            home,
            os.urandom,
            x_base_url=served.address,
            web_port=pages.getsockname()[1],
            **settings_for(cards),
        )
        with open_town(
            settings, sandbox, entropy=os.urandom, residents=RESIDENTS, gateway=over_http(served)
        ) as town:
            bank.open(town)
            fund_the_operator(town)
            with serving(build_app(town.bot, settings, entropy=os.urandom), pages):
                _run(town, served, open_browser=open_browser)


def _run(town: Town, served: Served, *, open_browser: bool) -> None:
    daemon = Daemon(town.bot, town.settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: daemon.stop())
    daemon.start()
    console = Console()
    console.print(f"\n[bold]smoney demo[/bold]  {served.address}/", highlight=False)
    console.print(
        "Test money on this machine only. Tweet as bob: [bold]@smoney send 10€ @alice[/bold]", highlight=False
    )
    console.print(f"The bot's own pages: {town.settings.web_address}/status", highlight=False)
    console.print(
        f"The operator's pages: {town.settings.web_address}/admin/welcome  with the word [bold]{_invited(town)}[/bold]",
        highlight=False,
    )
    console.print("Ctrl-C ends it.\n")
    if open_browser:
        threading.Thread(target=webbrowser.open, args=(served.address,), daemon=True).start()
    daemon.wait()


def _invited(town: Town) -> str:
    """The word with which whoever plays sets a password and an authenticator app, and is the demo's owner then."""
    admins = open_office(town.settings).admins
    root = Actor("demo (system)", Role.OWNER)
    return town.bot.database.write(
        lambda session: admins.add(
            session, root, "operator", Role.OWNER, login=login_name(), reason="plays the demo"
        )
    )


def _listener() -> socket.socket:
    """Where the bot's own pages are: the usual port, or a free one if somebody else has it."""
    try:
        return listener_on("127.0.0.1", PAGES_PORT)
    except Misconfigured:
        return listener_on("127.0.0.1", 0)


class _LateBank:
    """The page is there before the bot is: until then there is no money to show."""

    def __init__(self) -> None:
        self._bank: DemoBank | None = None

    def open(self, town: Town) -> None:
        self._bank = DemoBank(town.bot.database, town.bot.people)

    def wallets(self) -> list[dict[str, object]]:
        return self._bank.wallets() if self._bank else []

    def transfers(self, limit: int) -> list[dict[str, object]]:
        return self._bank.transfers(limit) if self._bank else []


@contextmanager
def _serving(
    sandbox: SandboxWorld, port: int, bot_person: Person, bank: _LateBank, pages: str
) -> Iterator[Served]:
    """On the wanted port, or on a free one if somebody else has it."""

    def reads(text: str, author: str) -> dict[str, object] | None:
        return preview(text, author, bot=bot_person.username)

    def served_on(port: int) -> AbstractContextManager[Served]:
        return serve(sandbox, port=port, bot_id=bot_person.id, bank=bank, read_preview=reads, bot_pages=pages)

    with ExitStack() as stack:
        try:
            served = stack.enter_context(served_on(port))
        except OSError:
            if port == 0:
                raise
            served = stack.enter_context(served_on(0))
        yield served


@contextmanager
def _home() -> Iterator[Path]:
    """A directory of its own for each run, gone with it: every demo begins anew."""
    home = Path(tempfile.mkdtemp(prefix="smoney-demo-"))
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _refuse_real_keys() -> None:
    try:
        refuse_real_keys(value for name, value in os.environ.items() if name.startswith("SMONEY_X_"))
    except ValueError as error:
        raise Misconfigured(
            "SMONEY_X_ACCESS_TOKEN", str(error), example="leave SMONEY_X_... unset here"
        ) from None


# The story


def play_script() -> int:
    """Plays the packaged story over HTTP with the real tweepy; 0 if all was as told and the ledger holds."""
    configure(log_format="console", level="error")
    console = Console(highlight=False, soft_wrap=True)
    story = parse(files("bot.demo").joinpath("story.md").read_text(encoding="utf-8"))
    console.print(f"[bold]{story.title}[/bold]\n")
    with stage(story) as (town, player):
        player.tell = lambda line: console.print(_coloured(line))
        try:
            player.play(story)
        except Untrue as untrue:
            console.print(f"\n[red]Not as told.[/red] {escape(str(untrue))}")
            return 1
        return _show_ledger(console, town)


@contextmanager
def stage(story: Transcript) -> Iterator[tuple[Town, Player]]:
    """A town for one transcript: HTTP, the real tweepy, and a clock that its script moves."""
    sandbox = SandboxWorld(StoppedClock(STORY_BEGINS), limits=WIDE)
    bot_person = sandbox.create_person(story.handle, "smoney", open_messages=True)
    with _home() as home, serve(sandbox, bot_id=bot_person.id) as served:
        settings = demo_settings(home, os.urandom, x_base_url=served.address)
        with open_town(
            settings,
            sandbox,
            entropy=os.urandom,
            residents=story.residents,
            handle=story.handle,
            gateway=over_http(served),
        ) as town:
            yield town, Player(town, sandbox.advance)


def _coloured(line: str) -> str:
    who, _, rest = line.partition(": ")
    if not rest:
        return f"\n[dim]{escape(line)}[/dim]"
    colour = "cyan" if who.startswith("@smoney") else "green" if who == "Wallets" else "yellow"
    text = escape(rest).replace("\n", "\n    ")
    return f"\n[{colour}]{escape(who)}[/{colour}]\n    {text}"


def _show_ledger(console: Console, town: Town) -> int:
    console.print("\n[bold]The ledger[/bold]")
    for row in accounts(town.bot.database):
        console.print(f"  {row['kind']:<12} {row['posted']:>10} {row['currency']}  held {row['held']}")
    console.print("\n[bold]Newest transfers[/bold]")
    for row in history(town.bot.database, None, limit=10):
        console.print(f"  {row['kind']:<8} {row['code']:<10} {row['amount']:>12}")
    audit = verify(town.bot.database, town.settings)
    for finding in audit.findings:
        console.print(f"[red]BROKEN[/red] {escape(finding)}")
    counted = ", ".join(f"{count} {what}" for what, count in audit.counts.items())
    console.print(f"\nVerified: {counted}: " + ("all holds." if not audit.findings else "see above."))
    return 1 if audit.findings else 0


# The sandbox alone


def run_sandbox(*, port: int, state: Path | None, wide: bool) -> None:
    """The small X with nobody's bot; prints the keys another program needs to talk to it, until Ctrl-C."""
    _refuse_real_keys()
    sandbox = SandboxWorld(limits=WIDE if wide else X_LIMITS)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with (
        serve(sandbox, port=port, state=state) as served,
        cards_taken(sandbox.clock, pages=f"http://127.0.0.1:{PAGES_PORT}") as cards,
    ):
        if not len(sandbox.people):
            sandbox.create_person("smoney", "smoney", open_messages=True)
        bot_person = sandbox.person("smoney")
        console = Console(highlight=False, soft_wrap=True)
        console.print(
            f"A small X at [bold]{served.address}/[/bold], and cards of test money. Put this into .env to point a bot at both:\n"
        )
        for name, value in (_env_lines(served, bot_person) | _env_lines_of(cards)).items():
            console.print(f"SMONEY_{name}={value}")
        while (
            not stopped.is_set()
        ):  # the handler runs in this thread, which so must hold no lock of the event
            time.sleep(LOOK_FOR_SIGNALS_SECONDS)


def _env_lines_of(cards: CardsServed) -> dict[str, str]:
    return {
        "CARDS": "stripe",
        "CARDS_BASE_URL": cards.address,
        "CARDS_API_KEY": cards.processor.api_key,
        "CARDS_WEBHOOK_SECRET": cards.processor.webhook_secret,
    }


def _env_lines(served: Served, bot_person: Person) -> dict[str, str]:
    keys = credentials_of(served.world, bot_person)
    return {
        "X_BASE_URL": served.address,
        "X_API_KEY": keys.api_key,
        "X_API_SECRET": keys.api_secret,
        "X_ACCESS_TOKEN": keys.access_token,
        "X_ACCESS_TOKEN_SECRET": keys.access_token_secret,
    }
