"""The operator's rules of paying, as plain numbers, so that the story never reads settings."""

from dataclasses import dataclass
from datetime import timedelta


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
    open_orders: int = 10
    payees: int = 10
    listening_gap: timedelta = timedelta(minutes=10)
    """From this long without a successful read on, the ends of holds move on by the time nobody listened."""
