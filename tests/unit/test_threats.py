"""docs/threats.md names at least 25 threats, each with a test that is there; and every guard that can be taken away."""

import re
from pathlib import Path

from tests.guards.guards import GUARDS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "threats.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TEXT.splitlines()
    if line.startswith("| ") and not line.startswith("| threat")
]
LINK = re.compile(r"\]\(\.\./([\w/.]+\.py)(?:#(\w+))?\)")


class TestThreats:
    def test_are_at_least_25_with_what_stops_each_and_its_test(self):
        assert len(ROWS) >= 25
        for threat, stop, _, test in ROWS:
            assert threat
            assert stop
            assert LINK.search(test), threat

    def test_link_to_tests_that_are_there(self):
        for file, name in LINK.findall(TEXT):
            assert (ROOT / file).exists(), file
            assert not name or f"def {name}(" in (ROOT / file).read_text(encoding="utf-8"), name

    def test_name_every_guard_and_no_other(self):
        named = {name for _, _, guards, _ in ROWS for name in re.findall(r"`([\w-]+)`", guards)}
        assert named == {guard.name for guard in GUARDS}

    def test_link_the_test_that_turns_red_without_the_guard(self):
        tests = {guard.name: re.split(r"::|\[", guard.test)[2] for guard in GUARDS}
        for threat, _, guards, test in ROWS:
            for name in re.findall(r"`([\w-]+)`", guards)[:1]:
                if name != "one-letter-one-question":  # stops two of them
                    assert tests[name] in test, threat
