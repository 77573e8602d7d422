"""uvicorn in a thread, for stand-ins on this machine: stopped at once, and able to hang up in the middle of an answer."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from types import FrameType

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

STOP_SECONDS = 1.0
"""How long running requests may take to end when the server stops."""


def check_address(host: str) -> None:
    """Raises `ValueError` for an address other machines could reach."""
    if not ip_address(host).is_loopback:
        raise ValueError(f"the sandbox listens on this machine only, not on {host}: give 127.0.0.1")


def listener_on(host: str, port: int) -> socket.socket:
    """A listening socket that says it is TCP: only then are small answers sent without waiting for more."""
    family = socket.AF_INET6 if ip_address(host).version == 6 else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setblocking(False)
    listener.bind((host, port))
    return listener


class Server(uvicorn.Server):
    """Serves from when `running` is entered until it is left. `begin` is called with the server's loop before the first
    request, `end` when it stops, so that open streams end too."""

    def __init__(
        self,
        app: ASGIApp,
        listener: socket.socket,
        *,
        name: str,
        begin: Callable[[asyncio.AbstractEventLoop], None] = lambda _: None,
        end: Callable[[], None] = lambda: None,
    ) -> None:
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
        self._listener = listener
        self._name = name
        self._begin = begin
        self._end = end
        self._ready = threading.Event()
        self._over: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self._run, name=self._name, daemon=True)
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
        self._begin(self._loop)
        self._ready.set()
        await self._over.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - uvicorn's form
        for server in self.servers:
            server.close()
        self._end()
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
