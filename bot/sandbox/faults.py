"""Faults on order: what X, the net and chance do to single requests, planned one by one.

A planned fault waits for the requests it names, strikes so many of them, and is gone. What each kind means is
carried out by `street` (and, for bytes on a wire, by `http`); this module only keeps the plan.
"""

from dataclasses import dataclass
from enum import StrEnum

from bot.sandbox.limits import Operation


class FaultKind(StrEnum):
    """What goes wrong."""

    REFUSE = "refuse"  # X says no with `status`, `title`, `detail`; nothing is done
    FAIL = "fail"  # X answers a 5xx; nothing is done
    NONSENSE = "nonsense"  # it is done, and the answer is `body`, whatever that is
    DELAY = "delay"  # the answer takes `seconds` longer
    CUT = "cut"  # the connection breaks before anything is done
    LOSE = "lose"  # it is done, and the connection breaks before the answer


@dataclass(slots=True)
class Fault:
    """One planned fault. It lets `skip` matching requests pass, then strikes `times` of them."""

    kind: FaultKind
    operation: Operation | None = None
    """None matches every operation."""
    caller_id: int | None = None
    """None matches every caller."""
    skip: int = 0
    times: int = 1
    status: int = 503
    title: str = "Service Unavailable"
    detail: str = "Service Unavailable"
    seconds: float = 0
    body: str = "<html>Over capacity</html>"


class FaultPlan:
    """The faults that still wait, in the order they were planned; the first that matches strikes."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def plan(self, fault: Fault) -> None:
        self._waiting.append(fault)

    def clear(self) -> None:
        self._waiting.clear()

    @property
    def waiting(self) -> tuple[Fault, ...]:
        return tuple(self._waiting)

    def take(self, operation: Operation, caller_id: int | None) -> Fault | None:
        """The fault that strikes this request, if one does; it is used up by that."""
        for fault in self._waiting:
            if fault.operation in (None, operation) and fault.caller_id in (None, caller_id):
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                if fault.times <= 0:
                    self._waiting.remove(fault)
                return fault
        return None


class ConnectionLost(Exception):
    """No answer came. `done` tells what the caller cannot know: whether it happened."""

    def __init__(self, *, done: bool) -> None:
        super().__init__(
            "the connection broke " + ("after it was done" if done else "before anything was done")
        )
        self.done = done


class NonsenseAnswer(Exception):
    """It was done, and the answer cannot be read."""

    def __init__(self, body: str) -> None:
        super().__init__("the answer is nonsense")
        self.body = body
