"""Lets somebody answer again who was locked, or barred after too many wrong codes: once they have made sure of
themselves with their second factor, or an admin of them.
"""

from dataclasses import dataclass

from sqlmodel import Session

from bot.people.factor_states import Outcome, Tried
from bot.people.people import People
from bot.people.second_factor import SecondFactors
from bot.store.outbox import Outbox
from bot.store.tables import PersonRow
from bot.x.gateway import UserId
from ledger.clock import Clock


@dataclass(frozen=True, slots=True)
class Unlocking:
    people: People
    factors: SecondFactors
    outbox: Outbox
    clock: Clock

    def is_needed(self, person: PersonRow) -> bool:
        """Whether they are locked, for a while or for good."""
        for_a_while = person.locked_until is not None and person.locked_until > self.clock()
        return for_a_while or person.barred_at is not None

    def with_factor(self, session: Session, person: PersonRow, code: str) -> Tried:
        """Only an active factor unlocks: a new one may be the guesser's own. Commit whatever comes of it."""
        self.people.lock(session, [UserId(person.user_id)])
        if not self.factors.standing(session, person).active:
            return Tried(Outcome.NOTHING)
        tried = self.factors.check(session, person, code)
        if tried.accepted:
            self._unlock(session, person)
        return tried

    def by_admin(self, session: Session, person: PersonRow) -> None:
        """Whoever calls this writes down who did it and why, in the same transaction."""
        self.people.lock(session, [UserId(person.user_id)])
        self._unlock(session, person)

    def _unlock(self, session: Session, person: PersonRow) -> None:
        person.barred_at = person.locked_until = None
        person.wrong_answers = person.locks = 0
        person.unlocked_at = self.clock()
        session.add(person)
        session.flush()
        self.outbox.tell(session, person, "answer_unlocked", {})
