"""Whole command lines in the documents: each is one the program takes, with these arguments and options."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.docs.commands import refused

ROOT = Path(__file__).parents[3]
DOCUMENTS = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
LINE = re.compile(r"^(?:.*\bsudo -u smoney |\.venv/bin/)?(smoney [a-z].*)$", re.MULTILINE)
REMARK = re.compile(r" {3,}| >>? | && ")
"""What stands beside a command is told from it by spaces."""


def shown() -> Iterator[tuple[str, str]]:
    """The lines in fences, with where they stand."""
    for document in DOCUMENTS:
        for block in re.findall(
            r"^```\n(.*?)^```", document.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
        ):
            for line in LINE.findall(block):
                yield document.name, REMARK.split(line)[0].replace("ROW", "7")


class TestCommandLines:
    def test_are_shown_at_all(self):
        assert len(list(shown())) > 20

    def test_can_be_typed_as_they_are(self):
        wrong = [f"{document}: {line}: {problem}" for document, line in shown() if (problem := refused(line))]
        assert not wrong, "\n".join(wrong)

    @pytest.mark.parametrize(
        "line",
        ["smoney nothing", "smoney inbox show x", "smoney pause", "smoney run --now", "smoney inbox list 7"],
    )
    def test_that_cannot_be_typed_are_found(self, line):
        assert refused(line)
