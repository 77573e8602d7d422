"""What an admin does for one member who writes in: closes and opens their account, notes what was said, sees their limits."""

from dataclasses import dataclass

from sqlmodel import Session

from bot.admin.log import Actor, AuditLog
from bot.admin.members import Members
from bot.errors import Misconfigured
from bot.ledger_views import money_text
from bot.payments.limits import NO_CAP
from bot.payments.spending import Spending
from bot.people.freezing import Freezing, FrozenBy

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Helping:
    members: Members
    freezing: Freezing
    spending: Spending
    log: AuditLog

    def freeze(self, session: Session, actor: Actor, who: str, *, reason: str) -> None:
        """Nothing leaves their wallet until an admin thaws it; they are told. Raises `Misconfigured` for nobody."""
        person = self.members.taken(session, who)
        self.log.record(session, actor, "member.freeze", f"person {person.user_id}", reason=reason)
        self.freezing.freeze(session, person, by=FrozenBy.OPERATOR)

    def thaw(self, session: Session, actor: Actor, who: str, *, reason: str) -> None:
        """Whoever froze it: make sure of its owner first. Raises `Misconfigured` for who is not frozen."""
        person = self.members.taken(session, who)
        self.log.record(session, actor, "member.thaw", f"person {person.user_id}", reason=reason)
        if person.frozen_at is None:
            raise Misconfigured(who, "is not frozen. Nothing was done.", example="smoney member show")
        self.freezing.by_operator(session, person)

    def note(self, session: Session, actor: Actor, who: str, *, words: str) -> None:
        """Kept among what admins did to this member."""
        person = self.members.one(session, who)
        self.log.record(session, actor, "member.note", f"person {person.user_id}", reason=words)

    def limits(self, session: Session, who: str) -> list[Row]:
        """What they may pay and hold, and how much of it is used, a row each. Raises `Misconfigured` for nobody."""
        person = self.members.one(session, who)
        caps, spent = self.spending.caps(session, person), self.spending.spent(session, person)
        code = self.spending.wallets.currency.code
        holds = self.spending.wallets.balance(session, person).posted if person.wallet_id else None
        rows = [
            ("one payment to people", caps.per_payment_minor, None),
            ("one payment with a business", caps.to_business_minor, None),
            ("24 hours", caps.per_day_minor, spent.day_minor),
            ("30 days", caps.per_30_days_minor, spent.days_30_minor),
            ("held", self.spending.most_held(person).amount_minor, holds.amount_minor if holds else 0),
        ]
        shown: list[Row] = [
            {"what": what, "most": _most(cap, code), "used": "" if used is None else money_text(used, code)}
            for what, cap, used in rows
        ]
        most = str(caps.payments_per_day) if caps.payments_per_day < NO_CAP else "no limit"
        return [*shown, {"what": "payments in 24 hours", "most": most, "used": str(spent.payments_in_a_day)}]


def _most(cap: int, currency: str) -> str:
    return money_text(cap, currency) if cap < NO_CAP else "no limit"
