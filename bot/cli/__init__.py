"""The `smoney` command, one file a group. Heavy imports stand inside the commands, so that help answers at once."""

import gc
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from bot.cli import admins, bank, guards, keeping, keys, ledger, looking, queues, switching, top_ups, treasury
from bot.cli.auditing import audit
from bot.cli.common import EXIT_BROKEN, EXIT_MISCONFIGURED, AsJson, EnvFile, say, sentences
from bot.cli.migrating import migrate
from bot.cli.status import status
from bot.cli.usage import usage

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Money by tweet: a bot on X that turns a post into a confirmed payment in a local ledger.",
    epilog="Try it: [bold]smoney demo[/bold] needs no account and no key.\n\n"
    "Exit codes: 0 done; 1 a fault, a refusal, or an open alarm; 2 something you gave is to be mended, and it says what; "
    "3 something that must always hold does not.",
)
RUN, LOOK, HELP = "Run it", "See how it is", "Help somebody"
NOT_STARTED = "Not started."
MONEY, HALT, KEEP = "Money and books", "Halt, and let go on", "Keep and renew"


@app.command(rich_help_panel=RUN)
def run(env: EnvFile = None) -> None:
    """Run the daemon: listen on X, work, deliver. SIGTERM or Ctrl-C ends it cleanly."""
    from bot.keys import keyring_from
    from bot.settings import load

    with sentences(NOT_STARTED):
        settings = load(env)
        settings.x_credentials()  # what is missing is told at once, and not after the seconds that all else takes to load
        keyring_from(settings)
        from bot.running import run_daemon

        broken = run_daemon(settings)
    if broken:
        raise typer.Exit(EXIT_BROKEN)


@app.command(rich_help_panel=RUN)
def demo(
    script: Annotated[bool, typer.Option("--script", help="Play a fixed story in the terminal.")] = False,
    port: Annotated[int, typer.Option(help="Port of the page on 127.0.0.1; 0 takes a free one.")] = 8349,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser.")] = True,
) -> None:
    """Play with it on this machine: a small X, the bot, people with test money, and a page for every role."""
    from bot.demo.playing import play_script, run_demo

    with sentences(NOT_STARTED):
        if script:
            raise typer.Exit(play_script())
        run_demo(port=port, open_browser=browser)


@app.command(rich_help_panel=RUN)
def sandbox(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.")] = 8349,
    state: Annotated[Path | None, typer.Option(help="Keep the sandbox's state in this file.")] = None,
    wide: Annotated[bool, typer.Option(help="Wide limits instead of X's own.")] = False,
) -> None:
    """Run the small, strict X alone, to point a bot or another client at it."""
    from bot.demo.playing import run_sandbox

    with sentences(NOT_STARTED):
        run_sandbox(port=port, state=state, wide=wide)


@app.command(rich_help_panel=RUN)
def doctor(env: EnvFile = None, as_json: AsJson = False) -> None:
    """Check settings, keys, database and X one by one, and say what to mend."""
    from bot.doctor import Outcome, examine
    from bot.settings import DEFAULT_ENV_FILE, load
    from bot.wiring import utc_now

    marks = {
        Outcome.OK: "[green]ok  [/green]",
        Outcome.WARN: "[yellow]warn[/yellow]",
        Outcome.FAIL: "[red]FAIL[/red]",
    }
    failed = False
    with sentences():
        for finding in examine(load(env), utc_now, env_file=env or DEFAULT_ENV_FILE):
            failed |= finding.outcome is Outcome.FAIL
            if as_json:
                typer.echo(json.dumps(asdict(finding)))
            else:
                say(
                    f"{marks[finding.outcome]} ", f"{finding.subject}: {finding.said} {finding.mend}".rstrip()
                )
    if failed:
        raise typer.Exit(EXIT_MISCONFIGURED)


@app.command(rich_help_panel=LOOK)
def read(
    explain: Annotated[
        bool, typer.Option("--explain", help="Show each piece of the text with its role.")
    ] = False,
) -> None:
    """Read payment tweets: lines of JSON from standard input, one reading a line out.

    A line holds `text` and `mentions` (the handles in their order), and `id`, `author`, `bot`, `lang` where known.
    """
    from bot.read_command import answers, explained

    shown = explained(sys.stdin, colour=sys.stdout.isatty()) if explain else answers(sys.stdin)
    for line in shown:
        typer.echo(line)


app.command(rich_help_panel=LOOK)(status)
app.command(rich_help_panel=LOOK)(usage)
app.command(rich_help_panel=LOOK)(audit)
app.add_typer(looking.payment, name="payment", rich_help_panel=HELP)
app.add_typer(looking.member, name="member", rich_help_panel=HELP)
app.add_typer(guards.reviews, name="reviews", rich_help_panel=HELP)
app.add_typer(queues.inbox, name="inbox", rich_help_panel=HELP)
app.add_typer(queues.outbox, name="outbox", rich_help_panel=HELP)
app.add_typer(treasury.proposals, name="proposals", rich_help_panel=MONEY)
app.add_typer(bank.bank, name="bank", rich_help_panel=MONEY)
app.add_typer(top_ups.top_ups, name="top-up", rich_help_panel=MONEY)
app.add_typer(treasury.operator, name="operator", rich_help_panel=MONEY)
app.add_typer(ledger.app, name="ledger", rich_help_panel=MONEY)
switching.add_to(app, HALT)
keeping.add_to(app, KEEP)
app.command(rich_help_panel=KEEP)(migrate)
app.add_typer(keys.app, name="keys", rich_help_panel=KEEP)
app.add_typer(admins.admin, name="admin", rich_help_panel=KEEP)
guards.add_to(looking.member)
treasury.add_to(member=looking.member, payment=looking.payment)


def main() -> None:
    # What is loaded stays: looked through every 700 objects, as Python does by itself, a start takes a sixth longer.
    gc.set_threshold(50_000, 20, 20)
    app()
