"""A card meets a session: charged, declined, asked for approval, or left pending. A session is paid once at most, whoever
presses a button how often: only an open one takes a card."""

from dataclasses import replace
from enum import StrEnum

from bot.card_sandbox import render
from bot.card_sandbox.balance import fee_of, record
from bot.card_sandbox.cards import Behaviour, Card
from bot.card_sandbox.core import CardProcessor
from bot.card_sandbox.objects import Charge, Due, DueKind, Payment, PaymentStatus, SessionStatus


class Outcome(StrEnum):
    """What came of a card."""

    PAID = "paid"
    PENDING = "pending"
    """The page is done with, and whether money comes shows later."""
    DECLINED = "declined"
    """Nothing was charged; another card may be tried."""
    NEEDS_APPROVAL = "needs_approval"
    """The card's holder is to `approve` or `refuse`."""
    CLOSED = "closed"
    """This session takes no card any more, and nothing was done."""


def pay(processor: CardProcessor, session_id: str, card: Card) -> Outcome:
    """Somebody pays with this card. Raises `StripeRefusal` for an unknown session."""
    with processor.lock:
        if processor.session(session_id).status is not SessionStatus.OPEN:
            return Outcome.CLOSED
        _begin_payment(processor, session_id)
        processor.awaiting.pop(session_id, None)
        match card.behaviour:
            case Behaviour.DECLINED | Behaviour.INSUFFICIENT_FUNDS:
                return _decline(processor, session_id, card, card.behaviour.value)
            case Behaviour.ASKS_APPROVAL:
                processor.awaiting[session_id] = card
                _move(processor, session_id, PaymentStatus.REQUIRES_ACTION, "requires_action")
                return Outcome.NEEDS_APPROVAL
            case Behaviour.SUCCEEDS_LATE:
                return _wait(processor, session_id, card, DueKind.SUCCEED)
            case Behaviour.FAILS_LATE:
                return _wait(processor, session_id, card, DueKind.FAIL)
            case Behaviour.DISPUTED:
                at = processor.now() + processor.late_after
                processor.due.append(Due(at, DueKind.DISPUTE, _payment(processor, session_id).id))
        return _charge(processor, session_id, card)


def awaits_approval(processor: CardProcessor, session_id: str) -> Card | None:
    """The card whose holder's bank asks, if one does. Raises `StripeRefusal`."""
    with processor.lock:
        processor.session(session_id)
        return processor.awaiting.get(session_id)


def approve(processor: CardProcessor, session_id: str) -> Outcome:
    """The card's holder says yes to their bank."""
    with processor.lock:
        card = awaits_approval(processor, session_id)
        if card is None:
            return Outcome.CLOSED
        del processor.awaiting[session_id]
        return _charge(processor, session_id, card)


def refuse(processor: CardProcessor, session_id: str) -> Outcome:
    """The card's holder says no, or cannot show who they are."""
    with processor.lock:
        card = awaits_approval(processor, session_id)
        if card is None:
            return Outcome.CLOSED
        del processor.awaiting[session_id]
        return _decline(processor, session_id, card, "authentication_required")


def end_late(processor: CardProcessor, session_id: str, *, succeeds: bool) -> None:
    """A pending session's outcome is known."""
    charge = processor.charges[_payment(processor, session_id).latest_charge_id or ""]
    if succeeds:
        _succeed(processor, session_id, charge)
        _complete(processor, session_id, paid=True, kind="async_payment_succeeded")
    else:
        _fail(processor, session_id, charge, "insufficient_funds")
        _complete(processor, session_id, paid=False, kind="async_payment_failed")


def _begin_payment(processor: CardProcessor, session_id: str) -> None:
    session = processor.sessions[session_id]
    if session.payment_id is not None:
        return
    payment = Payment(
        processor.ground.new_id("pi"),
        processor.now(),
        session_id,
        session.total,
        session.order.currency,
        session.order.payment_metadata,
    )
    processor.payments[payment.id] = payment
    processor.sessions[session_id] = replace(session, payment_id=payment.id)
    processor.emit("payment_intent.created", render.payment(payment))


def _payment(processor: CardProcessor, session_id: str) -> Payment:
    return processor.payments[processor.sessions[session_id].payment_id or ""]


def _move(
    processor: CardProcessor, session_id: str, status: PaymentStatus, kind: str, *, decline_code: str = ""
) -> None:
    moved = replace(_payment(processor, session_id), status=status, decline_code=decline_code)
    processor.payments[moved.id] = moved
    processor.emit(f"payment_intent.{kind}", render.payment(moved))


def _new_charge(processor: CardProcessor, session_id: str, card: Card) -> Charge:
    payment = _payment(processor, session_id)
    charge = Charge(
        processor.ground.new_id("ch"),
        processor.now(),
        payment.id,
        payment.amount,
        payment.currency,
        card.brand,
        card.last4,
        "pending",
    )
    processor.charges[charge.id] = charge
    processor.payments[payment.id] = replace(payment, latest_charge_id=charge.id)
    return charge


def _charge(processor: CardProcessor, session_id: str, card: Card) -> Outcome:
    _succeed(processor, session_id, _new_charge(processor, session_id, card))
    _complete(processor, session_id, paid=True, kind="completed")
    return Outcome.PAID


def _decline(processor: CardProcessor, session_id: str, card: Card, code: str) -> Outcome:
    _fail(processor, session_id, _new_charge(processor, session_id, card), code)
    return Outcome.DECLINED


def _wait(processor: CardProcessor, session_id: str, card: Card, outcome: DueKind) -> Outcome:
    charge = _new_charge(processor, session_id, card)
    processor.emit("charge.pending", render.charge(charge))
    _move(processor, session_id, PaymentStatus.PROCESSING, "processing")
    _complete(processor, session_id, paid=False, kind="completed")
    processor.due.append(Due(processor.now() + processor.late_after, outcome, session_id))
    return Outcome.PENDING


def _succeed(processor: CardProcessor, session_id: str, charge: Charge) -> None:
    movement = record(
        processor,
        charge.amount,
        currency=charge.currency,
        kind="charge",
        source_id=charge.id,
        fee=fee_of(charge.amount),
    )
    done = replace(charge, status="succeeded", movement_id=movement.id)
    processor.charges[done.id] = done
    processor.emit("charge.succeeded", render.charge(done))
    _move(processor, session_id, PaymentStatus.SUCCEEDED, "succeeded")


def _fail(processor: CardProcessor, session_id: str, charge: Charge, code: str) -> None:
    failed = replace(charge, status="failed", decline_code=code)
    processor.charges[failed.id] = failed
    processor.emit("charge.failed", render.charge(failed))
    _move(processor, session_id, PaymentStatus.REQUIRES_PAYMENT_METHOD, "payment_failed", decline_code=code)


def _complete(processor: CardProcessor, session_id: str, *, paid: bool, kind: str) -> None:
    session = replace(processor.sessions[session_id], status=SessionStatus.COMPLETE, paid=paid)
    processor.sessions[session_id] = session
    processor.emit(f"checkout.session.{kind}", render.session(session, processor.address))
