"""Money put in by card: asked for, paid on the processor's own page, and credited once, whatever its webhooks do.

    asked ──a page is made──> open ──> pending ──> paid
                                └─────────┴──────> failed      set_aside: it is not as it was asked for

What the processor pushes only says where to look (`hint`). What it answers when it is asked is what counts (`settle`),
and whoever settles holds the row: a second one finds it settled. What it keeps of a charge is the operator's expense.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog
from sqlmodel import Session, col, select

from bot.book import is_paused
from bot.errors import InvariantBroken, Refusal
from bot.funding.processor import Checkout, CheckoutOrder, CheckoutState
from bot.language.catalogue import Parameters
from bot.payments.card_book import CardBook
from bot.payments.halts import PaymentsPaused, are_paused, check_may_pay
from bot.payments.intents import new_reference
from bot.payments.spending import Spending
from bot.payments.wallets import CARD_CLEARING, CARD_FEES, Wallets
from bot.people.people import People
from bot.people.terms import Terms
from bot.store.card_tables import TopUpRow
from bot.store.outbox import Outbox, Priority
from bot.store.tables import PersonRow
from bot.x.gateway import UserId
from ledger import errors as ledger_errors
from ledger.book import Ledger
from ledger.clock import Clock, Entropy, IdSource
from ledger.money import Money, currency_of
from ledger.transfers import NewTransfer

log = structlog.get_logger(__name__)

TOP_UP: Final = "top_up"
FEE: Final = "card_fee"
MOST_OPEN: Final = 3
"""Pages of one person that can be paid on at the same time."""
PAGE_LASTS: Final = timedelta(hours=2)
GIVEN_UP_BEFORE: Final = timedelta(minutes=45)
"""A processor makes no page that ends sooner than in half an hour."""
LOOKED_AT_BY: Final = timedelta(minutes=2)
"""Who has taken a row to the processor is back by then, or has died on the way."""
SOON: Final = timedelta(minutes=1)
LATE: Final = timedelta(hours=1)
_OPEN: Final = ("asked", "open", "pending")


class TopUpLimits(Refusal):
    phrase = "top_up_limits"


class TopUpHowMuch(Refusal):
    phrase = "top_up_how_much"


class TopUpTooFull(Refusal):
    phrase = "top_up_too_full"


class TopUpTooMany(Refusal):
    phrase = "top_up_too_many"


@dataclass(frozen=True, slots=True)
class Due:
    """One top-up about which the processor is to be asked: for a page where it has none yet, else for its state."""

    id: int
    order: CheckoutOrder
    checkout_id: str | None
    hints: int
    """How often something had been heard of it by then."""


@dataclass(frozen=True, slots=True)
class TopUps:
    """`least_minor` is the least that can be put in at once, in minor units. `return_url` is where the processor's page
    sends people who are done, `turned_back_url` those who are not."""

    ledger: Ledger
    wallets: Wallets
    spending: Spending
    people: People
    terms: Terms
    card_book: CardBook
    outbox: Outbox
    clock: Clock
    ids: IdSource
    entropy: Entropy
    least_minor: int
    return_url: str
    turned_back_url: str

    # Asking

    def ask(
        self, session: Session, person: PersonRow, amount_minor: int | None, *, asked_in: int, language: str
    ) -> TopUpRow | None:
        """Somebody wants to put this much in; None where that message has asked already. Raises what stands in its way, as
        a `Refusal`."""
        self.people.lock(session, [UserId(person.user_id)])
        if session.exec(select(TopUpRow.id).where(TopUpRow.asked_in == asked_in)).first() is not None:
            return None
        amount = self._checked(session, person, amount_minor)
        now = self.clock()
        row = TopUpRow(
            id=self.ids(),
            reference=new_reference(self.entropy, letter="T"),
            person_id=person.user_id,
            asked_in=asked_in,
            amount_minor=amount.amount_minor,
            currency=amount.currency.code,
            language=language,
            asked_at=now,
            expires_at=now + PAGE_LASTS,
            due_at=now,
        )
        session.add(row)
        session.flush()
        return row

    def _checked(self, session: Session, person: PersonRow, amount_minor: int | None) -> Money:
        if is_paused(session):
            raise PaymentsPaused
        check_may_pay(session)
        self.terms.check(session, person)
        bounds = self.bounds(session, person)
        if amount_minor is None:
            raise TopUpHowMuch(least=bounds[0], most=bounds[1])
        amount = Money(amount_minor, self.wallets.currency)
        if not bounds[0] <= amount <= bounds[1]:
            raise TopUpLimits(least=bounds[0], most=bounds[1])
        waiting = self._waiting(session, person)
        if len(waiting) >= MOST_OPEN:
            raise TopUpTooMany
        whole = Money(amount_minor + sum(row.amount_minor for row in waiting), amount.currency)
        if not self.spending.can_hold(session, person, whole, with_incoming=True):
            raise TopUpTooFull(limit=self.spending.most_held(person))
        return amount

    def bounds(self, session: Session, person: PersonRow) -> tuple[Money, Money]:
        """The least and the most this person can put in at once."""
        currency = self.wallets.currency
        most = max(self.spending.caps(session, person).top_up_minor, self.least_minor)
        return Money(self.least_minor, currency), Money(most, currency)

    @staticmethod
    def _waiting(session: Session, person: PersonRow) -> Sequence[TopUpRow]:
        rows = select(TopUpRow).where(TopUpRow.person_id == person.user_id)
        return session.exec(rows.where(col(TopUpRow.state).in_(_OPEN))).all()

    # What the processor is asked

    def take_due(self, session: Session) -> Due | None:
        """The next one to be asked about. Nobody else takes it for a while; who does not come back has lost it. None in a restored
        book that was not reconciled yet."""
        if is_paused(session):
            return None
        due = (
            select(TopUpRow)
            .where(col(TopUpRow.due_at) <= self.clock())
            .order_by(col(TopUpRow.due_at), col(TopUpRow.id))
        )
        row = session.exec(due.limit(1).with_for_update(skip_locked=True)).first()
        return None if row is None else self._taken(session, row)

    def ask_now(self, session: Session, person: PersonRow, amount_minor: int | None, *, language: str) -> Due:
        """From a person's page, where they wait for the processor's: whoever asks has taken it at once. Raises as `ask` does."""
        row = self.ask(session, person, amount_minor, asked_in=-self.ids(), language=language)
        if row is None:
            raise InvariantBroken("a new number was there already")
        return self._taken(session, row)

    def _taken(self, session: Session, row: TopUpRow) -> Due:
        now = self.clock()
        row.due_at = now + LOOKED_AT_BY
        row.looks += 1
        session.add(row)
        return Due(row.id, self._order(row), row.checkout_id, row.hints)

    def _order(self, row: TopUpRow) -> CheckoutOrder:
        return CheckoutOrder(
            reference=row.reference,
            amount=_amount(row),
            language=row.language,
            expires_at=row.expires_at,
            return_url=self.return_url,
            turned_back_url=self.turned_back_url,
        )

    def hint(self, session: Session, checkout_id: str) -> bool:
        """Something happened to this page: it is looked at now. False for one that is none of ours, or is settled."""
        row = session.exec(
            select(TopUpRow).where(TopUpRow.checkout_id == checkout_id).with_for_update()
        ).first()
        if row is None or row.due_at is None:
            return False
        row.hints += 1
        row.due_at = self.clock()
        session.add(row)
        return True

    def opened(self, session: Session, top_up_id: int, checkout: Checkout, *, tells: bool = True) -> None:
        """The processor has made its page: its person is told where it is, unless they see it already."""
        row = self._held(session, top_up_id)
        if row.state != "asked":
            return
        if problem := _unlike(row, checkout):
            self._set_aside(session, row, checkout, problem)
            return
        row.state, row.checkout_id = "open", checkout.id
        now = self.clock()
        row.due_at = now + SOON
        session.add(row)
        if not tells:
            return
        facts: Parameters = {
            "amount": _amount(row),
            "link": checkout.url,
            "minutes": max(1, -((now - row.expires_at) // timedelta(minutes=1))),
        }
        person = self._person(session, row)
        self.outbox.tell(session, person, "top_up_link", facts, language=row.language)

    def postpone(self, session: Session, top_up_id: int) -> None:
        """The processor could not be asked. Who waits for a page hears of it once; after an hour and a quarter it is given up:
        if a page was made after all, nobody has its address, and it ends by itself."""
        row = self._held(session, top_up_id)
        if row.due_at is None:
            return
        now = self.clock()
        row.due_at = now + SOON
        session.add(row)
        if row.state != "asked":
            return
        if row.expires_at - now < GIVEN_UP_BEFORE:
            self._give_up(session, row)
        elif row.looks == 1:
            self._tell_of(session, row, "top_up_waits")

    def give_up(self, session: Session, top_up_id: int) -> None:
        """The processor makes no page for it: nothing was charged, and its person hears so."""
        row = self._held(session, top_up_id)
        if row.state == "asked":
            self._give_up(session, row)

    def _give_up(self, session: Session, row: TopUpRow) -> None:
        row.state, row.due_at, row.finished_at = "failed", None, self.clock()
        session.add(row)
        self._tell_of(session, row, "top_up_no_page")

    def _tell_of(self, session: Session, row: TopUpRow, phrase: str) -> None:
        facts: Parameters = {"amount": _amount(row)}
        self.outbox.tell(session, self._person(session, row), phrase, facts, language=row.language)

    def settle(self, session: Session, top_up_id: int, checkout: Checkout, *, hints: int) -> None:
        """What the processor said of it, asked when so much had been heard of it. Booked once; what is settled stays as it is."""
        row = self._held(session, top_up_id)
        if row.due_at is None:
            return
        if problem := _unlike(row, checkout):
            self._set_aside(session, row, checkout, problem)
            return
        match checkout.state:
            case CheckoutState.PAID if are_paused(session) or is_paused(session):
                self._look_again(row, hints, SOON)
            case CheckoutState.PAID:
                self._credit(session, row, checkout, hints)
            case CheckoutState.FAILED:
                self._fail(session, row)
            case CheckoutState.PENDING:
                row.state = "pending"
                self._look_again(row, hints, LATE)
            case CheckoutState.OPEN:
                self._look_again(row, hints, self._patience(row))
        session.add(row)
        session.flush()

    def _patience(self, row: TopUpRow) -> timedelta:
        """A webhook says at once when somebody has paid; this is for the one that never came."""
        past = self.clock() - row.asked_at
        return min(max(SOON, past / 2), LATE)

    def _look_again(self, row: TopUpRow, hints: int, pause: timedelta) -> None:
        """What happened while the processor was being asked may not be in its answer."""
        row.due_at = self.clock() if row.hints > hints else self.clock() + pause

    def _credit(self, session: Session, row: TopUpRow, checkout: Checkout, hints: int) -> None:
        person = self._person(session, row)
        if row.transfer_id is None:
            self.people.lock(session, [UserId(person.user_id)])
            try:
                row.transfer_id = self._book(session, row, person)
            except ledger_errors.AccountNotOpen:
                self._set_aside(session, row, checkout, "it was paid after its person had been erased")
                return
            row.state, row.payment_id, row.finished_at = "paid", checkout.payment_id, self.clock()
            session.flush()
            self.card_book.settle(session, person)
            balance = self.wallets.balance(session, person).available
            facts: Parameters = {"amount": _amount(row), "balance": balance, "reference": row.reference}
            self.outbox.tell(
                session, person, "top_up_done", facts, language=row.language, priority=Priority.RECEIPT
            )
            log.info("top_up.paid", reference=row.reference, amount_minor=row.amount_minor)
        if checkout.fee is None:
            self._look_again(row, hints, LATE)
            return
        if checkout.fee.currency == _amount(row).currency:
            self._book_fee(session, row, checkout.fee)
        else:
            log.error("top_up.fee_in_another_currency", reference=row.reference, fee=str(checkout.fee))
        row.due_at = None

    def _book(self, session: Session, row: TopUpRow, person: PersonRow) -> int:
        return self.ledger.transfer(
            session,
            NewTransfer(
                debit_account_id=self.wallets.house(session, CARD_CLEARING),
                credit_account_id=self.wallets.of(session, person),
                amount=_amount(row),
                code=TOP_UP,
                idempotency_key=f"{TOP_UP}:{row.reference}",
            ),
        ).id

    def _book_fee(self, session: Session, row: TopUpRow, fee: Money) -> None:
        row.fee_minor = fee.amount_minor
        if fee.amount_minor:
            row.fee_transfer_id = self.ledger.transfer(
                session,
                NewTransfer(
                    debit_account_id=self.wallets.house(session, CARD_FEES),
                    credit_account_id=self.wallets.house(session, CARD_CLEARING),
                    amount=fee,
                    code=FEE,
                    idempotency_key=f"{FEE}:{row.reference}",
                ),
            ).id

    def _fail(self, session: Session, row: TopUpRow) -> None:
        """Who let the page run out knows it; who had typed in their card and was refused later does not."""
        if row.state == "pending":
            facts: Parameters = {"amount": _amount(row), "reference": row.reference}
            person = self._person(session, row)
            self.outbox.tell(
                session, person, "top_up_failed", facts, language=row.language, priority=Priority.RECEIPT
            )
        row.state, row.due_at, row.finished_at = "failed", None, self.clock()

    def _set_aside(self, session: Session, row: TopUpRow, checkout: Checkout, problem: str) -> None:
        row.state, row.reason = "set_aside", problem
        row.checkout_id = row.checkout_id or checkout.id
        row.payment_id, row.due_at, row.finished_at = checkout.payment_id or None, None, self.clock()
        session.add(row)
        session.flush()
        log.error("top_up.set_aside", reference=row.reference, checkout=checkout.id, reason=problem)

    @staticmethod
    def _held(session: Session, top_up_id: int) -> TopUpRow:
        row = select(TopUpRow).where(TopUpRow.id == top_up_id).with_for_update()
        return session.exec(row.execution_options(populate_existing=True)).one()

    def _person(self, session: Session, row: TopUpRow) -> PersonRow:
        return session.get_one(PersonRow, row.person_id)


def _amount(row: TopUpRow) -> Money:
    return Money(row.amount_minor, currency_of(row.currency))


def _unlike(row: TopUpRow, checkout: Checkout) -> str | None:
    """What of the processor's page is not as it was asked for. Nothing of it is credited then."""
    if row.checkout_id is not None and checkout.id != row.checkout_id:
        return f"the processor answered with another page, {checkout.id}"
    if checkout.reference != row.reference:
        return f"the page is for {checkout.reference!r}"
    if checkout.amount != _amount(row):
        return f"the page is over {checkout.amount}"
    return None
