"""What a route of a person's pages is given: the seat it was asked from, and the fields of a form of ours."""

from typing import Annotated

from fastapi import Depends, Request

from bot.web.forms import Fields
from bot.web.me.seats import Seat, Seats
from bot.web.site import Site


async def _form(request: Request) -> Fields:
    site: Site = request.app.state.site
    return await site.forms.read(request)


def _seat(request: Request) -> Seat:
    return Seats(request.app.state.site).taken(request)


Form = Annotated[Fields, Depends(_form)]
"""Asks for the form's token: raises `ForeignForm`."""
Here = Annotated[Seat, Depends(_seat)]
"""Raises `NotSignedIn` or `TooOften`."""
