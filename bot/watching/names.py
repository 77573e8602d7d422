"""The alarms there are. A name stands in rows, logs, metrics, messages and in the runbook, which has a section for each
(docs/operating/runbook.md). Pure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

Facts = Mapping[str, int | str]
"""Ids, codes and numbers; never words of people."""


class Alarm(StrEnum):
    # About money: payments pause, and only a whole verify that finds nothing ends the alarm.
    LEDGER_BROKEN = "ledger_broken"
    """A transfer or an account does not follow from what stands beside it."""
    AUTHORISATION_FORGED = "authorisation_forged"
    """Money left a wallet, and nobody allowed exactly that."""
    MONEY_NOT_COVERED = "money_not_covered"
    """More is owed to people than is held."""
    SEAL_BROKEN = "seal_broken"
    """A seal does not fit what it covers, or is none of ours."""
    BOOK_NOT_VERIFIED = "book_not_verified"
    """The whole verify found something."""
    INVARIANT_BROKEN = "invariant_broken"
    """The program met something that cannot be, and stopped."""

    # About the running of it: over when it is over.
    SEAL_LATE = "seal_late"
    INBOX_LATE = "inbox_late"
    OUTBOX_LATE = "outbox_late"
    OUTCOME_UNKNOWN = "outcome_unknown"
    ROWS_SET_ASIDE = "rows_set_aside"
    REVIEW_ENDING = "review_ending"
    TOP_UP_SET_ASIDE = "top_up_set_aside"
    CARD_MOVEMENT_OPEN = "card_movement_open"
    CARDS_LATE = "cards_late"
    X_NOT_READ = "x_not_read"
    CLOCK_OFF = "clock_off"
    DISK_LOW = "disk_low"


MONEY: Final = frozenset(
    (
        Alarm.LEDGER_BROKEN,
        Alarm.AUTHORISATION_FORGED,
        Alarm.MONEY_NOT_COVERED,
        Alarm.SEAL_BROKEN,
        Alarm.BOOK_NOT_VERIFIED,
        Alarm.INVARIANT_BROKEN,
    )
)


RUNBOOK: Final = "docs/operating/runbook.md"


def runbook_of(alarm: Alarm) -> str:
    """Where it stands what to do: the runbook's section of this name, as a link in documents ends."""
    return f"{RUNBOOK}#{alarm.value}"


@dataclass(frozen=True, slots=True)
class Found:
    """One thing a check found."""

    alarm: Alarm
    facts: Facts


def by_alarm(found: Iterable[Found]) -> dict[Alarm, dict[str, int | str]]:
    """The facts of the first finding of each alarm, and how many there were."""
    gathered: dict[Alarm, dict[str, int | str]] = {}
    for each in found:
        facts = gathered.setdefault(each.alarm, {**each.facts, "findings": 0})
        facts["findings"] = int(facts["findings"]) + 1
    return gathered
