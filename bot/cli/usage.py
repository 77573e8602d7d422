"""`smoney usage`: what was asked of X, what that costs, and how much of X's limits is left."""

import json
from typing import Annotated

import typer

from bot.cli.common import AsJson, EnvFile, open_book, print_table, say


def usage(
    days: Annotated[int, typer.Option(min=1, max=366, help="Today and the days before it, in UTC.")] = 7,
    env: EnvFile = None,
    as_json: AsJson = False,
) -> None:
    """Calls to X and their price, by day and in all, for each payment; and X's limits as last heard."""
    from bot.wiring import budget_rules, utc_now
    from bot.x.budget import Budget
    from bot.x.prices import READ_ON, SOURCE
    from bot.x.usage import bill, dollars

    with open_book(env) as (settings, database):
        now = utc_now()
        found = database.read(lambda session: bill(session, now=now, days=days))
        windows = database.read(Budget(budget_rules(settings), utc_now).windows)
    calls: list[dict[str, object]] = [
        {
            "day": line.day.isoformat(),
            "call": line.call,
            "calls": line.calls,
            "charged": line.charged,
            "dollars": dollars(line.microdollars),
        }
        for line in found.lines
    ]
    limits: list[dict[str, object]] = [
        {
            "call": row.call,
            "minutes": row.window_seconds // 60,
            "allowed": row.allowed,
            "left": max(0, row.allowed - row.used) if row.ends_at > now else row.allowed,
            "until": row.ends_at.isoformat(timespec="seconds") if row.ends_at > now else "",
            "said_by": "X" if row.told_at else "settings",
        }
        for row in windows
    ]
    each = found.microdollars_per_payment
    total: dict[str, object] = {
        "days": days,
        "calls": found.calls,
        "dollars": dollars(found.microdollars),
        "payments": found.payments,
        "dollars_per_payment": None if each is None else dollars(each),
        "prices": f"{SOURCE}, {READ_ON.isoformat()}",
    }
    if as_json:
        typer.echo(json.dumps({"total": total, "calls": calls, "limits": limits}))
        return
    print_table(calls, as_json=False)
    print_table(limits, as_json=False)
    per = "" if each is None else f", {dollars(each)} $ a payment"
    say(
        "",
        f"{days} days: {found.calls} calls, {dollars(found.microdollars)} $, {found.payments} payments{per}."
        f" Prices of {SOURCE}, read {READ_ON.isoformat()}; X's own bill is what counts.",
    )
