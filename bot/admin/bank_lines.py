"""The lines of the bank's statements as rows: each imported once, however often its statement comes again, and tied to at
most one proposal. Rows and rules only.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import tuple_
from sqlmodel import Session, col, select

from bot.errors import Misconfigured, UnreadableRow
from bot.funding.statements import BankLine, Form
from bot.store.admin_tables import BankLineRow, ProposalRow
from bot.store.vault import Vault
from ledger.clock import Clock, IdSource
from ledger.money import Money, currency_of

TABLE: Final = "bank_lines"
UNDECIDED: Final = ("open", "proposed")
_STATES: Final = {"open": "proposed", "done": "matched"}
"""What a line is by its proposal's state; by any other it is open again."""


@dataclass(frozen=True, slots=True)
class KnownLine:
    """One row, opened. Without words where whose it was is erased."""

    id: int
    said: BankLine
    state: str
    proposal_id: int | None


@dataclass(frozen=True, slots=True)
class BankLines:
    vault: Vault
    clock: Clock
    ids: IdSource

    def add(self, session: Session, line: BankLine, form: Form, *, occurrence: int) -> BankLineRow | None:
        """None where it is known. `occurrence` counts lines of the very same words within one statement, from 1."""
        facts = _facts(line, occurrence)
        known = select(BankLineRow.id).where(
            col(BankLineRow.facts_index).in_(self.vault.blind_indexes(facts.lower(), "facts"))
        )
        if session.exec(known.limit(1)).first() is not None:
            return None
        row_id = self.ids()
        row = BankLineRow(
            id=row_id,
            form=form,
            booked_on=line.booked_on.isoformat(),
            amount_minor=line.amount.amount_minor,
            currency=line.amount.currency.code,
            is_reversal=line.is_reversal,
            facts_sealed=self.vault.seal(facts, table=TABLE, row_id=row_id, column="facts"),
            facts_index=self.vault.blind_index(facts.lower(), "facts"),
            imported_at=self.clock(),
        )
        session.add(row)
        session.flush()
        return row

    def tie(self, session: Session, row: BankLineRow, proposal: ProposalRow) -> None:
        """It belongs to this proposal, and goes its way."""
        row.state = _STATES[proposal.state]
        row.proposal_id = proposal.id
        session.add(row)
        session.flush()

    def follow(self, session: Session, proposal: ProposalRow) -> None:
        """The proposal was decided: its line is matched, or open again."""
        rows = select(BankLineRow).where(BankLineRow.proposal_id == proposal.id).with_for_update()
        row = session.exec(rows).first()
        if row is None:
            return
        row.state = _STATES.get(proposal.state, "open")
        row.proposal_id = proposal.id if row.state != "open" else None
        session.add(row)
        session.flush()

    def ignore(self, session: Session, row: BankLineRow) -> None:
        row.state = "ignored"
        session.add(row)
        session.flush()

    def taken(self, session: Session, line_id: int, *, states: Sequence[str]) -> BankLineRow:
        """One in one of these states, locked. Raises `Misconfigured`."""
        rows = select(BankLineRow).where(BankLineRow.id == line_id).with_for_update()
        row = session.exec(rows.execution_options(populate_existing=True)).first()
        if row is None or row.state not in states:
            problem = "is no line of the bank." if row is None else f"is {row.state} already."
            raise Misconfigured(str(line_id), problem, example="an open one from `smoney bank lines`")
        return row

    def newest(
        self, session: Session, *, states: Sequence[str], limit: int, before: int | None = None
    ) -> list[KnownLine]:
        """By the day they were booked on; from after the line that was shown last, where one is named."""
        rows = select(BankLineRow).where(col(BankLineRow.state).in_(states))
        last = None if before is None else session.get(BankLineRow, before)
        if last is not None:
            here = tuple_(col(BankLineRow.booked_on), col(BankLineRow.id))
            rows = rows.where(here < (last.booked_on, last.id))
        newest = rows.order_by(col(BankLineRow.booked_on).desc(), col(BankLineRow.id).desc()).limit(limit)
        return [self.opened(row) for row in session.exec(newest)]

    def opened(self, row: BankLineRow) -> KnownLine:
        """Raises `UnreadableRow` where the row says otherwise than what was sealed when it came."""
        amount = Money(row.amount_minor, currency_of(row.currency))
        booked_on = date.fromisoformat(row.booked_on)
        facts: dict[str, Any] = {}
        if row.facts_sealed is not None:
            facts = json.loads(self.vault.open(row.facts_sealed, table=TABLE, row_id=row.id, column="facts"))
            if (facts["amount"], facts["booked_on"]) != (str(amount), row.booked_on):
                raise UnreadableRow(f"{TABLE} {row.id}: it was changed after it came")
        said = BankLine(
            account=facts.get("account", ""),
            booked_on=booked_on,
            amount=amount,
            bank_reference=facts.get("reference", ""),
            text=facts.get("text", ""),
            is_reversal=row.is_reversal,
        )
        return KnownLine(row.id, said, row.state, row.proposal_id)


def _facts(line: BankLine, occurrence: int) -> str:
    facts = {
        "account": line.account,
        "booked_on": line.booked_on.isoformat(),
        "amount": str(line.amount),
        "reversal": line.is_reversal,
        "reference": line.bank_reference,
        "text": line.text,
        "occurrence": occurrence,
    }
    return json.dumps(facts, sort_keys=True, ensure_ascii=False)
