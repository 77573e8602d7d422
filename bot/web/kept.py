"""A value that is costly to make: shown as it was last made, and made anew beside the page when it has aged."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar

import structlog

from ledger.clock import Clock

log = structlog.get_logger(__name__)
T = TypeVar("T")


@dataclass(slots=True)
class Kept(Generic[T]):
    make: Callable[[], T]
    clock: Clock
    fresh_for: timedelta
    _made: list[tuple[datetime, T]] = field(default_factory=list)
    _making: threading.Lock = field(default_factory=threading.Lock)

    def value(self) -> T:
        """Waits only for the very first one."""
        if not self._made:
            with self._making:
                if not self._made:
                    self._renew()
        elif self.clock() - self._made[0][0] > self.fresh_for and self._making.acquire(blocking=False):
            threading.Thread(target=self._renew_beside, name="web-figures", daemon=True).start()
        return self._made[0][1]

    def _renew(self) -> None:
        at = self.clock()
        self._made[:] = [(at, self.make())]

    def _renew_beside(self) -> None:
        try:
            self._renew()
        except Exception as fault:  # noqa: BLE001 (the old value stands, with its age; the next look tries again)
            log.warning("web.figures_not_renewed", reason=type(fault).__name__)
        finally:
            self._making.release()
