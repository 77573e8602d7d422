"""What a person reads in the bot's messages, as a person would: the words alone, nothing of the bot's records.

One message may tell several things; each is found by its own words. The people of the simulation read English.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

REFERENCE = r"(P-[0-9A-Z]{6})"
_CHALLENGE = re.compile(
    r"Pay €(?P<total>[\d,]+\.\d\d) (?P<rest>.*?)To pay, answer (?P<letter>[A-Z]) (?P<digits>[0-9]{6})\b.*?"
    r"until (?P<hour>\d\d):(?P<minute>\d\d)\.\s*Ref " + REFERENCE,
    re.DOTALL,
)
_NOTE = re.compile(r"Note: “(?P<note>.*?)”")
_HANDLE = re.compile(r"@(\w+)")
_SAYINGS = {
    "paid": rf"Paid: €(?P<amount>[\d,]+\.\d\d) .*?Ref {REFERENCE}",
    "received": rf"You received €(?P<amount>[\d,]+\.\d\d) from .*?Ref {REFERENCE}",
    "cancelled": rf"Cancelled: €(?P<amount>[\d,]+\.\d\d) .*?Ref {REFERENCE}",
    "expired": rf"Time is up: €(?P<amount>[\d,]+\.\d\d) .*?Ref {REFERENCE}",
    "withdrawn": rf"You changed or deleted your tweet.*?Ref {REFERENCE}",
    "lapsed": rf"I could not reach you in time.*?Ref {REFERENCE}",
    "changed": rf"Your order changed.*?Ref {REFERENCE}",
    "already paid": rf"This order is already paid.*?Ref {REFERENCE}",
    "taken back": rf"Taken back: €(?P<amount>[\d,]+\.\d\d) .*?Ref {REFERENCE}",
    "claimed by payee": rf"joined and now has your €(?P<amount>[\d,]+\.\d\d)\. Ref {REFERENCE}",
    "declined by payee": rf"declined your €(?P<amount>[\d,]+\.\d\d); .*?Ref {REFERENCE}",
    "unclaimed": rf"did not claim your €(?P<amount>[\d,]+\.\d\d) .*?Ref {REFERENCE}",
    "returned by payee": rf"returned €(?P<amount>[\d,]+\.\d\d) to you.*?Ref {REFERENCE}",
    "declined": rf"Declined: €(?P<amount>[\d,]+\.\d\d) .*?Ref {REFERENCE}",
    "returned": rf"Returned: €(?P<amount>[\d,]+\.\d\d) .*?Ref {REFERENCE}",
    "claimed": rf"• €(?P<amount>[\d,]+\.\d\d) from [^\n]*? · ref {REFERENCE}",
}
_NAMED = {name: re.compile(pattern, re.DOTALL) for name, pattern in _SAYINGS.items()}
REFUSED = re.compile(
    r"Not enough money|That is over your limit|That is too much for one payment|You have paid \d+ times"
    r"|cannot receive money"
)
STILL_WAITING = re.compile(r"Still waiting for you:.*?then answer START\.", re.DOTALL)
"""Held money that does not fit under what its payee may hold: told line by line, and not theirs yet."""
GOODBYE = "I no longer read your orders"
BALANCE = re.compile(r"Balance: €([\d,]+\.\d\d)\.")


@dataclass(frozen=True, slots=True)
class Question:
    """A challenge as its person reads it. `until` is told to the minute: it ends within the minute after that."""

    letter: str
    digits: str
    reference: str
    note: str
    total_minor: int
    handles: tuple[str, ...]
    until: datetime
    heard_at: datetime

    @property
    def code(self) -> str:
        return f"{self.letter} {self.digits}"


@dataclass(frozen=True, slots=True)
class Saying:
    """Something told about one payment."""

    what: str
    reference: str
    amount_minor: int | None
    balance_minor: int | None = None


def questions(text: str, heard_at: datetime) -> Iterator[Question]:
    for match in _CHALLENGE.finditer(text):
        note = _NOTE.search(match["rest"])
        until = heard_at.replace(
            hour=int(match["hour"]), minute=int(match["minute"]), second=0, microsecond=0
        )
        if until < heard_at - timedelta(hours=12):  # over midnight
            until += timedelta(days=1)
        elif until > heard_at + timedelta(hours=12):
            until -= timedelta(days=1)
        yield Question(
            letter=match["letter"],
            digits=match["digits"],
            reference=match.groups()[-1],
            note=note["note"] if note else "",
            total_minor=minor(match["total"]),
            handles=tuple(_HANDLE.findall(_before_the_note(match["rest"]))),
            until=until,
            heard_at=heard_at,
        )


def _before_the_note(words: str) -> str:
    return words.partition("Note: “")[0]


def sayings(text: str) -> Iterator[Saying]:
    text = STILL_WAITING.sub("", text)
    for what, pattern in _NAMED.items():
        for match in pattern.finditer(text):
            amount = match.groupdict().get("amount")
            balance = BALANCE.search(match[0])
            yield Saying(
                what,
                match.groups()[-1],
                None if amount is None else minor(amount),
                None if balance is None else minor(balance[1]),
            )


def minor(amount: str) -> int:
    return int(amount.replace(",", "").replace(".", ""))
