"""Judges what came as an answer: which question it belongs to, whether its code is right and in time, and what a
wrong one costs.

Wrong, used and expired are said in the same words, so that an answer teaches nothing. Only a code tried against an
open question is counted; five wrong ones in a row lock the person for a growing time. A right one does not clear what
was counted in 30 days: after twenty, only the second factor or an admin unlocks ([`unlocking`](unlocking.py)).
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlmodel import Session

from bot.errors import Refusal
from bot.keys import Keyring, Purpose, UnknownKey
from bot.language.catalogue import Value
from bot.payments.asking import Asking
from bot.payments.challenge import Answer, Verdict, judge
from bot.payments.limits import lock_seconds
from bot.payments.records import Records
from bot.payments.rules import Rules
from bot.store.tables import ChallengeRow, IntentRow, PersonRow
from ledger.clock import Clock

REMEMBERED_FOR = timedelta(days=1)
"""How long a code that was replaced is told apart from a wrong one."""


DAYS_30 = timedelta(days=30)


class AnswerLocked(Refusal):
    phrase = "answer_locked"


class AnswerBarred(Refusal):
    """Too many wrong ones in 30 days: waiting does not help any more."""

    phrase = "answer_barred"


@dataclass(frozen=True, slots=True)
class Judged:
    """Either the challenge that was answered rightly, or the sentence that says why not."""

    challenge: ChallengeRow | None = None
    phrase: str | None = None
    parameters: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answers:
    records: Records
    asking: Asking
    keyring: Keyring
    rules: Rules
    clock: Clock

    def check_not_locked(self, payer: PersonRow, at: datetime) -> None:
        """Raises `AnswerBarred` or `AnswerLocked` where this person may not answer at that time."""
        if payer.barred_at is not None:
            raise AnswerBarred
        if payer.locked_until is not None and at < payer.locked_until:
            raise AnswerLocked(until=payer.locked_until)

    def judge(self, session: Session, payer: PersonRow, answer: Answer, *, answered_at: datetime) -> Judged:
        if self.clock() - answered_at > self.rules.answer_may_wait:
            return Judged(phrase="answer_too_late")
        try:
            self.check_not_locked(payer, answered_at)
        except Refusal as locked:
            return Judged(phrase=locked.phrase, parameters=locked.parameters)
        candidates = self._candidates(session, payer, answer)
        if len(candidates) > 1:
            letters = tuple(sorted(challenge.letter for challenge in candidates))
            return Judged(phrase="answer_which", parameters={"letters": letters})
        return self._try(session, payer, answer, candidates, answered_at)

    def _candidates(self, session: Session, payer: PersonRow, answer: Answer) -> Sequence[ChallengeRow]:
        """The open questions this can belong to: the letter picks one and only that is tried."""
        challenges = self.records.challenges(session, payer.user_id, "open")
        return [row for row in challenges if answer.letter in {None, row.letter}]

    def _try(
        self,
        session: Session,
        payer: PersonRow,
        answer: Answer,
        candidates: Sequence[ChallengeRow],
        answered_at: datetime,
    ) -> Judged:
        verdict = Verdict.LATE
        if candidates:
            verdict = self._verdict(session, answer, candidates[0], answered_at)
        if verdict is Verdict.RIGHT:
            return Judged(challenge=candidates[0])
        if superseded := self._superseded(session, payer, answer, answered_at):
            return Judged(phrase="answer_superseded", parameters={"reference": superseded})
        if verdict is Verdict.LATE:
            return Judged(phrase="answer_wrong")
        return self.count_wrong(session, payer)

    def _verdict(
        self, session: Session, answer: Answer, challenge: ChallengeRow, answered_at: datetime
    ) -> Verdict:
        asked = self.asking.asked(session, challenge)
        key = self.keyring.derive(Purpose.CHALLENGE_CODE, asked.key_id)
        return judge(answer, asked, key, answered_at=answered_at)

    def _superseded(
        self, session: Session, payer: PersonRow, answer: Answer, answered_at: datetime
    ) -> str | None:
        """The reference of an order this code belonged to before it changed: an honest mistake, not a guess."""
        for challenge in self.records.challenges(session, payer.user_id, "superseded"):
            if challenge.expires_at is None or challenge.expires_at < answered_at - REMEMBERED_FOR:
                continue
            if answer.letter in {None, challenge.letter} and self._is_code_of(session, answer, challenge):
                return session.get_one(IntentRow, challenge.intent_id).reference
        return None

    def _is_code_of(self, session: Session, answer: Answer, challenge: ChallengeRow) -> bool:
        try:
            code = self.asking.code(self.asking.asked(session, challenge))
        except UnknownKey:  # retired since: nobody can tell any more
            return False
        return hmac.compare_digest(code, answer.digits)

    def count_wrong(self, session: Session, payer: PersonRow) -> Judged:
        """What a wrong answer costs, and how it is told."""
        payer.wrong_answers += 1
        session.add(payer)
        if self.records.count_wrong_answer(session, payer, DAYS_30) >= self.rules.wrong_answers_in_30_days:
            payer.barred_at = self.clock()
            session.flush()
            return Judged(phrase=AnswerBarred.phrase)
        remaining = self.rules.wrong_answers_before_lock - payer.wrong_answers
        if remaining > 0:
            return Judged(
                phrase="answer_wrong", parameters={"remaining": remaining if remaining == 1 else None}
            )
        seconds = lock_seconds(payer.locks, rules=self.rules)
        payer.locked_until = self.clock() + timedelta(seconds=seconds)
        payer.locks += 1
        payer.wrong_answers = 0
        session.flush()
        return Judged(phrase="answer_locked", parameters={"until": payer.locked_until})
