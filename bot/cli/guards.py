"""`smoney people` and `smoney reviews`: how well somebody is known, who may answer again, which payments go through."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.common import AsJson, EnvFile, open_book, print_table, say
from bot.people.tiers import Tier

if TYPE_CHECKING:
    from sqlmodel import Session

    from bot.admin.guarding import Guarding
    from bot.admin.log import Actor

people = typer.Typer(
    no_args_is_help=True, help="Somebody the bot knows: their tier, their lock, their second factor."
)
reviews = typer.Typer(no_args_is_help=True, help="Payments that wait for somebody to look at them.")

Who = Annotated[str, typer.Argument(help="A numeric id of X's, or the @handle they were last seen under.")]
Reference = Annotated[str, typer.Argument(help="The payment's reference, from `list`.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the audit log.")]


@people.command("tier")
def people_tier(who: Who, tier: Tier, reason: Reason, env: EnvFile = None) -> None:
    """Say how well somebody is known, which decides their limits (docs/limits.md).

    Example: smoney people tier @alice identified --reason "passport seen on 26 November"
    """
    _act(env, lambda guarding, session, actor: guarding.set_tier(session, actor, who, tier, reason=reason))
    say("", f"{who} is {tier.value}.")


@people.command("unlock")
def people_unlock(who: Who, reason: Reason, env: EnvFile = None) -> None:
    """Let somebody answer again who gave too many wrong codes."""
    _act(env, lambda guarding, session, actor: guarding.unlock(session, actor, who, reason=reason))
    say("", f"{who} can answer again.")


@people.command("end-factor")
def people_end_factor(who: Who, reason: Reason, env: EnvFile = None) -> None:
    """End the second factor of somebody who has lost it and every recovery code. Make sure of them first."""
    _act(env, lambda guarding, session, actor: guarding.end_factor(session, actor, who, reason=reason))
    say("", f"{who} has no second factor any more.")


@reviews.command("list")
def reviews_list(env: EnvFile = None, as_json: AsJson = False) -> None:
    """The payments that wait, oldest first, and what raised the alarm."""
    from bot.admin.office import open_office

    with open_book(env) as (settings, database):
        print_table(database.read(open_office(settings).guarding.waiting), as_json=as_json)


@reviews.command("release")
def reviews_release(reference: Reference, reason: Reason, env: EnvFile = None) -> None:
    """Let a payment through."""
    _act(
        env,
        lambda guarding, session, actor: guarding.decide(
            session, actor, reference, release=True, reason=reason
        ),
    )
    say("", f"{reference} goes through.")


@reviews.command("refuse")
def reviews_refuse(reference: Reference, reason: Reason, env: EnvFile = None) -> None:
    """Give a payment back to its payer."""
    _act(
        env,
        lambda guarding, session, actor: guarding.decide(
            session, actor, reference, release=False, reason=reason
        ),
    )
    say("", f"{reference} is back with its payer.")


def _act(env: Path | None, act: "Callable[[Guarding, Session, Actor], None]") -> None:
    from bot.admin.admins import who_types
    from bot.admin.office import open_office

    with open_book(env) as (settings, database):
        guarding, actor = open_office(settings).guarding, database.read(who_types)
        database.write(lambda session: act(guarding, session, actor))
