"""What every page of the admins works with, and how one is shown."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from fastapi import Request
from starlette.responses import HTMLResponse, RedirectResponse

from bot.admin.acts import ACTS
from bot.admin.entry import Entry
from bot.admin.log import Actor
from bot.admin.office import Office, open_office
from bot.errors import Misconfigured
from bot.web.site import Site
from bot.wiring import Bot, World
from ledger.clock import IdSource

LANGUAGE: Final = "en"
SAID: Final = {
    "done": "Done, and written into the audit log.",
    "signed_out": "You are signed out.",
    "proposal_open": "Proposed; nothing has moved yet. Another admin approves it.",
    "proposal_done": "Done: the money has moved.",
    "proposal_refused": "Refused: nothing has moved.",
    "proposal_expired": "It stood open for too long and has ended: nothing has moved. Propose it again.",
}
"""What a page may be told to say after something was done: nothing else comes from an address."""


@dataclass(frozen=True, slots=True)
class House:
    site: Site
    office: Office
    entry: Entry

    @property
    def bot(self) -> Bot:
        return self.site.bot

    def show(
        self, request: Request, template: str, *, actor: Actor | None = None, status: int = 200, **values: Any
    ) -> HTMLResponse:
        def may(act: str) -> bool:
            if act not in ACTS:
                raise KeyError(act)
            return actor is not None and actor.role.may(act)

        return self.site.pages.show(
            request,
            template,
            status=status,
            language=LANGUAGE,
            actor=actor,
            may=may,
            when=when,
            path=request.url.path,
            said=SAID.get(request.query_params.get("said", "")),
            **values,
        )


def house_of(site: Site) -> House:
    world = World(clock=site.bot.clock, entropy=site.entropy)
    return House(
        site,
        open_office(site.settings, world),
        Entry(
            site.bot.database,
            site.bot.vault,
            site.forms.keyring,
            world.clock,
            IdSource(world.clock, world.entropy),
            world.entropy,
        ),
    )


def done(path: str) -> RedirectResponse:
    """Back to where it was asked for, which tells that it is done."""
    return RedirectResponse(f"{path}?said=done", 303)


def words_of(error: Misconfigured) -> str:
    """What is to be mended, as a page says it: without the dashes of a command's option."""
    return f"{error.setting.removeprefix('--')}: {error.problem}"


def when(at: datetime | str | None) -> str:
    """`2026-11-23 12:00:03`: UTC everywhere here, as in the log and the commands."""
    if not at:
        return "–"
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    return f"{moment:%Y-%m-%d %H:%M:%S}"
