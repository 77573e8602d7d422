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
    "refunded": rf"€(?P<amount>[\d,]+\.\d\d) of your payment to .*?Ref {REFERENCE}",
    "refund taken": rf"€(?P<amount>[\d,]+\.\d\d) of [^\n]*?'s payment went back to them .*?Ref {REFERENCE}",
    "claimed": rf"• €(?P<amount>[\d,]+\.\d\d) from [^\n]*? · ref {REFERENCE}",
}
_NAMED = {name: re.compile(pattern, re.DOTALL) for name, pattern in _SAYINGS.items()}
REFUSED = re.compile(
    r"Not enough money|That is over your limit|That is too much for one payment|You have paid \d+ times"
    r"|cannot receive money|You have blocked [^\n]*?, so nothing was paid|Your account is frozen, so nothing was paid"
    r"|Payments are paused for the moment, so nothing was moved"
)
STILL_WAITING = re.compile(
    r"Still waiting for you:.*?then answer START\.|Money waits for you:.*?as soon as they go on\.", re.DOTALL
)
"""Held money that does not fit under what its payee may hold: told line by line, and not theirs yet."""
GOODBYE = "I no longer read your orders"
_SMALL_QUESTION = r", answer (?P<letter>[A-Z]) (?P<digits>[0-9]{6})\b.*?until (?P<hour>\d\d):(?P<minute>\d\d)"
SMALL_QUESTIONS = {
    "thaw": re.compile("To open it" + _SMALL_QUESTION, re.DOTALL),
    "erase": re.compile("To erase it" + _SMALL_QUESTION, re.DOTALL),
}
"""Questions about the account itself, which have codes too."""
WISHES = {
    "frozen": re.compile(r"Frozen: nothing leaves your account"),
    "frozen by operator": re.compile(r"Your account was frozen by those who run me"),
    "thawed": re.compile(r"Your account is open again\."),
    "erased": re.compile(r"Done: your account is erased"),
    "muted": re.compile(r"Muted: I no longer tell you of each payment"),
    "unmuted": re.compile(r"Done: I tell you again of each payment"),
    "private": re.compile(r"Private: others now see your handle and not your name"),
    "public": re.compile(r"No longer private: others see your handle and your name"),
    "blocked": re.compile(r"Blocked: (?P<whom>[^\n]*?) can no longer pay you"),
    "unblocked": re.compile(r"No longer blocked: (?P<whom>[^\n]*?) can pay you again"),
    "funded": re.compile(r"€(?P<amount>[\d,]+\.\d\d) arrived for you\. "),
    "paid out": re.compile(r"€(?P<amount>[\d,]+\.\d\d) was paid out to you"),
}
"""What is told of no payment."""
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
    words: str = ""


@dataclass(frozen=True, slots=True)
class SmallQuestion:
    """Whether to thaw, or to be erased."""

    what: str
    code: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Wish:
    """What became of something a person decided for themselves, or an admin for them."""

    what: str
    handles: tuple[str, ...] = ()
    amount_minor: int = 0


def questions(text: str, heard_at: datetime) -> Iterator[Question]:
    for match in _CHALLENGE.finditer(text):
        note = _NOTE.search(match["rest"])
        yield Question(
            letter=match["letter"],
            digits=match["digits"],
            reference=match.groups()[-1],
            note=note["note"] if note else "",
            total_minor=minor(match["total"]),
            handles=tuple(_HANDLE.findall(_before_the_note(match["rest"]))),
            until=_until(match, heard_at),
            heard_at=heard_at,
        )


def _until(match: re.Match[str], heard_at: datetime) -> datetime:
    until = heard_at.replace(hour=int(match["hour"]), minute=int(match["minute"]), second=0, microsecond=0)
    if until < heard_at - timedelta(hours=12):  # over midnight
        return until + timedelta(days=1)
    if until > heard_at + timedelta(hours=12):
        return until - timedelta(days=1)
    return until


def small_questions(text: str, heard_at: datetime) -> Iterator[SmallQuestion]:
    for what, pattern in SMALL_QUESTIONS.items():
        for match in pattern.finditer(text):
            yield SmallQuestion(what, f"{match['letter']} {match['digits']}", _until(match, heard_at))


def wishes(text: str) -> Iterator[Wish]:
    for what, pattern in WISHES.items():
        for match in pattern.finditer(text):
            found = match.groupdict()
            yield Wish(what, tuple(_HANDLE.findall(found.get("whom", ""))), minor(found.get("amount") or "0"))


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
                match[0],
            )


def minor(amount: str) -> int:
    return int(amount.replace(",", "").replace(".", ""))
