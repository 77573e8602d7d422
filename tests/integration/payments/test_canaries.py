"""Nothing secret and nothing people wrote stands in clear: not in a log at any level, not in the database or its WAL.

A whole run over HTTP with the real client of X, with names, codes and keys that are then looked for.
"""

import io
import logging
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import structlog

from bot.demo.playing import over_http
from bot.demo.town import Resident, Town, demo_settings, open_town
from bot.sandbox.core import World as SandboxWorld
from bot.sandbox.http import serve
from bot.sandbox.limits import WIDE
from bot.telemetry import QUIET, configure
from tests.integration.payments.conftest import CODE, Street
from tests.integration.payments.test_second_factor import Page

NAMES = ("canarybob", "Canary Robin", "canaryalice", "Canary Wren", "canarynote")
LEVELS = ("debug", "info", "warning", "error")


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """All that any library says, at the lowest level there is, but for what our own set-up silences."""
    heard, root = io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(heard), root.level
    levels = {name: logging.getLogger(name).level for name in (*QUIET, "sqlalchemy.engine")}
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield heard
    root.removeHandler(handler)
    root.setLevel(level)
    structlog.reset_defaults()
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


def lives(town: Town) -> set[str]:
    """A payment, an order left open, a second factor with its recovery codes; and all that must stay secret of it."""
    street = Street(town)
    street.tweets("canarybob", "@smoney send 10€ @canaryalice for canarynote")
    street.answers("canarybob")
    street.says("canarybob", "history")
    page = Page(street, "canarybob")
    recovery_codes = page.enrols().recovery_codes
    page.does("prove", recovery_codes[0])
    page.does("check", page.wrong())
    street.tweets("canarybob", "@smoney send 5€ @canaryalice")
    app = town.world.app
    keys = town.bot_person.keys
    codes = {match[2] for words in street.heard("canarybob") for match in CODE.finditer(words)}
    assert len(codes) == 2
    spaced = set(recovery_codes) | {code.replace("-", "") for code in recovery_codes}
    master = town.settings.required("keys").split(":")[1]
    tokens = {app.consumer_key, app.consumer_secret, keys.access_token, keys.access_token_secret}
    return {*NAMES, *codes, *spaced, page.secret, page.app(), master, *tokens}


def found(secrets: set[str], text: str) -> set[str]:
    """Six digits count where they stand by themselves, for an id or a hash may hold any six."""
    return {
        secret
        for secret in secrets
        if (
            re.search(rf"(?<![0-9a-fA-F]){secret}(?![0-9a-fA-F])", text)
            if re.fullmatch("[0-9]{6}", secret)
            else secret.lower() in text.lower()
        )
    }


def run(home: Path, level: str, then: list[str]) -> set[str]:
    """One run at this level; `then` gets the database's bytes, its WAL's among them, as they stand while it is open."""
    world = SandboxWorld(limits=WIDE)
    residents = (Resident("canarybob", "Canary Robin", 100_00), Resident("canaryalice", "Canary Wren", 0))
    configure(log_format="json", level=level)
    if level == "debug":
        logging.getLogger("sqlalchemy.engine").setLevel(logging.DEBUG)
    with ExitStack() as stack:
        served = stack.enter_context(serve(world))
        settings = demo_settings(home, os.urandom, x_base_url=served.address)
        town = stack.enter_context(
            open_town(settings, world, entropy=os.urandom, residents=residents, gateway=over_http(served))
        )
        secrets = lives(town)
        then += [file.read_bytes().decode("latin-1") for file in sorted(home.glob("*.sqlite*"))]
    return secrets


class TestCanaries:
    @pytest.mark.parametrize("level", LEVELS)
    def test_stand_neither_in_a_log_nor_in_the_database(self, tmp_path, logged, capfd, level):
        dumped: list[str] = []
        secrets = run(tmp_path, level, dumped)
        printed = "".join(capfd.readouterr())
        assert len(dumped) >= 2  # the file and its WAL
        assert sum(len(text) for text in dumped) > 100_000
        assert found(secrets, logged.getvalue() + printed) == set()
        assert found(secrets, "".join(dumped)) == set()
        assert ("work.done" in printed) is (level in ("debug", "info"))
        assert ("INSERT INTO" in logged.getvalue()) is (level == "debug")

    def test_are_found_where_they_stand(self):
        assert found({"482913", "canarybob"}, "code 482913 for @CanaryBob") == {"482913", "canarybob"}
        assert found({"482913"}, "row 2831482913007") == set()
