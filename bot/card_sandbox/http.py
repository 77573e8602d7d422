"""The card sandbox over HTTP on 127.0.0.1: the API under /v1/, the pages under /c/pay/, webhooks brought by a thread.

It listens on this machine only and moves test money only.
"""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final

import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from bot.card_sandbox.api import Api
from bot.card_sandbox.core import CardProcessor
from bot.card_sandbox.courier import Courier
from bot.card_sandbox.page import Page
from bot.card_sandbox.state import load, save, text_of

STOP_SECONDS: Final = 1
SAVE_EVERY_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Served:
    """A running card sandbox: where it is (`http://127.0.0.1:PORT`, no slash at the end), and what it serves."""

    address: str
    processor: CardProcessor


@contextmanager
def serve(
    processor: CardProcessor,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    courier: bool = True,
    state: Path | None = None,
) -> Iterator[Served]:
    """Serves it while the block runs; port 0 takes a free one. Without the `courier` webhooks wait for `courier.deliver`. `state` is a
    file the processor is read from at the start and written to whenever it has changed. Raises `ValueError` for an address other
    machines could reach."""
    if not ip_address(host).is_loopback:
        raise ValueError(f"the card sandbox listens on this machine only, not on {host}: give 127.0.0.1")
    if state is not None:
        load(processor, state)
    with _listener(host, port) as listener:
        address = f"http://{host}:{listener.getsockname()[1]}"
        with processor.lock:
            processor.address = address
        with _keeping(processor, state), _running(_App(Api(processor), Page(processor)), listener):
            bringing = Courier(processor) if courier else None
            if bringing:
                bringing.begin()
            try:
                yield Served(address, processor)
            finally:
                if bringing:
                    bringing.end()


@contextmanager
def _keeping(processor: CardProcessor, state: Path | None) -> Iterator[None]:
    """Writes the processor to its file now and then, and at the end."""
    if state is None:
        yield
        return
    over = threading.Event()

    def keep() -> None:
        kept = ""
        while not over.wait(SAVE_EVERY_SECONDS):
            if kept != (now := text_of(processor)):
                save(processor, state)
                kept = now

    thread = threading.Thread(target=keep, name="card-state", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        save(processor, state)


class _App:
    def __init__(self, api: Api, page: Page) -> None:
        self._api = api
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            app = self._api if scope["path"].startswith("/v1/") else self._page.app
            await app(scope, receive, send)


def _listener(host: str, port: int) -> socket.socket:
    """A listening socket that says it is TCP: only then are small answers sent without waiting for more."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setblocking(False)
    listener.bind((host, port))
    listener.listen(128)
    return listener


@contextmanager
def _running(app: _App, listener: socket.socket) -> Iterator[None]:
    config = uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
    )
    server = _Server(config)
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listener]}, name="card-sandbox", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        server.stop()
        thread.join(3 * STOP_SECONDS)


class _Server(uvicorn.Server):
    """Stops when it is told to instead of at its next look at the clock."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over = asyncio.Event()
        self._begun = threading.Event()

    def stop(self) -> None:
        if self._begun.wait(STOP_SECONDS) and self._loop is not None:
            self._loop.call_soon_threadsafe(self._over.set)

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._begun.set()
        await self._over.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - uvicorn's form
        for server in self.servers:
            server.close()
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
