"""`smoney keys rotate`: what it shows while it works, and its exit code."""

import json
import os
from collections.abc import Callable

import typer
from rich.console import Console
from rich.progress import Progress as Bars
from rich.progress import TaskID

from bot.book import admit_keys
from bot.cli.common import EXIT_FAULT, say
from bot.keys import keyring_from
from bot.settings import Settings
from bot.store.rotation import Progress, Rotation
from bot.store.vault import Vault
from bot.wiring import utc_now
from ledger.database import Database


def rotate(settings: Settings, database: Database, *, as_json: bool) -> None:
    """Raises `typer.Exit(1)` where values were left that do not open, and `Misconfigured` for wrong keys."""
    keyring = keyring_from(settings)
    database.write(lambda session: admit_keys(session, keyring, utc_now))
    with Bars(console=Console(stderr=True)) as bars:
        done = Rotation(database, Vault(keyring, os.urandom)).run(_shown(bars))
    values = sum(column.done for column in done)
    left: list[dict[str, str | int]] = [
        {"table": column.table, "row": row_id, "column": column.column}
        for column in done
        for row_id in column.unreadable
    ]
    if as_json:
        typer.echo(json.dumps({"key": keyring.current_id, "values": values, "left": left}))
    else:
        say("[green]Done.[/green] ", f"{values} values were sealed anew under the key {keyring.current_id}.")
        for one in left:
            say("[red]Left.[/red] ", f"{one['table']} {one['row']}, {one['column']} does not open.", err=True)
    if left:
        raise typer.Exit(EXIT_FAULT)


def _shown(bars: Bars) -> Callable[[Progress], None]:
    tasks: dict[tuple[str, str], TaskID] = {}

    def show(progress: Progress) -> None:
        name = (progress.table, progress.column)
        if name not in tasks:
            tasks[name] = bars.add_task(f"{progress.table}.{progress.column}", total=max(progress.total, 1))
        completed = progress.done + len(progress.unreadable) if progress.total else 1
        bars.update(tasks[name], completed=completed)

    return show
