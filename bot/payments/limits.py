"""What one person may pay. Pure; the story counts inside the paying transaction with the payer locked."""

from typing import ClassVar

from bot.errors import Refusal
from bot.payments.rules import Rules
from bot.people.locking import Locking
from ledger.money import Money


class OverPaymentLimit(Refusal):
    phrase: ClassVar[str] = "over_payment_limit"


class OverDayLimit(Refusal):
    phrase: ClassVar[str] = "over_day_limit"


class TooManyOpen(Refusal):
    phrase: ClassVar[str] = "too_many_open"


def check_amount(total: Money, *, paid_in_a_day_minor: int, rules: Rules) -> None:
    """Raises `OverPaymentLimit` or `OverDayLimit`. Held money counts as paid, money that came back does not."""
    if total.amount_minor > rules.limit_per_payment.amount_minor:
        raise OverPaymentLimit(limit=rules.limit_per_payment)
    left = max(0, rules.limit_per_day.amount_minor - paid_in_a_day_minor)
    if total.amount_minor > left:
        raise OverDayLimit(limit=rules.limit_per_day, left=Money(left, total.currency))


def check_open_orders(open_orders: int, *, rules: Rules) -> None:
    """Raises `TooManyOpen`: a person answers one question after the other."""
    if open_orders >= rules.open_orders:
        raise TooManyOpen(count=open_orders)


def lock_seconds(locks_before: int, *, rules: Rules) -> int:
    """How long a person is locked out for the next time: doubling from the first to the longest."""
    locking = Locking(rules.wrong_answers_before_lock, rules.first_lock, rules.longest_lock)
    return int(locking.lasts(locks_before).total_seconds())
