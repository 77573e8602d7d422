"""The alert rules and the dashboard ask for series that are there, with labels that they have."""

import json
import re
from collections import defaultdict
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.sealing import seal
from bot.watching.names import MONEY
from bot.watching.watch import open_watch
from bot.web.figures import Gauges
from bot.web.metrics import exposition, watching
from tests.integration.payments.conftest import Street, a_street
from tests.unit.docs import promql
from tests.unit.docs.plain_yaml import NotPlain, load

OPERATING = Path(__file__).parents[3] / "docs" / "operating"
OF_PROMETHEUS = {"up": {"job", "instance"}}
DURATION = re.compile(r"\d+[smhd]")
IN_WORDS = re.compile(r"\{\{ \$(?:labels\.(\w+)|value) \}\}")


def rules():
    return load((OPERATING / "alerts.yml").read_text(encoding="utf-8"))["groups"][0]["rules"]


def panels():
    return json.loads((OPERATING / "grafana-dashboard.json").read_text(encoding="utf-8"))["panels"]


def expressions():
    for rule in rules():
        yield rule["alert"], rule["expr"]
    for panel in panels():
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


@pytest.fixture
def series(sqlite_url, tmp_path):
    """All there are in a town in which something of everything happened: the values of each label, by name."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    with a_street(sqlite_url, tmp_path) as street:
        for name, labels in _shown(street):
            for label, value in labels.items():
                found[name][label].add(value)
            found[name]["job"].add("smoney")
    return found


def _shown(street: Street):
    town = street.town
    street.tweets("bob", "@smoney send 10€ @alice")
    street.answers("bob")
    street.tweets("carol", "@smoney send 900€ @alice")
    street.passes(minutes=10)
    town.bot.usage.note()
    seal(town.bot.database, town.settings, town.bot.clock)
    watch = open_watch(town.bot, town.settings)
    watch.look()
    text = exposition(town.bot, Gauges(town.bot), [watching(watch)]).decode()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            yield sample.name, sample.labels


class TestEveryExpression:
    def test_can_be_read_and_asks_for_what_is_there(self, series):
        asked = 0
        for title, expression in expressions():
            query = promql.read(expression)
            known = set()
            for each in query.series:
                labels = OF_PROMETHEUS.get(each.name) or set(series.get(each.name, {}))
                assert labels, f"{title}: there is no {each.name}"
                assert {label for label, _, _ in each.matchers} <= labels, title
                known |= labels
                asked += 1
            assert query.groups <= known, title
        assert asked > 25

    def test_names_only_values_of_labels_that_there_are(self, series):
        for title, expression in expressions():
            for each in promql.read(expression).series:
                for label, _, value in each.matchers:
                    if each.name not in OF_PROMETHEUS:
                        assert set(value.split("|")) <= series[each.name][label], (title, value)

    def test_leaves_out_no_series(self, series):
        asked = {each.name for _, expression in expressions() for each in promql.read(expression).series}
        ours = {name for name in series if not name.endswith("_created")}
        assert ours <= asked


class TestTheRules:
    def test_have_what_prometheus_takes_and_each_a_name_of_its_own(self):
        names = [rule["alert"] for rule in rules()]
        assert len(names) == len(set(names))
        for rule in rules():
            assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}, rule
            assert DURATION.fullmatch(rule.get("for", "1m"))
            assert rule["labels"]["severity"] in {"critical", "warning"}
            assert rule["annotations"]["summary"]

    def test_name_only_labels_that_the_expression_keeps(self):
        for rule in rules():
            query = promql.read(rule["expr"])
            kept = query.groups | {"instance"} if "up{" in rule["expr"] else query.groups
            for words in rule["annotations"].values():
                assert words.count("{{") == len(IN_WORDS.findall(words))
                assert {label for label in IN_WORDS.findall(words) if label} <= kept, rule["alert"]

    def test_wake_somebody_for_each_alarm_about_money_and_for_no_other(self):
        (money,) = (rule for rule in rules() if rule["alert"] == "SmoneyMoneyAlarm")
        (other,) = (rule for rule in rules() if rule["alert"] == "SmoneyAlarm")
        for rule, sign in ((money, "=~"), (other, "!~")):
            ((_, found, value),) = promql.read(rule["expr"]).series[0].matchers
            assert found == sign
            assert set(value.split("|")) == {alarm.value for alarm in MONEY}

    def test_point_to_sections_that_there_are(self):
        text = (OPERATING / "runbook.md").read_text(encoding="utf-8")
        sections = {*re.findall(r"^### `?(\w+)`?$", text, re.MULTILINE), "{{ $labels.alarm }}"}
        for rule in rules():
            assert (
                rule["annotations"]["runbook"].removeprefix("docs/operating/runbook.md, section ") in sections
            )


class TestTheDashboard:
    def test_has_panels_that_do_not_lie_over_each_other(self):
        taken: set[tuple[int, int]] = set()
        for panel in panels():
            place = panel["gridPos"]
            cells = {
                (x, y)
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            }
            assert not cells & taken, panel["title"]
            assert max(x for x, _ in cells) < 24
            taken |= cells
        assert len({panel["id"] for panel in panels()}) == len(panels())

    def test_asks_the_source_that_is_chosen_above_it(self):
        for panel in panels():
            for target in panel["targets"]:
                assert target["datasource"]["uid"] == "${datasource}"


class TestTheReaders:
    @pytest.mark.parametrize(
        "wrong",
        ["sum(a", "sum(a))", "a b", "increase(a)", "increase(a[5])", "sum by a (b)", "a{b=c}", "a{b}", "a ==", "frob(a)",
         "time(a)", "max()", "a[5m]", "max by (1) (a)", "a $ b"],
    )  # fmt: skip
    def test_refuse_what_is_no_promql(self, wrong):
        with pytest.raises((promql.NotPromQL, ValueError)):
            promql.read(wrong)

    @pytest.mark.parametrize(
        "wrong",
        [
            "a: b\n  c: d",
            "a:",
            "a: b\na: c",
            "a: {b}",
            "a: 'b'",
            "a:\n    b: c",
            "- a: b\n  - c: d",
            "a: b: c",
            'a: "b',
            "  a: b",
        ],
    )
    def test_refuse_what_is_no_plain_yaml(self, wrong):
        with pytest.raises((NotPlain, ValueError)):
            load(wrong)

    def test_read_what_is(self):
        assert load('# x\na: b\nc:\n  - d: "e: f"\n    g: 1h\n  - d: h\n') == {
            "a": "b",
            "c": [{"d": "e: f", "g": "1h"}, {"d": "h"}],
        }
        assert promql.read('sum by (x) (rate(a{b=~"c|d"}[5m])) / 2 > time() - e').groups == {"x"}
