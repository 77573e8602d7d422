"""The question put to a payer and the judging of its answer. Pure: no clock, no session, no randomness.

The code is never stored. It is computed, as a truncated HMAC, over one canonical encoding of everything the payer is
shown to decide on; so a code is good for exactly that payment, and any change to it makes another code. Follows the
idea of dynamic linking (RTS (EU) 2018/389 art. 5): amount and payees are shown, and the code is specific to them.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from bot.encoding import encode

ENCODING = "smoney-challenge-1"
DIGITS = 6
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without I and O, which are read as digits."""
_ANSWER = re.compile(r"[\"'`«“]?\s*([A-Za-z])?[\s:.\-]*([0-9]{3})[\s\-]?([0-9]{3})\s*[\"'`»”.!]?")


@dataclass(frozen=True, slots=True)
class Asked:
    """Everything a code is bound to. Amounts are minor units of `currency`; `lines` are (payee id, amount) in order."""

    intent_id: int
    version: int
    payer_id: int
    lines: Sequence[tuple[int, int]]
    fee_minor: int
    currency: str
    total_minor: int
    nonce: bytes
    expires_at: datetime
    key_id: str


def canonical(asked: Asked) -> bytes:
    """One way only to write it down: versioned, every field with its length, lists with their count."""
    lines = [value for line in asked.lines for value in line]
    return encode(
        ENCODING,
        asked.intent_id,
        asked.version,
        asked.payer_id,
        len(asked.lines),
        *lines,
        asked.fee_minor,
        asked.currency,
        asked.total_minor,
        asked.nonce,
        asked.expires_at,
        asked.key_id,
    )


def code_for(asked: Asked, key: bytes) -> str:
    """The six digits of this question."""
    return digits_of(canonical(asked), key)


def digits_of(bound: bytes, key: bytes) -> str:
    """Six digits over what they are bound to: HMAC-SHA-256, truncated dynamically as RFC 4226 section 5.3 does."""
    digest = hmac.new(key, bound, hashlib.sha256).digest()
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


@dataclass(frozen=True, slots=True)
class Answer:
    """A message that has the shape of a code: the letter in upper case if one was given, and six digits."""

    letter: str | None
    digits: str


def parse_answer(text: str) -> Answer | None:
    """`K 482913`, `k482913`, `K-482 913`, `482913`; None for everything else. Only ASCII digits count."""
    match = _ANSWER.fullmatch(text.strip())
    if match is None:
        return None
    letter = match[1].upper() if match[1] else None
    return Answer(letter, match[2] + match[3])


class Verdict(Enum):
    RIGHT = auto()
    WRONG = auto()
    LATE = auto()
    """Out of time: said in the same words as wrong, but it proves nothing about guessing and is not counted."""


def judge(answer: Answer, asked: Asked, key: bytes, *, answered_at: datetime) -> Verdict:
    """Compares in constant time; the answer's own time decides whether it was in time."""
    right = hmac.compare_digest(code_for(asked, key), answer.digits)
    if answered_at > asked.expires_at:
        return Verdict.LATE
    return Verdict.RIGHT if right else Verdict.WRONG


def next_letter(letters_used: int, taken: Sequence[str]) -> tuple[str, int]:
    """The next letter in turn that no open challenge of this person has, and the new count of letters used."""
    for step in range(len(LETTERS)):
        letter = LETTERS[(letters_used + step) % len(LETTERS)]
        if letter not in taken:
            return letter, letters_used + step + 1
    raise ValueError("every letter is taken; open orders must be fewer than letters")
