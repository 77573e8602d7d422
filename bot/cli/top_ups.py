"""`smoney top-up`: money put in by card."""

from typing import Annotated

import typer

from bot.cli.common import AsJson, EnvFile, act, open_book, print_table, tell
from bot.errors import Misconfigured

top_ups = typer.Typer(no_args_is_help=True, help="Money put in by card: look, close what was set aside.")


@top_ups.command("list")
def listed(
    state: Annotated[
        str | None, typer.Option("--state", help="set_aside, asked, open, pending, paid or failed.")
    ] = None,
    limit: Annotated[int, typer.Option(help="How many, newest first.", min=1, max=10_000)] = 20,
    env: EnvFile = None,
    as_json: AsJson = False,
) -> None:
    """Top-ups, newest first.

    Example: smoney top-up list --state set_aside
    """
    from bot.admin.office import open_office
    from bot.admin.top_ups import STATES

    if state is not None and state not in STATES:
        raise Misconfigured(state, "is no state of a top-up.", example=", ".join(STATES))
    with open_book(env) as (settings, database):
        desk = open_office(settings).top_ups
        print_table(
            database.read(lambda session: desk.listed(session, state=state, limit=limit)), as_json=as_json
        )


@top_ups.command("movements")
def movements(
    state: Annotated[str | None, typer.Option("--state", help="open or booked.")] = None,
    limit: Annotated[int, typer.Option(help="How many, newest first.", min=1, max=10_000)] = 20,
    env: EnvFile = None,
    as_json: AsJson = False,
) -> None:
    """What changed what the processor holds: charges, payouts, fees, what cards took back.

    Example: smoney top-up movements --state open
    """
    from bot.admin.office import open_office
    from bot.admin.top_ups import MOVEMENT_STATES

    if state is not None and state not in MOVEMENT_STATES:
        raise Misconfigured(state, "is no state of a movement.", example=", ".join(MOVEMENT_STATES))
    with open_book(env) as (settings, database):
        desk = open_office(settings).top_ups
        print_table(
            database.read(lambda session: desk.movements(session, state=state, limit=limit)), as_json=as_json
        )


@top_ups.command("close")
def close(
    reference: Annotated[str, typer.Argument(help="As `smoney top-up list` shows it.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the audit log.")],
    env: EnvFile = None,
    as_json: AsJson = False,
) -> None:
    """What was set aside has been seen to: whoever was charged has it back. No money moves.

    Example: smoney top-up close T-7K3F9Q --reason "given back in the processor's dashboard"
    """
    act(env, lambda office, session, actor: office.top_ups.close(session, actor, reference, reason=reason))
    tell(f"{reference} is closed.", as_json=as_json, reference=reference)
