"""Daemons that kill themselves at a step of a top-up, once they are told which: what `test_card_crash` starts.

One after the other, each forked from here with everything imported, so that a successor is there at once. The product knows
nothing of this: the steps are found by the names of its own functions.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeAlias

from sqlmodel import select

from bot.cashier import Cashier
from bot.channels import courier
from bot.funding.processor import CheckoutState
from bot.funding.stripe_cards import StripeCards
from bot.payments import topping_up
from bot.payments.topping_up import TopUps
from bot.running import run_daemon
from bot.settings import load
from bot.store import leases
from bot.store.card_tables import TopUpRow
from bot.x.tweepy_gateway import TweepyGateway

Call: TypeAlias = Callable[..., Any]
KILLED = "a daemon was killed"
STOP = "stop"
SECONDS_OF_A_LEASE = 2
"""Minutes for the real X and a real processor, which may be slow; nobody here is, and one daemon at a time is alive."""
SECONDS_BETWEEN_LOOKS = 1
SECONDS_OF_LISTENING = 1


class Step(StrEnum):
    """Where a daemon may die, in the order a top-up gets there."""

    ASKED = "the message was worked, and nothing is made"
    TAKEN = "the row was taken, and the processor not asked"
    MADE = "the page was made, and nobody knows of it"
    OPENED_IN_HAND = "the page is written down, and that is not committed"
    OPENED = "the page is written down, and its person not told"
    LINK_SENT = "the link was sent, and that is not written down"
    HINT_IN_HAND = "the webhook has come, and its hint is not committed"
    HINTED = "the hint is committed, and the webhook not answered"
    FETCHED = "the processor has said that it is paid, and nothing is written"
    SETTLED_IN_HAND = "it is credited, and that is not committed"
    SETTLED = "it is credited, and the receipt not sent"
    RECEIPT_SENT = "the receipt was sent, and that is not written down"


_next: list[Step] = []
_passed: set[Step] = set()


def reaches(step: Step) -> None:
    _passed.add(step)
    if step in _next:
        os.kill(os.getpid(), signal.SIGKILL)


def told(step: Step) -> str:
    """What the daemon says once it knows where it is to die."""
    return f"dies when {step}"


def main() -> None:
    courier.LEASE = timedelta(seconds=SECONDS_OF_A_LEASE)
    topping_up.LOOKED_AT_BY = timedelta(seconds=SECONDS_OF_A_LEASE)  # type: ignore[misc]
    topping_up.SOON = timedelta(seconds=SECONDS_BETWEEN_LOOKS)  # type: ignore[misc]
    leases.LASTS = timedelta(seconds=SECONDS_OF_LISTENING)
    for owner, name, replaced in (
        (TopUps, "take_due", _taking),
        (StripeCards, "create", _making),
        (TopUps, "opened", _opening),
        (Cashier, "step", _done),
        (TweepyGateway, "send_message", _sending),
        (TopUps, "hint", _hinting),
        (Cashier, "receive", _receiving),
        (StripeCards, "fetch", _fetching),
        (TopUps, "settle", _settling),
    ):
        setattr(owner, name, replaced(getattr(owner, name)))
    while (code := _life()) == -signal.SIGKILL:
        _says(KILLED)
    sys.exit(code)


def _life() -> int:
    """One daemon, and what it ended with."""
    born = os.fork()
    if born == 0:
        threading.Thread(target=_listen, daemon=True).start()
        os._exit(3 * run_daemon(load(), is_demo=True))
    return os.waitstatus_to_exitcode(os.waitpid(born, 0)[1])


def _listen() -> None:
    """Where to die, line by line; who started all this is gone when there are no more."""
    for line in sys.stdin:
        if line.strip() == STOP:
            os.kill(os.getpid(), signal.SIGTERM)
            return
        step = Step(line.strip())
        _passed.clear()
        _next[:] = [step]
        _says(told(step))
    os._exit(1)


def _says(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def _taking(take_due: Call) -> Call:
    def taking(self, session):
        if session.exec(select(TopUpRow.id).where(TopUpRow.state == "asked")).first() is not None:
            reaches(Step.ASKED)
        return take_due(self, session)

    return taking


def _making(create: Call) -> Call:
    def making(self, order):
        reaches(Step.TAKEN)
        made = create(self, order)
        reaches(Step.MADE)
        return made

    return making


def _opening(opened: Call) -> Call:
    def opening(self, session, *arguments, **named):
        opened(self, session, *arguments, **named)
        session.flush()
        reaches(Step.OPENED_IN_HAND)

    return opening


def _done(step: Call) -> Call:
    """The cashier's transactions are over when its step is."""

    def done(self):
        was_one = step(self)
        for in_hand, committed in (
            (Step.OPENED_IN_HAND, Step.OPENED),
            (Step.SETTLED_IN_HAND, Step.SETTLED),
        ):
            if in_hand in _passed:
                reaches(committed)
        return was_one

    return done


def _sending(send_message: Call) -> Call:
    def sending(self, recipient, text):
        sent = send_message(self, recipient, text)
        if "/c/pay/" in text:
            reaches(Step.LINK_SENT)
        if "Ref T-" in text:
            reaches(Step.RECEIPT_SENT)
        return sent

    return sending


def _hinting(hint: Call) -> Call:
    def hinting(self, session, checkout_id):
        was_ours = hint(self, session, checkout_id)
        session.flush()
        reaches(Step.HINT_IN_HAND)
        return was_ours

    return hinting


def _receiving(receive: Call) -> Call:
    def receiving(self, body, signature):
        was_ours = receive(self, body, signature)
        if Step.HINT_IN_HAND in _passed:
            reaches(Step.HINTED)
        return was_ours

    return receiving


def _fetching(fetch: Call) -> Call:
    def fetching(self, checkout_id):
        found = fetch(self, checkout_id)
        if found.state is CheckoutState.PAID:
            reaches(Step.FETCHED)
        return found

    return fetching


def _settling(settle: Call) -> Call:
    def settling(self, session, top_up_id, checkout, *, hints):
        settle(self, session, top_up_id, checkout, hints=hints)
        if checkout.state is CheckoutState.PAID:
            session.flush()
            reaches(Step.SETTLED_IN_HAND)

    return settling


if __name__ == "__main__":
    main()
