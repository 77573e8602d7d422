"""A town whose bot serves its pages over HTTP, and visitors with a browser's cookies."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

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


@contextmanager
def serving_town(url: str, home: Path, **chosen: object) -> Iterator[Served]:
    listener = listener_on("127.0.0.1", 0)
    port = listener.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    with town_at(url, home, web_port=port, web_public_url=address, **chosen) as town:
        app = build_app(town.bot, town.settings, entropy=os.urandom)
        with serving(app, listener):
            yield Served(Street(town), address)


@pytest.fixture
def visitor(served: Served) -> Visitor:
    return served.visitor()
