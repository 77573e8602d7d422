"""Which admin sits at the browser that asks, with the role they have at this moment, and the forms they send."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from typing import Annotated, Final, TypeVar

from fastapi import Depends, Path, Query, Request
from pydantic import BeforeValidator
from sqlmodel import Session
from starlette.responses import Response

from bot.admin.entry import KNOWN_FOR, LASTS, SignedIn
from bot.admin.log import Actor
from bot.admin.pages import LARGEST_ID
from bot.funding.statements import MOST_BYTES
from bot.web.admin.house import House
from bot.web.forms import Cookies, Fields, SentFile
from bot.web.me.seats import TooOften
from bot.web.rates import TRIES, Rate
from bot.web.shield import address_of

COOKIE: Final = "smoney_admin"
KNOWN: Final = "smoney_admin_known"
"""What a browser keeps after signing out: it opens nothing, and only keeps a stranger's wrong tries from locking its admin out."""
KNOWN_TRIES: Final = Rate(20, timedelta(days=1))
"""How often a mark counts: whoever stole a browser with it guesses no faster."""
NOTED_EVERY: Final = timedelta(minutes=1)
PER_ADMIN: Final = Rate(300, timedelta(minutes=1))
LIVE: Final = "hx-request"
"""htmx's header: what a page asks for by itself keeps nobody signed in."""
T = TypeVar("T")


class NotIn(Exception):
    """No admin sits here."""


@dataclass(frozen=True, slots=True)
class Seat:
    """An admin who is signed in."""

    house: House
    secret: str
    signed_in: SignedIn

    @property
    def actor(self) -> Actor:
        return self.signed_in.actor

    def reads(self, work: Callable[[Session], T]) -> T:
        return self.house.bot.database.read(work)

    def notes(self, action: str, *subjects: str) -> None:
        """That they look at these, before they are shown."""
        self.house.office.looking.note(self.house.bot.database, self.actor, action, subjects)

    def acts(self, work: Callable[[Session, Actor], T]) -> T:
        """One transaction, with who they are and what they may do as it stands in that very transaction."""
        return self.house.bot.database.write(lambda session: work(session, self.at(session)))

    def at(self, session: Session) -> Actor:
        """Who they are and what they may do now. Raises `NotIn` for who is signed out meanwhile."""
        now = self.house.entry.at(session, self.secret)
        if now is None:
            raise NotIn
        return now.actor


def _seat(request: Request) -> Seat:
    house: House = request.app.state.house
    secret = request.cookies.get(COOKIE, "")
    found = house.bot.database.read(lambda session: house.entry.at(session, secret)) if secret else None
    if found is None:
        raise NotIn
    if not house.site.rates.allows("admin", found.actor.name, PER_ADMIN):
        raise TooOften
    if LIVE not in request.headers and house.bot.clock() - found.seen_at > NOTED_EVERY:
        house.entry.touch(found.session_id)
    request.state.actor = found.actor  # for a page that says what went wrong
    return Seat(house, secret, found)


async def _form(request: Request) -> Fields:
    house: House = request.app.state.house
    return _bare(await house.site.forms.read(request))


def _bare(fields: Fields) -> Fields:
    return {name: value.replace("\x00", "") for name, value in fields.items()}


@dataclass(frozen=True, slots=True)
class Upload:
    fields: Fields
    file: SentFile


async def _upload(request: Request) -> Upload:
    house: House = request.app.state.house
    fields, file = await house.site.forms.read_with_file(request, "file", most=MOST_BYTES)
    return Upload(_bare(fields), file)


Here = Annotated[Seat, Depends(_seat)]
"""Raises `NotIn` or `TooOften`."""
Form = Annotated[Fields, Depends(_form)]
"""Asks for the form's token: raises `ForeignForm`. No field holds a NUL, which PostgreSQL takes nowhere."""
Uploaded = Annotated[Upload, Depends(_upload)]
"""A form with a bank's file, asked for its token as `Form` is."""
Id = Annotated[int, Path(ge=-LARGEST_ID, le=LARGEST_ID)]
"""As large as the database takes; an erased person's is below zero."""
Before = Annotated[int, Query(ge=1, le=LARGEST_ID)]
"""Where the next page of a list begins."""


Day = Annotated[date | None, BeforeValidator(lambda written: written or None), Query()]
"""A day of a form whose field may stay empty."""


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def asked(text: str) -> str:
    """What was typed into a search, in a form every database takes."""
    return "".join(sign for sign in text if sign.isprintable())[:100].strip()


def counts_try(house: House, request: Request) -> None:
    """Before a password or an invite is looked at. Raises `TooOften`."""
    if not house.site.rates.allows("admin try", address_of(request.scope), TRIES):
        raise TooOften


def mark_of(house: House, request: Request) -> str:
    """The browser's mark, as long as it has not been used too often."""
    mark = request.cookies.get(KNOWN, "")[:200]
    known = sha256(mark.encode("utf-8", "surrogatepass")).hexdigest()
    return mark if mark and house.site.rates.allows("admin known", known, KNOWN_TRIES) else ""


def give(house: House, response: Response, secret: str) -> None:
    cookies = house.site.forms.cookies
    cookies.set(response, COOKIE, secret, seconds=int(LASTS.total_seconds()))
    cookies.set(response, KNOWN, house.entry.mark(secret), seconds=int(KNOWN_FOR.total_seconds()))


def take_away(cookies: Cookies, response: Response) -> None:
    cookies.drop(response, COOKIE)
