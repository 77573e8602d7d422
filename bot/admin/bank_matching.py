"""What a line of the bank belongs to: the proposal that speaks of it, or the one member its text names.

Whatever fits twice fits nothing, and stays for a person to say. Nothing here moves money.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import exists, or_
from sqlmodel import Session, col, select

from bot.admin.pages import LARGEST_ID
from bot.admin.proposals import Proposals
from bot.funding.statements import BankLine
from bot.people.people import Standing
from bot.store.admin_tables import BankLineRow, ProposalRow
from bot.store.tables import PersonRow
from bot.store.vault import Vault

MOST_LOOKED_AT: Final = 200
SHORTEST_REFERENCE: Final = 4
"""A shorter one is found in any text; it counts only as the bank's own name of the line."""
_HANDLE: Final = re.compile(
    r"(?:(?<![\w.])@|\(at\) ?)([A-Za-z0-9_]{1,15})(?![A-Za-z0-9_@]|\.[A-Za-z])", re.IGNORECASE
)
"""Banks let no @ through; (at) is what stands for it."""
_NUMBER: Final = re.compile(r"(?<![A-Za-z0-9])[1-9][0-9]{5,18}(?![A-Za-z0-9])")
"""X's numeric ids. Shorter ones are as old as X; such a number is more often a postcode."""
_UNTIED: Final = ~exists().where(col(BankLineRow.proposal_id) == col(ProposalRow.id))


@dataclass(frozen=True, slots=True)
class Matching:
    proposals: Proposals
    vault: Vault

    def member_named(self, session: Session, text: str) -> PersonRow | None:
        """The one member whose number or handle (as last seen, and of nobody else known) stands in the text."""
        named = {person.user_id: person for person in self._named(session, text)}
        if len(named) != 1:
            return None
        (person,) = named.values()
        return person if person.standing == Standing.ENROLLED else None

    def _named(self, session: Session, text: str) -> Iterator[PersonRow]:
        for number in set(_NUMBER.findall(text)):
            person = session.get(PersonRow, int(number)) if int(number) <= LARGEST_ID else None
            if person is not None:
                yield person
        for handle in {found.lower() for found in _HANDLE.findall(text)}:
            indexes = self.vault.blind_indexes(handle, "username")
            yield from session.exec(select(PersonRow).where(col(PersonRow.username_index).in_(indexes)))

    def proposal_of(self, session: Session, line: BankLine) -> ProposalRow | None:
        """The one proposal of this amount, open or done, whose reference is that of the line or stands in its text."""
        fitting = [
            row
            for row in self.untied(session, line)
            if _speaks_of(line, self.proposals.opened(row).reference)
        ]
        return fitting[0] if len(fitting) == 1 else None

    def untied(
        self,
        session: Session,
        line: BankLine,
        *,
        person_id: int | None = None,
        proposal_id: int | None = None,
    ) -> list[ProposalRow]:
        """Proposals of this amount and direction that no line belongs to yet, the newest first."""
        kinds = ("fund", "operator_fund") if line.amount.amount_minor > 0 else ("payout",)
        rows = select(ProposalRow).where(
            col(ProposalRow.kind).in_(kinds),
            ProposalRow.amount_minor == abs(line.amount.amount_minor),
            ProposalRow.currency == line.amount.currency.code,
            or_(self.proposals.in_state("open"), self.proposals.in_state("done")),
            _UNTIED,
        )
        if person_id is not None:
            rows = rows.where(ProposalRow.person_id == person_id)
        if proposal_id is not None:
            rows = rows.where(ProposalRow.id == proposal_id)
        return list(session.exec(rows.order_by(col(ProposalRow.id).desc()).limit(MOST_LOOKED_AT)))


def _speaks_of(line: BankLine, reference: str) -> bool:
    wanted, own, text = (_folded(words) for words in (reference, line.bank_reference, line.text))
    if not wanted:
        return False
    stands_in_text = rf"(?<![^\W_]){re.escape(wanted)}(?![^\W_])"
    return wanted == own or (
        len(wanted) >= SHORTEST_REFERENCE and re.search(stands_in_text, text) is not None
    )


def _folded(words: str) -> str:
    return " ".join(words.casefold().split())
