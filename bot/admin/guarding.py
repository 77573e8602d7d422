"""What an admin may do about a person and a payment: say how well somebody is known, let them answer again, end a
second factor whose owner has lost it, and decide a review. Each is written down with who and why, in its transaction.
"""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from bot.admin.log import Actor, AuditLog
from bot.errors import Misconfigured
from bot.keys import keyring_from
from bot.limits_file import limits_of
from bot.payments.asking import Asking
from bot.payments.authorisations import Authorisations
from bot.payments.claims import Claims
from bot.payments.records import Records
from bot.payments.reviews import NotUnderReview, Reviews
from bot.payments.spending import Spending
from bot.payments.unlocking import Unlocking
from bot.payments.wallets import Wallets
from bot.people.locking import Locking
from bot.people.people import People
from bot.people.second_factor import SecondFactors
from bot.people.tiers import Tier
from bot.settings import Settings
from bot.store.outbox import Outbox
from bot.store.tables import IntentRow, PersonRow
from bot.store.vault import Vault
from bot.wiring import World, rules_of
from bot.x.gateway import UserId
from ledger.book import Ledger
from ledger.clock import Clock, IdSource

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Guarding:
    people: People
    vault: Vault
    factors: SecondFactors
    unlocking: Unlocking
    reviews: Reviews
    log: AuditLog
    clock: Clock

    def set_tier(self, session: Session, actor: Actor, who: str, tier: Tier, *, reason: str) -> None:
        person = self.person(session, who)
        facts = {"from": person.tier, "to": tier.value}
        self.log.record(session, actor, "person.tier", _subject(person), reason=reason, facts=facts)
        self.people.set_tier(session, person, tier, at=self.clock())

    def unlock(self, session: Session, actor: Actor, who: str, *, reason: str) -> None:
        person = self.person(session, who)
        self.log.record(session, actor, "person.unlock", _subject(person), reason=reason)
        self.unlocking.by_admin(session, person)

    def end_factor(self, session: Session, actor: Actor, who: str, *, reason: str) -> None:
        """For who has lost the app and every recovery code, once an admin has made sure of them in another way."""
        person = self.person(session, who)
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
        """Raises `Misconfigured` where this payment is not, or no longer, under review."""
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

    def person(self, session: Session, who: str) -> PersonRow:
        """By X's numeric id, or by the handle they were last seen under where only one was. Raises `Misconfigured`."""
        indexes = self.vault.blind_indexes(who.removeprefix("@").lower(), "username")
        rows = select(PersonRow).where(col(PersonRow.username_index).in_(indexes))
        if who.isdecimal():
            rows = select(PersonRow).where(PersonRow.user_id == int(who))
        known = list(session.exec(rows))
        if len(known) != 1:
            ids = ", ".join(str(person.user_id) for person in known)
            problem = f"{who} may be any of {ids}." if known else f"{who} is nobody the bot has met."
            raise Misconfigured("WHO", problem, example="a numeric id of X's, or a @handle")
        locked = self.people.lock(session, [UserId(known[0].user_id)])
        return locked[UserId(known[0].user_id)]


def _subject(person: PersonRow) -> str:
    return f"person {person.user_id}"


def open_guarding(settings: Settings, world: World | None = None) -> Guarding:
    """The rooms a command needs, without X or a daemon. Raises `Misconfigured` without the keys."""
    outside = world or World()
    clock, entropy = outside.clock, outside.entropy
    ids, keyring, rules = IdSource(clock, entropy), keyring_from(settings), rules_of(settings)
    vault = Vault(keyring, entropy)
    people = People(vault=vault, ids=ids, language=settings.language)
    outbox = Outbox(people=people, vault=vault, clock=clock, ids=ids)
    locking = Locking(rules.wrong_answers_before_lock, rules.first_lock, rules.longest_lock)
    factors = SecondFactors(people, outbox, vault, clock, ids, entropy, "smoney", locking)
    records = Records(people=people, vault=vault, clock=clock, ids=ids, entropy=entropy)
    ledger = Ledger(clock=clock, ids=ids)
    wallets = Wallets(ledger=ledger, ids=ids)
    spending = Spending(records, wallets, people, factors, limits_of(settings), clock)
    authorisations = Authorisations(keyring=keyring, clock=clock, ids=ids)
    claims = Claims(ledger, wallets, people, records, authorisations, spending, outbox, rules, clock)
    asking = Asking(records, people, outbox, keyring, rules, clock, entropy)
    return Guarding(
        people=people,
        vault=vault,
        factors=factors,
        unlocking=Unlocking(people, factors, outbox, clock),
        reviews=Reviews(records, asking, claims, people, outbox, rules, clock, ids),
        log=AuditLog(vault=vault, clock=clock, ids=ids),
        clock=clock,
    )
