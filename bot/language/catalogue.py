"""Every sentence the bot can say, by name, and what each needs.

The words themselves stand in `languages/*.toml`, one file a language; a test holds each file to this list. A phrase's
parameters are data (`Money`, instants, labels of people), never finished text: they are kept in the outbox and put
into words in the moment of sending. Names, notes and handles are hostile text and are cleaned where they are worded.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from ledger.money import Money


@dataclass(frozen=True, slots=True)
class Label:
    """How a person is shown: the handle (without @) and the display name as last seen; no handle for who was erased."""

    username: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """Someone and an amount: one payee of an order, one payer of what arrived."""

    person: Label
    amount: Money
    reference: str = ""


class Direction(StrEnum):
    OUT = "out"
    IN = "in"


class State(StrEnum):
    """What became of one line of an order, as its payer and payee are told."""

    PAID = "paid"
    HELD = "held"
    RETURNED = "returned"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    DECLINED = "declined"
    WAITING = "waiting"
    UNDOABLE = "undoable"
    REVIEW = "review"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a history."""

    direction: Direction
    person: Label
    amount: Money
    at: datetime
    reference: str
    state: State
    note: str = ""


@dataclass(frozen=True, slots=True)
class Renamed:
    """Somebody whose handle was another one until then."""

    person: Label
    before: str
    until: datetime


Value: TypeAlias = (
    str | int | bool | Money | datetime | Label | Line | Entry | State
    | tuple[str, ...] | tuple[Label, ...] | tuple[Line, ...] | tuple[Entry, ...] | tuple[Renamed, ...] | None
)  # fmt: skip
Parameters: TypeAlias = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Phrase:
    """What a sentence needs (`required`) and what it may also tell (`optional`).

    A `public` one is said under a post: it names no amount, balance, limit or payee, holds nothing X takes for a URL,
    and fits 280 weighted characters. All others are direct messages.
    """

    required: Mapping[str, type]
    optional: Mapping[str, type]
    public: bool = False


def _phrase(*, public: bool = False, optional: Mapping[str, type] | None = None, **required: type) -> Phrase:
    return Phrase(required=required, optional=optional or {}, public=public)


_MANY: type = tuple  # a tuple of labels, lines, entries or strings

CATALOGUE: Mapping[str, Phrase] = {
    # Under a post. The reference makes each text new, since X refuses the same text twice.
    "public_start": _phrase(public=True, reference=str),
    "public_unreadable": _phrase(public=True, reference=str),
    "public_wait": _phrase(
        public=True, reference=str, minutes=int
    ),  # X lets the bot send nothing for so long
    # Coming and going.
    "welcome": _phrase(
        bot=str, operator=str, optional={"link": str}
    ),  # to a stranger: what it does, what it keeps, START and STOP
    "enrolled": _phrase(bot=str, balance=Money),
    "already_enrolled": _phrase(balance=Money),
    "claimed": _phrase(lines=_MANY, balance=Money),  # what was held for you is yours; lines name the payers
    "claim_waits": _phrase(lines=_MANY, limit=Money),  # it does not fit under what their account may hold
    "claim_paused": _phrase(lines=_MANY),  # payments are paused
    "terms_asked": _phrase(link=str, version=int, optional={"waits": bool}),  # agreed to with START
    "terms_agreed": _phrase(),
    "stopped": _phrase(balance=Money),
    "already_stopped": _phrase(),
    # The confirmation.
    "challenge": _phrase(
        total=Money,
        lines=_MANY,
        reference=str,
        minutes=int,
        expires_at=datetime,
        optional={
            "letter": str,
            "code": str,
            "on_page": bool,  # beyond the allowance: it has no code, and is answered with the second factor
            "note": str,
            "fee": Money,
            "first_payment": _MANY,  # labels never paid by this person before
            "changed_handles": _MANY,  # labels whose handle was another account when last paid
            "renamed": _MANY,  # accounts that were seen to change their handle not long ago
            "waiting": _MANY,  # labels who have not enrolled: the money would be held for them
            "hold_days": int,
            "edited": bool,  # this replaces an earlier challenge, the tweet was edited
        },
    ),
    "answer_wrong": _phrase(optional={"remaining": int}),  # one wording for wrong, used and expired
    "answer_locked": _phrase(until=datetime),
    "answer_barred": _phrase(),  # too many in 30 days: only the second factor or an admin unlocks
    "answer_unlocked": _phrase(),
    "answer_which": _phrase(letters=_MANY),  # several are open: say the letter too
    "answer_superseded": _phrase(reference=str),  # the order changed, the old code counts no more
    "answer_needs_code": _phrase(letters=_MANY),  # "yes" is not enough
    "answer_on_page": _phrase(reference=str),  # a message is not enough for this amount
    "answer_too_late": _phrase(),  # read more than a day after it was sent
    "challenge_expired": _phrase(reference=str, total=Money, lines=_MANY),
    # What came of it.
    "receipt_payer": _phrase(
        total=Money,
        lines=_MANY,
        reference=str,
        balance=Money,
        optional={
            "note": str,
            "held": _MANY,
            "held_until": datetime,
            "undo_until": datetime,  # until then CANCEL takes it back
            "exempt_trusted": bool,  # no code was asked for, since the payer trusts all payees
            "exempt_small": bool,  # no code was asked for, since it was small
        },
    ),
    "receipt_payee": _phrase(payer=Label, amount=Money, reference=str, balance=Money, optional={"note": str}),
    "payment_in_review": _phrase(reference=str, total=Money, lines=_MANY),  # somebody looks at it first
    "payment_released": _phrase(reference=str, total=Money),
    "payment_refused": _phrase(reference=str, total=Money),  # it is back with its payer
    "order_cancelled": _phrase(reference=str, total=Money, lines=_MANY),
    "order_withdrawn": _phrase(reference=str),  # edited into something that is no order, or deleted
    "order_already_paid": _phrase(reference=str),  # an edit of what was paid changes nothing
    "order_lapsed": _phrase(reference=str),  # the question could not be put within the hour
    "payment_lost": _phrase(reference=str, until=datetime),  # the book was set back to then, from a backup
    "hold_cancelled": _phrase(reference=str, payee=Label, amount=Money, balance=Money),
    "hold_claimed": _phrase(reference=str, payee=Label, amount=Money),
    "hold_declined": _phrase(reference=str, payee=Label, amount=Money, balance=Money),
    "hold_expired": _phrase(reference=str, payee=Label, amount=Money, balance=Money, days=int),
    "hold_wound_down": _phrase(reference=str, payee=Label, amount=Money, balance=Money),
    "decline_done": _phrase(reference=str, payer=Label, amount=Money),
    "return_done": _phrase(reference=str, payer=Label, amount=Money, balance=Money),
    "returned": _phrase(reference=str, payee=Label, amount=Money, balance=Money),  # to the payer
    # By an admin: money given back, put in, paid out. `why` and the bank's reference are the admin's words.
    "refunded": _phrase(reference=str, payee=Label, amount=Money, balance=Money, why=str),
    "refund_taken": _phrase(reference=str, payer=Label, amount=Money, balance=Money, why=str),
    "funded": _phrase(amount=Money, balance=Money, bank_reference=str),
    "paid_out": _phrase(amount=Money, balance=Money, bank_reference=str),
    # By the person's own card.
    "top_up_link": _phrase(amount=Money, link=str, minutes=int),
    "top_up_how_much": _phrase(least=Money, most=Money),
    "top_up_done": _phrase(amount=Money, balance=Money, reference=str),
    "top_up_failed": _phrase(amount=Money, reference=str),  # the bank said no
    "top_up_limits": _phrase(least=Money, most=Money),
    "top_up_too_full": _phrase(limit=Money),  # more than the account may hold
    "top_up_too_many": _phrase(),  # pages still open
    "top_up_not_offered": _phrase(),  # this operator takes no cards
    "top_up_waits": _phrase(amount=Money),  # the processor does not answer; the link follows
    "card_taken_back": _phrase(amount=Money, balance=Money, reference=str, optional={"debt": Money}),
    "debt_settled": _phrase(amount=Money, balance=Money, optional={"debt": Money}),
    "in_debt": _phrase(debt=Money),
    "top_up_no_page": _phrase(amount=Money),  # it did not answer for too long
    "which_one": _phrase(
        command=str, lines=_MANY
    ),  # several would fit: name the reference; command is a Verb
    "nothing_to_cancel": _phrase(),
    "nothing_to_decline": _phrase(),
    "nothing_to_return": _phrase(),
    # The second factor.
    "factor_new": _phrase(
        until=datetime
    ),  # one was set up; it counts from then on, and one it replaces until then
    "factor_active": _phrase(),
    "factor_replaced": _phrase(),  # at once, the old one was shown
    "factor_removal": _phrase(until=datetime),  # somebody without its code asked for it to be removed
    "factor_removed": _phrase(),
    "factor_kept": _phrase(),  # a removal or replacement was called off
    "factor_locked": _phrase(until=datetime),
    "recovery_code_used": _phrase(left=int),
    "late": _phrase(minutes=int),  # a paragraph below what X made the bot wait with
    # The person's own brake.
    "frozen": _phrase(),
    "account_frozen": _phrase(),
    "frozen_by_operator": _phrase(),
    # The operator's.
    "payments_paused": _phrase(),
    "winding_down": _phrase(),
    "thaw_asked": _phrase(letter=str, code=str, minutes=int, expires_at=datetime),
    "thawed": _phrase(balance=Money),
    "thaw_needs_factor": _phrase(),
    "not_frozen": _phrase(),
    # Their own data.
    "data_link": _phrase(link=str, minutes=int),
    "data_no_page": _phrase(operator=str),
    # To an admin's own account.
    "alarm": _phrase(alarm=str, since=datetime, optional={"paused": bool}),
    # Being forgotten.
    "erase_asked": _phrase(letter=str, code=str, minutes=int, expires_at=datetime),
    "erase_not_empty": _phrase(balance=Money, optional={"held": Money, "incoming": Money}),
    "erase_needs_factor": _phrase(),
    "erase_in_private": _phrase(),
    "erase_called_off": _phrase(),
    "erased": _phrase(),
    # The person's own page.
    "device_link": _phrase(link=str, minutes=int),  # good once, and acts on nothing by being opened
    "device_no_page": _phrase(),  # this operator has no pages people can reach
    "device_new": _phrase(device=str),
    # Asked for.
    "balance": _phrase(posted=Money, optional={"held": Money, "available": Money, "incoming": Money}),
    "history": _phrase(entries=_MANY),
    "history_empty": _phrase(),
    "receipt": _phrase(entries=_MANY, reference=str, optional={"note": str}),
    "reference_unknown": _phrase(reference=str),
    "language_set": _phrase(),  # said in the language just chosen
    "language_unknown": _phrase(languages=_MANY),
    # What people decide for themselves.
    "time_zone_set": _phrase(time_zone=str),
    "time_zone_unknown": _phrase(),
    "private_on": _phrase(),
    "private_off": _phrase(),
    "receipts_muted": _phrase(),
    "receipts_unmuted": _phrase(),
    "blocked": _phrase(payee=Label),
    "unblocked": _phrase(payee=Label),
    "trust_asked": _phrase(payee=Label),  # to be confirmed on the page
    "trust_not_offered": _phrase(),
    "trust_needs_factor": _phrase(),
    "trusted": _phrase(payee=Label),
    "untrusted": _phrase(payee=Label),
    "person_missing": _phrase(),
    "payee_blocked": _phrase(payee=Label),
    "settings": _phrase(
        languages=_MANY,
        time_zone=str,
        optional={
            "private": bool,
            "public": bool,
            "muted": bool,
            "unmuted": bool,
            "blocked": _MANY,
            "trusted": _MANY,
        },
    ),
    "help": _phrase(bot=str, limit=Money, optional={"cards": bool}),  # whether cards are taken
    "thanks": _phrase(),  # the answer to a friendly word
    "not_offered": _phrase(),  # read, but the service does not do this yet
    # Refused: the rules of paying.
    "insufficient_funds": _phrase(available=Money, needed=Money),
    "payee_is_payer": _phrase(),
    "payee_is_bot": _phrase(),
    "handle_unknown": _phrase(username=str),
    "order_too_old": _phrase(),
    # `factor_helps`: a second factor would allow more.
    "over_payment_limit": _phrase(limit=Money, optional={"factor_helps": bool}),
    "over_day_limit": _phrase(limit=Money, left=Money, optional={"factor_helps": bool}),
    "over_month_limit": _phrase(limit=Money, left=Money, optional={"factor_helps": bool}),
    "too_many_payments": _phrase(count=int),
    "too_many_open": _phrase(count=int),
    "too_many_payees": _phrase(limit=int),
    "payee_unavailable": _phrase(payee=Label),  # their account cannot take money now
    "already_returned": _phrase(reference=str),
    # Refused: the reader's reasons. `part` is what was not understood, `suggestion` a line that works.
    **{
        f"reason_{reason}": _phrase(optional={"part": str, "suggestion": str})
        for reason in (
            "ambiguous_amount",
            "no_amount",
            "no_payee",
            "self_payment",
            "negated",
            "question",
            "multiple_amounts",
            "unsupported_currency",
            "too_precise",
            "zero_or_negative",
            "not_a_command",
            "spoofed_text",
        )
    },
}
