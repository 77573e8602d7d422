"""The audit: recomputes what must always hold, in the ledger and between it and the bot's own records.

It reads on one snapshot, writes nothing, and trusts no stored sum.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

import ledger.audit
from bot.keys import keyring_from
from bot.payments.authorisations import Authorisations
from bot.payments.intents import SET_ASIDE, IntentState
from bot.payments.wallets import (
    CARD_CLEARING,
    CARD_UNCLAIMED,
    OPERATOR_FUNDS,
    SAFEGUARDING,
    TEST_MONEY,
    WALLET,
)
from bot.sealing import public_keys
from bot.settings import Settings
from bot.store.admin_tables import BankLineRow, ProposalRow
from bot.store.card_tables import CardMovementRow, TopUpRow
from bot.store.tables import AuthorisationRow, BookRow, IntentLineRow, IntentRow, PersonRow
from bot.wiring import World
from ledger.clock import IdSource
from ledger.database import Database
from ledger.tables import AccountRow, TransferRow


@dataclass(frozen=True, slots=True)
class Audit:
    """How much was looked at, and what does not hold, a sentence each."""

    counts: dict[str, int]
    findings: tuple[str, ...]


def verify(database: Database, settings: Settings, *, progress: ledger.audit.Progress | None = None) -> Audit:
    """The whole book, its seals and their signatures. Raises `Misconfigured` without the keys: the authorisations could not be checked."""
    world = World()
    authorisations = Authorisations(
        keyring=keyring_from(settings), clock=world.clock, ids=IdSource(world.clock, world.entropy)
    )
    report = ledger.audit.verify(database, progress=progress, public_keys=public_keys(settings))
    findings = [f"{finding.what}: {finding.where}: {finding.detail}" for finding in report.findings]
    findings += database.read(lambda session: [*_bot_findings(session, authorisations)])
    counts = {"accounts": report.accounts, "transfers": report.transfers}
    counts["authorisations"] = database.read(
        lambda session: session.exec(select(func.count()).select_from(AuthorisationRow)).one()
    )
    return Audit(counts, tuple(findings))


def _bot_findings(session: Session, authorisations: Authorisations) -> Iterator[str]:
    yield from authorisations.forged(session)
    yield from _unpaid_or_paid_twice(session)
    yield from _lines_that_lie(session)
    yield from _wallets_of_others(session)
    yield from _not_covered(session)
    yield from _moved_by_nobody(session)
    yield from _by_no_card(session)
    yield from _matched_wrongly(session)


def _unpaid_or_paid_twice(session: Session) -> Iterator[str]:
    """A paid intent has exactly the transfers of its lines; no other intent has any."""
    rows = session.exec(
        select(IntentRow, IntentLineRow)
        .join(IntentLineRow, col(IntentLineRow.intent_id) == col(IntentRow.id))
        .execution_options(yield_per=1000)
    )
    for intent, line in rows:
        should = intent.state == IntentState.PAID and line.version == intent.version
        if should != (line.transfer_id is not None):
            what = "a line has no transfer" if should else "money moved without an answer"
            yield f"payment {intent.reference}: {what}"


def _lines_that_lie(session: Session) -> Iterator[str]:
    """What a line says of its money is what the ledger says."""
    rows = session.exec(
        select(IntentLineRow, TransferRow)
        .join(TransferRow, col(TransferRow.id) == col(IntentLineRow.transfer_id), isouter=True)
        .where(col(IntentLineRow.transfer_id).is_not(None))
        .execution_options(yield_per=1000)
    )
    for line, transfer in rows:
        if transfer is None or transfer.amount_minor != line.amount_minor:
            yield f"line {line.id} names transfer {line.transfer_id}, which is not there or of another amount"
        elif (line.state in SET_ASIDE) != (transfer.kind == "pending" and line.settled_id is None):
            yield f"line {line.id} is {line.state}, but its transfer {transfer.id} is {transfer.kind}"


def _wallets_of_others(session: Session) -> Iterator[str]:
    """What was paid went from the wallet of its payer to that of its payee. Which wallet is whose stands in a row that no MAC
    covers: put under another person's number, even for a moment, it is found by what the book has of both."""
    payer, payee = aliased(PersonRow), aliased(PersonRow)
    rows = session.exec(
        select(IntentRow.reference, TransferRow.id)
        .join(IntentLineRow, col(IntentLineRow.intent_id) == col(IntentRow.id))
        .join(TransferRow, col(TransferRow.id) == col(IntentLineRow.transfer_id))
        .join(payer, col(payer.user_id) == col(IntentRow.payer_id))
        .join(payee, col(payee.user_id) == col(IntentLineRow.payee_id))
        .where(
            or_(
                col(payer.wallet_id).is_distinct_from(col(TransferRow.debit_account_id)),
                col(payee.wallet_id).is_distinct_from(col(TransferRow.credit_account_id)),
            )
        )
        .execution_options(yield_per=1000)
    )
    for reference, transfer_id in rows:
        yield f"payment {reference}: transfer {transfer_id} is not between the wallets of its payer and payee"


def _is_demo() -> ColumnElement[bool]:
    return select(BookRow.single).where(col(BookRow.is_demo)).exists()


def _moved_by_nobody(session: Session) -> Iterator[str]:
    """What came from or went to the bank or the operator's own money was decided by admins, one decision a transfer, and
    what they decided was moved so; or the processor of cards paid it out."""
    house = select(AccountRow.id).where(col(AccountRow.code).in_((SAFEGUARDING, OPERATOR_FUNDS)))
    moved = (
        select(TransferRow.id)
        .outerjoin(ProposalRow, col(ProposalRow.transfer_id) == col(TransferRow.id))
        .outerjoin(CardMovementRow, col(CardMovementRow.transfer_id) == col(TransferRow.id))
        .where(
            or_(col(TransferRow.debit_account_id).in_(house), col(TransferRow.credit_account_id).in_(house))
        )
        .where(col(ProposalRow.id).is_(None), col(CardMovementRow.id).is_(None))
        .where(or_(col(TransferRow.code) != TEST_MONEY, ~_is_demo()))
        .execution_options(yield_per=1000)
    )
    for transfer_id in session.exec(moved):
        yield f"transfer {transfer_id} moved money in or out that no two admins decided"
    decided = (
        select(ProposalRow, TransferRow)
        .outerjoin(TransferRow, col(TransferRow.id) == col(ProposalRow.transfer_id))
        .where(ProposalRow.state == "done")
        .execution_options(yield_per=1000)
    )
    for proposal, transfer in session.exec(decided):
        if transfer is None or transfer.amount_minor != proposal.amount_minor:
            yield f"proposal {proposal.id} names transfer {proposal.transfer_id}, which is not there or of another amount"


def _matched_wrongly(session: Session) -> Iterator[str]:
    """A line of the bank is matched with a proposal that was done, of its amount and direction."""
    rows = session.exec(
        select(BankLineRow, ProposalRow)
        .join(ProposalRow, col(ProposalRow.id) == col(BankLineRow.proposal_id))
        .where(BankLineRow.state == "matched")
        .execution_options(yield_per=1000)
    )
    for line, proposal in rows:
        moved = -proposal.amount_minor if proposal.kind == "payout" else proposal.amount_minor
        if proposal.state != "done" or (moved, proposal.currency) != (line.amount_minor, line.currency):
            yield f"bank line {line.id} is matched with proposal {proposal.id}, which is not done or of another amount"


def _not_covered(session: Session) -> Iterator[str]:
    """What is owed to people is covered by what is held, in every currency."""
    net = func.sum(col(AccountRow.credits_posted) - col(AccountRow.debits_posted))
    owed: dict[str, int] = {}
    held: dict[str, int] = {}
    for currency, code, amount in session.exec(
        select(AccountRow.currency, AccountRow.code, net).group_by(
            col(AccountRow.currency), col(AccountRow.code)
        )
    ):
        side, sign = (owed, 1) if code == WALLET else (held, -1)
        side[currency] = side.get(currency, 0) + sign * int(amount)
    for currency, amount in owed.items():
        if amount > held.get(currency, 0):
            yield f"{currency}: {amount} minor units are owed, {held.get(currency, 0)} are held"


def _by_no_card(session: Session) -> Iterator[str]:
    """What passed through the accounts of cards is a top-up, to the wallet and of the amount it was asked for, its fee, or a change
    of what the processor holds."""
    house = select(AccountRow.id).where(col(AccountRow.code).in_((CARD_CLEARING, CARD_UNCLAIMED)))
    touched = or_(col(TransferRow.debit_account_id).in_(house), col(TransferRow.credit_account_id).in_(house))
    moved = (
        select(TransferRow, TopUpRow, CardMovementRow.id, PersonRow.wallet_id)
        .outerjoin(
            TopUpRow,
            or_(
                col(TopUpRow.transfer_id) == col(TransferRow.id),
                col(TopUpRow.fee_transfer_id) == col(TransferRow.id),
            ),
        )
        .outerjoin(PersonRow, col(PersonRow.user_id) == col(TopUpRow.person_id))
        .outerjoin(
            CardMovementRow,
            col(TransferRow.idempotency_key)
            == col(TransferRow.code) + ":" + col(CardMovementRow.movement_id),
        )
        .where(touched)
        .execution_options(yield_per=1000)
    )
    found: Iterator[tuple[TransferRow, TopUpRow | None, int | None, int | None]]
    found = iter(session.exec(moved))  # an outer join may find nothing
    for transfer, top_up, movement, wallet in found:
        if top_up is None:
            if movement is None:
                yield f"transfer {transfer.id} moved money of cards that no card moved"
            continue
        differs = (transfer.credit_account_id, transfer.amount_minor) != (wallet, top_up.amount_minor)
        if top_up.transfer_id == transfer.id and differs:
            yield f"top-up {top_up.reference}: transfer {transfer.id} is not to its wallet, or of another amount"
