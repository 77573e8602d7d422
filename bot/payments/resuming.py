"""Payments go on after a pause: nobody's time has run out for it, and who came meanwhile gets what waited for them."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from bot.language.catalogue import Parameters
from bot.payments.claims import Claims
from bot.payments.records import Records
from bot.payments.wallets import Wallets
from bot.people.people import People, Standing
from bot.store.outbox import Outbox, Priority
from bot.store.tables import PersonRow
from bot.x.gateway import UserId
from ledger.clock import Clock

ALL_OF_THEM = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Resuming:
    records: Records
    claims: Claims
    wallets: Wallets
    people: People
    outbox: Outbox
    clock: Clock

    def go_on(self, session: Session, *, paused_since: datetime) -> None:
        """In the transaction that ends the pause."""
        self.records.move_hold_ends(session, self.clock() - paused_since)
        waiting = {line.payee_id for line, _ in self.records.held_soonest(session, most=ALL_OF_THEM)}
        for payee in self.people.lock(session, [UserId(each) for each in waiting]).values():
            if payee.standing == Standing.ENROLLED:
                self._claim(session, payee)

    def _claim(self, session: Session, payee: PersonRow) -> None:
        claimed = self.claims.claim(session, payee, said_at=payee.enrolled_at or self.clock())
        if claimed:
            facts: Parameters = {
                "lines": claimed,
                "balance": self.wallets.balance(session, payee).available,
            }
            self.outbox.tell(session, payee, "claimed", facts, priority=Priority.CLAIM)
