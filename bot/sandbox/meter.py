"""What X would have charged: a meter beside the world, read by tests and by whoever plans a bot's costs.

Prices in thousandths of a dollar (docs.x.com getting-started/pricing, read 2026-08-22). The same thing read again
within a UTC day is not charged again, whether it was asked for or pushed. It only counts; it never refuses.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from enum import Enum


class Price(Enum):
    """A charge, in thousandths of a dollar."""

    MENTION_READ = ("mention read", 1)
    POST_READ = ("post read", 5)
    USER_READ = ("user read", 10)
    MESSAGE_READ = ("message read", 10)
    MESSAGE_SENT = ("message sent", 15)
    POST_WRITTEN = ("post written", 15)
    REPLY_WRITTEN = ("summoned reply", 10)
    URL_WRITTEN = ("post with an address", 200)
    PUSHED_POST = ("pushed post", 5)
    PUSHED_MESSAGE = ("pushed message", 10)


_THINGS = {
    Price.MENTION_READ: "post",
    Price.POST_READ: "post",
    Price.PUSHED_POST: "post",
    Price.USER_READ: "user",
    Price.MESSAGE_READ: "message",
    Price.PUSHED_MESSAGE: "message",
}


class Meter:
    """Charges by kind since the beginning."""

    def __init__(self) -> None:
        self.counts: Counter[Price] = Counter()
        self._read_today: set[tuple[str, int]] = set()
        self._today: object = None

    @property
    def thousandths(self) -> int:
        """The whole bill, in thousandths of a dollar."""
        return sum(price.value[1] * count for price, count in self.counts.items())

    def wrote(self, price: Price) -> None:
        self.counts[price] += 1

    def read(self, price: Price, ids: Iterable[int], now: datetime) -> None:
        """Charges what was not read before on this UTC day, in whatever way."""
        if self._today != now.date():
            self._today = now.date()
            self._read_today.clear()
        fresh = {(_THINGS[price], identity) for identity in ids} - self._read_today
        self._read_today |= fresh
        self.counts[price] += len(fresh)

    def clear(self) -> None:
        self.counts.clear()
        self._read_today.clear()
