"""The payer's questions on the operator's own page, for when direct messages are exhausted or cannot be read.

The page shows the same facts as the message, and the answer is bound to them: the form carries the question's code,
which is computed from everything shown, so that an order edited meanwhile is not paid under the old facts. Who answers
is shown by a code of their second factor. Acting needs a POST; these functions write, so call each in one
`database.write`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from bot.book import is_paused
from bot.keys import Keyring, Purpose
from bot.language.catalogue import Parameters
from bot.payments.asking import Asking
from bot.payments.authorisations import Cause
from bot.payments.challenge import Asked, Verdict, judge, parse_answer
from bot.payments.intents import IntentState
from bot.payments.records import Records
from bot.payments.story import Story
from bot.people.factor_states import Outcome, Tried
from bot.people.people import People
from bot.people.second_factor import SecondFactors
from bot.store.tables import ChallengeRow, IntentRow, PersonRow
from bot.x.gateway import UserId
from ledger.clock import Clock


@dataclass(frozen=True, slots=True)
class Question:
    """One open question. `facts` are all parameters of the phrase `challenge`, as the message has them; `answer` is
    what the form carries back, hidden."""

    challenge_id: int
    answer: str
    facts: Parameters


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of it: `tried` is about the code of the second factor. `state` is the order's after it, None where
    the question is no longer open, or not as it was shown."""

    tried: Tried
    state: IntentState | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class PageAnswers:
    records: Records
    asking: Asking
    story: Story
    people: People
    factors: SecondFactors
    keyring: Keyring
    clock: Clock

    def questions(self, session: Session, payer: PersonRow) -> Sequence[Question]:
        """What this person can answer now, newest first; nothing while the book is paused. One whose message still waits
        to be sent gets its time here."""
        if is_paused(session):
            return []
        self.people.lock(session, [UserId(payer.user_id)])
        return [
            self._question(session, payer, challenge, asked)
            for challenge in self.records.challenges(session, payer.user_id, "queued", "open")
            if (asked := self._asked(session, challenge)) is not None and asked.expires_at >= self.clock()
        ]

    def _asked(self, session: Session, challenge: ChallengeRow) -> Asked | None:
        """A question that went out keeps its nonce and time, whatever became of the message."""
        return self.asking.issue(session, challenge, may_be_out=challenge.state == "open")

    def _question(
        self, session: Session, payer: PersonRow, challenge: ChallengeRow, asked: Asked
    ) -> Question:
        intent = session.get_one(IntentRow, challenge.intent_id)
        facts = self.asking.facts(session, payer, intent, edited=False)
        code = self.asking.code(asked)
        facts = {**facts, **self.asking.code_facts(challenge, asked)}
        return Question(challenge.id, f"{challenge.letter} {code}", facts)

    def answer(
        self, session: Session, payer: PersonRow, challenge_id: int, *, answer: str, code: str
    ) -> Answered:
        """`answer` comes back from the form as it was shown; `code` is of the second factor. A wrong one is counted
        there, so commit whatever comes of it."""
        self.people.lock(session, [UserId(payer.user_id)])
        challenge = session.get(ChallengeRow, challenge_id)
        if (
            is_paused(session)
            or challenge is None
            or not self._is_as_shown(session, payer, challenge, answer)
        ):
            return Answered(Tried(Outcome.NOTHING))
        tried = self.factors.check(session, payer, code)
        if not tried.accepted:
            return Answered(tried)
        self.story.pay(session, payer, challenge, cause=Cause.PAGE, evidence=challenge.id)
        intent = session.get_one(IntentRow, challenge.intent_id)
        return Answered(tried, IntentState(intent.state), intent.reference)

    def _is_as_shown(self, session: Session, payer: PersonRow, challenge: ChallengeRow, answer: str) -> bool:
        if challenge.payer_id != payer.user_id or challenge.state != "open":
            return False
        asked = self.asking.asked(session, challenge)
        key = self.keyring.derive(Purpose.CHALLENGE_CODE, asked.key_id)
        given = parse_answer(answer)
        return (
            given is not None
            and given.letter == challenge.letter
            and judge(given, asked, key, answered_at=self.clock()) is Verdict.RIGHT
        )

    def cancel(self, session: Session, payer: PersonRow, challenge_id: int) -> bool:
        """The payer's no; False where there is nothing open to refuse. It needs no code."""
        self.people.lock(session, [UserId(payer.user_id)])
        challenge = session.get(ChallengeRow, challenge_id)
        if challenge is None or challenge.payer_id != payer.user_id:
            return False
        intent = session.get_one(IntentRow, challenge.intent_id)
        if intent.state != IntentState.ASKING:
            return False
        self.story.cancel(session, payer, intent)
        return True
