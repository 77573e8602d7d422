"""What the processor of cards holds for us, followed change by change, so that `card_clearing` is at all times what it holds.

A charge is booked by its top-up, as soon as the processor says that it is paid. What is followed here is all else: what went to the
bank, what it took, and what cards took back. That is owed by whoever had put it in: it is taken from their wallet as far as that
goes, and the rest is a debt of theirs to the operator. While they owe, they pay nobody; what they put in settles it first.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import func
from sqlmodel import Session, col, select

from bot.book import is_paused
from bot.funding.processor import CardMovement, MovementKind
from bot.language.catalogue import Parameters
from bot.payments.authorisations import Authorisations, Cause
from bot.payments.halts import are_paused
from bot.payments.house import House
from bot.payments.wallets import CARD_CLEARING, CARD_FEES, CARD_UNCLAIMED, DEBT, Wallets
from bot.people.people import People
from bot.store.card_tables import CardMovementRow, TopUpRow
from bot.store.outbox import Outbox, Priority
from bot.store.tables import BookRow, PersonRow
from bot.x.gateway import UserId
from ledger.accounts import AccountId
from ledger.book import Ledger
from ledger.clock import Clock, IdSource
from ledger.money import Money, currency_of
from ledger.transfers import NewTransfer

log = structlog.get_logger(__name__)

PAYOUT: Final = "card_payout"
FEE: Final = "card_fee"
RETURN: Final = "card_return"
UNCLAIMED: Final = "card_unclaimed"
_OF_TOP_UPS: Final = (MovementKind.CHARGE, MovementKind.RETURN)


@dataclass(frozen=True, slots=True)
class CardBook:
    ledger: Ledger
    wallets: Wallets
    house: House
    people: People
    authorisations: Authorisations
    outbox: Outbox
    clock: Clock
    ids: IdSource

    # What is known

    def begins(self, session: Session) -> datetime | None:
        """From when on the processor is asked: the newest change that is known, or the first top-up; None before that, and in a
        restored book that was not reconciled yet."""
        if is_paused(session):
            return None
        newest = session.exec(select(func.max(CardMovementRow.happened_at))).one()
        return newest or session.exec(select(func.min(TopUpRow.asked_at))).one()

    def unknown(self, session: Session, movements: Iterable[CardMovement]) -> list[CardMovement]:
        """Those that were not seen before, in their order."""
        told = list(movements)
        names = [each.id for each in told]
        known: set[str] = set()
        for start in range(0, len(names), 500):
            some = col(CardMovementRow.movement_id).in_(names[start : start + 500])
            known |= set(session.exec(select(CardMovementRow.movement_id).where(some)))
        return [each for each in told if each.id not in known]

    # What is booked

    def note(self, session: Session, movement: CardMovement) -> None:
        """Writes it down once, and books it if that can be done by now."""
        session.exec(select(BookRow).with_for_update()).one()  # of several programs one at a time
        if is_paused(session):
            return
        there = select(CardMovementRow.id).where(CardMovementRow.movement_id == movement.id)
        if session.exec(there).first() is not None:
            return
        row = CardMovementRow(
            id=self.ids(),
            movement_id=movement.id,
            kind=movement.kind,
            amount_minor=movement.amount.amount_minor,
            fee_minor=movement.fee.amount_minor,
            currency=movement.amount.currency.code,
            payment_id=movement.payment_id,
            happened_at=movement.at,
            seen_at=self.clock(),
        )
        session.add(row)
        session.flush()
        self._book(session, row)

    def book_open(self, session: Session) -> None:
        """What could not be booked when it was seen, since its top-up was not settled yet."""
        rows = (
            select(CardMovementRow).where(CardMovementRow.state == "open").order_by(col(CardMovementRow.id))
        )
        for row in session.exec(rows.with_for_update()).all():
            if row.kind in _OF_TOP_UPS:
                self._book(session, row)

    def _book(self, session: Session, row: CardMovementRow) -> None:
        if currency_of(row.currency) != self.wallets.currency:
            log.error("card_movement.open", movement=row.movement_id, kind=row.kind)
            return
        match MovementKind(row.kind):
            case MovementKind.CHARGE:
                self._charge(session, row)
            case MovementKind.PAYOUT:
                bank = self.wallets.bank(session)
                self._done(session, row, self._move(session, row, bank, row.amount_minor, PAYOUT))
            case MovementKind.FEE:
                fees = self.wallets.house(session, CARD_FEES)
                self._done(session, row, self._move(session, row, fees, row.amount_minor, FEE))
            case MovementKind.RETURN:
                self._return(session, row)
            case MovementKind.OTHER:
                log.error("card_movement.open", movement=row.movement_id, kind=row.kind)

    def _done(self, session: Session, row: CardMovementRow, transfer_id: int | None) -> None:
        row.state, row.transfer_id = "booked", transfer_id
        session.add(row)
        session.flush()

    def _move(
        self, session: Session, row: CardMovementRow, account: AccountId, change_minor: int, code: str
    ) -> int | None:
        """From the clearing account to this one where the processor holds less, the other way round where it holds more."""
        if not change_minor:
            return None
        clearing = self.wallets.house(session, CARD_CLEARING)
        debit, credit = (account, clearing) if change_minor < 0 else (clearing, account)
        return self.ledger.transfer(
            session,
            NewTransfer(
                debit_account_id=debit,
                credit_account_id=credit,
                amount=Money(abs(change_minor), self.wallets.currency),
                code=code,
                idempotency_key=f"{code}:{row.movement_id}",
            ),
        ).id

    def _top_up(self, session: Session, row: CardMovementRow) -> TopUpRow | None:
        """The one it is about, once that is settled; its payment's name is known from then on."""
        return session.exec(select(TopUpRow).where(TopUpRow.payment_id == row.payment_id)).first()

    def _charge(self, session: Session, row: CardMovementRow) -> None:
        """Booked by its top-up; where that was set aside, it is held for nobody who is known."""
        top_up = self._top_up(session, row)
        if top_up is None:
            return
        if top_up.transfer_id is not None:
            self._done(session, row, None)
            return
        self._move(session, row, self.wallets.house(session, CARD_FEES), -row.fee_minor, FEE)
        unclaimed = self.wallets.house(session, CARD_UNCLAIMED)
        self._done(session, row, self._move(session, row, unclaimed, row.amount_minor, UNCLAIMED))

    # What cards took back

    def _return(self, session: Session, row: CardMovementRow) -> None:
        top_up = self._top_up(session, row)
        if top_up is None:
            return
        fees = self.wallets.house(session, CARD_FEES)
        self._move(session, row, fees, -row.fee_minor, FEE)
        if top_up.transfer_id is None:  # set aside: it was never anybody's here
            unclaimed = self.wallets.house(session, CARD_UNCLAIMED)
            self._done(session, row, self._move(session, row, unclaimed, row.amount_minor, RETURN))
            return
        person = session.get_one(PersonRow, top_up.person_id)
        self.people.lock(session, [UserId(person.user_id)])
        if row.amount_minor < 0:
            self._take_back(session, row, person, top_up.reference)
        else:
            self._give_again(session, row, person, top_up.reference)

    def _take_back(self, session: Session, row: CardMovementRow, person: PersonRow, reference: str) -> None:
        """What went back is owed, and taken from the wallet as far as that goes."""
        debt = self.wallets.debt_account(session, person)
        self._done(session, row, self._move(session, row, debt, row.amount_minor, RETURN))
        self.settle(session, person)
        facts: Parameters = {
            "amount": Money(-row.amount_minor, self.wallets.currency),
            "reference": reference,
            **self._standing(session, person),
        }
        self.outbox.tell(session, person, "card_taken_back", facts, priority=Priority.RECEIPT)

    def _give_again(self, session: Session, row: CardMovementRow, person: PersonRow, reference: str) -> None:
        """What came again, as when a dispute was won, settles what is owed, and the rest is theirs; an erased person's is
        nobody's."""
        owed_minor = min(self.wallets.debt(session, person).amount_minor, row.amount_minor)
        rest_minor = row.amount_minor - owed_minor
        self._move(session, row, self.wallets.debt_account(session, person), owed_minor, f"{RETURN}_debt")
        erased = person.user_id < 0
        theirs = self.wallets.house(session, CARD_UNCLAIMED) if erased else self.wallets.of(session, person)
        self._done(session, row, self._move(session, row, theirs, rest_minor, RETURN))
        if owed_minor:
            settled = Money(owed_minor, self.wallets.currency)
            self._tell_settled(session, person, settled)
        if rest_minor:
            facts: Parameters = {
                "amount": Money(rest_minor, self.wallets.currency),
                "balance": self.wallets.balance(session, person).available,
                "reference": reference,
            }
            self.outbox.tell(session, person, "top_up_done", facts, priority=Priority.RECEIPT)

    def settle(self, session: Session, person: PersonRow) -> None:
        """Takes what they owe from what they have, as far as that goes; frozen or not, but not while payments are paused. The
        caller holds the person."""
        if are_paused(session) or is_paused(session):
            return
        available = self.wallets.balance(session, person).available
        amount = min(self.wallets.debt(session, person), available)
        if amount.amount_minor <= 0:
            return
        authorisation_id = self.authorisations.begin()
        new = NewTransfer(
            debit_account_id=self.wallets.of(session, person),
            credit_account_id=self.wallets.debt_account(session, person),
            amount=amount,
            code=DEBT,
            idempotency_key=f"{DEBT}:{authorisation_id}",
            authorisation_id=authorisation_id,
        )
        with self.house.thawed(session, person):
            paid = self.ledger.transfer(session, new)
        self.authorisations.grant(
            session,
            authorisation_id,
            [paid],
            cause=Cause.CARD,
            evidence=paid.id,
            person_id=person.user_id,
        )

    def settle_all(self, session: Session) -> None:
        """Of everybody who owes something and has something."""
        debtors = select(PersonRow).where(col(PersonRow.debt_id).is_not(None), col(PersonRow.user_id) > 0)
        for person in session.exec(debtors).all():
            if self.wallets.debt(session, person).amount_minor:
                self._settle_and_tell(session, person)

    def _settle_and_tell(self, session: Session, person: PersonRow) -> None:
        self.people.lock(session, [UserId(person.user_id)])
        before = self.wallets.debt(session, person)
        self.settle(session, person)
        settled = before - self.wallets.debt(session, person)
        if settled.amount_minor:
            self._tell_settled(session, person, settled)

    def _tell_settled(self, session: Session, person: PersonRow, settled: Money) -> None:
        facts: Parameters = {"amount": settled, **self._standing(session, person)}
        self.outbox.tell(session, person, "debt_settled", facts, priority=Priority.RECEIPT)

    def _standing(self, session: Session, person: PersonRow) -> dict[str, Money | None]:
        """What they have now, and what they still owe."""
        debt = self.wallets.debt(session, person)
        return {
            "balance": self.wallets.balance(session, person).available,
            "debt": debt if debt.amount_minor else None,
        }
