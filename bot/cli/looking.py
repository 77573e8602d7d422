"""`smoney payment` and `smoney member`: understand a payment, find a person."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.common import AsJson, EnvFile, note_look, open_book, print_table, say, tell

if TYPE_CHECKING:
    from sqlmodel import Session

    from bot.admin.listing import PaymentLine

payment = typer.Typer(no_args_is_help=True, help="Understand a payment, and give it back.")
member = typer.Typer(no_args_is_help=True, help="Find a member, look at them, help them.")

Wanted = Annotated[str, typer.Argument(help="X's numeric id, a handle, or a payment's reference.")]


@payment.command("show")
def payment_show(
    reference: Annotated[str, typer.Argument(help="The payment's reference, from a message or a receipt.")],
    env: EnvFile = None,
    as_json: AsJson = False,
) -> None:
    """A payment's whole story in order: tweet, questions, answers, transfers, messages and their fate.

    Example: smoney payment show P-7K3F9Q
    """
    from bot.admin.office import open_office

    with open_book(env) as (settings, database):
        office = open_office(settings)
        story = database.read(lambda session: office.stories.of(session, reference))
        note_look(office, database, "payment.look", f"payment {story.reference}")
    if as_json:
        typer.echo(json.dumps(story.as_row()))
        return
    say(f"[bold]{story.reference}[/bold] ", f"{story.state}, {story.total}, by {story.payer}")
    for line in story.lines:
        say("  ", line)
    if story.note:
        say("  note ", f"“{story.note}”")
    for each in story.happened:
        say(f"[dim]{each.at:%Y-%m-%d %H:%M:%S}[/dim] [bold]{each.kind:<8}[/bold] ", each.what)


@payment.command("find")
def payment_find(
    who: Annotated[
        str | None, typer.Option(help="Paid by or to this one: X's numeric id, a handle, or a reference.")
    ] = None,
    amount: Annotated[str | None, typer.Option(help="Of exactly this: 25 or 25.50.")] = None,
    since: Annotated[
        datetime | None, typer.Option(help="From then on (UTC); 30 days ago if not said.")
    ] = None,
    until: Annotated[datetime | None, typer.Option(help="Before then (UTC).")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many of the newest.")] = 20,
    env: EnvFile = None,
    as_json: AsJson = False,
) -> None:
    """Payments by person, amount and time, newest first.

    Example: smoney payment find --who @bob --amount 12.50 --since 2026-11-01
    """
    from bot.admin.amounts import amount_of
    from bot.admin.office import open_office
    from bot.wiring import utc_now

    with open_book(env) as (settings, database):
        office, now = open_office(settings), utc_now()
        begin = since.replace(tzinfo=UTC) if since else now - timedelta(days=30)
        end = until.replace(tzinfo=UTC) if until else now + timedelta(days=1)

        person = (
            None if who is None else database.read(lambda session: office.members.one(session, who).user_id)
        )

        def read(session: "Session") -> "Sequence[PaymentLine]":
            return office.listing.found(
                session,
                person_id=person,
                amount_minor=None if amount is None else amount_of(amount).amount_minor,
                since=begin,
                until=end,
                limit=limit,
            )

        found = database.read(read)
        if person is not None:
            note_look(office, database, "member.look", f"person {person}")
    rows: list[dict[str, object]] = [
        {
            "at": each.at.isoformat(timespec="seconds"),
            "reference": each.reference,
            "amount": each.amount,
            "from": each.payer,
            "to": each.payee,
            "state": each.state if each.state != "paid" else each.line_state,
        }
        for each in found
    ]
    print_table(rows, as_json=as_json)


@member.command("find")
def member_find(wanted: Wanted, env: EnvFile = None, as_json: AsJson = False) -> None:
    """Who is meant: several, where a handle changed hands.

    Example: smoney member find @alice
    """
    from bot.admin.office import open_office

    with open_book(env) as (settings, database):
        office = open_office(settings)
        found = database.read(lambda session: office.members.find(session, wanted))
        note_look(office, database, "member.look", *(f"person {row['id']}" for row in found))
    print_table(found, as_json=as_json)


@member.command("show")
def member_show(wanted: Wanted, env: EnvFile = None, as_json: AsJson = False) -> None:
    """All about one member: standing, wallet, newest payments, what admins did.

    Example: smoney member show 2244994945
    """
    from bot.admin.office import open_office

    with open_book(env) as (settings, database):
        office = open_office(settings)
        row = database.read(lambda session: office.members.show(session, wanted))
        note_look(office, database, "member.look", f"person {row['id']}")
    if as_json:
        typer.echo(json.dumps(row))
        return
    for name, value in row.items():
        if isinstance(value, list):
            say(f"[bold]{name}[/bold]", "" if value else "  none")
            for each in value:
                say("  ", str(each))
        elif isinstance(value, dict):
            say(f"[bold]{name}[/bold]  ", ", ".join(f"{key} {amount}" for key, amount in value.items()))
        elif value not in {"", None}:
            say(f"[bold]{name}[/bold]  ", str(value))


@member.command("data")
def member_data(
    wanted: Wanted,
    out: Annotated[Path, typer.Option("--out", "-o", help="The file to write; never over another one.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the audit log.")],
    env: EnvFile = None,
    as_json: AsJson = False,
) -> None:
    """Everything kept about one member, to hand it to them: the file they could fetch on their page. Make sure of them first.

    Example: smoney member data @alice --out alice.json --reason "asked for by letter, passport seen"
    """
    from bot.admin.admins import who_types
    from bot.admin.office import open_office
    from bot.whole_files import whole_file

    with open_book(env) as (settings, database):
        handing_out, actor = open_office(settings).handing_out, database.read(who_types)
        with whole_file(out) as file:
            told = database.write(lambda session: handing_out.data_of(session, actor, wanted, reason=reason))
            file.write(told.encode("ascii"))
    tell(
        f"{out} holds everything about {wanted}. Hand it to nobody else, and delete it.",
        as_json=as_json,
        file=str(out),
    )
