"""A town whose bot serves its pages over HTTP, and visitors with a browser's cookies."""

import os
import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.admin import passwords
from bot.web.admin import entry
from bot.web.app import build_app
from bot.web.server import listener_on, serving
from tests.integration.payments.conftest import Street, town_at

TOKEN = re.compile(r'name="form_token" value="([0-9a-f]+)"')


@dataclass
class Visitor:
    """Somebody's browser, as far as requests go: cookies, and the forms of the page last seen."""

    address: str
    session: requests.Session = field(default_factory=requests.Session)
    token: str = ""

    def gets(self, path: str, **headers: str) -> requests.Response:
        answer = self.session.get(self.address + path, headers=headers, timeout=20)
        return self._seen(answer)

    def posts(self, path: str, *, token: str | None = None, **fields: str) -> requests.Response:
        given = fields | {"form_token": self.token if token is None else token}
        return self._seen(self.session.post(self.address + path, data=given, timeout=20))

    def sends(
        self, path: str, name: str, data: bytes, *, token: str | None = None, **fields: str
    ) -> requests.Response:
        """A form with a file."""
        given = fields | {"form_token": self.token if token is None else token}
        files = {"file": (name, data)}
        return self._seen(self.session.post(self.address + path, data=given, files=files, timeout=60))

    def _seen(self, answer: requests.Response) -> requests.Response:
        if found := TOKEN.search(answer.text):
            self.token = found[1]
        return answer


@dataclass
class Served:
    street: Street
    address: str

    def visitor(self) -> Visitor:
        return Visitor(self.address)


@pytest.fixture
def served(database_url: str, tmp_path: Path) -> Iterator[Served]:
    """bob has 100 €, alice 0 €, carol 20 €; zoe has not enrolled."""
    with serving_town(database_url, tmp_path) as made:
        yield made


@pytest.fixture
def served_on_sqlite(sqlite_url: str, tmp_path: Path) -> Iterator[Served]:
    with serving_town(sqlite_url, tmp_path) as made:
        yield made


class Door:
    """A server that outlives its tests: to start and stop one costs more than what most tests ask of it."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None
        self._under_way = 0
        self._changed = threading.Condition()
        self._held = ExitStack()
        listener = listener_on("127.0.0.1", 0)
        self.port: int = listener.getsockname()[1]
        self._held.enter_context(serving(self, listener))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None, "nobody is served here now"
        self._counts(1)
        try:
            await self.app(scope, receive, send)
        finally:
            self._counts(-1)

    def _counts(self, change: int) -> None:
        with self._changed:
            self._under_way += change
            self._changed.notify_all()

    def empties(self) -> None:
        """Waits for requests that have their answer and are not yet done."""
        with self._changed:
            assert self._changed.wait_for(lambda: not self._under_way, timeout=10)
        self.app = None

    def close(self) -> None:
        self._held.close()


_FREE: list[Door] = []


@pytest.fixture(scope="session", autouse=True)
def doors() -> Iterator[None]:
    yield
    while _FREE:
        _FREE.pop().close()


@contextmanager
def serving_town(url: str, home: Path, **chosen: Any) -> Iterator[Served]:
    door = _FREE.pop() if _FREE else Door()
    address = f"http://127.0.0.1:{door.port}"
    try:
        with town_at(url, home, web_port=door.port, web_public_url=address, **chosen) as town:
            door.app = build_app(town.bot, town.settings, entropy=os.urandom)
            try:
                yield Served(Street(town), address)
            finally:
                door.empties()
    finally:
        _FREE.append(door)


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a password costs, and how long a wrong one takes, is tested once, by `test_passwords` and by who asks for it."""
    monkeypatch.setattr(passwords, "PASSES", 1)
    monkeypatch.setattr(passwords, "MEMORY_KIB", 64)
    monkeypatch.setattr(entry, "ANSWERS_AFTER_SECONDS", 0.02)


@pytest.fixture
def visitor(served: Served) -> Visitor:
    return served.visitor()
