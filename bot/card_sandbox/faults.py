"""Faults on order: what the processor, the net and chance do to single requests and to single webhooks, planned one by one.

A planned fault waits for what it names, strikes so many times, and is gone; the first that matches strikes.
"""

from dataclasses import dataclass
from enum import StrEnum

from bot.sandbox.faults import FaultKind


@dataclass(slots=True)
class ApiFault:
    """One planned fault of the API. It lets `skip` matching requests pass, then strikes `times` of them.

    REFUSE and FAIL answer `status` with `code` and do nothing; NONSENSE does it and answers `body` with `nonsense_status`; DELAY
    does it and answers `seconds` later; CUT breaks the connection before anything is done, LOSE after it is done.
    """

    kind: FaultKind
    method: str = ""
    """Empty for every one."""
    path: str = ""
    """How the request's path begins."""
    skip: int = 0
    times: int = 1
    status: int = 503
    code: str = ""
    message: str = "The processor is having trouble."
    retry_after_seconds: int | None = None
    seconds: float = 0
    body: str = "<html>Over capacity</html>"
    nonsense_status: int = 200


class ApiFaults:
    def __init__(self) -> None:
        self._waiting: list[ApiFault] = []

    def plan(self, fault: ApiFault) -> None:
        self._waiting.append(fault)

    def clear(self) -> None:
        self._waiting.clear()

    def take(self, method: str, path: str) -> ApiFault | None:
        """The fault that strikes this request, if one does; it is used up by that."""
        for fault in self._waiting:
            if fault.method in ("", method) and path.startswith(fault.path):
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                if fault.times <= 0:
                    self._waiting.remove(fault)
                return fault
        return None


class PostFaultKind(StrEnum):
    """What goes wrong with a webhook."""

    REPEAT = "repeat"
    """It is brought twice."""
    DELAY = "delay"
    """It is brought `seconds` later, by the processor's clock."""
    REORDER = "reorder"
    """It is brought after the one that follows, or a minute later where none does."""
    DROP = "drop"
    """It is never brought; the list of events has it."""
    FORGE = "forge"
    """It is brought with a signature made without the secret, and rightly when it is tried again."""


@dataclass(slots=True)
class PostFault:
    kind: PostFaultKind
    event: str = ""
    """How the event's type begins; empty for every one."""
    skip: int = 0
    times: int = 1
    seconds: float = 60


class PostFaults:
    def __init__(self) -> None:
        self._waiting: list[PostFault] = []

    def plan(self, fault: PostFault) -> None:
        self._waiting.append(fault)

    def clear(self) -> None:
        self._waiting.clear()

    def take(self, event: str) -> PostFault | None:
        for fault in self._waiting:
            if event.startswith(fault.event):
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                if fault.times <= 0:
                    self._waiting.remove(fault)
                return fault
        return None
