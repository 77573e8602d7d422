"""`smoney bank`: the bank's statements, imported and matched with what admins propose; its balance held against the book's."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.common import EXIT_FAULT, AsJson, EnvFile, act, open_book, print_table, say, tell
from bot.cli.progress import progress_bar

if TYPE_CHECKING:
    from sqlmodel import Session

    from bot.admin.bank_files import BankFile
    from bot.admin.bank_lines import KnownLine
    from bot.admin.log import Actor
    from bot.admin.office import Office
    from bot.admin.proposals import Proposal
    from bot.funding.statements import BankStatement

bank = typer.Typer(
    no_args_is_help=True, help="The bank's statements: what came in, what went out, whose it is."
)

File = Annotated[Path, typer.Argument(help="CAMT.053, or the bank's CSV.")]
Columns = Annotated[
    str, typer.Option(help="Which heading of a CSV is what: date=...,amount=...,reference=...,text=...")
]
Dates = Annotated[str | None, typer.Option(help="DD/MM or MM/DD, where a CSV leaves it open.")]
Line = Annotated[int, typer.Argument(help="The line's number, from `smoney bank lines`.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the audit log.")]
MOST_SHOWN = 500


@bank.command("import")
def bank_import(
    file: File,
    columns: Columns = "",
    dates: Dates = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would come of it; keep nothing.")
    ] = False,
    env: EnvFile = None,
    as_json: AsJson = False,
) -> None:
    """Take in a statement. Lines that are known are left out; money for a member becomes a proposal, never money by itself.

    Example: smoney bank import november.xml
    """
    from bot.admin.admins import who_types
    from bot.admin.office import open_office

    with open_book(env) as (settings, database):
        given = _given(file, columns, dates)
        statement, office = _read(given), open_office(settings)
        with progress_bar("importing", len(statement.lines)) as told:
            done = office.bank.import_statement(
                database, who_types, statement, reason=given.reason, told=told, dry_run=dry_run
            )
    if as_json:
        typer.echo(json.dumps({"dry_run": dry_run, "lines": len(done.lines), **done.counts}))
    else:
        say("", done.sentence)


@bank.command("lines")
def bank_lines(
    every: Annotated[bool, typer.Option("--all", help="Matched and ignored ones too.")] = False,
    env: EnvFile = None,
    as_json: AsJson = False,
) -> None:
    """What is not settled between the bank and the book: lines nothing fits, lines whose proposal waits, and what was done
    and stands on no statement yet. Newest first.
    """
    from bot.admin.bank_lines import UNDECIDED
    from bot.admin.office import open_office

    states = ("open", "proposed", "matched", "ignored") if every else UNDECIDED
    with open_book(env) as (settings, database):
        office = open_office(settings)
        found = database.read(
            lambda session: office.bank.lines.newest(session, states=states, limit=MOST_SHOWN)
        )
        unseen = database.read(office.bank_reconciling.unseen)
        rows = [_line_row(each) for each in found] + [_unseen_row(each) for each in unseen]
    if not as_json:
        rows = [{name: "" if value is None else value for name, value in row.items()} for row in rows]
    print_table(rows, as_json=as_json)


@bank.command("match")
def bank_match(
    line: Line,
    reason: Reason,
    who: Annotated[
        str | None, typer.Argument(help="X's numeric id, a handle, a payment's reference, or `operator`.")
    ] = None,
    proposal: Annotated[int | None, typer.Option(help="This proposal, instead of somebody.")] = None,
    env: EnvFile = None,
    as_json: AsJson = False,
) -> None:
    """Say whose line it is. Money in is proposed for them, and another admin approves it; money out is held against their
    payout.

    Example: smoney bank match 2831936139 @alice --reason "she wrote in: sent from her husband's account"
    """
    from bot.cli.treasury import tell_of

    if (who is None) == (proposal is None):
        raise typer.BadParameter("name somebody, or a proposal with --proposal")

    def match(office: "Office", session: "Session", actor: "Actor") -> "Proposal":
        if proposal is not None:
            return office.bank.match_proposal(session, actor, line, proposal, reason=reason)
        return office.bank.match(session, actor, line, who or "", reason=reason)

    tell_of(act(env, match), as_json=as_json)


@bank.command("ignore")
def bank_ignore(line: Line, reason: Reason, env: EnvFile = None, as_json: AsJson = False) -> None:
    """Say that a line is nobody's here, such as the bank's own fees.

    Example: smoney bank ignore 2831936139 --reason "account fees of November"
    """
    act(env, lambda office, session, actor: office.bank.ignore(session, actor, line, reason=reason))
    tell(f"{line} is ignored.", as_json=as_json, line=line)


@bank.command("reconcile")
def bank_reconcile(
    file: Annotated[Path | None, typer.Argument(help="A CAMT.053 with its closing balance.")] = None,
    balance: Annotated[
        str | None, typer.Option(help="What the bank holds now, instead of a file: 1234.50")
    ] = None,
    env: EnvFile = None,
    as_json: AsJson = False,
) -> None:
    """Hold the bank's balance against the book's, and name the difference. Exit code 1 where a part of it is unexplained.

    Example: smoney bank reconcile november.xml
    """
    from bot.admin.amounts import balance_of
    from bot.admin.bank_reconciling import closing_of
    from bot.admin.office import open_office
    from bot.ledger_views import money_text

    if (file is None) == (balance is None):
        raise typer.BadParameter("name a file, or a balance with --balance")
    with open_book(env) as (settings, database):
        office, on = open_office(settings), None
        if file is None:
            held = balance_of(balance or "")
        else:
            closing = closing_of(_read(_given(file)), office.bank.account)
            held, on = closing.amount, closing.on
        found = database.read(lambda session: office.bank_reconciling.reconcile(session, held, on=on))
    amounts = {
        "bank": found.bank,
        "book": found.book,
        "difference": found.difference,
        **found.known,
        "unexplained": found.unexplained,
    }
    shown = {what: money_text(each.amount_minor, each.currency.code) for what, each in amounts.items()}
    if as_json:
        typer.echo(json.dumps({"on": on.isoformat() if on else None, **shown}))
    else:
        print_table([{"what": what, "amount": amount} for what, amount in shown.items()], as_json=False)
    if found.unexplained:
        raise typer.Exit(EXIT_FAULT)


def _given(file: Path, columns: str = "", dates: str | None = None) -> "BankFile":
    from bot.admin.bank_files import BankFile
    from bot.funding.statements import MOST_BYTES

    with file.open("rb") as opened:
        data = opened.read(MOST_BYTES + 1)  # what is too large is refused without being read
    return BankFile(file.name, data, columns, dates)


def _read(given: "BankFile") -> "BankStatement":
    with progress_bar(f"reading {given.name}") as told:
        return given.read(told=told)


def _line_row(line: "KnownLine") -> dict[str, object]:
    said = line.said
    return {
        "line": line.id,
        "booked_on": said.booked_on.isoformat(),
        "amount": str(said.amount),
        "state": line.state,
        "proposal": line.proposal_id,
        "reference": said.bank_reference,
        "text": ("(reversal) " if said.is_reversal else "") + said.text,
    }


def _unseen_row(proposal: "Proposal") -> dict[str, object]:
    amount = -proposal.amount if proposal.kind == "payout" else proposal.amount
    return {
        "line": None,
        "booked_on": None,
        "amount": str(amount),
        "state": "not at the bank",
        "proposal": proposal.id,
        "reference": proposal.reference,
        "text": f"{proposal.kind} for {proposal.person_id}" if proposal.person_id else proposal.kind,
    }
