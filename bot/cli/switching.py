"""`smoney pause`, `resume` and `wind-down`: what an admin halts at once, and lets go on."""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.admin.acts import Part
from bot.cli.common import AsJson, EnvFile, act, tell

if TYPE_CHECKING:
    pass

Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the audit log.")]
What = Annotated[Part, typer.Argument(help="payments: no money moves. sends: nothing is said.")]


def pause(what: What, reason: Reason, env: EnvFile = None, as_json: AsJson = False) -> None:
    """Halt payments or sends at once. Listening goes on, and nothing is lost.

    Example: smoney pause payments --reason "the balance at the bank does not fit"
    """
    act(env, lambda office, session, actor: office.switching.pause(session, actor, what, reason=reason))
    if what is Part.PAYMENTS:
        tell(
            "Payments are paused: who orders or answers is told so. `smoney resume payments` ends it.",
            as_json=as_json,
        )
    else:
        tell("Sends are paused: what is to be said waits. `smoney resume sends` ends it.", as_json=as_json)


def resume(what: What, reason: Reason, env: EnvFile = None, as_json: AsJson = False) -> None:
    """Let payments or sends go on. Held money gets the time back in which nobody could claim it.

    Example: smoney resume payments --reason "the bank had booked twice, mended"
    """
    act(env, lambda office, session, actor: office.switching.resume(session, actor, what, reason=reason))
    tell(f"{what.value.capitalize()} go on.", as_json=as_json)


def wind_down(
    reason: Reason,
    end: Annotated[bool, typer.Option("--end", help="Stay after all.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    env: EnvFile = None,
    as_json: AsJson = False,
) -> None:
    """Close the service: no new payments or members, held money goes back, balances can only be paid out.

    Example: smoney wind-down --reason "we stop on 31 December"
    """
    if end:
        act(env, lambda office, session, actor: office.switching.end_wind_down(session, actor, reason=reason))
        tell("The service stays: payments and new members are taken again.", as_json=as_json)
        return
    if not yes:
        typer.confirm(
            "From now on nobody can pay or join, and all held money goes back to its payers. Go on?",
            abort=True,
        )
    act(env, lambda office, session, actor: office.switching.wind_down(session, actor, reason=reason))
    tell(
        "The service is being closed. Pay out what is owed: `smoney member payout`; see docs/operating/wind-down.md.",
        as_json=as_json,
    )


def add_to(app: typer.Typer, panel: str) -> None:
    app.command(rich_help_panel=panel)(pause)
    app.command(rich_help_panel=panel)(resume)
    app.command("wind-down", rich_help_panel=panel)(wind_down)
