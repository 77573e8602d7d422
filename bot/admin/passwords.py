"""Admins' passwords: Argon2id, as RFC 9106 advises where memory is bounded (64 MiB, three passes).

A check costs as much for a name nobody has as for one that is known, and only so many run at once: each takes its memory.
"""

import threading
import unicodedata
from typing import Final

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from ledger.clock import Entropy

LEAST: Final = 12
MOST: Final = 200
LEAST_DIFFERENT: Final = 5
MEMORY_KIB: Final = 64 * 1024
PASSES: Final = 3
AT_ONCE: Final = 2
WAITS_SECONDS: Final = 2.0
_slots = threading.BoundedSemaphore(AT_ONCE)


class TooManyAtOnce(Exception):
    """Others are signing in just now."""


def is_good(password: str) -> bool:
    """Long enough to be guessed by nobody, and not one sign again and again."""
    return LEAST <= len(password) <= MOST and len(set(password)) >= LEAST_DIFFERENT


def hashed(password: str, entropy: Entropy) -> str:
    """In the PHC string form. Raises `TooManyAtOnce`."""
    made = Argon2id(salt=entropy(16), length=32, iterations=PASSES, lanes=1, memory_cost=MEMORY_KIB)
    with _Slot():
        return made.derive_phc_encoded(_bytes(password))


def fits(password: str, kept: str | None) -> bool:
    """Whether this is the password. Without one that is kept the same work is done, for nothing. Raises `TooManyAtOnce`."""
    with _Slot():
        try:
            Argon2id.verify_phc_encoded(_bytes(password[:MOST]), kept or _nobodys())
        except InvalidKey:
            return False
    return kept is not None


class _Slot:
    def __enter__(self) -> None:
        if not _slots.acquire(timeout=WAITS_SECONDS):
            raise TooManyAtOnce

    def __exit__(self, *_: object) -> None:
        _slots.release()


def _bytes(password: str) -> bytes:
    """The same however a keyboard composes its signs."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


def _nobodys() -> str:
    """No password's hash, as costly to check as those that are made now."""
    return f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p=1$bm9ib2R5J3Mgc2FsdCEhIQ${'A' * 43}"
