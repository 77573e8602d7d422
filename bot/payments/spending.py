"""What a person may still pay and hold, counted from the rows: inside the transaction that pays, with the payer locked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import Session

from bot.errors import Refusal
from bot.payments.limits import Amounts, Caps, Limits, Spent, check_amount, fits
from bot.payments.records import Records
from bot.payments.wallets import Wallets
from bot.people.people import People
from bot.people.second_factor import SecondFactors
from bot.people.tiers import Tier
from bot.store.tables import PersonRow
from bot.x.gateway import UserId
from ledger.clock import Clock
from ledger.money import Currency, Money

DAY = timedelta(days=1)
DAYS_30 = timedelta(days=30)


class AccountFrozen(Refusal):
    """Nothing leaves this person's wallet until they thaw it."""

    phrase = "account_frozen"


class InDebt(Refusal):
    """Their card took back what they had spent: they pay nobody until that is settled."""

    phrase = "in_debt"


def check_not_frozen(person: PersonRow) -> None:
    """Raises `AccountFrozen`. The ledger refuses the debit as well."""
    if person.frozen_at is not None:
        raise AccountFrozen


@dataclass(frozen=True, slots=True)
class Spending:
    records: Records
    wallets: Wallets
    people: People
    factors: SecondFactors
    limits: Limits
    clock: Clock

    def caps(self, session: Session, person: PersonRow) -> Caps:
        active = self.factors.standing(session, person).active
        return self.limits.of(Tier(person.tier), factor_active=active)

    def limit_per_payment(self, session: Session, person: PersonRow) -> Money:
        """What this person may pay another at once, as they are told."""
        return Money(self.caps(session, person).per_payment_minor, self.wallets.currency)

    def check(
        self, session: Session, payer: PersonRow, gifts: Sequence[tuple[int, int]], currency: Currency
    ) -> None:
        """`gifts` are the payment's (payee id, minor units). Raises `AccountFrozen`, `InDebt`, and what `check_amount` does."""
        check_not_frozen(payer)
        self.check_owes_nothing(session, payer)
        active = self.factors.standing(session, payer).active
        tier = Tier(payer.tier)
        amounts, spent = self._amounts(session, gifts, currency), self.spent(session, payer)
        factor_helps = not active and fits(amounts, self.limits.of(tier, factor_active=True), spent)
        check_amount(amounts, self.limits.of(tier, factor_active=active), spent, factor_helps=factor_helps)

    def check_owes_nothing(self, session: Session, person: PersonRow) -> None:
        """Raises `InDebt`."""
        debt = self.wallets.debt(session, person)
        if debt.amount_minor:
            raise InDebt(debt=debt)

    def takes_factor(
        self, session: Session, payer: PersonRow, gifts: Sequence[tuple[int, int]], currency: Currency
    ) -> bool:
        """Whether a message is not enough to confirm this. A stolen session on X reads messages: with an active second
        factor it must cost no more than without one, so whatever is beyond the allowance takes the factor's code."""
        if not self.factors.standing(session, payer).active:
            return False  # then nothing beyond the allowance is paid at all
        by_message = self.records.paid_by_message_since(session, payer.user_id, self.clock() - DAY)
        amounts = self._amounts(session, gifts, currency)
        return not fits(amounts, self.limits.without_factor, Spent(day_minor=by_message))

    def _amounts(self, session: Session, gifts: Sequence[tuple[int, int]], currency: Currency) -> Amounts:
        to_business = sum(
            minor
            for payee_id, minor in gifts
            if Tier(self.people.get(session, UserId(payee_id)).tier).is_business
        )
        total = sum(minor for _, minor in gifts)
        return Amounts(total - to_business, to_business, currency)

    def spent(self, session: Session, payer: PersonRow) -> Spent:
        """What counts against their limits now."""
        now = self.clock()
        days_30_minor, day_minor, payments = self.records.paid_since(
            session, payer.user_id, now - DAYS_30, now - DAY
        )
        return Spent(day_minor, days_30_minor, payments)

    def can_hold(self, session: Session, payee: PersonRow, amount: Money, *, with_incoming: bool) -> bool:
        """Whether this much more fits under what the payee's tier may hold. Whoever credits a wallet holds its person,
        so that two cannot both slip under."""
        balance = self.wallets.balance(session, payee)
        held_minor = balance.posted.amount_minor + (balance.incoming.amount_minor if with_incoming else 0)
        return held_minor + amount.amount_minor <= self.most_held(payee).amount_minor

    def most_held(self, person: PersonRow) -> Money:
        """What this person's wallet may hold."""
        return Money(self.limits.tiers[Tier(person.tier)].balance_minor, self.wallets.currency)
