"""`smoney member ...` that acts, and `smoney reviews`: how well somebody is known, who may answer or pay, which payments go
through."""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.common import AsJson, EnvFile, act, note_look, open_book, print_table, tell
from bot.people.tiers import Tier

if TYPE_CHECKING:
    pass

reviews = typer.Typer(no_args_is_help=True, help="Payments that wait for somebody to look at them.")

Who = Annotated[str, typer.Argument(help="X's numeric id, a handle, or a payment's reference.")]
Reference = Annotated[str, typer.Argument(help="The payment's reference, from `list`.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the audit log.")]


def member_tier(who: Who, tier: Tier, reason: Reason, env: EnvFile = None, as_json: AsJson = False) -> None:
    """Say how well somebody is known, which decides their limits (docs/limits.md).

    Example: smoney member tier @alice identified --reason "passport seen on 26 November"
    """
    act(
        env, lambda office, session, actor: office.guarding.set_tier(session, actor, who, tier, reason=reason)
    )
    tell(f"{who} is {tier.value}.", as_json=as_json, member=who)


def member_unlock(who: Who, reason: Reason, env: EnvFile = None, as_json: AsJson = False) -> None:
    """Let somebody answer again who gave too many wrong codes.

    Example: smoney member unlock @alice --reason "called back on the number we know"
    """
    act(env, lambda office, session, actor: office.guarding.unlock(session, actor, who, reason=reason))
    tell(f"{who} can answer again.", as_json=as_json, member=who)


def member_end_factor(who: Who, reason: Reason, env: EnvFile = None, as_json: AsJson = False) -> None:
    """End the second factor of somebody who has lost it and every recovery code. Make sure of them first.

    Example: smoney member end-factor @alice --reason "lost her phone, passport seen"
    """
    act(env, lambda office, session, actor: office.guarding.end_factor(session, actor, who, reason=reason))
    tell(f"{who} has no second factor any more.", as_json=as_json, member=who)


def member_freeze(who: Who, reason: Reason, env: EnvFile = None, as_json: AsJson = False) -> None:
    """Let nothing leave somebody's wallet, until an admin thaws it. They are told.

    Example: smoney member freeze @alice --reason "says her session was stolen"
    """
    act(env, lambda office, session, actor: office.helping.freeze(session, actor, who, reason=reason))
    tell(
        f"{who} is frozen: nothing leaves their wallet until `smoney member thaw`.",
        as_json=as_json,
        member=who,
    )


def member_thaw(who: Who, reason: Reason, env: EnvFile = None, as_json: AsJson = False) -> None:
    """Open a frozen account again. Make sure of its owner first.

    Example: smoney member thaw @alice --reason "new password at X, called back on the number we had"
    """
    act(env, lambda office, session, actor: office.helping.thaw(session, actor, who, reason=reason))
    tell(f"{who} can pay again.", as_json=as_json, member=who)


def member_note(
    who: Who,
    words: Annotated[str, typer.Argument(help="What is to be remembered.")],
    env: EnvFile = None,
    as_json: AsJson = False,
) -> None:
    """Note something about a member; `smoney member show` shows it.

    Example: smoney member note @alice "called on 26 November, will send her passport"
    """
    act(env, lambda office, session, actor: office.helping.note(session, actor, who, words=words))
    tell("Noted.", as_json=as_json, member=who)


def member_limits(who: Who, env: EnvFile = None, as_json: AsJson = False) -> None:
    """What somebody may pay and hold, and how much of it is used. `smoney member tier` raises it.

    Example: smoney member limits @alice
    """
    from bot.admin.office import open_office

    with open_book(env) as (settings, database):
        office = open_office(settings)
        rows = database.read(lambda session: office.helping.limits(session, who))
        person = database.read(lambda session: office.members.one(session, who).user_id)
        note_look(office, database, "member.look", f"person {person}")
    print_table(rows, as_json=as_json)


@reviews.command("list")
def reviews_list(env: EnvFile = None, as_json: AsJson = False) -> None:
    """The payments that wait, oldest first, and what raised the alarm."""
    from bot.admin.office import open_office

    with open_book(env) as (settings, database):
        print_table(database.read(open_office(settings).guarding.waiting), as_json=as_json)


@reviews.command("release")
def reviews_release(
    reference: Reference, reason: Reason, env: EnvFile = None, as_json: AsJson = False
) -> None:
    """Let a payment through.

    Example: smoney reviews release P-7K3F9Q --reason "called the payer"
    """
    act(
        env,
        lambda office, session, actor: office.guarding.decide(
            session, actor, reference, release=True, reason=reason
        ),
    )
    tell(f"{reference} goes through.", as_json=as_json, payment=reference)


@reviews.command("refuse")
def reviews_refuse(
    reference: Reference, reason: Reason, env: EnvFile = None, as_json: AsJson = False
) -> None:
    """Give a payment back to its payer.

    Example: smoney reviews refuse P-7K3F9Q --reason "the payer did not order it"
    """
    act(
        env,
        lambda office, session, actor: office.guarding.decide(
            session, actor, reference, release=False, reason=reason
        ),
    )
    tell(f"{reference} is back with its payer.", as_json=as_json, payment=reference)


def add_to(member: typer.Typer) -> None:
    member.command("tier")(member_tier)
    member.command("limits")(member_limits)
    member.command("unlock")(member_unlock)
    member.command("end-factor")(member_end_factor)
    member.command("freeze")(member_freeze)
    member.command("thaw")(member_thaw)
    member.command("note")(member_note)
