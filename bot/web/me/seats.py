"""Who sits at the browser that asks: its cookie, and what a page may take from it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta, tzinfo
from typing import Final, TypeVar

from fastapi import Request
from sqlmodel import Session
from starlette.responses import Response

from bot.people.devices import KEPT_FOR, SignedIn
from bot.store.tables import PersonRow
from bot.web.rates import TRIES, Rate
from bot.web.shield import address_of
from bot.web.site import Site

COOKIE: Final = "smoney_device"
NOTED_EVERY: Final = timedelta(minutes=1)
PER_PERSON: Final = Rate(120, timedelta(minutes=1))
T = TypeVar("T")


class NotSignedIn(Exception):
    """Nobody, or somebody who must show again that it is they (`stale`)."""

    def __init__(self, seat: SignedIn | None = None) -> None:
        super().__init__("not signed in")
        self.stale = seat


class TooOften(Exception):
    """This address or person has asked too often for now."""


@dataclass(frozen=True, slots=True)
class Seat:
    """A person at a device, shown not long ago to be they."""

    site: Site
    signed_in: SignedIn
    language: str
    time_zone: tzinfo

    def reads(self, work: Callable[[Session, PersonRow], T]) -> T:
        return self.site.bot.database.read(
            lambda session: work(session, session.get_one(PersonRow, self.signed_in.person_id))
        )

    def acts(self, work: Callable[[Session, PersonRow], T]) -> T:
        """One transaction, with the person of that session."""
        people, person_id = self.site.bot.people, self.signed_in.person_id
        return self.site.bot.database.write(lambda session: work(session, people.get(session, person_id)))


@dataclass(frozen=True, slots=True)
class Seats:
    site: Site

    def known(self, request: Request) -> SignedIn | None:
        secret = request.cookies.get(COOKIE, "")
        if not secret:
            return None
        devices = self.site.bot.devices
        return self.site.bot.database.read(lambda session: devices.at(session, secret))

    def taken(self, request: Request) -> Seat:
        """Raises `NotSignedIn` or `TooOften`."""
        seat = self.known(request)
        if seat is None or not seat.fresh:
            raise NotSignedIn(seat)
        if not self.site.rates.allows("person", str(seat.person_id), PER_PERSON):
            raise TooOften
        bot = self.site.bot
        if bot.clock() - seat.seen_at > NOTED_EVERY:
            bot.database.write(lambda session: bot.devices.touch(session, seat.device_id))
        return Seat(self.site, seat, *self._chosen(seat))

    def language(self, seat: SignedIn) -> str:
        return self._chosen(seat)[0]

    def _chosen(self, seat: SignedIn) -> tuple[str, tzinfo]:
        """The language and the time zone they chose, or are given."""
        people = self.site.bot.people

        def read(session: Session) -> tuple[str, tzinfo]:
            person = session.get_one(PersonRow, seat.person_id)
            return people.language(person), people.time_zone(person)

        return self.site.bot.database.read(read)

    def counts_try(self, request: Request) -> None:
        """Before a code, a link or a password is looked at. Raises `TooOften`."""
        if not self.site.rates.allows("try", address_of(request.scope), TRIES):
            raise TooOften

    def give(self, response: Response, secret: str) -> None:
        self.site.forms.cookies.set(response, COOKIE, secret, seconds=int(KEPT_FOR.total_seconds()))

    def take_away(self, response: Response) -> None:
        self.site.forms.cookies.drop(response, COOKIE)


_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)  # fmt: skip


def device_name(request: Request) -> str:
    """As in “Firefox, Android”: enough to know one's own, from words of ours alone."""
    agent = re.sub(r"[^\w/. ]", " ", request.headers.get("user-agent", ""))[:300]
    found = [next((name for mark, name in kinds if mark in agent), "") for kinds in (_BROWSERS, _SYSTEMS)]
    return ", ".join(name for name in found if name) or "?"
