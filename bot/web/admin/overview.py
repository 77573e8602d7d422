"""What an admin sees first, and again every ten seconds: what is halted, how long the queues are, what is owed and held."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from fastapi import Request
from markupsafe import Markup
from starlette.responses import Response

from bot.admin.glance import Glance, Window, glance_of
from bot.ledger_views import money_text
from bot.watching.figures import Queue
from bot.web.admin import charts
from bot.web.admin.house import House
from bot.web.admin.routes import Does, Looks
from bot.web.admin.seats import Here
from bot.web.metrics import is_refusal
from bot.x.budget import SEND
from bot.x.usage import dollars

REASONS_SHOWN: Final = 8


class OverviewPages:
    def __init__(self, house: House) -> None:
        self.house, self.gauges = house, house.site.gauges

    def routes(self) -> "Sequence[Looks | Does]":
        return (Looks("", self.overview), Looks("/live", self.live))

    def overview(self, request: Request, seat: Here) -> Response:
        return self.house.show(request, "admin/overview.html", actor=seat.actor, **self._facts(seat))

    def live(self, request: Request, seat: Here) -> Response:
        return self.house.show(request, "admin/live.html", actor=seat.actor, **self._facts(seat))

    def _facts(self, seat: Here) -> Mapping[str, Any]:
        now = self.house.bot.clock()
        figures, glance = self.gauges.figures(), seat.reads(lambda session: glance_of(session, now))
        per_payment = glance.bill.microdollars_per_payment
        return {
            "figures": figures,
            "glance": glance,
            "queues": [
                _queue("What arrived", "/admin/inbox", figures.inbox, now),
                _queue("What is to be said", "/admin/outbox", figures.outbox, now),
            ],
            "dollars": None if per_payment is None else dollars(per_payment),
            "spent": dollars(glance.bill.microdollars),
            "hourly": _hourly(glance),
            "refusals": self._refusals(),
            "coverage": self._coverage(),
            "left": _left([each for each in glance.windows if each.call == SEND]),
            "closed": self.gauges.closed(),
        }

    def _refusals(self) -> Markup | None:
        told = self.gauges.told()
        found = sorted(
            ((count, phrase) for phrase, count in told.items() if is_refusal(phrase)), reverse=True
        )
        shown = [
            (phrase.removeprefix("reason_").replace("_", " "), count, str(count))
            for count, phrase in found[:REASONS_SHOWN]
        ]
        return charts.bars(shown, title="Refusals by reason, since the book began") if shown else None

    def _coverage(self) -> Sequence[Mapping[str, Any]]:
        return [
            {
                "covered": each.surplus_minor >= 0,
                "surplus": money_text(each.surplus_minor, each.currency.code),
                "chart": charts.bars(
                    [
                        ("owed to people", each.owed_minor, money_text(each.owed_minor, each.currency.code)),
                        ("held for them", each.held_minor, money_text(each.held_minor, each.currency.code)),
                    ],
                    title=f"Owed against held, {each.currency.code}",
                ),
            }
            for each in self.gauges.coverage()
        ]


def _hourly(glance: Glance) -> Markup:
    counts = [(f"{hour:%H}:00", count) for hour, count in glance.hourly]
    return charts.columns(counts, title=f"Payments hour by hour, {sum(c for _, c in counts)} in 24 hours")


def _left(windows: Sequence[Window]) -> Sequence[Markup]:
    """A bar for each window, each against what is allowed in it."""
    return [
        charts.bars(
            [(f"in {duration(each.lasts)}", each.left, f"{each.left} of {each.allowed}")],
            title=f"Messages left in {duration(each.lasts)}",
            most=each.allowed,
        )
        for each in windows
    ]


def _queue(name: str, path: str, queue: Queue, now: datetime) -> Mapping[str, Any]:
    return {
        "name": name,
        "path": path,
        "rows": queue.rows,
        "age": duration(max(timedelta(), now - queue.oldest)) if queue.oldest else None,
    }


def duration(lasts: timedelta) -> str:
    """In the largest unit that fits: `45 s`, `12 min`, `3 h`, `2 days`."""
    seconds = int(lasts.total_seconds())
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= size * (2 if unit == "days" else 1):
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
