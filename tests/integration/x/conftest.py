"""A stand-in for X at the level of bytes: it answers as planned, also as no decent server would."""

import json
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.settings import XCredentials
from bot.x.tweepy_gateway import TweepyGateway

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CREDENTIALS = XCredentials("app-key", "app-secret", "1001-token", "token-secret")
ME = {"data": {"id": "1001", "name": "smoney", "username": "smoney"}}

Act = Callable[[socket.socket], bool]
"""Says something on a connection, and whether it stays open."""


def answer(
    status: int = 200, body: Any = None, *, raw: bytes | None = None, reason: str = "Whatever", **headers: str
) -> Act:
    """A whole HTTP answer; headers are written with _ for -."""
    content = json.dumps({} if body is None else body).encode() if raw is None else raw
    lines = [f"HTTP/1.1 {status} {reason}", f"content-length: {len(content)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return says("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + content, then_stay=True)


def says(data: bytes, *, then_stay: bool = False) -> Act:
    """These bytes, and nothing after them."""

    def act(connection: socket.socket) -> bool:
        connection.sendall(data)
        return then_stay

    return act


class LoopbackX:
    """Takes requests, notes them, and acts the next planned answer to each."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.plan: list[Act] = []
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._listen)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def will(self, *acts: Act) -> None:
        self.plan += acts

    def hangs(self, first: bytes = b"") -> Act:
        """Says something or nothing, and then neither more nor goodbye until the test is over."""

        def act(connection: socket.socket) -> bool:
            connection.sendall(first)
            return not self._over.wait(30)

        return act

    def drips(self, head: bytes, drop: bytes) -> Act:
        """Sends a drop every few milliseconds, for ever."""

        def act(connection: socket.socket) -> bool:
            connection.sendall(head)
            while not self._over.wait(0.02):
                connection.sendall(drop)
            return False

        return act

    def close(self) -> None:
        self._over.set()
        with socket.create_connection(self._listener.getsockname()):
            pass
        for thread in self._threads:
            thread.join(10)
        self._listener.close()

    def _listen(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            if self._over.is_set():
                connection.close()
                return
            self._threads.append(threading.Thread(target=self._serve, args=[connection]))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                staying = True
                while staying:
                    self.requests.append(_request_on(connection))
                    staying = self.plan.pop(0)(connection)
            except OSError:
                return  # the client has hung up, as some tests have it do


def _request_on(connection: socket.socket) -> str:
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            raise ConnectionResetError
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [
        line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
    ]
    while lengths and len(body) < int(lengths[0]):
        body += connection.recv(65536)
    return (head + b"\r\n\r\n" + body).decode()


@pytest.fixture
def x():
    server = LoopbackX()
    yield server
    server.close()


@pytest.fixture
def gateway(x):
    """The real tweepy, talking to the stand-in, with limits short enough to wait for."""
    made = TweepyGateway(CREDENTIALS, base_url=x.url, timeout_seconds=0.3, clock=lambda: NOW)
    yield made
    made.close()
