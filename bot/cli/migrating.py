"""`smoney migrate`: brings the database to this program's form, or says beforehand what that would do."""

import json
from typing import Annotated

import typer

from bot.cli.common import AsJson, EnvFile, say, sentences


def migrate(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Run the steps and take them back: nothing changes.")
    ] = False,
    env: EnvFile = None,
    as_json: AsJson = False,
) -> None:
    """Bring the database to this program's form, in one transaction. The daemon does it too when it starts.

    Back up first, and try: smoney migrate --dry-run
    """
    import bot.migrations
    import ledger.migrations
    from bot.settings import load
    from bot.wiring import database_as_it_is

    with sentences():
        database = database_as_it_is(load(env))
        try:
            steps = bot.migrations.pending(database)
            if dry_run:
                bot.migrations.rehearse(database)
            else:
                ledger.migrations.upgrade(database)
                bot.migrations.upgrade(database)
        finally:
            database.close()
    if as_json:
        typer.echo(json.dumps({"dry_run": dry_run, "steps": [step._asdict() for step in steps]}))
        return
    for step in steps:
        say(f"[bold]{step.revision}[/bold] ", step.what)
    if not steps:
        say("", "The database has this program's form already.")
    elif dry_run:
        say(
            "",
            "All of it works on this database, and was taken back. Back up, then run it without --dry-run.",
        )
    else:
        say("", "Done.")
