"""The documents keep up with the program: no setting and no command without its words, and none that is not there."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from bot.settings import NOT_SETTINGS, Settings, variable

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
CLI = ROOT / "bot" / "cli"


def documented() -> str:
    return "\n".join(document.read_text(encoding="utf-8") for document in DOCUMENTS)


def code() -> str:
    """What stands in fences and between backticks."""
    text = documented()
    return "\n".join(re.findall(r"```.*?```", text, re.DOTALL) + re.findall(r"`[^`\n]+`", text))


class TestSettings:
    def test_are_each_in_the_example_file(self):
        example = (ROOT / "config.example.env").read_text(encoding="utf-8")
        missing = [variable(name) for name in Settings.model_fields if f"\n#{variable(name)}=" not in example]
        assert not missing, f"no line in config.example.env for {', '.join(missing)}"

    def test_that_the_documents_name_are_there(self):
        named = set(re.findall(r"\bSMONEY_[A-Z_]+[A-Z]\b", documented()))
        unknown = named - {variable(name) for name in Settings.model_fields} - NOT_SETTINGS
        assert not unknown, f"the documents name settings that are not there: {', '.join(sorted(unknown))}"

    def test_are_described_with_a_unit(self):
        for name, info in Settings.model_fields.items():
            extra = info.json_schema_extra
            assert info.description, f"{name} has no description"
            assert isinstance(extra, dict), f"{name} has no unit"
            assert extra["unit"], f"{name} has no unit"

    def test_have_their_file_named_in_the_readme(self):
        """Where commands are documented at all, so is the way to change a setting."""
        if CLI.exists():
            assert "config.example.env" in (ROOT / "README.md").read_text(encoding="utf-8")


def commands() -> list[tuple[str, Any]]:
    """Every `smoney ...` there is, with its command."""
    if not CLI.exists():
        pytest.skip("there is no command yet")
    from bot.cli import app  # noqa: PLC0415

    return list(_below(typer.main.get_command(app), "smoney"))


def _below(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    children = getattr(command, "commands", None)
    if not children:
        yield path, command
        return
    for name, child in children.items():
        if not child.hidden:
            yield from _below(child, f"{path} {name}")


NO_JSON = {
    "run", "demo", "sandbox",  # they run until they are told to stop
    "read",  # speaks JSON only
    "ledger export",  # a file in the form that is asked for, `json` among them
}  # fmt: skip


class TestCommands:
    def test_speak_json_to_who_asks(self):
        without = {
            path.removeprefix("smoney ")
            for path, command in commands()
            if not any("--json" in parameter.opts for parameter in command.params)
        }
        assert without == NO_JSON

    def test_are_each_in_the_documents(self):
        text = documented()
        missing = [path for path, _ in commands() if not re.search(rf"{path}(?![\w-])", text)]
        assert not missing, f"neither the README nor docs/ has: {', '.join(missing)}"

    def test_that_the_documents_show_are_there(self):
        """Every `smoney word ...` in code, as far as its words go, is a command or the beginning of one."""
        known = {path for path, _ in commands()}
        groups = {" ".join(path.split()[:length]) for path in known for length in range(1, len(path.split()))}
        shown = re.findall(r"(?:^|[`$/] ?)(smoney(?: [a-z][a-z-]*)+)", code(), re.MULTILINE)
        wrong = {line for line in shown if not _leads_to(line.split(), known, groups)}
        assert not wrong, f"the documents show commands that are not there: {', '.join(sorted(wrong))}"

    def test_each_say_what_they_do(self):
        silent = [path for path, command in commands() if not (command.help or "").strip()]
        assert not silent, f"no help for {', '.join(silent)}"


def _leads_to(words: list[str], known: set[str], groups: set[str]) -> bool:
    """Whether the words begin with a command (what follows are its arguments), or are the name of a group."""
    beginnings = {" ".join(words[:length]) for length in range(2, len(words) + 1)}
    return bool(beginnings & known) or " ".join(words) in groups
