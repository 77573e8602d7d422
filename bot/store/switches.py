"""What is halted now, a row each while it is: payments, sends, or everything for good.

Asked in the very transaction that would do the halted thing. On PostgreSQL one that had asked before may still end after the
switch is on; none begins. Who halts it and why is
written down by whoever calls `turn_on` and `turn_off`.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session, select

from bot.store.admin_tables import SwitchRow
from bot.store.remembered import forget, once
from ledger.clock import Clock


class Switch(StrEnum):
    PAYMENTS_PAUSED = "payments_paused"
    """No money moves at people's word; everything else goes on."""
    SENDS_PAUSED = "sends_paused"
    """Nothing is said to anybody; it waits."""
    WINDING_DOWN = "winding_down"
    """The service ends: no new payment, held money goes back, balances can only leave."""


_ON = select(SwitchRow.name)


def is_on(session: Session, switch: Switch) -> bool:
    return switch.value in once(session, _ON, lambda: set(session.connection().execute(_ON).scalars()))


def those_on(session: Session) -> Mapping[Switch, datetime]:
    """What is halted, and since when."""
    return {Switch(row.name): row.since for row in session.exec(select(SwitchRow))}


def turn_on(session: Session, switch: Switch, *, by: str, clock: Clock) -> bool:
    """False where it was on already; then nothing was changed."""
    if session.get(SwitchRow, switch.value) is not None:
        return False
    session.add(SwitchRow(name=switch.value, since=clock(), set_by=by))
    session.flush()
    forget(session, _ON)
    return True


def turn_off(session: Session, switch: Switch) -> datetime | None:
    """Since when it had been on; None where it was not."""
    row = session.get(SwitchRow, switch.value, with_for_update=True)
    if row is None:
        return None
    since = row.since
    session.delete(row)
    session.flush()
    forget(session, _ON)
    return since
