"""Ends what has run out, whatever nobody said: questions without an answer, orders nobody could be asked about, held
money nobody came for. Reminds people of a second factor that is under way.

Being late here changes nothing: whether something was in time is decided where it is claimed or answered.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from bot.language.catalogue import Parameters
from bot.payments.claims import Claims
from bot.payments.halts import are_paused, is_winding_down
from bot.payments.intents import IntentState
from bot.payments.records import Records
from bot.payments.reviews import Reviews
from bot.payments.rules import Rules
from bot.people.people import People
from bot.people.second_factor import SecondFactors
from bot.store.inbox import Inbox
from bot.store.outbox import Outbox, Priority
from bot.store.tables import IntentRow
from bot.x.gateway import UserId
from ledger.clock import Clock

STILL_ON_THE_WAY = timedelta(seconds=30)
"""X may show a message a while after it was sent."""
SENT_BACK_AT_ONCE = 200
"""So many holds go back in one sweep when the service ends: one transaction stays short."""


@dataclass(frozen=True, slots=True)
class Sweep:
    records: Records
    claims: Claims
    people: People
    factors: SecondFactors
    reviews: Reviews
    inbox: Inbox
    outbox: Outbox
    rules: Rules
    clock: Clock

    def run(self, session: Session, *, messages_read_at: datetime | None) -> None:
        """One pass. `messages_read_at` is when the messages were last read to their end: an answer given in time may
        still be unread, so a question expires only once everything said before its end has been read and worked."""
        paused = are_paused(session)
        if messages_read_at is not None:
            self._expire_unanswered(session, messages_read_at - STILL_ON_THE_WAY)
        if messages_read_at is not None and not paused:
            self._expire_unclaimed(session, messages_read_at - STILL_ON_THE_WAY)
            self._let_through(session, messages_read_at - STILL_ON_THE_WAY)
        if not paused:
            self.reviews.expire(session)
            self._wind_down(session)
        self._lapse(session)
        self.factors.remind(session)

    def _expire_unanswered(self, session: Session, read_until: datetime) -> None:
        for challenge in self.records.expired_challenges(session, read_until):
            intent = self._locked(session, challenge.intent_id)
            is_open = intent.state == IntentState.ASKING and intent.version == challenge.version
            if is_open and not self.inbox.has_waiting(session, UserId(intent.payer_id)):
                self._end(session, intent, IntentState.EXPIRED)
                facts: Parameters = {
                    "reference": intent.reference,
                    "total": self.records.total(intent),
                    "lines": self.records.told_lines(session, intent),
                }
                self._tell(session, intent, "challenge_expired", facts)

    def _locked(self, session: Session, intent_id: int) -> IntentRow:
        """The intent as it is once nobody else can change it: whoever works for its payer holds the payer."""
        intent = session.get_one(IntentRow, intent_id)
        self.people.lock(session, [UserId(intent.payer_id)])
        session.refresh(intent)
        return intent

    def _expire_unclaimed(self, session: Session, read_until: datetime) -> None:
        """A "start" said in time may still wait to be worked, as an answer may."""
        due = self.records.holds_due(session, read_until)
        unclaimed = [hold for hold in due if not self.inbox.has_waiting(session, UserId(hold[0].payee_id))]
        self.claims.expire(session, unclaimed)

    def _wind_down(self, session: Session) -> None:
        if is_winding_down(session):
            self.claims.send_back(session, self.records.held_soonest(session, most=SENT_BACK_AT_ONCE))

    def _let_through(self, session: Session, read_until: datetime) -> None:
        """What can be undone no more. A "cancel" said in time may still wait to be worked."""
        for line, intent in self.records.undoable_until(session, read_until):
            if not self.inbox.has_waiting(session, UserId(intent.payer_id)):
                self.claims.let_through(session, line, intent)

    def _lapse(self, session: Session) -> None:
        """An order whose question could not be put within the hour, or whose payer did not enrol in time."""
        now = self.clock()
        for unasked in self.records.never_asked(session, now - self.rules.order_may_wait):
            intent = self._locked(session, unasked.id)
            if intent.state != IntentState.ASKING:
                continue
            self._end(session, intent, IntentState.LAPSED)
            self._tell(session, intent, "order_lapsed", {"reference": intent.reference})
        for parked in self.records.parked_before(session, now - self.rules.parked_may_wait):
            intent = self._locked(session, parked.id)
            if intent.state == IntentState.PARKED:
                self._end(session, intent, IntentState.LAPSED)

    def _end(self, session: Session, intent: IntentRow, state: IntentState) -> None:
        self.records.end_challenges(session, intent, "closed")
        self.records.close(session, intent, state)

    def _tell(self, session: Session, intent: IntentRow, phrase: str, facts: Parameters) -> None:
        payer = self.people.get(session, UserId(intent.payer_id))
        self.outbox.tell(session, payer, phrase, facts, priority=Priority.NOTICE)
