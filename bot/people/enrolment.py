"""Coming and going. Only `start`, said to the bot in private, is consent; it is recorded with its time, and `stop` ends it.

Whoever was paid before they came finds their money here; whoever gave an order before they came is asked about it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from bot.language.catalogue import Line, Parameters
from bot.payments.claims import Claims
from bot.payments.halts import WindingDown, are_paused, is_winding_down
from bot.payments.records import Records
from bot.payments.story import Story
from bot.payments.wallets import Wallets
from bot.people.people import Standing
from bot.people.second_factor import SecondFactors
from bot.people.terms import Terms
from bot.store.outbox import Outbox, Priority
from bot.store.tables import PersonRow
from ledger.clock import Clock

WELCOME_AGAIN_AFTER = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Enrolment:
    story: Story
    claims: Claims
    records: Records
    wallets: Wallets
    terms: Terms
    factors: SecondFactors
    outbox: Outbox
    clock: Clock
    bot_username: str
    operator_name: str

    def welcome(self, session: Session, person: PersonRow, *, once: bool) -> None:
        """What the service does, what it keeps, how to start and stop. `once`: friendly words are answered once."""
        if once and person.welcomed_at is not None:
            return
        if self.outbox.told_lately(session, person, "welcome", within=WELCOME_AGAIN_AFTER):
            return
        person.welcomed_at = self.clock()
        session.add(person)
        facts: Parameters = {
            "bot": self.bot_username,
            "operator": self.operator_name,
            "link": self.terms.welcomed(session, person),
        }
        self.outbox.tell(session, person, "welcome", facts)

    def start(
        self, session: Session, person: PersonRow, *, said_at: datetime, in_private: bool = True
    ) -> None:
        """Consent. What was held for this person becomes theirs, and their waiting orders are asked about. A member agrees by
        it to the terms they were shown; in public nobody agrees to anything."""
        if person.standing == Standing.ENROLLED:
            if self.terms.outstanding(person):
                self._ask_terms(session, person, agrees=in_private)
            elif not self._claim(session, person, said_at):
                balance = self.wallets.balance(session, person).available
                self.outbox.tell(session, person, "already_enrolled", {"balance": balance})
            return
        if is_winding_down(session):
            self.outbox.tell(session, person, WindingDown.phrase, {})
            return
        person.standing = Standing.ENROLLED
        person.enrolled_at = self.clock()
        self.terms.agree(session, person)
        session.add(person)
        session.flush()
        self._greet(session, person, said_at)
        if self.records.unasked_since(session, person.user_id, self.clock() - timedelta(days=1)):
            self.outbox.tell(session, person, "order_too_old", {})
        self._ask_terms(session, person, agrees=False)
        self.story.resume_parked(session, person)

    def _ask_terms(self, session: Session, person: PersonRow, *, agrees: bool) -> None:
        if agrees and self.terms.agree(session, person):
            self.outbox.tell(session, person, "terms_agreed", {})
            self.story.resume_parked(session, person)
        elif self.terms.outstanding(person):
            self.terms.show(session, person)

    def _greet(self, session: Session, person: PersonRow, said_at: datetime) -> None:
        claimed = self.claims.claim(session, person, said_at=said_at)
        balance = self.wallets.balance(session, person).available
        self.outbox.tell(session, person, "enrolled", {"bot": self.bot_username, "balance": balance})
        self._tell_claimed(session, person, claimed)

    def _claim(self, session: Session, person: PersonRow, said_at: datetime) -> bool:
        """Again, for what did not fit under what they may hold. False where nothing is or was waiting."""
        claimed = self.claims.claim(session, person, said_at=said_at)
        return self._tell_claimed(session, person, claimed)

    def _tell_claimed(self, session: Session, person: PersonRow, claimed: tuple[Line, ...]) -> bool:
        if claimed:
            balance = self.wallets.balance(session, person).available
            facts: Parameters = {"lines": claimed, "balance": balance}
            self.outbox.tell(session, person, "claimed", facts, priority=Priority.CLAIM)
        waiting = self.claims.waiting(session, person)
        if waiting and are_paused(session):
            self.outbox.tell(session, person, "claim_paused", {"lines": waiting}, priority=Priority.CLAIM)
        elif waiting:
            limit = self.claims.spending.most_held(person)
            self.outbox.tell(session, person, "claim_waits", {"lines": waiting, "limit": limit})
        return bool(claimed or waiting)

    def stop(self, session: Session, person: PersonRow, *, said_at: datetime) -> None:
        """The person leaves: no more messages, no open question of theirs can be answered. Their money stays theirs."""
        was_enrolled = person.standing == Standing.ENROLLED
        self.leave(session, person, said_at=said_at)
        if was_enrolled:
            balance = self.wallets.balance(session, person).available
            self.outbox.tell(session, person, "stopped", {"balance": balance})
        else:
            self.outbox.tell(session, person, "already_stopped", {})

    def leave(self, session: Session, person: PersonRow, *, said_at: datetime) -> None:
        """The same without a word. Its time is that of the person's own "stop": what they said before it counts no more."""
        self.story.cancel_all(session, person)
        self.factors.call_off(session, person)
        person.standing = Standing.STOPPED
        person.stopped_at = said_at
        session.add(person)
        session.flush()
