"""`smoney inbox` and `smoney outbox`: what arrived and what is to be said, row by row."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bot.cli.common import AsJson, EnvFile, act, note_look, open_book, print_table, say, tell

if TYPE_CHECKING:
    from sqlmodel import Session

    from bot.admin.queues import Queues, Row

inbox = typer.Typer(no_args_is_help=True, help="What arrived from X: look, try again, give up.")
outbox = typer.Typer(no_args_is_help=True, help="What is to be said: look, try again, give up.")

RowId = Annotated[int, typer.Argument(help="The row's id, from `list`.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the audit log.")]
Limit = Annotated[int, typer.Option(help="How many rows, newest first.", min=1, max=10_000)]
InboxState = Annotated[str | None, typer.Option("--state", help="waiting, done or set_aside.")]
OutboxState = Annotated[
    str | None, typer.Option("--state", help="waiting, sending, unknown, sent, failed or dropped.")
]


@inbox.command("list")
def inbox_list(
    state: InboxState = "set_aside", limit: Limit = 20, env: EnvFile = None, as_json: AsJson = False
) -> None:
    """Rows of what arrived, newest first; those that were set aside, unless another state is asked for.

    Example: smoney inbox list --state waiting
    """
    _refuse(state, ("waiting", "done", "set_aside"))
    _list(env, lambda queues, session: queues.inbox(session, state=state, limit=limit), as_json=as_json)


@inbox.command("show")
def inbox_show(row: RowId, env: EnvFile = None, as_json: AsJson = False) -> None:
    """One row with what it holds. What people wrote is shown: treat it as such.

    Example: smoney inbox show 2831936551177172775
    """
    _show(env, "inbox", row, as_json=as_json)


@inbox.command("retry")
def inbox_retry(row: RowId, reason: Reason, env: EnvFile = None, as_json: AsJson = False) -> None:
    """Work a row that was set aside once more.

    Example: smoney inbox retry 2831936551177172775 --reason "the fault is mended in this version"
    """
    act(env, lambda office, session, actor: office.queues.retry_inbox(session, actor, row, reason=reason))
    tell(f"Row {row} waits to be worked.", as_json=as_json, row=row)


@inbox.command("drop")
def inbox_drop(row: RowId, reason: Reason, env: EnvFile = None, as_json: AsJson = False) -> None:
    """Give up a row that was set aside: nothing will come of it.

    Example: smoney inbox drop 2831936551177172775 --reason "spam, no order"
    """
    act(env, lambda office, session, actor: office.queues.drop_inbox(session, actor, row, reason=reason))
    tell(f"Row {row} is given up.", as_json=as_json, row=row)


@outbox.command("list")
def outbox_list(
    state: OutboxState = None, limit: Limit = 20, env: EnvFile = None, as_json: AsJson = False
) -> None:
    """Rows of what is to be said, newest first.

    Example: smoney outbox list --state failed
    """
    _refuse(state, ("waiting", "sending", "unknown", "sent", "failed", "dropped"))
    _list(env, lambda queues, session: queues.outbox_rows(session, state=state, limit=limit), as_json=as_json)


@outbox.command("show")
def outbox_show(row: RowId, env: EnvFile = None, as_json: AsJson = False) -> None:
    """One row with its phrase and parameters; a code is never among them.

    Example: smoney outbox show 2831936551177172775
    """
    _show(env, "outbox", row, as_json=as_json)


@outbox.command("retry")
def outbox_retry(row: RowId, reason: Reason, env: EnvFile = None, as_json: AsJson = False) -> None:
    """Try again to say what X refused, or what was dropped.

    Example: smoney outbox retry 2831936551177172775 --reason "they have opened their messages"
    """
    act(env, lambda office, session, actor: office.queues.retry_outbox(session, actor, row, reason=reason))
    tell(f"Row {row} waits to be sent.", as_json=as_json, row=row)


@outbox.command("drop")
def outbox_drop(row: RowId, reason: Reason, env: EnvFile = None, as_json: AsJson = False) -> None:
    """Do not say what still waits.

    Example: smoney outbox drop 2831936551177172775 --reason "told by letter"
    """
    act(env, lambda office, session, actor: office.queues.drop_outbox(session, actor, row, reason=reason))
    tell(f"Row {row} will not be sent.", as_json=as_json, row=row)


def _list(env: Path | None, look: "Callable[[Queues, Session], list[Row]]", *, as_json: bool) -> None:
    from bot.admin.office import open_office

    with open_book(env) as (settings, database):
        queues = open_office(settings).queues
        print_table(database.read(lambda session: look(queues, session)), as_json=as_json)


def _show(env: Path | None, queue: Literal["inbox", "outbox"], number: int, *, as_json: bool) -> None:
    from bot.admin.office import open_office

    with open_book(env) as (settings, database):
        office = open_office(settings)
        look = office.queues.inbox_row if queue == "inbox" else office.queues.outbox_row
        row = database.read(lambda session: look(session, number))
        note_look(office, database, f"{queue}.look", f"{queue} {number}")
    if as_json:
        typer.echo(json.dumps(row))
        return
    for name, value in row.items():
        say(f"[bold]{name}[/bold]  ", str(value))


def _refuse(state: str | None, known: tuple[str, ...]) -> None:
    if state is not None and state not in known:
        raise typer.BadParameter(f"{state!r} is none of {', '.join(known)}")
