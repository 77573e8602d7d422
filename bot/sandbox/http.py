"""The sandbox over HTTP on 127.0.0.1: X's API v2 under /2/, the control API under /sandbox/, the page at /.

`serve(world)` runs it in a thread and stops it within a second, open streams or not. It listens on this machine only
and refuses keys that could be real ones: what happens here must never be taken for X, nor reach it.
"""

import asyncio
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path

from starlette.types import Receive, Scope, Send

from bot.sandbox.core import World
from bot.sandbox.page import Bank, Page, ReadPreview
from bot.sandbox.serving import Server, check_address, listener_on
from bot.sandbox.state import load, save
from bot.sandbox.x_api import Observe, XApi

SAVE_EVERY_SECONDS = 2.0
"""How often a changed world is written to its file."""
_REAL_KEYS = (
    re.compile(r"A{10,}[A-Za-z0-9%]{20,}"),  # an app's bearer token
    re.compile(r"\d{5,19}-(?!sandbox)[A-Za-z0-9]{30,}"),  # an access token
    re.compile(r"(?!sandbox)[A-Za-z0-9]{25}|(?!sandbox)[A-Za-z0-9]{45}|(?!sandbox)[A-Za-z0-9]{50}"),
)


class RealKeys(ValueError):
    """Something that could be a key of the real X was given to the sandbox."""


def refuse_real_keys(values: Iterable[str]) -> None:
    """Raises `RealKeys` if one of the values has the form of a real key; the sandbox's own say that they are."""
    if any(pattern.fullmatch(value) for value in values for pattern in _REAL_KEYS):
        raise RealKeys(
            "these look like keys of the real X: the sandbox takes only its own, which begin with sandbox"
        )


def _keys_of(world: World) -> list[str]:
    own = (key for person in world.people for key in astuple(person.keys) if isinstance(key, str))
    return [*astuple(world.app), *own]


@dataclass(frozen=True, slots=True)
class Served:
    """A running sandbox: where it is (`http://127.0.0.1:PORT`, no slash at the end), and its world."""

    address: str
    world: World


@contextmanager
def serve(
    world: World,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    bot_id: int | None = None,
    bank: Bank | None = None,
    read_preview: ReadPreview | None = None,
    bot_pages: str | None = None,
    state: Path | None = None,
    observe: Observe | None = None,
    keep_alive_seconds: float = 20,
) -> Iterator[Served]:
    """Serves the world while the block runs; port 0 takes a free one.

    `bot_id` is whose threads the page shows (if not given, the first person's who takes messages from anybody), `bank` and `read_preview` fill its panels, `bot_pages` is an address it links to. `state` is a file the world is
    read from at the start and written to whenever it has changed. `observe` sees every answer of the API; what it raises
    is raised here when the block ends.
    """
    check_address(host)
    if state is not None:
        load(world, state)
    refuse_real_keys(_keys_of(world))
    api = XApi(world, keep_alive_seconds=keep_alive_seconds, observe=observe)
    page = Page(world, bot_id=bot_id, bank=bank, read_preview=read_preview, bot_pages=bot_pages)
    with listener_on(host, port) as listener:
        app = _App(api, page)
        server = Server(app, listener, name="sandbox-http", begin=app.begin, end=app.end)
        with _keeping(world, state), server.running():
            yield Served(f"http://{host}:{listener.getsockname()[1]}", world)
    api.raise_what_was_observed()


@contextmanager
def _keeping(world: World, state: Path | None) -> Iterator[None]:
    """Writes the world to its file now and then, and at the end."""
    if state is None:
        yield
        return
    over = threading.Event()

    def keep() -> None:
        kept = -1
        while not over.wait(SAVE_EVERY_SECONDS):
            if kept != world.version:
                kept = world.version
                save(world, state)

    thread = threading.Thread(target=keep, name="sandbox-state", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        save(world, state)


class _App:
    """The ASGI application: /2/ is X's, everything else the page's and the control API's."""

    def __init__(self, api: XApi, page: Page) -> None:
        self.api = api
        self.page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        app = self.api if scope["path"].startswith("/2/") else self.page.app
        await app(scope, receive, send)

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        self.api.begin(loop)
        self.page.begin(loop)

    def end(self) -> None:
        """All streams end now."""
        self.api.end()
        self.page.end()
