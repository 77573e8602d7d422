"""What every command shares: options, exit codes, sentences instead of tracebacks, tables or JSON."""

import json
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from sqlmodel import Session

    from bot.admin.log import Actor
    from bot.admin.office import Office
    from bot.settings import Settings
    from ledger.database import Database

T = TypeVar("T")

EXIT_FAULT = 1
EXIT_MISCONFIGURED = 2
EXIT_BROKEN = 3

EnvFile = Annotated[Path | None, typer.Option("--env", help="Read settings from this file instead of .env.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@contextmanager
def open_book(env: Path | None) -> "Iterator[tuple[Settings, Database]]":
    from bot.settings import load
    from bot.wiring import existing_database

    with sentences():
        settings = load(env)
        database = existing_database(settings)
        try:
            yield settings, database
        finally:
            database.close()


def act(env: Path | None, do: "Callable[[Office, Session, Actor], T]") -> T:
    """What an admin does by command: by whoever types, with what they may do, in one transaction."""
    from bot.admin.admins import who_types
    from bot.admin.office import open_office

    with open_book(env) as (settings, database):
        office, actor = open_office(settings), database.read(who_types)
        return database.write(lambda session: do(office, session, actor))


def note_look(office: "Office", database: "Database", action: str, *subjects: str) -> None:
    """That whoever types looks at these, before they are shown."""
    from bot.admin.acts import Role
    from bot.admin.admins import who_types

    actor = database.read(lambda session: who_types(session, unknown=Role.READ))
    office.looking.note(database, actor, action, subjects)


@contextmanager
def sentences(refused: str = "Not done.") -> Iterator[None]:
    """What an admin must mend is one sentence, not a traceback; it begins with `refused`."""
    import sqlite3

    from sqlalchemy.exc import DBAPIError

    from bot.errors import Misconfigured, SmoneyError
    from ledger.errors import LedgerError, NewerDatabase

    try:
        yield
    except Misconfigured as wrong:
        say(f"[red]{refused}[/red] ", str(wrong), err=True)
        raise typer.Exit(EXIT_MISCONFIGURED) from None
    except NewerDatabase as newer:  # starting again does not help
        say(f"[red]{refused}[/red] ", str(newer), err=True)
        raise typer.Exit(EXIT_MISCONFIGURED) from None
    except (SmoneyError, LedgerError) as error:
        say("[red]Error.[/red] ", str(error), err=True)
        raise typer.Exit(EXIT_FAULT) from None
    except (DBAPIError, sqlite3.Error, OSError) as error:
        said = getattr(error, "orig", None) or error  # without the statement and its values
        say("[red]Error.[/red] ", f"The database or a file cannot be used: {said}", err=True)
        raise typer.Exit(EXIT_FAULT) from None


def say(mark: str, text: str, *, err: bool = False) -> None:
    from rich.console import Console
    from rich.text import Text

    Console(stderr=err, soft_wrap=True).print(Text.from_markup(mark) + Text(visible(text)))


def tell(sentence: str, *, as_json: bool, **facts: str | int) -> None:
    """What was done: as a sentence, or as JSON that has it beside what it was done to."""
    if as_json:
        typer.echo(json.dumps({"done": sentence, **facts}))
    else:
        say("", sentence)


def visible(text: str) -> str:
    """What strangers wrote, for a terminal: signs that move the cursor, colour, hide or turn text are shown as what they
    are, with their number, and so is a line's end. An admin sees that they are there, and the terminal obeys none."""
    return "".join(mark if _is_seen(mark) else mark.encode("unicode_escape").decode() for mark in text)


def _is_seen(mark: str) -> bool:
    return unicodedata.category(mark) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} or mark == "\u200d"


def print_table(rows: list[dict[str, object]], *, as_json: bool) -> None:
    if as_json:
        for row in rows:
            typer.echo(json.dumps(row))
        return
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console, names = Console(), list(rows[0]) if rows else ["nothing yet"]
    cells = [["" if value is None else visible(str(value)) for value in row.values()] for row in rows]
    widest = [max(cell_len(each) for each in column) for column in zip(names, *cells, strict=True)]
    if sum(widest) + 3 * len(names) + 1 > console.width:
        _print_each(console, names, cells)
        return
    table = Table(*names)
    for texts in cells:
        table.add_row(*(Text(each) for each in texts))
    console.print(table)


def _print_each(console: "Console", names: list[str], rows: list[list[str]]) -> None:
    """Where a table would cut a number that somebody has to type: a line for each value, a gap between rows."""
    from rich.text import Text

    for number, row in enumerate(rows):
        if number:
            console.print()
        for name, value in zip(names, row, strict=True):
            console.print(Text(name.ljust(max(map(len, names)) + 2), "bold") + Text(value), soft_wrap=True)
