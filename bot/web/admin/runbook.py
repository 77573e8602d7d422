"""The runbook beside the alarms: what each means, what to look at, what to do."""

import re
from collections.abc import Sequence
from posixpath import normpath
from typing import Final

from fastapi import Request
from markupsafe import Markup, escape
from starlette.responses import Response

from bot.watching.alarms import open_alarms
from bot.watching.names import RUNBOOK
from bot.watching.runbook import sections
from bot.web.admin.house import House
from bot.web.admin.routes import Does, Looks
from bot.web.admin.seats import Here

_MARKED: Final = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*|\[([^\]]+)\]\(([^)\s]+)\)")


class RunbookPages:
    def __init__(self, house: House) -> None:
        self.house = house

    def routes(self) -> "Sequence[Looks | Does]":
        return (Looks("/runbook", self.all),)

    def all(self, request: Request, seat: Here) -> Response:
        """Those of open alarms first."""
        now = {each.alarm.value for each in seat.reads(open_alarms)}
        return self.house.show(
            request,
            "admin/runbook.html",
            actor=seat.actor,
            sections=sorted(sections(), key=lambda section: section.name not in now),
            open=now,
            inline=inline,
            where=RUNBOOK,
        )


def inline(text: str) -> Markup:
    """A paragraph's bold, code and links; all else is escaped. A link into the documents becomes their path: a page has none
    of them."""
    shown, end = Markup(""), 0
    for found in _MARKED.finditer(text):
        shown += escape(text[end : found.start()]) + _marked(found)
        end = found.end()
    return shown + escape(text[end:])


def _marked(found: "re.Match[str]") -> Markup:
    code, bold, words, address = found.groups()
    if code:
        return Markup("<code>{}</code>").format(code)
    if bold:
        return Markup("<strong>{}</strong>").format(inline(bold))
    if address.startswith("#"):
        return Markup('<a href="{}">{}</a>').format(address, inline(words))
    return Markup('{} <span class="soft">({})</span>').format(
        inline(words), normpath(f"docs/operating/{address}")
    )
