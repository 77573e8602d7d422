"""`smoney member fund` and `payout`, `payment refund`, `operator fund` and `proposals`: money that admins move, by two."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.common import EXIT_FAULT, AsJson, EnvFile, act, open_book, print_table, say

if TYPE_CHECKING:
    from sqlmodel import Session

    from bot.admin.log import Actor
    from bot.admin.office import Office
    from bot.admin.proposals import Proposal

operator = typer.Typer(no_args_is_help=True, help="The operator's own money, from which losses are met.")
proposals = typer.Typer(
    no_args_is_help=True, help="Money that one admin asked to move, and another one approves."
)

Who = Annotated[str, typer.Argument(help="X's numeric id, a handle, or a payment's reference.")]
Amount = Annotated[str, typer.Argument(help="25 or 25.50, in the book's currency.")]
Bank = Annotated[str, typer.Option("--reference", help="The bank's own name of its transfer; counts once.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the audit log.")]
Id = Annotated[int, typer.Argument(help="The proposal's number, from `smoney proposals list`.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def member_fund(
    who: Who, amount: Amount, reference: Bank, reason: Reason, env: EnvFile = None, as_json: AsJson = False
) -> None:
    """Ask for money that has arrived at the bank to be given to a member. Another admin approves it.

    Example: smoney member fund @alice 50 --reference "SEPA 000123" --reason "transfer of 26 November"
    """
    from bot.admin.amounts import amount_of

    _propose(
        env,
        lambda office, session, actor: office.treasury.propose_fund(
            session, actor, who, amount_of(amount), reference=reference, reason=reason
        ),
        as_json=as_json,
    )


def member_payout(
    who: Who, amount: Amount, reference: Bank, reason: Reason, env: EnvFile = None, as_json: AsJson = False
) -> None:
    """Ask for money to leave a member's wallet to their bank. They must have been identified; another admin approves it.

    Example: smoney member payout 2244994945 50 --reference "SEPA 000124" --reason "asked for by letter, passport seen"
    """
    from bot.admin.amounts import amount_of

    _propose(
        env,
        lambda office, session, actor: office.treasury.propose_payout(
            session, actor, who, amount_of(amount), reference=reference, reason=reason
        ),
        as_json=as_json,
    )


@operator.command("fund")
def operator_fund(
    amount: Amount, reference: Bank, reason: Reason, env: EnvFile = None, as_json: AsJson = False
) -> None:
    """Ask for the operator's own money, arrived at the bank, to be booked. Another admin approves it.

    Example: smoney operator fund 1000 --reference "SEPA 000125" --reason "buffer for losses"
    """
    from bot.admin.amounts import amount_of

    _propose(
        env,
        lambda office, session, actor: office.treasury.propose_operator_fund(
            session, actor, amount_of(amount), reference=reference, reason=reason
        ),
        as_json=as_json,
    )


def payment_refund(
    reference: Annotated[str, typer.Argument(help="The payment's reference, from a message or a receipt.")],
    reason: Annotated[str, typer.Option("--reason", help="Why: both sides are told it, word for word.")],
    amount: Annotated[str | None, typer.Option(help="Only so much of it; else the whole.")] = None,
    payee: Annotated[str | None, typer.Option(help="Whose part, where it was paid to several.")] = None,
    from_loss: Annotated[
        bool, typer.Option("--from-loss", help="From the operator's own money: its payee has spent it.")
    ] = False,
    yes: Yes = False,
    env: EnvFile = None,
    as_json: AsJson = False,
) -> None:
    """Give a payment back to its payer, whole or in part. A small one at once; a larger one takes another admin.

    Example: smoney payment refund P-7K3F9Q --reason "paid twice by mistake"
    """
    from bot.admin.amounts import amount_of

    if not yes:
        typer.confirm(f"Give {amount or 'the whole'} of {reference} back to its payer?", abort=True)
    _propose(
        env,
        lambda office, session, actor: office.treasury.refund(
            session,
            actor,
            reference,
            None if amount is None else amount_of(amount),
            payee=payee,
            from_loss=from_loss,
            reason=reason,
        ),
        as_json=as_json,
    )


@proposals.command("list")
def proposals_list(
    every: Annotated[bool, typer.Option("--all", help="Decided ones too.")] = False,
    env: EnvFile = None,
    as_json: AsJson = False,
) -> None:
    """What waits for a second person, newest first."""
    from bot.admin.office import open_office

    with open_book(env) as (settings, database):
        book = open_office(settings).treasury.proposals
        state = None if every else "open"
        found = database.read(lambda session: book.newest(session, state=state))
    print_table([_row(each) for each in found], as_json=as_json)


@proposals.command("approve")
def proposals_approve(
    proposal: Id, reason: Reason, yes: Yes = False, env: EnvFile = None, as_json: AsJson = False
) -> None:
    """Do what another admin has proposed. It shows what that is, and asks.

    Example: smoney proposals approve 2831936139 --reason "seen on the bank's statement"
    """
    from bot.admin.admins import who_types
    from bot.admin.office import open_office

    with open_book(env) as (settings, database):
        treasury, actor = open_office(settings).treasury, database.read(who_types)
        if not yes:
            waiting = database.read(lambda session: treasury.proposals.one(session, proposal))
            say("", _sentence(waiting))
            typer.confirm("Do it?", abort=True)
        done = database.write(lambda session: treasury.approve(session, actor, proposal, reason=reason))
    tell_of(done, as_json=as_json)
    if done.state != "done":
        raise typer.Exit(EXIT_FAULT)


@proposals.command("refuse")
def proposals_refuse(proposal: Id, reason: Reason, env: EnvFile = None, as_json: AsJson = False) -> None:
    """Nothing comes of it. Whoever proposed it can take it back so.

    Example: smoney proposals refuse 2831936139 --reason "not on the bank's statement"
    """
    _propose(
        env,
        lambda office, session, actor: office.treasury.refuse(session, actor, proposal, reason=reason),
        as_json=as_json,
    )


def _propose(
    env: Path | None, propose: "Callable[[Office, Session, Actor], Proposal]", *, as_json: bool
) -> None:
    tell_of(act(env, propose), as_json=as_json)


def tell_of(proposal: "Proposal", *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(_row(proposal)))
        return
    after = {
        "open": f"Nothing has moved yet. Another admin does it: smoney proposals approve {proposal.id}",
        "done": "Done.",
        "refused": "Refused; nothing has moved.",
        "expired": "It stood open for too long and has ended; nothing has moved. Propose it again.",
    }[proposal.state]
    say("", f"{_sentence(proposal)} {after}")


def _sentence(proposal: "Proposal") -> str:
    from bot.ledger_views import money_text

    amount = money_text(proposal.amount.amount_minor, proposal.amount.currency.code)
    whom = "" if proposal.person_id is None else f" for {proposal.person_id}"
    named = f", bank reference {proposal.reference}" if proposal.reference else ""
    loss = ", from the operator's own money" if proposal.from_loss else ""
    kind = proposal.kind.replace("_", " of ") if proposal.kind == "operator_fund" else proposal.kind
    return f"{proposal.id}: {kind}, {amount}{whom}{named}{loss}, proposed by {proposal.proposed_by}."


def _row(proposal: "Proposal") -> dict[str, object]:
    from ledger.money import decimal_text

    minor, currency = proposal.amount.amount_minor, proposal.amount.currency
    return {
        "id": proposal.id,
        "kind": proposal.kind,
        "amount": decimal_text(minor, currency.exponent),
        "currency": currency.code,
        "person": proposal.person_id,
        "reference": proposal.reference,
        "why": proposal.why,
        "from_loss": proposal.from_loss,
        "proposed_by": proposal.proposed_by,
        "proposed_at": proposal.proposed_at.isoformat(timespec="seconds"),
        "state": proposal.state,
        "decided_by": proposal.decided_by,
    }


def add_to(*, member: typer.Typer, payment: typer.Typer) -> None:
    member.command("fund")(member_fund)
    member.command("payout")(member_payout)
    payment.command("refund")(payment_refund)
