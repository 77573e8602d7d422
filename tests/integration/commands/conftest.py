"""The command as an admin types it, on a town's database, in this process."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.settings import variable
from tests.integration.payments.conftest import Street, paid_once, town_at


@dataclass
class Said:
    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """What `--json` printed, a line each."""
        return [json.loads(line) for line in self.out.splitlines()]


Smoney = Callable[..., Said]


@pytest.fixture
def street(database_url: str, tmp_path: Path) -> Iterator[Street]:
    """bob has paid alice 10 €; see `tests/integration/payments/conftest.py`."""
    with town_at(database_url, tmp_path, prepare=paid_once) as town:
        yield Street(town)


@pytest.fixture
def smoney(street: Street, tmp_path: Path) -> Smoney:
    """`smoney("ledger", "verify")` on the town's database."""
    return smoney_of(street, tmp_path / "town.env")


def smoney_of(street: Street, file: Path) -> Smoney:
    """The command on the database of any town, with its settings in this file."""
    settings = street.town.settings
    chosen = {
        "home": settings.home,
        "database_url": settings.database_url.get_secret_value(),
        "keys": settings.required("keys"),
    }
    file.write_text("".join(f"{variable(name)}='{value}'\n" for name, value in chosen.items()))

    def run(*words: str, env: bool = True) -> Said:
        given = [*words, *(("--env", str(file)) if env else ())]
        result = CliRunner().invoke(app, given, catch_exceptions=False)
        return Said(result.exit_code, result.stdout, result.stderr)

    return run
