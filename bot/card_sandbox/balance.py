"""The balance: what each payment brings and costs, what goes back, and what is paid out to the bank.

Fees are 1.5 % and 25 minor units, a half rounded up, and are not given back. A dispute costs 15.00 besides its amount, and both come
back if it is won. Money from a charge lies two days before it can be paid out; what goes back counts at once.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from bot.card_sandbox import render
from bot.card_sandbox.core import CardProcessor
from bot.card_sandbox.objects import Charge, Dispute, Movement, PaymentStatus, Payout, Refund
from bot.card_sandbox.refusals import no_such, not_now

FEE_TEN_THOUSANDTHS: Final = 150
FEE_FIXED_MINOR: Final = 25
DISPUTE_FEE_MINOR: Final = 1500


def fee_of(amount: int) -> int:
    """What the processor keeps of a charge, in minor units."""
    return (amount * FEE_TEN_THOUSANDTHS + 5_000) // 10_000 + FEE_FIXED_MINOR


def refund(
    processor: CardProcessor,
    payment_id: str,
    amount: int | None = None,
    *,
    reason: str = "",
    metadata: Mapping[str, str] | None = None,
) -> Refund:
    """Gives back `amount` minor units, or all that is left. Raises `StripeRefusal`."""
    with processor.lock:
        charge = _charge_to_refund(processor, payment_id)
        left = charge.amount - charge.refunded
        wanted = left if amount is None else amount
        if not 0 < wanted <= left:
            raise not_now("amount", f"Refund amount ({wanted}) is greater than unrefunded amount ({left})")
        identity = processor.ground.new_id("re")
        movement = record(processor, -wanted, currency=charge.currency, kind="refund", source_id=identity)
        made = Refund(
            identity,
            processor.now(),
            charge.id,
            payment_id,
            wanted,
            charge.currency,
            movement.id,
            reason,
            metadata or {},
        )
        processor.refunds[identity] = made
        charge = replace(charge, refunded=charge.refunded + wanted)
        processor.charges[charge.id] = charge
        processor.emit("charge.refunded", render.charge(charge))
        return made


def _charge_to_refund(processor: CardProcessor, payment_id: str) -> Charge:
    payment = processor.payment(payment_id)
    charge = processor.charges.get(payment.latest_charge_id or "")
    if charge is None or payment.status is not PaymentStatus.SUCCEEDED:
        raise not_now("payment_intent", "This PaymentIntent does not have a successful charge to refund.")
    if charge.disputed:
        raise not_now("payment_intent", f"Charge {charge.id} has been charged back.", "charge_disputed")
    if charge.refunded == charge.amount:
        message = f"Charge {charge.id} has already been refunded."
        raise not_now("payment_intent", message, "charge_already_refunded")
    return charge


def dispute(processor: CardProcessor, payment_id: str) -> Dispute:
    """The card's holder takes the payment back. Raises `StripeRefusal`."""
    with processor.lock:
        charge = processor.charges.get(processor.payment(payment_id).latest_charge_id or "")
        if (
            charge is None
            or charge.status != "succeeded"
            or charge.disputed
            or charge.refunded == charge.amount
        ):
            raise not_now("payment_intent", "This payment cannot be disputed.")
        return _dispute(processor, charge)


def dispute_if_possible(processor: CardProcessor, payment_id: str) -> None:
    """Disputes it, unless it was given back or disputed meanwhile."""
    charge = processor.charges[processor.payments[payment_id].latest_charge_id or ""]
    if not charge.disputed and charge.refunded < charge.amount:
        _dispute(processor, charge)


def _dispute(processor: CardProcessor, charge: Charge) -> Dispute:
    identity, amount = processor.ground.new_id("du"), charge.amount - charge.refunded
    taken = record(
        processor,
        -amount,
        currency=charge.currency,
        kind="adjustment",
        source_id=identity,
        fee=DISPUTE_FEE_MINOR,
        description=f"Chargeback withdrawal for {charge.id}",
    )
    made = Dispute(
        identity, processor.now(), charge.id, charge.payment_id, amount, charge.currency, (taken.id,)
    )
    processor.disputes[identity] = made
    processor.charges[charge.id] = replace(charge, disputed=True)
    processor.emit("charge.dispute.created", render.dispute(made))
    processor.emit("charge.dispute.funds_withdrawn", render.dispute(made))
    return made


def resolve_dispute(processor: CardProcessor, dispute_id: str, *, won: bool) -> Dispute:
    """Ends an open dispute; what was taken comes back where it is won. Raises `StripeRefusal`."""
    with processor.lock:
        found = processor.disputes.get(dispute_id)
        if found is None:
            raise no_such("dispute", dispute_id)
        if found.status != "needs_response":
            raise not_now("dispute", "This dispute is closed already.")
        ended = replace(found, status="won" if won else "lost")
        if won:
            back = record(
                processor,
                found.amount,
                currency=found.currency,
                kind="adjustment",
                source_id=found.id,
                fee=-DISPUTE_FEE_MINOR,
                description=f"Chargeback reversal for {found.charge_id}",
            )
            ended = replace(ended, movement_ids=(*ended.movement_ids, back.id))
        processor.disputes[ended.id] = ended
        processor.emit("charge.dispute.closed", render.dispute(ended))
        if won:
            processor.emit("charge.dispute.funds_reinstated", render.dispute(ended))
        return ended


def available(processor: CardProcessor, currency: str = "eur") -> int:
    """What can be paid out now, in minor units; below zero where more went back than came."""
    with processor.lock:
        processor.catch_up()
        return sum(each.net for each in _payable(processor, currency))


def payout(processor: CardProcessor, currency: str = "eur") -> Payout:
    """Pays all that is available out to the bank, as one. Raises `StripeRefusal` where there is nothing."""
    with processor.lock:
        amount = available(processor, currency)
        if amount <= 0:
            raise not_now("amount", "You have insufficient funds for this payout.", "balance_insufficient")
        identity = processor.ground.new_id("po")
        for each in _payable(processor, currency):
            processor.movements[each.id] = replace(each, payout_id=identity)
        own = record(processor, -amount, currency=currency, kind="payout", source_id=identity)
        processor.movements[own.id] = replace(own, payout_id=identity)
        made = Payout(identity, processor.now(), amount, currency, own.id)
        processor.payouts[identity] = made
        processor.emit("payout.paid", render.payout(made))
        return made


def record(
    processor: CardProcessor,
    amount: int,
    *,
    currency: str,
    kind: str,
    source_id: str,
    fee: int = 0,
    description: str = "",
) -> Movement:
    movement = Movement(
        processor.ground.new_id("txn"),
        processor.now(),
        amount,
        fee,
        currency,
        kind,
        source_id,
        description=description,
    )
    processor.movements[movement.id] = movement
    return movement


def _payable(processor: CardProcessor, currency: str) -> list[Movement]:
    now = processor.now()
    return [
        each
        for each in processor.movements.values()
        if each.currency == currency and not each.payout_id and render.available_on(each) <= now
    ]
