"""The second factor's arithmetic: one-time codes of an app (TOTP, RFC 6238) and recovery codes. Pure.

A code is six digits for a step of 30 seconds, as every authenticator app makes them. A clock may be one step off
either way (RFC 6238 section 5.2), and no step counts twice, nor one before it: a code that was seen is worth nothing.
"""

import hmac
import re
from base64 import b32decode, b32encode
from datetime import datetime
from hashlib import sha256

import pyotp

from bot.encoding import encode
from ledger.clock import Entropy

SECRET_BYTES = 20
"""160 bits, as RFC 4226 section 4 recommends."""
STEP_SECONDS = 30
DIGITS = 6
DRIFT_STEPS = 1
RECOVERY_CODES = 10
RECOVERY_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""No 0/O, 1/I/L, U: it is written down by hand."""
RECOVERY_LENGTH = 12


def new_secret(entropy: Entropy) -> str:
    """In base32, as apps take it typed."""
    return b32encode(entropy(SECRET_BYTES)).decode()


def enrolment_uri(secret: str, *, account: str, issuer: str) -> str:
    """`otpauth://...`, what the QR code holds. It is the secret: show it once, to its owner, and log it never."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=issuer)


def matching_step(secret: str, code: str, at: datetime, *, after: int | None) -> int | None:
    """The step this code stands for, within a step of `at` and later than `after`; None if it is none of them.

    Every step is compared, each in constant time.
    """
    now = int(at.timestamp()) // STEP_SECONDS
    made = pyotp.HOTP(secret, digits=DIGITS)
    found = None
    for step in range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1):
        fits = hmac.compare_digest(made.at(step).encode(), code.encode())
        if fits and (after is None or step > after):
            found = step
    return found


def digits_of(text: str) -> str | None:
    """`482913`, `482 913`, `482-913`: the six digits, None for anything else. Only ASCII digits count."""
    match = re.fullmatch(r"([0-9]{3})[\s\-]?([0-9]{3})", text.strip())
    return match[1] + match[2] if match else None


def new_recovery_codes(entropy: Entropy) -> tuple[str, ...]:
    """Ten of them, like `7K3F-9Q2M-XW4T`: 58 bits each, good once."""
    return tuple(_recovery_code(entropy) for _ in range(RECOVERY_CODES))


def _recovery_code(entropy: Entropy) -> str:
    number = int.from_bytes(entropy(16), "big")
    letters = ""
    for _ in range(RECOVERY_LENGTH):
        number, index = divmod(number, len(RECOVERY_ALPHABET))
        letters += RECOVERY_ALPHABET[index]
    return f"{letters[:4]}-{letters[4:8]}-{letters[8:]}"


def recovery_code_of(text: str) -> str | None:
    """As it may be typed, in one form; None for what is no recovery code."""
    letters = re.sub(r"[\s\-]", "", text).upper()
    known = len(letters) == RECOVERY_LENGTH and all(letter in RECOVERY_ALPHABET for letter in letters)
    return letters if known else None


def recovery_hash(secret: str, code: str) -> bytes:
    """What is kept of a recovery code: an HMAC under its factor's own secret, which stands sealed beside it."""
    letters = recovery_code_of(code)
    if letters is None:
        raise ValueError("not a recovery code")
    return hmac.digest(b32decode(secret), encode("smoney recovery code 1", letters), sha256)
