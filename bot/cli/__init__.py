"""The `smoney` command, one file a group. Heavy imports stand inside the commands, so that help answers at once."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from bot.cli import admins, guards, keeping, keys, ledger, looking, queues, switching, treasury
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
    epilog="Try it: [bold]smoney demo[/bold] needs no account and no key.",
)
app.add_typer(ledger.app, name="ledger")
app.add_typer(keys.app, name="keys")
app.add_typer(looking.payment, name="payment")
app.add_typer(looking.member, name="member")
app.add_typer(queues.inbox, name="inbox")
app.add_typer(queues.outbox, name="outbox")
app.command()(usage)
app.command()(status)
app.add_typer(guards.reviews, name="reviews")
app.add_typer(admins.admin, name="admin")


@app.command()
def run(env: EnvFile = None) -> None:
    """Run the daemon: listen on X, work, deliver. SIGTERM or Ctrl-C ends it cleanly."""
    from bot.running import run_daemon
    from bot.settings import load

    with sentences():
        broken = run_daemon(load(env))
    if broken:
        raise typer.Exit(EXIT_BROKEN)


@app.command()
def demo(
    script: Annotated[bool, typer.Option("--script", help="Play a fixed story in the terminal.")] = False,
    port: Annotated[int, typer.Option(help="Port of the page on 127.0.0.1; 0 takes a free one.")] = 8349,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser.")] = True,
) -> None:
    """Play with it on this machine: a small X, the bot, people with test money, and a page for every role."""
    from bot.demo.playing import play_script, run_demo

    with sentences():
        if script:
            raise typer.Exit(play_script())
        run_demo(port=port, open_browser=browser)


@app.command()
def sandbox(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.")] = 8349,
    state: Annotated[Path | None, typer.Option(help="Keep the sandbox's state in this file.")] = None,
    wide: Annotated[bool, typer.Option(help="Wide limits instead of X's own.")] = False,
) -> None:
    """Run the small, strict X alone, to point a bot or another client at it."""
    from bot.demo.playing import run_sandbox

    with sentences():
        run_sandbox(port=port, state=state, wide=wide)


@app.command()
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


@app.command()
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


keeping.add_to(app)
app.command()(migrate)
app.command()(audit)
switching.add_to(app)
guards.add_to(looking.member)
treasury.add_to(app, member=looking.member, payment=looking.payment)


def main() -> None:
    app()
