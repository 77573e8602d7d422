"""`smoney ledger`: look into the book and verify it."""

import json
from typing import Annotated

import typer

from bot.cli import ledger_proofs, ledger_reports
from bot.cli.common import EXIT_BROKEN, AsJson, EnvFile, open_book, print_table, say
from bot.cli.progress import progress_bar

app = typer.Typer(no_args_is_help=True, help="Look into the ledger, verify it, prove and export it.")


@app.command("accounts")
def ledger_accounts(env: EnvFile = None, as_json: AsJson = False) -> None:
    """Every account with its balances."""
    from bot.ledger_views import accounts

    with open_book(env) as (_, database):
        print_table(accounts(database), as_json=as_json)


@app.command("history")
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

    with open_book(env) as (_, database):
        print_table(history(database, account, limit=limit), as_json=as_json)


@app.command("verify")
def ledger_verify(env: EnvFile = None, as_json: AsJson = False) -> None:
    """Recompute everything and say what does not hold. Exit code 3 if anything does not."""
    from bot.auditing import verify

    with open_book(env) as (settings, database), progress_bar("verifying") as progress:
        report = verify(database, settings, progress=progress)
    if as_json:
        typer.echo(json.dumps({"counts": report.counts, "findings": report.findings}))
    else:
        for finding in report.findings:
            say("[red]BROKEN[/red] ", finding)
        counted = ", ".join(f"{count} {what}" for what, count in report.counts.items())
        say("", f"{counted}: " + ("all holds." if not report.findings else "see above."))
    if report.findings:
        raise typer.Exit(EXIT_BROKEN)


ledger_proofs.add_to(app)
ledger_reports.add_to(app)
