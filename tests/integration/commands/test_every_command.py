"""Every command there is, as somebody types it who does not know it: help, nonsense, and no database at all."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from bot.cli import app
from bot.cli.common import print_table
from tests.integration.commands.conftest import smoney_of
from tests.integration.payments.conftest import Street, town_at

ONE_OF = {"bank match": ("--proposal", "7"), "bank reconcile": ("--balance", "7")}
"""What is asked for in one of two ways."""
ENDLESS = {"run", "demo", "sandbox"}
NEEDS_NO_BOOK = {
    "doctor",
    "read",
    "keys generate",
    "keys backup",
    "keys webhook",
    "keys public",
    "ledger check-proof",
}
CODES = {0, 1, 2, 3}
WORDS = {"str": "nonsense", "int": "7", "Part": "payments", "Role": "read", "Tier": "new"}
HEAVY = {
    "sqlalchemy",
    "sqlmodel",
    "pydantic",
    "fastapi",
    "tweepy",
    "cryptography",
    "structlog",
    "apscheduler",
    "jinja2",
}


def commands() -> dict[str, Any]:
    """`member show`: its command."""
    return dict(_below(typer.main.get_command(app), ()))


def _below(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for name, child in getattr(command, "commands", {}).items():
        yield from _below(child, (*path, name))
    if not hasattr(command, "commands"):
        yield " ".join(path), command


FINITE = {name: command for name, command in commands().items() if name not in ENDLESS}


def nonsense(name: str, command: Any, folder: Path) -> list[str]:
    """What a command asks for, filled in with words that mean nothing here."""
    if name == "ledger export":
        return ["csv"]
    given: list[str] = []
    for parameter in command.params:
        if parameter.required:
            words = [] if parameter.param_type_name == "argument" else [parameter.opts[0]]
            given += [*words, _value(parameter, folder)]
        elif "--yes" in parameter.opts:
            given.append("--yes")
    return [*given, *ONE_OF.get(name, ())]


def _value(parameter: Any, folder: Path) -> str:
    kind = parameter.bare_type()
    return str(folder / "nowhere" / "file") if kind == "Path" else WORDS[kind]


def test_every_one_has_help_with_an_example_where_it_takes_something():
    for name, command in commands().items():
        said = CliRunner().invoke(app, [*name.split(), "--help"])
        assert said.exit_code == 0, name
        if any(parameter.required for parameter in command.params):
            assert "xample" in (command.help or ""), f"{name} shows no example"


@pytest.mark.timeout(600)
def test_nonsense_is_answered_with_a_sentence(sqlite_url, tmp_path):
    """Whatever comes of it: an exit code that is documented, no traceback, and JSON alone for who asks for it."""
    with town_at(sqlite_url, tmp_path) as town:
        smoney = smoney_of(Street(town), tmp_path / "town.env")
        for name, command in FINITE.items():
            takes = {word for parameter in command.params for word in parameter.opts}
            asked = ["--json"] if "--json" in takes else []
            said = smoney(*name.split(), *nonsense(name, command, tmp_path), *asked, env="--env" in takes)
            assert said.code in CODES, f"{name}: {said.code}"
            assert said.code == 0 or (said.out + said.err).strip(), (
                f"{name} does not say why it ends with {said.code}"
            )
            for line in said.out.splitlines() if asked else ():
                assert isinstance(json.loads(line), dict), f"{name}: {line}"


@pytest.mark.parametrize("wrong", [["--no-such-option"], ["one", "two", "three", "four", "five"]])
def test_what_cannot_be_understood_ends_with_2(wrong):
    for name in FINITE:
        said = CliRunner().invoke(app, [*name.split(), *wrong])
        assert said.exit_code == 2, name


def test_without_a_database_each_says_so(tmp_path):
    env = tmp_path / "empty.env"
    env.write_text(f"SMONEY_HOME='{tmp_path}'\nSMONEY_DATABASE_URL='sqlite:///{tmp_path}/none.sqlite'\n")
    for name, command in FINITE.items():
        takes = {word for parameter in command.params for word in parameter.opts}
        if name in NEEDS_NO_BOOK or "--env" not in takes or name == "restore":
            continue
        said = CliRunner().invoke(app, [*name.split(), *nonsense(name, command, tmp_path), "--env", str(env)])
        assert (said.exit_code, "there is no database yet" in said.stderr) == (2, True), (
            f"{name}: {said.stderr}"
        )
    assert not (tmp_path / "none.sqlite").exists()


def test_help_loads_nothing_heavy():
    """What keeps `smoney --help` under 0.4 s: the libraries that take time stand inside the commands."""
    code = "import sys, bot.cli; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert HEAVY & set(loaded) == set()


def test_a_list_wider_than_the_terminal_cuts_no_number(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    row = {"id": 2833345161794230699, "state": "open", "why": "w" * 90, "person": None}
    print_table([row, row], as_json=False)
    out = capsys.readouterr().out
    assert out.count("2833345161794230699") == 2
    assert "w" * 90 in out
    assert "None" not in out
    print_table([{"id": 2833345161794230699, "state": "open"}], as_json=False)
    assert "\u2502 2833345161794230699 \u2502 open" in capsys.readouterr().out
