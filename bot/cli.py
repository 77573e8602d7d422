"""The `smoney` command. Heavy imports stand inside the commands, so that help answers at once."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bot.settings import Settings
    from ledger.database import Database

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Money by tweet: a bot on X that turns a post into a confirmed payment in a local ledger.",
    epilog="Try it: [bold]smoney demo[/bold] needs no account and no key.",
)
ledger_app = typer.Typer(no_args_is_help=True, help="Look into the ledger and verify it.")
keys_app = typer.Typer(no_args_is_help=True, help="The master keys.")
app.add_typer(ledger_app, name="ledger")
app.add_typer(keys_app, name="keys")

EXIT_FAULT = 1
EXIT_MISCONFIGURED = 2
EXIT_BROKEN = 3

EnvFile = Annotated[Path | None, typer.Option("--env", help="Read settings from this file instead of .env.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def run(env: EnvFile = None) -> None:
    """Run the daemon: listen on X, work, deliver. SIGTERM or Ctrl-C ends it cleanly."""
    from bot.running import run_daemon
    from bot.settings import load

    with _sentences():
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

    with _sentences():
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

    with _sentences():
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
    with _sentences():
        for finding in examine(load(env), utc_now, env_file=env or DEFAULT_ENV_FILE):
            failed |= finding.outcome is Outcome.FAIL
            if as_json:
                typer.echo(json.dumps(asdict(finding)))
            else:
                _print(
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


@keys_app.command("generate")
def keys_generate() -> None:
    """Print a new master key, ready for SMONEY_KEYS."""
    from bot.keys import generate

    typer.echo(generate(os.urandom))


@ledger_app.command("accounts")
def ledger_accounts(env: EnvFile = None, as_json: AsJson = False) -> None:
    """Every account with its balances."""
    from bot.ledger_views import accounts

    with _book(env) as (_, database):
        _table(accounts(database), as_json=as_json)


@ledger_app.command("history")
def ledger_history(
    account: Annotated[
        int | None, typer.Argument(help="An account's id; without one, the whole book.")
    ] = None,
    limit: Annotated[int, typer.Option(help="How many transfers, newest first.")] = 20,
    env: EnvFile = None,
    as_json: AsJson = False,
) -> None:
    """The newest transfers."""
    from bot.ledger_views import history

    with _book(env) as (_, database):
        _table(history(database, account, limit=limit), as_json=as_json)


@ledger_app.command("verify")
def ledger_verify(env: EnvFile = None, as_json: AsJson = False) -> None:
    """Recompute everything and say what does not hold. Exit code 3 if anything does not."""
    from bot.auditing import verify

    with _book(env) as (settings, database):
        report = verify(database, settings)
    if as_json:
        typer.echo(json.dumps({"counts": report.counts, "findings": report.findings}))
    else:
        for finding in report.findings:
            _print("[red]BROKEN[/red] ", finding)
        counted = ", ".join(f"{count} {what}" for what, count in report.counts.items())
        _print("", f"{counted}: " + ("all holds." if not report.findings else "see above."))
    if report.findings:
        raise typer.Exit(EXIT_BROKEN)


@contextmanager
def _book(env: Path | None) -> "Iterator[tuple[Settings, Database]]":
    from bot.settings import load
    from bot.wiring import existing_database

    with _sentences():
        settings = load(env)
        database = existing_database(settings)
        try:
            yield settings, database
        finally:
            database.close()


@contextmanager
def _sentences() -> Iterator[None]:
    """What an admin must mend is one sentence, not a traceback."""
    import sqlite3

    from sqlalchemy.exc import DBAPIError

    from bot.errors import Misconfigured, SmoneyError
    from ledger.errors import LedgerError

    try:
        yield
    except Misconfigured as wrong:
        _print("[red]Not started.[/red] ", str(wrong), err=True)
        raise typer.Exit(EXIT_MISCONFIGURED) from None
    except (SmoneyError, LedgerError) as error:
        _print("[red]Error.[/red] ", str(error), err=True)
        raise typer.Exit(EXIT_FAULT) from None
    except (DBAPIError, sqlite3.Error, OSError) as error:
        said = getattr(error, "orig", None) or error  # without the statement and its values
        _print("[red]Error.[/red] ", f"The database or a file cannot be used: {said}", err=True)
        raise typer.Exit(EXIT_FAULT) from None


def _print(mark: str, text: str, *, err: bool = False) -> None:
    from rich.console import Console
    from rich.text import Text

    Console(stderr=err, soft_wrap=True).print(Text.from_markup(mark) + Text(text))


def _table(rows: list[dict[str, object]], *, as_json: bool) -> None:
    if as_json:
        for row in rows:
            typer.echo(json.dumps(row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*(list(rows[0]) if rows else ["nothing yet"]))
    for row in rows:
        table.add_row(*(Text(str(value)) for value in row.values()))
    Console().print(table)


def main() -> None:
    app()
