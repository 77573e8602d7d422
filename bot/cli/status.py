"""`smoney status`: one screen that says how everything is, and an exit code for who watches by script."""

import json
from datetime import datetime
from typing import TYPE_CHECKING

import typer

from bot.cli.common import EXIT_FAULT, AsJson, EnvFile, open_book, say

if TYPE_CHECKING:
    from bot.watching.status import Status


def status(env: EnvFile = None, as_json: AsJson = False) -> None:
    """What is halted, which alarms are open, queues, X's limits, the money. Exit code 1 while an alarm is open.

    Example: smoney status --json
    """
    from bot.watching.status import status_of
    from bot.wiring import budget_rules, utc_now
    from bot.x.budget import Budget

    with open_book(env) as (settings, database):
        budget = Budget(budget_rules(settings), utc_now)
        found = database.read(lambda session: status_of(session, budget, utc_now()))
    if as_json:
        typer.echo(json.dumps(found.as_row()))
    else:
        _show(found)
    if not found.is_well:
        raise typer.Exit(EXIT_FAULT)


def _show(found: "Status") -> None:
    from bot.watching.names import runbook_of

    row, figures = found.as_row(), found.figures
    for switch, since in figures.halted.items():
        say("[yellow]HALTED[/yellow]  ", f"{switch.value.replace('_', ' ')} since {_at(since)}")
    if found.restored_at is not None:
        say(
            "[yellow]HALTED[/yellow]  ",
            f"restored {_at(found.restored_at)}; `smoney reconcile` lets it go on",
        )
    for alarm in figures.alarms:
        facts = ", ".join(f"{name} {value}" for name, value in alarm.facts.items())
        say(
            "[red]ALARM[/red]   ",
            f"{alarm.alarm.value} since {_at(alarm.since)}" + (f": {facts}" if facts else ""),
        )
        say("        ", f"what to do: {runbook_of(alarm.alarm)}, or /admin/runbook#{alarm.alarm.value}")
    if found.is_well:
        say("[green]well[/green]    ", "no alarm is open")
    for name in ("inbox", "outbox"):
        queue = row[name]
        rows = ", ".join(f"{count} {state}" for state, count in queue["rows"].items() if count) or "empty"
        age = f"; the oldest for {_long(queue['oldest_seconds'])}" if queue["oldest_seconds"] else ""
        say(f"[bold]{name:<8}[/bold]", rows.replace("_", " ") + age)
    limits = (
        f"{each['call']} {each['left']}/{each['allowed']} in {each['minutes']} min" for each in row["limits"]
    )
    say("[bold]X left[/bold]  ", ", ".join(limits) or "nothing heard yet")
    reads = ", ".join(f"{name} {_at(at)}" for name, at in figures.reads.items())
    say("[bold]X read[/bold]  ", reads or "never")
    say("[bold]payment[/bold] ", _at(figures.last_payment))
    seal = figures.seal
    say("[bold]seal[/bold]    ", f"#{seal.number} {_at(seal.at)}, root {seal.root}" if seal else "none yet")
    for each in found.money:
        code, exponent = each.currency.code, each.currency.exponent
        say(
            "[bold]money[/bold]   ",
            f"{_amount(each.owed_minor, exponent)} {code} owed, {_amount(each.held_minor, exponent)} {code} held",
        )


def _at(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else "never"


def _long(seconds: int) -> str:
    return (
        f"{seconds} s"
        if seconds < 120
        else f"{seconds // 60} min"
        if seconds < 7200
        else f"{seconds // 3600} h"
    )


def _amount(minor: int, exponent: int) -> str:
    whole, rest = divmod(abs(minor), 10**exponent)
    return ("-" if minor < 0 else "") + f"{whole:,}" + (f".{rest:0{exponent}d}" if exponent else "")
