"""Figures for Prometheus, read when it asks. Names and units follow its conventions (prometheus.io/docs/practices/naming).

A registry of our own: nothing is global, and two bots in one process do not mix.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bot.errors import Refusal
from bot.store.switches import Switch
from bot.watching.figures import Figures, Queue
from bot.watching.names import Alarm
from bot.watching.watch import Watch
from bot.web.figures import Gauges
from bot.wiring import Bot

Source = Callable[[], Iterable[Metric]]
"""More figures, of another room: called at each scrape."""


def is_refusal(phrase: str) -> bool:
    """Whether this sentence says to a person why not."""
    return phrase.startswith("reason_") or phrase in _phrases(Refusal)


def _phrases(kind: type[Refusal]) -> frozenset[str]:
    return frozenset(
        phrase
        for each in kind.__subclasses__()
        for phrase in ({each.phrase} if hasattr(each, "phrase") else set()) | _phrases(each)
    )


def exposition(bot: Bot, gauges: Gauges, sources: Iterable[Source] = ()) -> bytes:
    """All figures in Prometheus' text form."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(bot, gauges, tuple(sources)))
    return generate_latest(registry)


@dataclass(eq=False, slots=True)  # the registry tells collectors apart by identity
class _Collector(Collector):
    bot: Bot
    gauges: Gauges
    sources: tuple[Source, ...]

    def collect(self) -> Iterator[Metric]:
        figures = self.gauges.figures()
        yield from _queue("smoney_inbox", "What arrived", figures.inbox, figures.at)
        yield from _queue("smoney_outbox", "What is to be said", figures.outbox, figures.at)
        yield from _moments(figures)
        yield from self._counters()
        yield from self._money()
        yield self._budget(figures)
        yield from _usage(figures)
        yield from _alarms(figures)
        for source in self.sources:
            yield from source()

    def _counters(self) -> Iterator[Metric]:
        orders = CounterMetricFamily(
            "smoney_orders_closed",
            "Orders that have ended, by how; paid ones are payments.",
            labels=["state"],
        )
        for state, count in sorted(self.gauges.closed().items()):
            orders.add_metric([state], count)
        yield orders
        refusals = CounterMetricFamily(
            "smoney_refusals", "Times a person was told why not, by reason.", labels=["reason"]
        )
        for phrase, count in sorted(self.gauges.told().items()):
            if is_refusal(phrase):
                refusals.add_metric([phrase.removeprefix("reason_")], count)
        yield refusals

    def _money(self) -> Iterator[Metric]:
        owed = GaugeMetricFamily("smoney_owed_minor_units", "Owed to people.", labels=["currency"])
        held = GaugeMetricFamily("smoney_held_minor_units", "Held to cover it.", labels=["currency"])
        for each in self.gauges.coverage():
            owed.add_metric([each.currency.code], each.owed_minor)
            held.add_metric([each.currency.code], each.held_minor)
        yield owed
        yield held

    def _budget(self, figures: Figures) -> Metric:
        left = GaugeMetricFamily(
            "smoney_messages_left", "Direct messages X still lets the bot send.", labels=["window_seconds"]
        )
        for window, messages in figures.messages_left.items():
            left.add_metric([str(int(window.total_seconds()))], messages)
        return left


def _alarms(figures: Figures) -> Iterator[Metric]:
    """Every alarm and every switch there is, so that a rule finds a 0 where all is well."""
    active = GaugeMetricFamily(
        "smoney_alarm_active", "Whether an alarm is open (1) or not (0).", labels=["alarm"]
    )
    names = {each.alarm for each in figures.alarms}
    for alarm in Alarm:
        active.add_metric([alarm.value], alarm in names)
    yield active
    paused = GaugeMetricFamily(
        "smoney_paused", "Whether this is paused or closing (1) or not (0).", labels=["what"]
    )
    for switch in Switch:
        paused.add_metric([switch.value.removesuffix("_paused")], switch in figures.halted)
    yield paused


def watching(watch: Watch) -> Source:
    """When this program's self-check looked last, and how long that took; nothing where another one watches."""

    def figures() -> Iterator[Metric]:
        if watch.last is not None:
            at = watch.last.at.timestamp()
            yield GaugeMetricFamily(
                "smoney_self_check_timestamp_seconds", "When the self-check looked last.", at
            )
            took = watch.last.seconds
            yield GaugeMetricFamily(
                "smoney_self_check_duration_seconds", "How long its last look took.", took
            )

    return figures


def _usage(figures: Figures) -> Iterator[Metric]:
    """Dollars a payment are the second by smoney_orders_closed_total{state="paid"}."""
    calls = CounterMetricFamily("smoney_x_calls", "Calls made to X, by name.", labels=["call"])
    cost = CounterMetricFamily(
        "smoney_x_cost_dollars", "What X charges for them, as published.", labels=["call"]
    )
    for each in figures.usage:
        calls.add_metric([each.call], each.calls)
        cost.add_metric([each.call], each.microdollars / 1_000_000)
    yield calls
    yield cost


def _queue(name: str, what: str, queue: Queue, now: datetime) -> Iterator[Metric]:
    rows = GaugeMetricFamily(f"{name}_rows", f"{what}: rows by state.", labels=["state"])
    for state, count in sorted(queue.rows.items()):
        rows.add_metric([state], count)
    yield rows
    age = (now - queue.oldest).total_seconds() if queue.oldest else 0.0
    yield GaugeMetricFamily(
        f"{name}_oldest_waiting_seconds",
        f"{what}: age of the oldest row that could be dealt with.",
        max(0.0, age),
    )


def _moments(figures: Figures) -> Iterator[Metric]:
    reads = GaugeMetricFamily(
        "smoney_last_read_timestamp_seconds", "When a list of X was last read to its end.", labels=["list"]
    )
    for name, at in figures.reads.items():
        reads.add_metric([name], at.timestamp())
    yield reads
    if figures.last_payment is not None:
        yield GaugeMetricFamily(
            "smoney_last_payment_timestamp_seconds", "The last payment.", figures.last_payment.timestamp()
        )
    if figures.seal is not None:
        yield GaugeMetricFamily(
            "smoney_last_seal_timestamp_seconds", "The ledger's last seal.", figures.seal.at.timestamp()
        )
