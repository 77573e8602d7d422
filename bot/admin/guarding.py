"""What an admin may do about a person and a payment: say how well somebody is known, let them answer again, end a
second factor whose owner has lost it, and decide a review. Each is written down with who and why, in its transaction.
"""

from dataclasses import dataclass

from sqlmodel import Session

from bot.admin.log import Actor, AuditLog
from bot.admin.members import Members
from bot.errors import Misconfigured
from bot.payments.halts import PaymentsPaused
from bot.payments.reviews import NotUnderReview, Reviews
from bot.payments.unlocking import Unlocking
from bot.people.people import People
from bot.people.second_factor import SecondFactors
from bot.people.tiers import Tier
from bot.store.tables import IntentRow, PersonRow
from ledger.clock import Clock

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Guarding:
    members: Members
    people: People
    factors: SecondFactors
    unlocking: Unlocking
    reviews: Reviews
    log: AuditLog
    clock: Clock

    def set_tier(self, session: Session, actor: Actor, who: str, tier: Tier, *, reason: str) -> None:
        person = self.members.taken(session, who)
        facts = {"from": person.tier, "to": tier.value}
        self.log.record(session, actor, "person.tier", _subject(person), reason=reason, facts=facts)
        self.people.set_tier(session, person, tier, at=self.clock())

    def unlock(self, session: Session, actor: Actor, who: str, *, reason: str) -> None:
        person = self.members.taken(session, who)
        self.log.record(session, actor, "person.unlock", _subject(person), reason=reason)
        self.unlocking.by_admin(session, person)

    def end_factor(self, session: Session, actor: Actor, who: str, *, reason: str) -> None:
        """For who has lost the app and every recovery code, once an admin has made sure of them in another way."""
        person = self.members.taken(session, who)
        self.log.record(session, actor, "person.end-factor", _subject(person), reason=reason)
        self.factors.forget(session, person)

    def waiting(self, session: Session) -> list[Row]:
        """The payments to look at, oldest first."""
        return [
            {
                "reference": intent.reference,
                "payer": intent.payer_id,
                "amount_minor": intent.total_minor,
                "currency": intent.currency,
                "alarms": review.alarms,
                "since": review.opened_at.isoformat(),
            }
            for review in self.reviews.waiting(session)
            for intent in [session.get_one(IntentRow, review.intent_id)]
        ]

    def decide(self, session: Session, actor: Actor, reference: str, *, release: bool, reason: str) -> None:
        """Raises `Misconfigured` where this payment is not, or no longer, under review, or payments are paused."""
        action = "review.release" if release else "review.refuse"
        self.log.record(session, actor, action, f"payment {reference}", reason=reason)
        try:
            (self.reviews.release if release else self.reviews.refuse)(session, reference)
        except NotUnderReview:
            raise Misconfigured(
                "REFERENCE",
                f"{reference} is not under review.",
                example="one that `smoney reviews list` shows",
            ) from None
        except PaymentsPaused:
            raise Misconfigured(
                reference, "waits: payments are paused.", example="smoney resume payments --reason ..."
            ) from None


def _subject(person: PersonRow) -> str:
    return f"person {person.user_id}"
