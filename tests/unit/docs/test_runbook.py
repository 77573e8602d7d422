"""Each alarm there is has its section in the runbook and its line in the table, and no other alarm has."""

import re
import tomllib
from pathlib import Path

import pytest

from bot.watching.names import MONEY, RUNBOOK, Alarm, runbook_of
from bot.watching.runbook import HERE
from bot.watching.runbook import sections as shown
from bot.web.admin.runbook import inline

ROOT = Path(__file__).parents[3]
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


class TestWhatPointsThere:
    """Log, webhook, `smoney status` and pages name a place; the message on X names the section alone."""

    @pytest.mark.parametrize("alarm", Alarm)
    def test_names_a_heading_that_there_is(self, alarm):
        path, _, heading = runbook_of(alarm).partition("#")
        assert f"\n### `{heading}`\n" in (ROOT / path).read_text(encoding="utf-8")

    def test_has_every_section_to_show_on_a_page(self):
        found = {each.name: each.paragraphs for each in shown()}
        assert list(found)[: len(Alarm)] == [alarm.value for alarm in Alarm]
        assert [len(each) >= 3 for each in found.values()] == [True] * len(found)
        assert found["disk_low"][0].startswith("**Means.** Little room")
        assert not any(line.startswith("#") for each in found.values() for line in each)

    def test_comes_along_in_a_wheel(self):
        wheel = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]
        brought = wheel["targets"]["wheel"]["force-include"]
        assert brought == {RUNBOOK: HERE.relative_to(ROOT).as_posix()}
        assert not HERE.exists()  # one text alone

    @pytest.mark.parametrize(
        ("written", "html"),
        [
            ("**Do.** `df -h` & <b>", "<strong>Do.</strong> <code>df -h</code> &amp; &lt;b&gt;"),
            ("[law](law.md#who)", 'law <span class="soft">(docs/operating/law.md#who)</span>'),
            ("[the `x`](../ledger.md)", 'the <code>x</code> <span class="soft">(docs/ledger.md)</span>'),
            ("as [there](#disk_low)", 'as <a href="#disk_low">there</a>'),
            ('[x](#"><script>)', '<a href="#&#34;&gt;&lt;script&gt;">x</a>'),
        ],
    )
    def test_is_shown_with_its_marks_and_nothing_else(self, written, html):
        assert inline(written) == html


def test_the_table_of_watching_has_each_alarm():
    text = (OPERATING / "watching.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == [alarm.value for alarm in Alarm]
