"""A person's own brake: at their word nothing leaves their wallet any more, and only the full confirmation lets go of it.

`freeze` needs no code and goes before everything else; it works under a post too, since whoever fears for their session
may have nothing else at hand. Open questions end, and the ledger refuses debits of the wallet. Money on its way in still
comes, and what was held for somebody goes its way. An operator can freeze as well, and then only the operator thaws.

To thaw, the person is asked for a code of its own, bound to this freeze and nobody else's; with an active second factor
a message is not enough, since a stolen session reads messages: then it is done on the page.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel import Session

from bot.encoding import encode
from bot.errors import Refusal
from bot.keys import Keyring, Purpose, UnknownKey
from bot.language.catalogue import Parameters
from bot.payments.answers import Answers
from bot.payments.challenge import Answer, digits_of
from bot.payments.spending import AccountFrozen
from bot.payments.story import Story
from bot.payments.wallets import Wallets
from bot.people.factor_states import Outcome, Tried
from bot.people.people import People
from bot.people.second_factor import SecondFactors
from bot.store.outbox import Outbox, Priority
from bot.store.tables import PersonRow
from bot.x.gateway import UserId
from ledger.clock import Clock, Entropy

ENCODING = "smoney-thaw-1"
LETTER = "T"
"""While somebody is frozen no payment of theirs is asked about, so no other question can have it."""
LASTS = timedelta(minutes=5)
NONCE_BYTES = 16
ASKED = "thaw_asked"


class FrozenBy(StrEnum):
    SELF = "self"
    OPERATOR = "operator"


class FrozenByOperator(Refusal):
    phrase = "frozen_by_operator"


class ThawNeedsFactor(Refusal):
    phrase = "thaw_needs_factor"


@dataclass(frozen=True, slots=True)
class Freezing:
    story: Story
    wallets: Wallets
    answers: Answers
    factors: SecondFactors
    people: People
    outbox: Outbox
    keyring: Keyring
    clock: Clock
    entropy: Entropy

    def freeze(
        self,
        session: Session,
        person: PersonRow,
        *,
        by: FrozenBy = FrozenBy.SELF,
        in_private: bool = False,
    ) -> None:
        """At once, however often it is said. The operator's freeze takes the place of the person's own, never the other
        way round. They are told where they have written to the bot before, or just did, `in_private`: X delivers to
        nobody else."""
        self.story.cancel_all(session, person)
        self.wallets.freeze(session, person)
        if person.frozen_by != FrozenBy.OPERATOR:
            person.frozen_by = by.value
        person.frozen_at = person.frozen_at or self.clock()
        person.thaw_nonce = person.thaw_key_id = person.thaw_expires_at = None
        session.add(person)
        session.flush()
        self.factors.call_off(session, person)
        if in_private or person.welcomed_at is not None or person.enrolled_at is not None:
            phrase = "frozen" if person.frozen_by == FrozenBy.SELF else FrozenByOperator.phrase
            self.outbox.tell(session, person, phrase, {})

    # Thawing

    def ask(self, session: Session, person: PersonRow) -> None:
        """The person wants their account back: asks for the code. Raises a `Refusal` where a message is not enough."""
        if person.frozen_at is None:
            self.outbox.tell(session, person, "not_frozen", {})
            return
        _check_may_thaw(person)
        self.answers.check_not_locked(person, self.clock())
        if self.factors.standing(session, person).active:
            raise ThawNeedsFactor
        person.thaw_nonce = self.entropy(NONCE_BYTES)
        person.thaw_key_id = self.keyring.current_id
        person.thaw_expires_at = self.clock() + LASTS
        session.add(person)
        facts: Parameters = {"asking": person.thaw_nonce.hex()}
        self.outbox.tell(session, person, ASKED, facts, priority=Priority.CHALLENGE)

    def code_facts(self, session: Session, person_id: int, asked: Parameters) -> Parameters | None:
        """What the question shows, made in the moment it is sent; None where it is asked no more, or was asked again: that
        one is another message, and has another code."""
        person = session.get_one(PersonRow, person_id)
        expires_at = person.thaw_expires_at
        if person.frozen_at is None or expires_at is None or expires_at < self.clock():
            return None
        if (
            person.thaw_nonce is None
            or asked.get("asking", person.thaw_nonce.hex()) != person.thaw_nonce.hex()
        ):
            return None
        minutes = int(LASTS.total_seconds() // 60)
        return {"letter": LETTER, "code": self._code(person), "minutes": minutes, "expires_at": expires_at}

    def answer(self, session: Session, person: PersonRow, answer: Answer, *, answered_at: datetime) -> None:
        """A code-shaped message of somebody who is frozen. Wrong ones count as wrong answers to any question do.

        Raises a `Refusal`: locked, frozen by the operator, a second factor is needed.
        """
        _check_may_thaw(person)
        self.answers.check_not_locked(person, answered_at)
        expires_at = person.thaw_expires_at
        if expires_at is None:
            raise AccountFrozen
        if self.factors.standing(session, person).active:
            raise ThawNeedsFactor
        right = answer.letter in {None, LETTER} and self._is_right(person, answer)
        if answered_at > expires_at:
            self.outbox.tell(session, person, "answer_wrong", {})
        elif right:
            self._thaw(session, person)
        else:
            wrong = self.answers.count_wrong(session, person)
            self.outbox.tell(session, person, wrong.phrase or "answer_wrong", wrong.parameters)

    def with_factor(self, session: Session, person: PersonRow, code: str) -> Tried:
        """On the page, with a code of the active second factor. Commit whatever comes of it: a wrong one is counted."""
        self.people.lock(session, [UserId(person.user_id)])
        if person.frozen_by != FrozenBy.SELF or not self.factors.standing(session, person).active:
            return Tried(Outcome.NOTHING)
        tried = self.factors.check(session, person, code)
        if tried.accepted:
            self._thaw(session, person)
        return tried

    def by_operator(self, session: Session, person: PersonRow) -> None:
        """Whoever calls this writes down who did it and why, in the same transaction."""
        self.people.lock(session, [UserId(person.user_id)])
        if person.frozen_at is not None:
            self._thaw(session, person)

    def _thaw(self, session: Session, person: PersonRow) -> None:
        self.wallets.thaw(session, person)
        person.frozen_at = person.frozen_by = None
        person.thaw_nonce = person.thaw_key_id = person.thaw_expires_at = None
        session.add(person)
        session.flush()
        balance = self.wallets.balance(session, person).available
        self.outbox.tell(session, person, "thawed", {"balance": balance})

    def _is_right(self, person: PersonRow, answer: Answer) -> bool:
        try:
            return hmac.compare_digest(self._code(person), answer.digits)
        except UnknownKey:  # retired since
            return False

    def _code(self, person: PersonRow) -> str:
        """Bound to this person, this freeze, this asking and its end; never stored."""
        bound = encode(
            ENCODING,
            person.user_id,
            person.frozen_at,
            person.thaw_nonce,
            person.thaw_expires_at,
            person.thaw_key_id,
        )
        return digits_of(bound, self.keyring.derive(Purpose.CHALLENGE_CODE, person.thaw_key_id))


def _check_may_thaw(person: PersonRow) -> None:
    if person.frozen_by == FrozenBy.OPERATOR:
        raise FrozenByOperator
