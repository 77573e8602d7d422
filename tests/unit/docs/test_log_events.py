"""What docs/operating/looking.md says of the log is what the program can say, and it explains each fault."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
FAULTS = {"error", "critical", "exception"}
LEVELS = {"debug", "info", "warning"} | FAULTS


def said(levels: set[str]) -> set[str]:
    """The events in the code; `*` stands for a part that is only known when it happens."""
    return {event for file in ROOT.glob("bot/**/*.py") for event in _said_in(file, levels)}


def _said_in(file: Path, levels: set[str]) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="log"), attr=level), args=[event, *_]) if (
                level in levels
            ):
                yield _written(event)


def _written(event: ast.expr) -> str:
    if isinstance(event, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in event.values)
    assert isinstance(event, ast.Constant), "an event has a name"
    return str(event.value)


def told() -> set[str]:
    """The events in the page's table, where `....` stands for a part that can be anything."""
    page = (ROOT / "docs" / "operating" / "looking.md").read_text(encoding="utf-8")
    table = page.partition("## What the log says")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE)
    return {event.replace("....", "*.") for cell in cells for event in re.findall(r"`([^`]+)`", cell)}


def covers(pattern: str, event: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".+"), event) is not None


class TestEvents:
    def test_that_the_page_tells_of_can_happen(self):
        can_happen = said(LEVELS)
        wrong = {name for name in told() if not any(covers(event, name) for event in can_happen)}
        assert not wrong, f"nothing logs {', '.join(sorted(wrong))}"

    def test_of_a_fault_are_each_on_the_page(self):
        """What somebody is woken by is explained. What only warns of something that passes need not be."""
        page = told()
        missing = {name for name in said(FAULTS) if not any(covers(known, name) for known in page)}
        assert not missing, f"docs/operating/looking.md says nothing of {', '.join(sorted(missing))}"
