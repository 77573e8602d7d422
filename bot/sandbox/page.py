"""The page at `/`: every role played in a browser, and the control API it uses.

The wallets and transfers beside the threads, and the live reading under the box, come through the ports below, because
the sandbox knows nothing of a ledger or of a language; where a port is not given, its panel is not there. Texts written
by people are handed to the page as data and put there as text only; the page loads nothing from anywhere else.
"""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bot.sandbox.control import Control, guarded, problem_of
from bot.sandbox.core import Happening, World
from bot.sandbox.given import json_object, number
from bot.sandbox.refusals import XRefusal
from bot.sandbox.view import view
from bot.x.text import fits, weighted_length

Json = dict[str, Any]
ReadPreview = Callable[[str, str], Json | None]
"""`(text, author's username)` -> how the bot would read it: `{"tone": "order" | "refusal" | "chatter", "says": ...}`."""

TRANSFERS_SHOWN = 12
PREVIEW_LIMIT = 5000
"""So many characters of a text are counted and read while it is typed."""
LOOK_AT_BANK_SECONDS = 1.0
_MEDIA = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_FILES = {"/": "index.html"} | {
    f"/static/{name}": name for name in ("page.css", "page.js", "view.js", "icon.svg")
}
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class Bank(Protocol):
    """Where the page's money panels look. Called from the server's thread, often: must be quick and never write."""

    def wallets(self) -> list[Json]:
        """One for each person with a wallet: `person_id` (int), `available` and `held` (amounts as text; `held` may be
        empty), `enrolled` (bool)."""
        ...

    def transfers(self, limit: int) -> list[Json]:
        """The newest first: `id`, `debit` and `credit` (names of accounts, to be shown), `amount` (text), `state`
        (`posted`, `pending`, `voided`, `expired`), `at` (ISO time), `reference` (text, may be empty)."""
        ...


class Page:
    """The page's application, to be mounted at `/`."""

    def __init__(
        self,
        world: World,
        *,
        bot_id: int | None = None,
        bank: Bank | None = None,
        read_preview: ReadPreview | None = None,
        bot_pages: str | None = None,
    ) -> None:
        self._world = world
        self._bot_id = bot_id
        self._bank = bank
        self._read_preview = read_preview
        self._bot_pages = bot_pages
        self._news: set[asyncio.Event] = set()
        self._ending = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop_listening: Callable[[], None] = lambda: None
        routes = [
            *(Route(path, _file(name)) for path, name in _FILES.items()),
            Route("/sandbox/view", self._view),
            Route("/sandbox/preview", self._preview, methods=["POST"]),
            *Control(world).routes(),
        ]
        self._starlette = Starlette(
            routes=routes, exception_handlers={XRefusal: problem_of, KeyError: problem_of}
        )

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._stop_listening = self._world.on_change(self._heard)

    def end(self) -> None:
        self._stop_listening()
        self._ending = True
        self._wake()

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = guarded(scope)
        if refusal is not None:
            await refusal(scope, receive, send)
        elif scope["path"] == "/sandbox/events":
            await self._events(receive, send)
        else:
            await self._starlette(scope, receive, send)

    async def _view(self, request: Request) -> Response:
        """All the page shows, for the person whose role is played."""
        person_id = number(request.query_params.get("person"))
        with self._world.lock:
            shown = view(self._world, self._bot_id, person_id)
        money = await asyncio.to_thread(self._money)
        more = {
            "previews": self._read_preview is not None,
            "bot_pages": self._bot_pages,
        }
        return JSONResponse(shown | money | more, headers=HEADERS)

    async def _preview(self, request: Request) -> Response:
        """How long X would count a text, and how the bot would read it."""
        given = await json_object(request)
        text, author = str(given.get("text", ""))[:PREVIEW_LIMIT], str(given.get("author", ""))
        reading = None
        if self._read_preview is not None and text.strip():
            reading = await asyncio.to_thread(self._read_preview, text, author)
        answer = {"length": weighted_length(text), "fits": fits(text), "reading": reading}
        return JSONResponse(answer, headers=HEADERS)

    def _money(self) -> Json:
        if self._bank is None:
            return {"wallets": None, "transfers": None}
        wallets = [{**wallet, "person_id": str(wallet["person_id"])} for wallet in self._bank.wallets()]
        return {"wallets": wallets, "transfers": self._bank.transfers(TRANSFERS_SHOWN)}

    async def _events(self, receive: Receive, send: Send) -> None:
        """Tells the page whenever there is something new to see (server-sent events)."""
        headers = HEADERS | {"content-type": "text/event-stream"}
        encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": 200, "headers": encoded})
        news = asyncio.Event()
        self._news.add(news)
        leaving = asyncio.ensure_future(_until_gone(receive))
        try:
            await self._tell_changes(news, leaving, send)
        finally:
            self._news.discard(news)
            leaving.cancel()
        await send({"type": "http.response.body", "body": b""})

    async def _tell_changes(self, news: asyncio.Event, leaving: asyncio.Future[None], send: Send) -> None:
        told = ""
        while not (self._ending or leaving.done()):
            news.clear()
            state = f"{self._world.version}-{await asyncio.to_thread(self._money_mark)}"
            body = b": still here\n\n" if state == told else f"data: {state}\n\n".encode()
            told = state
            await send({"type": "http.response.body", "body": body, "more_body": True})
            waiting = asyncio.ensure_future(news.wait())
            await asyncio.wait(
                _both(waiting, leaving), timeout=LOOK_AT_BANK_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            waiting.cancel()

    def _money_mark(self) -> str:
        """Something that changes when the money does."""
        if self._bank is None:
            return ""
        return hashlib.sha256(json.dumps(self._money(), default=str).encode()).hexdigest()[:12]

    def _heard(self, happening: Happening) -> None:  # noqa: ARG002 - whatever it was, the page looks
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        for news in self._news:
            news.set()


def _file(name: str) -> Callable[[Request], Awaitable[Response]]:
    """One of the page's own files, read from the package when it is asked for."""
    media = _MEDIA[name.rpartition(".")[2]]

    async def answer(_request: Request) -> Response:
        content = (files("bot.sandbox") / "static" / name).read_bytes()
        return Response(content, media_type=f"{media}; charset=utf-8", headers=HEADERS)

    return answer


def _both(one: asyncio.Future[Any], other: asyncio.Future[Any]) -> set[asyncio.Future[Any]]:
    return {one, other}


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
