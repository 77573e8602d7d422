"""Pausing and letting go on, and ending the service: each with who and why, in its own transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from bot.admin.acts import Part
from bot.admin.log import Actor, AuditLog
from bot.errors import Misconfigured
from bot.payments.resuming import Resuming
from bot.store.switches import Switch, those_on, turn_off, turn_on
from ledger.clock import Clock

SWITCHES = {Part.PAYMENTS: Switch.PAYMENTS_PAUSED, Part.SENDS: Switch.SENDS_PAUSED}


@dataclass(frozen=True, slots=True)
class Switching:
    log: AuditLog
    resuming: Resuming
    clock: Clock

    def pause(self, session: Session, actor: Actor, part: Part, *, reason: str) -> None:
        """Raises `Misconfigured` where it is paused already, and `NotAllowed`."""
        self.log.record(session, actor, f"{part.value}.pause", "book", reason=reason)
        if not turn_on(session, SWITCHES[part], by=actor.name, clock=self.clock):
            raise _nothing_to_do(part.value, "are paused already", f"smoney resume {part.value}")

    def resume(self, session: Session, actor: Actor, part: Part, *, reason: str) -> None:
        """Raises `Misconfigured` where it is not paused, and `NotAllowed`."""
        self.log.record(session, actor, f"{part.value}.resume", "book", reason=reason)
        since = turn_off(session, SWITCHES[part])
        if since is None:
            raise _nothing_to_do(part.value, "are not paused", f"smoney pause {part.value}")
        if part is Part.PAYMENTS:
            self.resuming.go_on(session, paused_since=since)

    def wind_down(self, session: Session, actor: Actor, *, reason: str) -> None:
        """No new payment and no new member from now on; held money goes back with the next sweeps."""
        self.log.record(session, actor, "wind-down.begin", "book", reason=reason)
        if not turn_on(session, Switch.WINDING_DOWN, by=actor.name, clock=self.clock):
            raise _nothing_to_do("the service", "is being closed already", "smoney wind-down --end")

    def end_wind_down(self, session: Session, actor: Actor, *, reason: str) -> None:
        """The service stays after all."""
        self.log.record(session, actor, "wind-down.end", "book", reason=reason)
        if turn_off(session, Switch.WINDING_DOWN) is None:
            raise _nothing_to_do("the service", "is not being closed", "smoney wind-down")

    @staticmethod
    def those_on(session: Session) -> Mapping[Switch, datetime]:
        return those_on(session)


def _nothing_to_do(what: str, how_it_is: str, instead: str) -> Misconfigured:
    return Misconfigured(what, f"{how_it_is}. Nothing was done.", example=instead)
