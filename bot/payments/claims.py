"""What becomes of money after the payer's answer: claimed by a payee who enrols, given up by either side, returned
by its payee, or back with its payer when nobody came.

Held money is a pending transfer into the payee's unclaimed wallet; it is resolved once, by whoever is first. Giving
back needs no code: it is the owner's own return of money received, to where it came from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from bot.errors import Refusal
from bot.language.catalogue import Line, Value
from bot.payments.authorisations import Authorisations, Cause
from bot.payments.halts import are_paused, check_may_move
from bot.payments.intents import SET_ASIDE, LineState
from bot.payments.posting import InsufficientMoney, PayeeUnavailable
from bot.payments.records import Found, Records
from bot.payments.rules import Rules
from bot.payments.spending import Spending, check_not_frozen
from bot.payments.wallets import Wallets
from bot.people.people import People, Standing
from bot.store.outbox import Outbox, Priority
from bot.store.tables import IntentLineRow, IntentRow, PersonRow
from bot.x.gateway import MessageId, UserId
from ledger import errors as ledger_errors
from ledger.book import Ledger
from ledger.clock import Clock
from ledger.transfers import Transfer, TransferId

HELD = frozenset({LineState.HELD})


class AlreadyReturned(Refusal):
    phrase = "already_returned"


class NoLongerHeld(Refusal):
    """Somebody else was first: it was claimed, taken back or ran out in this very moment."""

    phrase = "nothing_to_cancel"


@dataclass(frozen=True, slots=True)
class Claims:
    ledger: Ledger
    wallets: Wallets
    people: People
    records: Records
    authorisations: Authorisations
    spending: Spending
    outbox: Outbox
    rules: Rules
    clock: Clock

    def claim(self, session: Session, payee: PersonRow, *, said_at: datetime) -> tuple[Line, ...]:
        """Posts what is held for this person, was not over when they said so and fits under what they may hold; tells
        each payer, and returns who gave what. Nothing while payments are paused."""
        if are_paused(session):
            return ()
        return tuple(
            self._claim_one(session, payee, line, intent)
            for line, intent in self.records.held_for(session, payee.user_id)
            if self._is_still(session, line, HELD) and self._may_claim(session, payee, line, intent, said_at)
        )

    def _may_claim(
        self, session: Session, payee: PersonRow, line: IntentLineRow, intent: IntentRow, said_at: datetime
    ) -> bool:
        amount = self.records.money(intent, line.amount_minor)
        in_time = line.due_at is None or said_at <= line.due_at
        return in_time and self.spending.can_hold(session, payee, amount, with_incoming=False)

    def waiting(self, session: Session, payee: PersonRow) -> tuple[Line, ...]:
        """What is still held for this person, and from whom."""
        return tuple(
            Line(
                self.people.shown(self._payer(session, intent)),
                self.records.money(intent, line.amount_minor),
                intent.reference,
            )
            for line, intent in self.records.held_for(session, payee.user_id)
        )

    def _is_still(self, session: Session, line: IntentLineRow, states: frozenset[LineState]) -> bool:
        """Whoever resolves a pending line takes its payee first and looks again: the others come too late, not twice."""
        self.people.lock(session, [UserId(line.payee_id)])
        session.refresh(line)
        return line.state in states

    def let_through(self, session: Session, line: IntentLineRow, intent: IntentRow) -> None:
        """The time to undo it is over, or its review let it pass: a member has it now, for others it is held."""
        if not self._is_still(session, line, frozenset({LineState.UNDOABLE, LineState.REVIEW})):
            return
        payee = self.people.get(session, UserId(line.payee_id))
        if payee.standing != Standing.ENROLLED:
            line.state = LineState.HELD
            line.due_at = self.clock() + self.rules.hold_lasts
            session.add(line)
            session.flush()
            return
        posted = self.ledger.post_pending(session, _transfer_of(line), idempotency_key=f"through:{line.id}")
        self.settle(session, line, posted, LineState.PAID)
        self.tell_payee(session, intent, line)

    def tell_payee(self, session: Session, intent: IntentRow, line: IntentLineRow) -> None:
        """Money has reached this line's payee; who has muted their receipts is not told."""
        payee = self.people.get(session, UserId(line.payee_id))
        if payee.receipts_muted:
            return
        self.outbox.tell(
            session,
            payee,
            "receipt_payee",
            {
                "payer": self.people.shown(self._payer(session, intent)),
                "amount": self.records.money(intent, line.amount_minor),
                "reference": intent.reference,
                "balance": self.wallets.balance(session, payee).available,
                "note": self.records.note(intent),
            },
            priority=Priority.RECEIPT,
        )

    def refuse(self, session: Session, line: IntentLineRow) -> None:
        """Its review did not let it pass. Raises `NoLongerHeld`."""
        self._void(session, line, LineState.REFUSED, frozenset({LineState.REVIEW}))

    def _claim_one(self, session: Session, payee: PersonRow, line: IntentLineRow, intent: IntentRow) -> Line:
        posted = self.ledger.post_pending(session, _transfer_of(line), idempotency_key=f"claim:{line.id}")
        self.settle(session, line, posted, LineState.PAID)
        payer = self._payer(session, intent)
        amount = self.records.money(intent, line.amount_minor)
        self.outbox.tell(
            session,
            payer,
            "hold_claimed",
            {"reference": intent.reference, "payee": self.people.shown(payee), "amount": amount},
            priority=Priority.CLAIM,
        )
        return Line(self.people.shown(payer), amount, intent.reference)

    def cancel(self, session: Session, payer: PersonRow, line: IntentLineRow, intent: IntentRow) -> None:
        """The payer takes back what nobody has claimed yet. Raises `NoLongerHeld`, `PaymentsPaused`."""
        check_may_move(session)
        self._void(session, line, LineState.CANCELLED, SET_ASIDE)
        self._tell_payer(session, payer, line, intent, "hold_cancelled", Priority.ANSWER)

    def decline(self, session: Session, payee: PersonRow, line: IntentLineRow, intent: IntentRow) -> None:
        """The payee does not want it; they need not have enrolled to say so. Raises `NoLongerHeld`, `PaymentsPaused`."""
        check_may_move(session)
        self._void(session, line, LineState.DECLINED, HELD)
        payer = self._payer(session, intent)
        self._tell_payer(session, payer, line, intent, "hold_declined", Priority.CLAIM)
        self.outbox.tell(
            session,
            payee,
            "decline_done",
            {
                "reference": intent.reference,
                "payer": self.people.shown(payer),
                "amount": self.records.money(intent, line.amount_minor),
            },
        )

    def set_free(self, session: Session, line: IntentLineRow) -> Transfer:
        """By an admin's hand, whatever it waits for. Raises `NoLongerHeld`."""
        return self._void(session, line, LineState.CANCELLED, SET_ASIDE)

    def _void(
        self, session: Session, line: IntentLineRow, state: LineState, states: frozenset[LineState]
    ) -> Transfer:
        if not self._is_still(session, line, states):
            raise NoLongerHeld
        voided = self.ledger.void_pending(session, _transfer_of(line), idempotency_key=f"void:{line.id}")
        self.settle(session, line, voided, state)
        return voided

    def send_back(self, session: Session, holds: Sequence[Found]) -> None:
        """The service ends: what nobody has claimed is its payer's again, whatever time was left."""
        for line, intent in holds:
            if self._is_still(session, line, HELD):
                self._void(session, line, LineState.CANCELLED, HELD)
                payer = self._payer(session, intent)
                self._tell_payer(session, payer, line, intent, "hold_wound_down", Priority.NOTICE)

    def expire(self, session: Session, holds: Sequence[Found]) -> None:
        """Returns to its payer what nobody came for in time."""
        for line, intent in holds:
            if not self._is_still(session, line, HELD):
                continue
            expired = self.ledger.expire_pending(
                session, _transfer_of(line), idempotency_key=f"expire:{line.id}"
            )
            self.settle(session, line, expired, LineState.EXPIRED)
            payer = self._payer(session, intent)
            self._tell_payer(session, payer, line, intent, "hold_expired", Priority.NOTICE)

    def give_back(
        self,
        session: Session,
        payee: PersonRow,
        line: IntentLineRow,
        intent: IntentRow,
        *,
        said_in: MessageId,
    ) -> None:
        """The payee returns what came, all of it, once. Raises `InsufficientMoney`, `AlreadyReturned`,
        `AccountFrozen`, `PayeeUnavailable`, `PaymentsPaused`."""
        check_may_move(session)
        check_not_frozen(payee)
        payer = self._payer(session, intent)
        authorisation_id = self.authorisations.begin()
        returned = self._reverse(session, payee, line, intent, authorisation_id)
        self.authorisations.grant(
            session,
            authorisation_id,
            [returned],
            cause=Cause.RETURN,
            evidence=said_in,
            person_id=payee.user_id,
            intent_id=intent.id,
            version=intent.version,
        )
        self.settle(session, line, returned, LineState.RETURNED)
        self._tell_payer(session, payer, line, intent, "returned", Priority.RECEIPT)
        self.outbox.tell(
            session,
            payee,
            "return_done",
            {
                "reference": intent.reference,
                "payer": self.people.shown(payer),
                "amount": self.records.money(intent, line.amount_minor),
                "balance": self.wallets.balance(session, payee).available,
            },
        )

    def _reverse(
        self,
        session: Session,
        payee: PersonRow,
        line: IntentLineRow,
        intent: IntentRow,
        authorisation_id: int,
    ) -> Transfer:
        try:
            return self.ledger.reverse(
                session,
                TransferId(line.settled_id) if line.settled_id else _transfer_of(line),
                idempotency_key=f"return:{line.id}",
                authorisation_id=authorisation_id,
                code="return",
            )
        except ledger_errors.InsufficientFunds:
            available = self.wallets.balance(session, payee).available
            needed = self.records.money(intent, line.amount_minor)
            raise InsufficientMoney(available=available, needed=needed) from None
        except ledger_errors.AccountNotOpen:  # its payer was erased
            raise PayeeUnavailable(payee=self.people.shown(self._payer(session, intent))) from None
        except ledger_errors.AlreadyReversed:
            raise AlreadyReturned(reference=intent.reference) from None

    def settle(self, session: Session, line: IntentLineRow, settled: Transfer, state: LineState) -> None:
        line.settled_id = settled.id
        line.state = state
        session.add(line)
        session.flush()

    def _payer(self, session: Session, intent: IntentRow) -> PersonRow:
        return self.people.get(session, UserId(intent.payer_id))

    def _tell_payer(
        self,
        session: Session,
        payer: PersonRow,
        line: IntentLineRow,
        intent: IntentRow,
        phrase: str,
        priority: Priority,
    ) -> None:
        facts: dict[str, Value] = {
            "reference": intent.reference,
            "payee": self.records.payee_label(session, line),
            "amount": self.records.money(intent, line.amount_minor),
            "balance": self.wallets.balance(session, payer).available,
        }
        if phrase == "hold_expired":
            facts["days"] = self.rules.hold_lasts.days
        self.outbox.tell(session, payer, phrase, facts, priority=priority)


def _transfer_of(line: IntentLineRow) -> TransferId:
    if line.transfer_id is None:
        raise ValueError("this line has moved no money")
    return TransferId(line.transfer_id)
