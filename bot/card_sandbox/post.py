"""Webhooks: each event is queued for each endpoint, signed as Stripe signs, and tried again with growing pauses.

Nothing is sent here: `due` says what is to be posted where, `settle` is told what came of it. See https://docs.stripe.com/webhooks
for the signature: HMAC-SHA256 over the time of sending, a point, and the very bytes.
"""

import hmac
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address
from itertools import count
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from bot.card_sandbox.faults import PostFaultKind, PostFaults
from bot.card_sandbox.ground import seconds_of
from bot.card_sandbox.objects import Json

SIGNATURE_HEADER: Final = "stripe-signature"
PAUSES: Final = tuple(
    timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 3_600, 3 * 3_600, 6 * 3_600, 12 * 3_600)
)
"""Between one attempt and the next; after the last it is given up."""
REORDERED_AT_MOST: Final = timedelta(minutes=1)
PostTo: TypeAlias = Callable[[str, bytes, Mapping[str, str]], int]
"""`post_to(url, body, headers)` is the HTTP status; 0 where no answer came."""


class NotHere(ValueError):
    """An endpoint that is not on this machine: nothing leaves it."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`kinds` are the events it wants; empty for all."""

    url: str
    secret: str
    kinds: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Endpoint({self.url})"


@dataclass(slots=True)
class Letter:
    """One event on its way to one endpoint."""

    number: int
    endpoint: Endpoint
    event_id: str
    kind: str
    body: bytes
    due_at: datetime
    attempts: int = 0
    is_forged: bool = False
    after_next: bool = False


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is to be posted now."""

    number: int
    url: str
    body: bytes
    headers: Mapping[str, str]
    event_id: str
    kind: str


def signature(secret: str, body: bytes, at: datetime) -> str:
    """The header's value."""
    time = seconds_of(at)
    digest = hmac.new(secret.encode(), f"{time}.".encode() + body, sha256).hexdigest()
    return f"t={time},v1={digest}"


class PostOffice:
    """Not locked by itself: the processor is, around it."""

    def __init__(self) -> None:
        self.secret = ""
        """What is signed with, for endpoints without one of their own."""
        self._numbers = count(1)
        self.endpoints: list[Endpoint] = []
        self.letters: list[Letter] = []
        self.faults = PostFaults()
        self.bringing = threading.Lock()
        """Held while letters are brought, so that none is brought twice by two."""
        self.given_up: list[str] = []
        """Ids of events that were tried as often as they may be."""

    def add_endpoint(self, url: str, *, secret: str = "", kinds: tuple[str, ...] = ()) -> Endpoint:
        """Events from now on go there. Raises `NotHere` for an address other than this machine's."""
        if not _is_here(url):
            raise NotHere(
                "the card sandbox brings events to addresses on this machine only, such as http://127.0.0.1"
            )
        endpoint = Endpoint(url, secret or self.secret, kinds)
        self.endpoints.append(endpoint)
        return endpoint

    def queue(self, event_id: str, kind: str, shown: Json, now: datetime) -> None:
        body = json.dumps(shown, indent=2, ensure_ascii=False).encode()
        for endpoint in self.endpoints:
            if not endpoint.kinds or kind in endpoint.kinds:
                self._queue_letter(Letter(next(self._numbers), endpoint, event_id, kind, body, now))

    def _queue_letter(self, letter: Letter) -> None:
        fault = self.faults.take(letter.kind)
        match fault.kind if fault else None:
            case PostFaultKind.DROP:
                return
            case PostFaultKind.FORGE:
                letter.is_forged = True
            case PostFaultKind.REORDER:
                letter.after_next = True
            case PostFaultKind.DELAY:
                letter.due_at += timedelta(seconds=fault.seconds if fault else 0)
            case PostFaultKind.REPEAT:
                again = Letter(
                    next(self._numbers),
                    letter.endpoint,
                    letter.event_id,
                    letter.kind,
                    letter.body,
                    letter.due_at,
                )
                self.letters.append(again)
        self.letters.append(letter)

    def due(self, now: datetime) -> list[Parcel]:
        """What is to be posted now, in that order; each is due until it is settled."""
        order: list[Letter] = []
        held: list[Letter] = []
        for letter in (each for each in self.letters if each.due_at <= now):
            if letter.after_next:
                held.append(letter)
            else:
                order += [letter, *held]
                held = []
        order += [letter for letter in held if letter.due_at + REORDERED_AT_MOST <= now]
        return [self._parcel(letter, now) for letter in order]

    def settle(self, parcel: Parcel, status: int, now: datetime) -> None:
        """Tells what the endpoint answered: a 2xx ends it, anything else is tried again later."""
        found = [letter for letter in self.letters if letter.number == parcel.number]
        if not found:
            return
        letter = found[0]
        letter.attempts += 1
        letter.is_forged = letter.after_next = False
        if 200 <= status < 300:
            self.letters.remove(letter)
        elif letter.attempts > len(PAUSES):
            self.letters.remove(letter)
            self.given_up.append(letter.event_id)
        else:
            letter.due_at = now + PAUSES[letter.attempts - 1]

    def _parcel(self, letter: Letter, now: datetime) -> Parcel:
        secret = "a secret of nobody's" if letter.is_forged else letter.endpoint.secret
        headers = {
            "content-type": "application/json; charset=utf-8",
            "user-agent": "Stripe/1.0 (smoney card sandbox)",
            SIGNATURE_HEADER: signature(secret, letter.body, now),
        }
        return Parcel(letter.number, letter.endpoint.url, letter.body, headers, letter.event_id, letter.kind)


def _is_here(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False
