"""The operator's rules of paying, as plain numbers, so that the story never reads settings."""

from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class LowValue:
    """Small payments without a code (after RTS (EU) 2018/389 art. 16): each at most `most_minor`, and since the last
    code either at most `sum_minor` in all, this one included, or at most `payments` of them; one of the two counts."""

    most_minor: int = 30_00
    sum_minor: int | None = 100_00
    payments: int | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """What makes somebody look at a payment first; 0 is never."""

    new_payees: int = 10
    refusals: int = 10
    reissued_handles: bool = True
    changed_handles: bool = True
    lasts: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Rules:
    challenge_lasts: timedelta = timedelta(minutes=5)
    order_may_wait: timedelta = timedelta(hours=1)
    """How old an order may be when first read, and how long its question may wait to be put."""
    parked_may_wait: timedelta = timedelta(hours=1)
    """How long an order waits for its payer to enrol."""
    answer_may_wait: timedelta = timedelta(hours=24)
    hold_lasts: timedelta = timedelta(days=7)
    wrong_answers_before_lock: int = 5
    first_lock: timedelta = timedelta(minutes=15)
    longest_lock: timedelta = timedelta(days=1)
    wrong_answers_in_30_days: int = 20
    open_orders: int = 10
    payees: int = 10
    undo_lasts: timedelta = timedelta(0)
    """How long a payer can take back what was just paid; zero is not at all."""
    trusted_payees: bool = False
    low_value: LowValue | None = None
    review: Review = field(default_factory=Review)
    handle_changes_told: timedelta = timedelta(days=30)
    """How long payers are told that an account has changed its handle."""
    listening_gap: timedelta = timedelta(minutes=10)
    """From this long without a successful read on, the ends of holds move on by the time nobody listened."""
