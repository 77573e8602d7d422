"""The sandbox over HTTP on 127.0.0.1: X's API v2 under /2/, the control API under /sandbox/, the page at /.

`serve(world)` runs it in a thread and stops it within a second, open streams or not. It listens on this machine only
and refuses keys that could be real ones: what happens here must never be taken for X, nor reach it.
"""

import asyncio
import re
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from ipaddress import ip_address
from pathlib import Path
from types import FrameType

import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from bot.sandbox.core import World
from bot.sandbox.page import Bank, Page, ReadPreview
from bot.sandbox.state import load, save
from bot.sandbox.x_api import Observe, XApi

SAVE_EVERY_SECONDS = 2.0
"""How often a changed world is written to its file."""
STOP_SECONDS = 1.0
"""How long running requests may take to end when the server stops."""
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


def check_address(host: str) -> None:
    """Raises `ValueError` for an address other machines could reach."""
    if not ip_address(host).is_loopback:
        raise ValueError(f"the sandbox listens on this machine only, not on {host}: give 127.0.0.1")


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
    with _listener(host, port) as listener:
        server = _Server(_App(api, page), listener)
        with _keeping(world, state), server.running():
            yield Served(f"http://{host}:{listener.getsockname()[1]}", world)
    api.raise_what_was_observed()


def _listener(host: str, port: int) -> socket.socket:
    """A listening socket that says it is TCP: only then are small answers sent without waiting for more."""
    family = socket.AF_INET6 if ip_address(host).version == 6 else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setblocking(False)
    listener.bind((host, port))
    return listener


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


class _Server(uvicorn.Server):
    """uvicorn in a thread, stopped at once instead of at its next tick."""

    def __init__(self, app: _App, listener: socket.socket) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=_Protocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,
            )
        )
        self._app = app
        self._listener = listener
        self._ready = threading.Event()
        self._over: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self._run, name="sandbox-http", daemon=True)
        thread.start()
        self._ready.wait(10)
        try:
            yield
        finally:
            if self._loop is not None and self._over is not None:
                self._loop.call_soon_threadsafe(self._over.set)
            thread.join()

    def _run(self) -> None:
        asyncio.run(self.serve(sockets=[self._listener]))

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Signals belong to whoever runs the sandbox."""

    async def main_loop(self) -> None:
        self._over = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._app.begin(self._loop)
        self._ready.set()
        await self._over.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - uvicorn's form
        for server in self.servers:
            server.close()
        self._app.end()
        tasks = set(self.server_state.tasks)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=STOP_SECONDS)
            for task in late:
                task.cancel()
        for connection in tuple(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)


class _Protocol(H11Protocol):
    """Lets the application break its own connection: a lost answer is a closed socket, not a status."""

    def handle_events(self) -> None:
        super().handle_events()
        if self.scope is not None:
            self.scope["state"]["break_connection"] = self._break

    def _break(self) -> None:
        self.transport.abort()
