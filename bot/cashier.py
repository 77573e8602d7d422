"""The cashier: takes what is due to the processor of cards, and brings back what it says. One at a time.

A row is taken in one transaction, the processor is asked outside of any, and its answer is written in another; so nothing is
held while it is slow, and whoever dies on the way has lost nothing: the row comes due again, and asking twice does nothing
twice.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog
from sqlmodel import Session

from bot.errors import TryLater
from bot.funding.processor import CardMovement, OrderRefused, Processor, UnknownCheckout
from bot.payments.card_book import CardBook
from bot.payments.topping_up import Due, TopUps
from ledger.database import Database

OVERLAP = timedelta(hours=1)
"""Lists of a processor may show a thing a while after it happened."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Cashier:
    database: Database
    top_ups: TopUps
    card_book: CardBook
    processor: Processor

    def run(self, keep_going: Callable[[], bool] = lambda: True) -> int:
        """All that is due now; how many. Raises `TryLater` where the processor cannot be asked, `Misconfigured`."""
        done = 0
        while keep_going() and self.step():
            done += 1
        return done

    def step(self) -> bool:
        """One of them; False where none is due."""
        due = self.database.write(self.top_ups.take_due)
        if due is None:
            return False
        try:
            self._ask(due)
        except OrderRefused as refused:
            self._refused(due, refused)
        except UnknownCheckout:
            log.error("cashier.unknown_page", reference=due.order.reference, checkout=due.checkout_id)
        except TryLater:
            self.database.write(partial(self._postpone, due))
            raise
        return True

    def page_for(self, due: Due) -> str | None:
        """The processor's page for one that was just asked for, for who waits before another page; None where it could not be
        made: its person is told in a message then. Raises `Misconfigured`."""
        try:
            checkout = self.processor.create(due.order)
        except OrderRefused as refused:
            self._refused(due, refused)
            return None
        except TryLater:
            self.database.write(partial(self._postpone, due))
            return None
        self.database.write(lambda session: self.top_ups.opened(session, due.id, checkout, tells=False))
        return checkout.url

    def _ask(self, due: Due) -> None:
        if due.checkout_id is None:
            checkout = self.processor.create(due.order)
            self.database.write(lambda session: self.top_ups.opened(session, due.id, checkout))
        else:
            found = self.processor.fetch(due.checkout_id)
            self.database.write(lambda session: self.top_ups.settle(session, due.id, found, hints=due.hints))

    def _refused(self, due: Due, refused: OrderRefused) -> None:
        """The processor will make no page for this one, however often it is asked."""
        log.error("cashier.refused", reference=due.order.reference, reason=str(refused))
        self.database.write(lambda session: self.top_ups.give_up(session, due.id))

    def _postpone(self, due: Due, session: Session) -> None:
        self.top_ups.postpone(session, due.id)

    def follow(self) -> int:
        """What has changed what the processor holds for us since the last time, and a while before that, each in a transaction
        of its own; how many were new. And what people owe of it is taken from what they have by now. Raises `TryLater`,
        `Misconfigured`."""
        since = self.database.read(self.card_book.begins)
        if since is None:
            return 0
        told = self.processor.movements(since - OVERLAP)
        fresh = self.database.read(lambda session: self.card_book.unknown(session, told))
        for movement in fresh:
            self.database.write(partial(self._note, movement))
        self.database.write(self._catch_up)
        return len(fresh)

    def _note(self, movement: CardMovement, session: Session) -> None:
        self.card_book.note(session, movement)

    def _catch_up(self, session: Session) -> None:
        self.card_book.book_open(session)
        self.card_book.settle_all(session)

    def receive(self, body: bytes, signature: str) -> bool:
        """What the processor pushes: only where to look. Raises `NotFromProcessor`; whatever else is raised, it must not be
        answered 200."""
        hint = self.processor.hint_of(body, signature)
        if not hint.checkout_id:
            return False
        return self.database.write(lambda session: self.top_ups.hint(session, hint.checkout_id))
