"""`smoney ledger statement`, `export`, `trial-balance`, `clearing` and `coverage`: the book for accountants and banks."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from bot.cli.common import EXIT_BROKEN, AsJson, EnvFile, open_book, print_table, say
from bot.cli.progress import progress_bar

if TYPE_CHECKING:
    from ledger.money import Currency

Out = Annotated[Path | None, typer.Option("--out", "-o", help="Write to this file instead of the terminal.")]
Day = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="Booked after this, UTC.")
]
Until = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="Booked up to this, UTC.")
]


def statement(
    account: Annotated[int, typer.Argument(help="The account's id, from `smoney ledger accounts`.")],
    form: Annotated[str, typer.Option("--format", help="text, csv, camt053 or json.")] = "text",
    since: Day = None,
    until: Until = None,
    out: Out = None,
    env: EnvFile = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="The same as --format json: a line for each entry.")
    ] = False,
) -> None:
    """One account's entries with its running balance.

    Example: smoney ledger statement 7 --format camt053 --since 2026-01-01 --out january.xml
    """
    from bot.ledger_files import STATEMENTS, write_statement
    from bot.wiring import utc_now

    form = "json" if as_json else form
    _refuse_form(form, STATEMENTS)
    with open_book(env) as (_, database), _writing(out) as (file, counted):
        write_statement(
            database,
            account,
            form,
            file,
            since=_utc(since),
            until=_utc(until),
            made_at=utc_now(),
            counted=counted,
        )


def export(
    form: Annotated[str, typer.Argument(help="csv, json, hledger or beancount.")],
    out: Out = None,
    env: EnvFile = None,
) -> None:
    """The whole book in another program's form, each balance asserted at its end.

    Example: smoney ledger export hledger --out book.journal && hledger check -f book.journal
    """
    from bot.ledger_files import PIECES, WHOLE_BOOK, count_transfers, write_book

    _refuse_form(form, tuple(WHOLE_BOOK))
    with open_book(env) as (_, database):
        total = count_transfers(database)
        with _writing(out, total * PIECES[form]) as (file, counted):
            write_book(database, form, file, counted=counted)


def trial_balance(env: EnvFile = None, as_json: AsJson = False) -> None:
    """All accounts by kind: their number and their totals. In each currency debits equal credits."""
    from ledger.reports import trial_balance as lines

    with open_book(env) as (_, database):
        rows: list[dict[str, object]] = [
            {
                "kind": one.code,
                "accounts": one.accounts,
                "currency": one.currency.code,
                "debits": _text(one.debits_posted, one.currency),
                "credits": _text(one.credits_posted, one.currency),
                "debits_pending": _text(one.debits_pending, one.currency),
                "credits_pending": _text(one.credits_pending, one.currency),
            }
            for one in database.read(lines)
        ]
        print_table(rows, as_json=as_json)


def clearing(env: EnvFile = None, as_json: AsJson = False) -> None:
    """Clearing accounts that have not drained to zero: each is a question to somebody."""
    from bot.payments.wallets import CLEARING
    from ledger.reports import open_clearing

    with open_book(env) as (_, database):
        rows: list[dict[str, object]] = [
            {
                "account": one.id,
                "kind": one.code,
                "posted": _text(one.posted_minor, one.currency),
                "pending": _text(one.pending_out_minor + one.pending_in_minor, one.currency),
                "currency": one.currency.code,
            }
            for one in database.read(lambda session: open_clearing(session, CLEARING))
        ]
        if rows or as_json:
            print_table(rows, as_json=as_json)
        else:
            say("", "All clearing accounts are drained.")


def coverage(env: EnvFile = None, as_json: AsJson = False) -> None:
    """What is owed to people against what is held for them. Exit code 3 if more is owed than is held."""
    from bot.payments.wallets import HELD, OWED
    from ledger.reports import coverage as lines

    with open_book(env) as (_, database):
        found = database.read(lambda session: lines(session, owed=OWED, held=HELD))
        rows: list[dict[str, object]] = [
            {
                "currency": one.currency.code,
                "owed": _text(one.owed_minor, one.currency),
                "held": _text(one.held_minor, one.currency),
                "surplus": _text(one.surplus_minor, one.currency),
            }
            for one in found
        ]
        print_table(rows, as_json=as_json)
    if any(one.surplus_minor < 0 for one in found):
        raise typer.Exit(EXIT_BROKEN)


def _text(amount_minor: int, currency: "Currency") -> str:
    from ledger.money import decimal_text

    return decimal_text(amount_minor, currency.exponent)


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment else None


def _refuse_form(form: str, known: tuple[str, ...]) -> None:
    if form not in known:
        raise typer.BadParameter(f"{form!r} is none of {', '.join(known)}")


@contextmanager
def _writing(out: Path | None, total: int | None = None) -> Iterator[tuple[TextIO, Callable[[int], None]]]:
    """Where to write, and whom to tell how many lines were written."""
    from bot.ledger_files import whole_text

    if out is None:
        yield sys.stdout, lambda _: None
        return
    with whole_text(out) as file, progress_bar(f"writing {out.name}", total) as told:
        yield file, lambda lines: told(lines, total)


def add_to(app: typer.Typer) -> None:
    app.command("statement")(statement)
    app.command("export")(export)
    app.command("trial-balance")(trial_balance)
    app.command("clearing")(clearing)
    app.command("coverage")(coverage)
