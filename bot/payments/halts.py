"""What an operator's switches mean for payments: what is refused while they are on.

`payments_paused`: no money moves at people's word. Orders, answers, claims and returns are refused with a sentence; what is
held stays held and its time stands still. `winding_down`: no new payment and no new member, and what is held goes back to
who gave it; balances can only leave. How payments go on after a pause stands in `resuming`.
"""

from sqlmodel import Session

from bot.errors import Refusal
from bot.store.switches import Switch, is_on


class PaymentsPaused(Refusal):
    phrase = "payments_paused"


class WindingDown(Refusal):
    phrase = "winding_down"


def are_paused(session: Session) -> bool:
    return is_on(session, Switch.PAYMENTS_PAUSED)


def is_winding_down(session: Session) -> bool:
    return is_on(session, Switch.WINDING_DOWN)


def check_may_move(session: Session) -> None:
    """Raises `PaymentsPaused`."""
    if are_paused(session):
        raise PaymentsPaused


def check_may_pay(session: Session) -> None:
    """Before a new payment. Raises `PaymentsPaused`, `WindingDown`."""
    check_may_move(session)
    if is_winding_down(session):
        raise WindingDown
