"""Figures for whoever shows them on a page or to Prometheus: at a glance, and counted over all that ever was.

What only a pass over the whole book can tell (owed against held) is made anew at most once a minute, beside the page that
asks; counts that only grow are counted on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from bot.payments.wallets import HELD, OWED
from bot.watching.figures import Figures, figures_of
from bot.web.growing import Growing
from bot.web.kept import Kept
from bot.wiring import Bot
from ledger.clock import Clock
from ledger.database import Database
from ledger.reports import Coverage, TrialBalanceLine, coverage, trial_balance

COVERAGE_IS_KEPT = timedelta(minutes=1)


@dataclass(slots=True)
class Gauges:
    """Reads figures for whoever shows them."""

    bot: Bot
    _closed: Growing = field(init=False)
    _told: Growing = field(init=False)
    _coverage: "Kept[tuple[Coverage, ...]]" = field(init=False)
    _trial_balance: "Kept[tuple[TrialBalanceLine, ...]]" = field(init=False)

    def __post_init__(self) -> None:
        clock = self.bot.clock
        self._closed = Growing(clock, _CLOSED)
        self._told = Growing(clock, _TOLD)
        self._coverage = Kept(self._covered, clock, COVERAGE_IS_KEPT)
        self._trial_balance = Kept(self._added_up, clock, COVERAGE_IS_KEPT)

    @property
    def clock(self) -> Clock:
        return self.bot.clock

    @property
    def database(self) -> Database:
        return self.bot.database

    def figures(self) -> Figures:
        return self.database.read(lambda session: figures_of(session, self.bot.budget, self.clock()))

    def closed(self) -> Mapping[str, int]:
        """How many orders have ended since the books began, by how."""
        return self.database.read(self._closed.counts)

    def told(self) -> Mapping[str, int]:
        """How often each phrase was said, or is about to be."""
        return self.database.read(self._told.counts)

    def coverage(self) -> tuple[Coverage, ...]:
        """What is owed and held, at most a minute old where pages are looked at."""
        return self._coverage.value()

    def trial_balance(self) -> tuple[TrialBalanceLine, ...]:
        """All accounts by kind, as fresh as `coverage`."""
        return self._trial_balance.value()

    def _added_up(self) -> tuple[TrialBalanceLine, ...]:
        return self.database.read(trial_balance)

    def _covered(self) -> tuple[Coverage, ...]:
        return self.database.read(lambda session: coverage(session, owed=OWED, held=HELD))


_CLOSED = """
SELECT state, count(*) FROM intents
WHERE state IN ('paid', 'cancelled', 'expired', 'lapsed', 'refused', 'withdrawn')
    AND closed_at > :after AND closed_at <= :until
GROUP BY state
"""
_TOLD = """
SELECT phrase, count(*) FROM outbox WHERE created_at > :after AND created_at <= :until GROUP BY phrase
"""
