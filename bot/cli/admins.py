"""`smoney admin`: who may do something here, and what. The way in for the first of them, and for who has lost theirs."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from bot.admin.acts import Role
from bot.cli.common import AsJson, EnvFile, act, open_book, print_table, say, tell

if TYPE_CHECKING:
    from sqlmodel import Session

    from bot.admin.log import Actor
    from bot.admin.office import Office

admin = typer.Typer(
    no_args_is_help=True, help="Who may do something here: their roles, their way to the page."
)
T = TypeVar("T")

Name = Annotated[str, typer.Argument(help="The admin's name: small letters, given once and never again.")]
Chosen = Annotated[Role, typer.Option("--role", help="What they may do: each role all the one before may.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the audit log.")]


@admin.command("list")
def admin_list(env: EnvFile = None, as_json: AsJson = False) -> None:
    """Everybody who may do something here."""
    from bot.admin.office import open_office

    with open_book(env) as (settings, database):
        known = database.read(open_office(settings).admins.all)
    rows: list[dict[str, object]] = [
        {
            "name": one.name,
            "role": one.role.value,
            "login": one.login,
            "page": "signs in" if one.signs_in else "not set up",
            "since": one.added_at.isoformat(timespec="seconds"),
        }
        for one in known
    ]
    print_table(rows, as_json=as_json)


@admin.command("add")
def admin_add(
    name: Name,
    role: Chosen,
    reason: Reason,
    login: Annotated[str | None, typer.Option(help="The system's user whose commands are theirs.")] = None,
    env: EnvFile = None,
    as_json: AsJson = False,
) -> None:
    """Add somebody, and print the word with which they set up their way to the page. The first one is an owner.

    Example: smoney admin add anna --role owner --login anna --reason "runs the service"
    """
    _invites(
        env,
        lambda office, session, actor: office.admins.add(
            session, actor, name, role, login=login, reason=reason
        ),
        f"{name} is added, with the role {role.value}.",
        as_json=as_json,
    )


@admin.command("invite")
def admin_invite(name: Name, reason: Reason, env: EnvFile = None, as_json: AsJson = False) -> None:
    """For who has lost password or authenticator app: both end, and a new word is printed.

    Example: smoney admin invite anna --reason "lost her phone, was here in person"
    """
    _invites(
        env,
        lambda office, session, actor: office.admins.invite(session, actor, name, reason=reason),
        f"{name} has no password and no app any more, and is signed out everywhere.",
        as_json=as_json,
    )


@admin.command("role")
def admin_role(
    name: Name,
    role: Annotated[Role, typer.Argument(help="The new role.")],
    reason: Reason,
    env: EnvFile = None,
    as_json: AsJson = False,
) -> None:
    """Give somebody another role; it counts at once.

    Example: smoney admin role anna treasurer --reason "does the books from now on"
    """
    act(env, lambda office, session, actor: office.admins.set_role(session, actor, name, role, reason=reason))
    tell(f"{name} has the role {role.value}.", as_json=as_json, admin=name)


@admin.command("end")
def admin_end(name: Name, reason: Reason, env: EnvFile = None, as_json: AsJson = False) -> None:
    """Take somebody's rights away, at once and for good; what they did stays in the audit log.

    Example: smoney admin end anna --reason "left the company"
    """
    act(env, lambda office, session, actor: office.admins.end(session, actor, name, reason=reason))
    tell(f"{name} may do nothing here any more.", as_json=as_json, admin=name)


def _invites(
    env: Path | None, invite: "Callable[[Office, Session, Actor], str]", done: str, *, as_json: bool
) -> None:
    """The word is told to whoever typed, who passes it on in person: it stands nowhere else."""
    from bot.settings import load

    word = act(env, invite)
    where = f"{load(env).web_address}/admin/welcome"
    if as_json:
        typer.echo(json.dumps({"word": word, "where": where}))
        return
    say("", f"{done} Their word, good once and for 24 hours; tell it to nobody else:")
    say("  ", word)
    say("", f"They type it at {where}")
