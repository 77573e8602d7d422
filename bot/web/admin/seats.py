"""Which admin sits at the browser that asks, with the role they have at this moment, and the forms they send."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Final, TypeVar

from fastapi import Depends, Path, Query, Request
from sqlmodel import Session
from starlette.responses import Response

from bot.admin.entry import LASTS, SignedIn
from bot.admin.log import Actor
from bot.admin.pages import LARGEST_ID
from bot.web.admin.house import House
from bot.web.forms import Cookies, Fields
from bot.web.me.seats import TooOften
from bot.web.rates import TRIES, Rate
from bot.web.shield import address_of

COOKIE: Final = "smoney_admin"
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

    def acts(self, work: Callable[[Session, Actor], T]) -> T:
        """One transaction, with who they are and what they may do as it stands in that very transaction."""

        def whole(session: Session) -> T:
            now = self.house.entry.at(session, self.secret)
            if now is None:
                raise NotIn
            return work(session, now.actor)

        return self.house.bot.database.write(whole)


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
    fields = await house.site.forms.read(request)
    return {name: value.replace("\x00", "") for name, value in fields.items()}


Here = Annotated[Seat, Depends(_seat)]
"""Raises `NotIn` or `TooOften`."""
Form = Annotated[Fields, Depends(_form)]
"""Asks for the form's token: raises `ForeignForm`. No field holds a NUL, which PostgreSQL takes nowhere."""
Id = Annotated[int, Path(ge=-LARGEST_ID, le=LARGEST_ID)]
"""As large as the database takes; an erased person's is below zero."""
Before = Annotated[int, Query(ge=1, le=LARGEST_ID)]
"""Where the next page of a list begins."""


def asked(text: str) -> str:
    """What was typed into a search, in a form every database takes."""
    return "".join(sign for sign in text if sign.isprintable())[:100].strip()


def counts_try(house: House, request: Request) -> None:
    """Before a password or an invite is looked at. Raises `TooOften`."""
    if not house.site.rates.allows("admin try", address_of(request.scope), TRIES):
        raise TooOften


def give(cookies: Cookies, response: Response, secret: str) -> None:
    cookies.set(response, COOKIE, secret, seconds=int(LASTS.total_seconds()))


def take_away(cookies: Cookies, response: Response) -> None:
    cookies.drop(response, COOKIE)
