"""The card form: what was typed, whether it can be a card, and what the test numbers stand for. Pure.

A number and a CVC go no further than `read_card`; what comes out of it has brand and last four digits. The numbers mean what they
mean in Stripe's test mode (https://docs.stripe.com/testing), where any other number that passes the check is
refused as not being a test card. The two that come through late are our own: Stripe has such delays for bank debits only.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final


class Behaviour(StrEnum):
    """What a test card does."""

    SUCCEEDS = "succeeds"
    DECLINED = "generic_decline"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    ASKS_APPROVAL = "asks_approval"
    DISPUTED = "disputed"
    SUCCEEDS_LATE = "succeeds_late"
    FAILS_LATE = "fails_late"


TEST_CARDS: Final = {
    "4242424242424242": Behaviour.SUCCEEDS,
    "5555555555554444": Behaviour.SUCCEEDS,
    "4000000000000002": Behaviour.DECLINED,
    "4000000000009995": Behaviour.INSUFFICIENT_FUNDS,
    "4000002500003155": Behaviour.ASKS_APPROVAL,
    "4000000000000259": Behaviour.DISPUTED,
    "4000007000000007": Behaviour.SUCCEEDS_LATE,
    "4000007000000015": Behaviour.FAILS_LATE,
}
SUCCEEDS: Final = "4242 4242 4242 4242"
DECLINED: Final = "4000 0000 0000 0002"
INSUFFICIENT_FUNDS: Final = "4000 0000 0000 9995"
ASKS_APPROVAL: Final = "4000 0025 0000 3155"
DISPUTED: Final = "4000 0000 0000 0259"
SUCCEEDS_LATE: Final = "4000 0070 0000 0007"
FAILS_LATE: Final = "4000 0070 0000 0015"

_SPACES: Final = re.compile(r"[\s\u00a0-]+")
_EXPIRY: Final = re.compile(r"(0?[1-9]|1[0-2])\s*/?\s*(?:20)?([0-9]{2})")
MOST_TYPED: Final = 100
MOST_NAME: Final = 70


@dataclass(frozen=True, slots=True)
class Card:
    """What is kept of a card."""

    brand: str
    last4: str
    behaviour: Behaviour


@dataclass(frozen=True, slots=True)
class Typed:
    """The form's fields as they came. Its number and CVC show in no `repr`."""

    number: str = ""
    expiry: str = ""
    cvc: str = ""
    name: str = ""

    def __repr__(self) -> str:
        return "Typed(...)"


Problems = dict[str, str]
"""A field's name, and the sentence that stands beside it."""


def read_card(typed: Typed, now: datetime) -> Card | Problems:
    """The card, or what is wrong with which field."""
    digits = _SPACES.sub("", typed.number[:MOST_TYPED])
    problems = {
        "number": _problem_of_number(digits),
        "expiry": _problem_of_expiry(typed.expiry.strip(), now),
        "cvc": ""
        if re.fullmatch(r"[0-9]{3,4}", typed.cvc.strip(), re.ASCII)
        else "3 or 4 digits, from the back.",
        "name": "" if typed.name.strip() else "The name on the card.",
    }
    found = {field: problem for field, problem in problems.items() if problem}
    return found or Card(_brand(digits), digits[-4:], TEST_CARDS[digits])


def passes_luhn(digits: str) -> bool:
    """The check digit of ISO/IEC 7812."""
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _problem_of_number(digits: str) -> str:
    if not digits:
        return "The number on the card."
    if not re.fullmatch(r"[0-9]{12,19}", digits) or not passes_luhn(digits):
        return "This is no card number: look at its digits again."
    if digits not in TEST_CARDS:
        return "Only test cards are taken here. Never type a real card into a sandbox."
    return ""


def _problem_of_expiry(typed: str, now: datetime) -> str:
    found = _EXPIRY.fullmatch(typed[:MOST_TYPED])
    if found is None:
        return "Month and year, such as 09/31."
    month, year = int(found[1]), 2000 + int(found[2])
    return "This card has expired." if (year, month) < (now.year, now.month) else ""


def _brand(digits: str) -> str:
    return "visa" if digits.startswith("4") else "mastercard"


def card_of(number: str) -> Card:
    """A test card by its number, to pay with where there is no page. Raises `KeyError` for any other number."""
    digits = _SPACES.sub("", number)
    return Card(_brand(digits), digits[-4:], TEST_CARDS[digits])
