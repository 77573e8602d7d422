"""Each alarm there is has its section in the runbook and its line in the table, and no other alarm has."""

import re
from pathlib import Path

import pytest

from bot.watching.names import MONEY, Alarm

OPERATING = Path(__file__).parents[3] / "docs" / "operating"
PARTS = ("**Means.**", "**Look.**", "**Do.**")


def sections() -> dict[str, str]:
    text = (OPERATING / "runbook.md").read_text(encoding="utf-8").partition("\n## What Prometheus")[0]
    pieces = re.split(r"^### `(\w+)`$", text, flags=re.MULTILINE)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


class TestTheRunbook:
    def test_has_a_section_for_each_alarm_and_for_no_other(self):
        assert list(sections()) == [alarm.value for alarm in Alarm]

    @pytest.mark.parametrize("alarm", Alarm)
    def test_says_what_it_means_what_to_look_at_and_what_to_do(self, alarm):
        section = sections()[alarm.value]
        assert [section.count(part) for part in PARTS] == [1, 1, 1]

    def test_tells_apart_what_is_about_money(self):
        text = (OPERATING / "runbook.md").read_text(encoding="utf-8")
        money = text.partition("## About money")[2].partition("## About the running")[0]
        assert set(re.findall(r"^### `(\w+)`$", money, re.MULTILINE)) == {alarm.value for alarm in MONEY}


def test_the_table_of_watching_has_each_alarm():
    text = (OPERATING / "watching.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == [alarm.value for alarm in Alarm]
