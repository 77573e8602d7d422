"""Payees somebody trusts, whom they pay without a code where the operator allows it.

Trusting takes more than a message, since a stolen session writes messages: it is asked for in one, and confirmed on the
page with a code of the active second factor (RTS (EU) 2018/389 art. 13 asks for no less). Taking it back takes a word.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session

from bot.errors import Refusal
from bot.language.catalogue import Label
from bot.payments.exemptions import TrustedPayees
from bot.payments.spending import check_not_frozen
from bot.people.factor_states import Outcome, Tried
from bot.people.people import People
from bot.people.questions import Questions
from bot.people.second_factor import SecondFactors
from bot.store.control_tables import QuestionRow
from bot.store.outbox import Outbox
from bot.store.tables import PersonRow
from bot.x.gateway import UserId
from ledger.clock import Clock

KIND: Final = "trust"
LASTS: Final = timedelta(hours=1)


class TrustNotOffered(Refusal):
    """This operator asks for a code each time."""

    phrase = "trust_not_offered"


class TrustNeedsFactor(Refusal):
    phrase = "trust_needs_factor"


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody who waits to be trusted."""

    id: int
    payee: Label
    until: datetime


@dataclass(frozen=True, slots=True)
class Trusting:
    trusted: TrustedPayees
    factors: SecondFactors
    people: People
    outbox: Outbox
    questions: Questions
    clock: Clock
    offered: bool

    def ask(self, session: Session, person: PersonRow, payee_id: UserId) -> None:
        """Puts it on the person's page. Raises a `Refusal`: not offered, frozen, no second factor."""
        if not self.offered:
            raise TrustNotOffered
        check_not_frozen(person)
        if not self.factors.standing(session, person).active:
            raise TrustNeedsFactor
        payee = self.people.get(session, payee_id)
        if payee_id not in self.trusted.of(session, person):
            self.questions.put(session, person, KIND, lasts=LASTS, about=payee_id)
            self.outbox.tell(session, person, "trust_asked", {"payee": self.people.shown(payee)})
        else:
            self.outbox.tell(session, person, "trusted", {"payee": self.people.shown(payee)})

    def asked(self, session: Session, person: PersonRow) -> Sequence[Asked]:
        """What waits on their page, the first first."""
        now = self.clock()
        return [
            Asked(row.id, self._label(session, row.subject_id or 0), row.expires_at)
            for row in self.questions.open(session, person.user_id, KIND)
            if row.expires_at > now
        ]

    def confirm(self, session: Session, person: PersonRow, question_id: int, code: str) -> Tried:
        """On the page. Commit whatever comes of it: a wrong code is counted. Raises `AccountFrozen`."""
        check_not_frozen(person)
        if not self.offered or question_id not in {one.id for one in self.asked(session, person)}:
            return Tried(Outcome.NOTHING)
        payee_id = UserId(session.get_one(QuestionRow, question_id).subject_id or 0)
        tried = self.trusted.add(session, person, payee_id, code=code)
        if tried.accepted:
            self.questions.close(session, person, KIND, about=payee_id)
            self.outbox.tell(session, person, "trusted", {"payee": self._label(session, payee_id)})
        return tried

    def stop(self, session: Session, person: PersonRow, payee_id: UserId) -> None:
        """At once, and without a word: whoever says it tells them."""
        self.questions.close(session, person, KIND, about=payee_id)
        self.trusted.remove(session, person, payee_id)

    def labels(self, session: Session, person: PersonRow) -> tuple[Label, ...]:
        """Whom they trust, where that means anything."""
        if not self.offered:
            return ()
        return tuple(self._label(session, payee_id) for payee_id in self.trusted.of(session, person))

    def _label(self, session: Session, user_id: int) -> Label:
        return self.people.shown(self.people.get(session, UserId(user_id)))
