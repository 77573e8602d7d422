"""The operator's terms: whoever pays has agreed to the version in force, after it was shown to them.

They stand on a page of the operator's; here is only which version it is. `start`, said in private, is how people agree, to
begin with and again: there is one word for consent.
"""

from dataclasses import dataclass

from sqlmodel import Session

from bot.errors import Refusal
from bot.language.catalogue import Parameters
from bot.store.outbox import Outbox
from bot.store.tables import PersonRow


class TermsNotAccepted(Refusal):
    """What they agreed to is not in force any more."""

    phrase = "terms_asked"


@dataclass(frozen=True, slots=True)
class Terms:
    """`version` 0: this operator has none."""

    version: int
    address: str
    outbox: Outbox

    def outstanding(self, person: PersonRow) -> bool:
        return self.version > (person.terms_version or 0)

    def show(self, session: Session, person: PersonRow, *, waits: bool = False) -> None:
        """Asks for their agreement. `waits`: an order of theirs waits for it."""
        self._note_shown(session, person)
        self.outbox.tell(session, person, TermsNotAccepted.phrase, {**self._facts(), "waits": waits or None})

    def check(self, session: Session, person: PersonRow) -> None:
        """Raises `TermsNotAccepted`, which shows them."""
        if self.outstanding(person):
            self._note_shown(session, person)
            raise TermsNotAccepted(**self._facts())

    def welcomed(self, session: Session, person: PersonRow) -> str | None:
        """Where they stand, for the first words said to somebody; None where there are none."""
        if not self.version:
            return None
        self._note_shown(session, person)
        return self.address

    def agree(self, session: Session, person: PersonRow) -> bool:
        """To the version in force, if it is the one they were shown; False where nothing was agreed to."""
        if not self.outstanding(person) or person.terms_shown_version != self.version:
            return False
        person.terms_version = self.version
        session.add(person)
        session.flush()
        return True

    def _note_shown(self, session: Session, person: PersonRow) -> None:
        person.terms_shown_version = self.version
        session.add(person)
        session.flush()

    def _facts(self) -> Parameters:
        return {"link": self.address, "version": self.version}
