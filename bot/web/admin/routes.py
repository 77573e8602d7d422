"""The one table of the admins' routes: what looks needs somebody signed in, what does names its act.

Whoever's role is not enough for the act is refused before the form is read; the room that acts asks once more.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Depends

from bot.admin.acts import ACTS, check
from bot.web.admin.seats import Here

PREFIX: Final = "/admin"
Handler = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Looks:
    """A GET of somebody signed in, of any role."""

    path: str
    handler: Handler


@dataclass(frozen=True, slots=True)
class Does:
    """A POST, and the least act its role must be enough for."""

    path: str
    act: str
    handler: Handler


def router_of(entries: "Iterable[Looks | Does]") -> APIRouter:
    """Raises `KeyError` for an act nobody has thought of."""
    router = APIRouter(prefix=PREFIX)
    for entry in entries:
        if isinstance(entry, Does):
            if entry.act not in ACTS:
                raise KeyError(entry.act)
            router.add_api_route(
                entry.path, entry.handler, methods=["POST"], dependencies=[Depends(_may(entry.act))]
            )
        else:
            router.add_api_route(
                entry.path, entry.handler, methods=["GET"], dependencies=[Depends(_signed_in)]
            )
    return router


def _signed_in(_seat: Here) -> None:
    """Whoever asks has a seat, whether or not the handler wants to know whose."""


def _may(act: str) -> Callable[[Here], None]:
    def asked(seat: Here) -> None:
        check(seat.actor.role, act)

    return asked
