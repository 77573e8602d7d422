"""`erase me`: somebody asks to be forgotten, confirms it with a code of its own, and is.

Nothing may stand in their wallet or be on its way, so that no money is left without an owner. With an active second factor
a message is not enough, since a stolen session reads messages: then it is done on the page. Open questions about payments
end when it is asked; while one is open its codes go there, so no two questions are answered by one code.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session

from bot.encoding import encode
from bot.errors import Refusal
from bot.keys import Keyring, Purpose, UnknownKey
from bot.language.catalogue import Parameters
from bot.payments.answers import Answers
from bot.payments.challenge import Answer, digits_of
from bot.payments.spending import InDebt, check_not_frozen
from bot.payments.story import Story
from bot.payments.wallets import Wallets
from bot.people.factor_states import Outcome, Tried
from bot.people.forgetting import Forgetting
from bot.people.people import People, Standing
from bot.people.questions import Questions
from bot.people.second_factor import SecondFactors
from bot.store.control_tables import QuestionRow
from bot.store.outbox import Outbox, Priority
from bot.store.tables import PersonRow
from bot.x.gateway import UserId
from ledger.clock import Clock

ENCODING: Final = "smoney-erase-1"
KIND: Final = "erase"
LETTER: Final = "E"
LASTS: Final = timedelta(minutes=5)
ASKED: Final = "erase_asked"


class NotEmpty(Refusal):
    """Money of theirs would be left without an owner."""

    phrase = "erase_not_empty"


class EraseNeedsFactor(Refusal):
    phrase = "erase_needs_factor"


@dataclass(frozen=True, slots=True)
class Erasing:
    story: Story
    wallets: Wallets
    answers: Answers
    factors: SecondFactors
    forgetting: Forgetting
    people: People
    outbox: Outbox
    questions: Questions
    keyring: Keyring
    clock: Clock

    def ask(self, session: Session, person: PersonRow) -> None:
        """Asks for the code. Raises a `Refusal`: frozen, locked, not empty, a second factor is needed."""
        check_not_frozen(person)
        self.answers.check_not_locked(person, self.clock())
        self._check_empty(session, person)
        if self.factors.standing(session, person).active:
            raise EraseNeedsFactor
        self.story.cancel_all(session, person)
        question = self.questions.put(session, person, KIND, lasts=LASTS)
        enrolled = person.standing == Standing.ENROLLED
        priority = Priority.CHALLENGE if enrolled else Priority.ANSWER
        self.outbox.tell(session, person, ASKED, {"asking": question.id}, priority=priority)

    def _check_empty(self, session: Session, person: PersonRow) -> None:
        if person.wallet_id is None:
            return
        balance = self.wallets.balance(session, person)
        if any(money.amount_minor for money in (balance.posted, balance.held, balance.incoming)):
            facts: dict[str, object] = {"balance": balance.posted}
            facts |= {"held": balance.held} if balance.held.amount_minor else {}
            facts |= {"incoming": balance.incoming} if balance.incoming.amount_minor else {}
            raise NotEmpty(**facts)
        debt = self.wallets.debt(session, person)
        if debt.amount_minor:
            raise InDebt(debt=debt)

    def is_asked(self, session: Session, person: PersonRow, *, at: datetime) -> bool:
        """Whether a code they said at that time belongs here."""
        question = self._open(session, person.user_id)
        return question is not None and at <= question.expires_at

    def _open(self, session: Session, person_id: int) -> QuestionRow | None:
        return next(iter(self.questions.open(session, person_id, KIND)), None)

    def call_off(self, session: Session, person: PersonRow) -> bool:
        """The person's "no" to it, or an order of theirs: False where it was not asked."""
        question = self._open(session, person.user_id)
        if question is None:
            return False
        self.questions.close(session, person, KIND)
        return self.clock() <= question.expires_at

    def code_facts(self, session: Session, person_id: int, asked: Parameters) -> Parameters | None:
        """What the question shows, made in the moment it is sent; None where it is asked no more, or was asked again: that
        one is another message, and has another code."""
        question = self._open(session, person_id)
        if question is None or question.expires_at < self.clock():
            return None
        if asked.get("asking", question.id) != question.id:
            return None
        minutes = LASTS // timedelta(minutes=1)
        code, expires_at = self._code(question), question.expires_at
        return {"letter": LETTER, "code": code, "minutes": minutes, "expires_at": expires_at}

    def answer(self, session: Session, person: PersonRow, answer: Answer, *, answered_at: datetime) -> None:
        """A code-shaped message while this is asked. Wrong ones count as wrong answers to any question do. Raises a
        `Refusal`."""
        self.answers.check_not_locked(person, answered_at)
        question = self._open(session, person.user_id)
        if question is None or answered_at > question.expires_at:
            self.questions.close(session, person, KIND)
            self.outbox.tell(session, person, "answer_wrong", {})
        elif answer.letter in {None, LETTER} and self._is_right(question, answer):
            check_not_frozen(person)
            self.questions.close(session, person, KIND)
            self._erase(session, person, said_at=answered_at)
        else:
            wrong = self.answers.count_wrong(session, person)
            self.outbox.tell(session, person, wrong.phrase or "answer_wrong", wrong.parameters)

    def with_factor(self, session: Session, person: PersonRow, code: str) -> Tried:
        """On the page, with a code of the active second factor. Raises a `Refusal`; commit whatever else comes of it."""
        self.people.lock(session, [UserId(person.user_id)])
        check_not_frozen(person)
        self._check_empty(session, person)
        if not self.factors.standing(session, person).active:
            return Tried(Outcome.NOTHING)
        tried = self.factors.check(session, person, code)
        if tried.accepted:
            self._erase(session, person, said_at=self.clock())
        return tried

    def _erase(self, session: Session, person: PersonRow, *, said_at: datetime) -> None:
        self._check_empty(session, person)
        self.story.cancel_all(session, person)
        self.outbox.tell(session, person, "erased", {})
        self.forgetting.forget(session, person, said_at=said_at)

    def _is_right(self, question: QuestionRow, answer: Answer) -> bool:
        try:
            return hmac.compare_digest(self._code(question), answer.digits)
        except UnknownKey:  # retired since
            return False

    def _code(self, question: QuestionRow) -> str:
        """Bound to this person, this asking and its end; never stored."""
        bound = encode(
            ENCODING, question.person_id, question.id, question.nonce, question.expires_at, question.key_id
        )
        return digits_of(bound, self.keyring.derive(Purpose.CHALLENGE_CODE, question.key_id))
