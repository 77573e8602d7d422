"""What one person may pay and hold. Pure; counted inside the paying transaction with the payer locked.

Two things bound a payer, and the lower of them applies: how well the operator knows them (their tier), and whether
they hold an active second factor. The amounts of an identified person follow S-money's of 2014: 250 € between people,
500 € to an association or merchant.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import ClassVar

from bot.errors import Refusal
from bot.payments.rules import Rules
from bot.people.locking import Locking
from bot.people.tiers import Tier
from ledger.money import Currency, Money

NO_CAP = 10**12
"""More than any amount here can be."""


@dataclass(frozen=True, slots=True)
class Caps:
    """The most, in minor units. `per_payment_minor` counts what goes to people, `to_business_minor` one payment in
    all where merchants or associations are among its payees; a day is the last 24 hours, `payments_per_day` a count;
    `top_up_minor` is what is put in by card at once."""

    per_payment_minor: int = NO_CAP
    to_business_minor: int = NO_CAP
    per_day_minor: int = NO_CAP
    per_30_days_minor: int = NO_CAP
    payments_per_day: int = NO_CAP
    balance_minor: int = NO_CAP
    top_up_minor: int = NO_CAP

    def lower(self, other: "Caps") -> "Caps":
        """The stricter of the two in each."""
        return Caps(
            **{each.name: min(getattr(self, each.name), getattr(other, each.name)) for each in fields(Caps)}
        )


def _tiers() -> Mapping[Tier, Caps]:
    business = Caps(500_00, 500_00, 2000_00, 10_000_00, 100, 20_000_00, 500_00)
    return {
        Tier.NEW: Caps(50_00, 50_00, 100_00, 250_00, 20, 250_00, 50_00),
        Tier.IDENTIFIED: Caps(250_00, 500_00, 500_00, 2000_00, 50, 3000_00, 250_00),
        Tier.MERCHANT: business,
        Tier.ASSOCIATION: business,
    }


@dataclass(frozen=True, slots=True)
class Limits:
    tiers: Mapping[Tier, Caps] = field(default_factory=_tiers)
    with_factor: Caps = field(default_factory=Caps)
    without_factor: Caps = field(default_factory=lambda: Caps(30_00, 30_00, 100_00))
    """The allowance: what a stolen session on X can cost. Beyond it a payment takes the code of an active factor."""

    def of(self, tier: Tier, *, factor_active: bool) -> Caps:
        return self.tiers[tier].lower(self.with_factor if factor_active else self.without_factor)


@dataclass(frozen=True, slots=True)
class Spent:
    """What a person has paid before now. Held money counts as paid, what came back does not."""

    day_minor: int = 0
    days_30_minor: int = 0
    payments_in_a_day: int = 0


class OverPaymentLimit(Refusal):
    phrase: ClassVar[str] = "over_payment_limit"


class OverDayLimit(Refusal):
    phrase: ClassVar[str] = "over_day_limit"


class OverMonthLimit(Refusal):
    phrase: ClassVar[str] = "over_month_limit"


class TooManyPayments(Refusal):
    phrase: ClassVar[str] = "too_many_payments"


class TooManyOpen(Refusal):
    phrase: ClassVar[str] = "too_many_open"


@dataclass(frozen=True, slots=True)
class Amounts:
    """One payment, by who receives it, in minor units."""

    to_people_minor: int
    to_business_minor: int
    currency: Currency

    @property
    def total_minor(self) -> int:
        return self.to_people_minor + self.to_business_minor


def check_amount(amounts: Amounts, caps: Caps, spent: Spent, *, factor_helps: bool = False) -> None:
    """Raises `OverPaymentLimit`, `OverDayLimit`, `OverMonthLimit` or `TooManyPayments`. `factor_helps` tells the
    person that a second factor would allow more."""
    hint = factor_helps or None
    too_much_to_people = amounts.to_people_minor > caps.per_payment_minor
    most = caps.per_payment_minor
    if amounts.to_business_minor and not too_much_to_people:
        most = max(most, caps.to_business_minor)
    if too_much_to_people or amounts.total_minor > most:
        raise OverPaymentLimit(limit=Money(most, amounts.currency), factor_helps=hint)
    for over, cap, before in (
        (OverDayLimit, caps.per_day_minor, spent.day_minor),
        (OverMonthLimit, caps.per_30_days_minor, spent.days_30_minor),
    ):
        left = max(0, cap - before)
        if amounts.total_minor > left:
            raise over(
                limit=Money(cap, amounts.currency), left=Money(left, amounts.currency), factor_helps=hint
            )
    if spent.payments_in_a_day >= caps.payments_per_day:
        raise TooManyPayments(count=caps.payments_per_day)


def fits(amounts: Amounts, caps: Caps, spent: Spent) -> bool:
    """Whether it could be paid under these."""
    try:
        check_amount(amounts, caps, spent)
    except Refusal:
        return False
    return True


def check_open_orders(open_orders: int, *, rules: Rules) -> None:
    """Raises `TooManyOpen`: a person answers one question after the other."""
    if open_orders >= rules.open_orders:
        raise TooManyOpen(count=open_orders)


def lock_seconds(locks_before: int, *, rules: Rules) -> int:
    """How long a person is locked out for the next time: doubling from the first to the longest."""
    locking = Locking(rules.wrong_answers_before_lock, rules.first_lock, rules.longest_lock)
    return int(locking.lasts(locks_before).total_seconds())
