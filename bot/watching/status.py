"""How everything is, for one screen: what is halted, alarms, queues, X's limits, and the money."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from bot.book import unreconciled
from bot.payments.wallets import HELD, OWED
from bot.store.x_tables import CallWindowRow
from bot.watching.figures import Figures, Queue, figures_of
from bot.watching.names import runbook_of
from bot.x.budget import Budget
from ledger.reports import Coverage, coverage


@dataclass(frozen=True, slots=True)
class Status:
    figures: Figures
    restored_at: datetime | None
    """Since when a restored book waits for its reconciliation."""
    windows: Sequence[CallWindowRow]
    money: Sequence[Coverage]

    @property
    def is_well(self) -> bool:
        return not self.figures.alarms

    def as_row(self) -> dict[str, Any]:
        """Ready for JSON."""
        figures = self.figures
        return {
            "at": _iso(figures.at),
            "halted": {switch.value: _iso(since) for switch, since in figures.halted.items()},
            "restored_at": _iso(self.restored_at),
            "alarms": [
                {
                    "name": each.alarm.value,
                    "since": _iso(each.since),
                    "facts": dict(each.facts),
                    "runbook": runbook_of(each.alarm),
                }
                for each in figures.alarms
            ],
            "inbox": _queue(figures.inbox, figures.at),
            "outbox": _queue(figures.outbox, figures.at),
            "limits": self.limits(),
            "last_reads": {name: _iso(at) for name, at in figures.reads.items()},
            "last_payment": _iso(figures.last_payment),
            "last_seal": figures.seal
            and {"number": figures.seal.number, "at": _iso(figures.seal.at), "root": figures.seal.root},
            "money": [
                {"currency": each.currency.code, "owed_minor": each.owed_minor, "held_minor": each.held_minor}
                for each in self.money
            ],
        }

    def limits(self) -> list[dict[str, Any]]:
        """What X still allows, as last heard."""
        return [
            {
                "call": row.call,
                "minutes": row.window_seconds // 60,
                "left": max(0, row.allowed - row.used) if row.ends_at > self.figures.at else row.allowed,
                "allowed": row.allowed,
            }
            for row in self.windows
        ]


def status_of(session: Session, budget: Budget, now: datetime) -> Status:
    """One pass over all accounts is in it, for what is owed: for somebody who asks, not for every minute."""
    restored = unreconciled(session)
    return Status(
        figures=figures_of(session, budget, now),
        restored_at=restored.restored_at if restored else None,
        windows=budget.windows(session),
        money=coverage(session, owed=OWED, held=HELD),
    )


def _queue(queue: Queue, now: datetime) -> Mapping[str, Any]:
    age = (now - queue.oldest).total_seconds() if queue.oldest else 0
    return {"rows": dict(queue.rows), "oldest_seconds": max(0, round(age))}


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")
