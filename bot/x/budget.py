"""How many direct messages may still go out. Pure; the courier counts in the transaction that claims the send.

X lets one account send 15 direct messages in 15 minutes and 1,440 in a day (docs.x.com fundamentals/rate-limits, read
2026-08-22). The last ones of a window are kept for questions: a receipt can wait, a question cannot.
"""

from dataclasses import dataclass
from datetime import timedelta

from bot.store.outbox import Priority

QUARTER_HOUR = timedelta(minutes=15)
DAY = timedelta(days=1)
KEPT_FOR_QUESTIONS = 5
"""One in so many of a window's messages is kept back for challenges and answers."""


@dataclass(frozen=True, slots=True)
class MessageBudget:
    per_quarter_hour: int = 15
    per_day: int = 1440

    def allowed(self, window: timedelta) -> int:
        """How many in a quarter of an hour, or in a day."""
        return self.per_quarter_hour if window == QUARTER_HOUR else self.per_day

    def allows(self, priority: int, *, used_in_quarter_hour: int, used_in_day: int) -> bool:
        """Whether a message of this priority may go out, given what was tried within the windows."""
        left = min(self.per_quarter_hour - used_in_quarter_hour, self.per_day - used_in_day)
        kept = self.per_quarter_hour // KEPT_FOR_QUESTIONS if priority > Priority.ANSWER else 0
        return left > kept
