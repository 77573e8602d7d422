"""`smoney audit`: who did what, when and why."""

import json
from typing import Annotated

import typer

from bot.cli.common import AsJson, EnvFile, open_book, print_table

BESIDE = 50
"""So many more are read than shown: what several programs did within half a minute is put in order by its time."""


def audit(
    subject: Annotated[
        str | None, typer.Option(help="Only about this: `payment P-7K3F9Q`, `person 7`, `inbox 7`, `book`.")
    ] = None,
    looks: Annotated[
        bool, typer.Option("--looks", help="Also who looked at what is about one person.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many of the newest.")] = 50,
    env: EnvFile = None,
    as_json: AsJson = False,
) -> None:
    """What admins did, newest first: who, when, to what, and why. No row of it is ever changed.

    Example: smoney audit --subject "person 2244994945" --looks
    """
    from bot.admin.office import open_office

    with open_book(env) as (settings, database):
        log = open_office(settings).log
        found = database.read(
            lambda session: log.newest(session, subject=subject, limit=limit + BESIDE, looks=looks)
        )
    rows: list[dict[str, object]] = [
        {
            "at": each.at.isoformat(timespec="seconds"),
            "by": each.by,
            "by_way_of": each.channel,
            "action": each.action,
            "subject": each.subject,
            "reason": each.reason,
            "facts": dict(each.facts) if as_json else json.dumps(dict(each.facts)),
        }
        for each in found[:limit]
    ]
    print_table(rows, as_json=as_json)
