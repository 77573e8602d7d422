"""The routes that only look."""

from collections.abc import Callable, Mapping
from typing import Concatenate, Final, TypeAlias, TypeVar

from bot.card_sandbox import render
from bot.card_sandbox.core import CardProcessor
from bot.card_sandbox.ground import seconds_of
from bot.card_sandbox.objects import Charge, Event, Json, Movement, Payout, Refund
from bot.card_sandbox.parameters import Fields
from bot.card_sandbox.refusals import invalid, no_such

Route: TypeAlias = Callable[Concatenate[CardProcessor, Fields, ...], Json]
Listed = TypeVar("Listed", Event, Movement, Payout)
Found = TypeVar("Found", Charge, Refund, Payout, Movement)
MOST_LISTED: Final = 100


def session(processor: CardProcessor, asked: Fields, identity: str) -> Json:
    return _expanded(processor, asked, render.session(processor.session(identity), processor.address))


def payment(processor: CardProcessor, asked: Fields, identity: str) -> Json:
    return _expanded(processor, asked, render.payment(processor.payment(identity)))


def charge(processor: CardProcessor, asked: Fields, identity: str) -> Json:
    return _expanded(processor, asked, render.charge(_found(processor.charges, identity, "charge")))


def refund(processor: CardProcessor, asked: Fields, identity: str) -> Json:
    return _expanded(processor, asked, render.refund(_found(processor.refunds, identity, "refund")))


def payout(processor: CardProcessor, asked: Fields, identity: str) -> Json:
    return _expanded(processor, asked, render.payout(_found(processor.payouts, identity, "payout")))


def events(processor: CardProcessor, asked: Fields) -> Json:
    kind = asked.text("type", default="", longest=100)
    fits = [each for each in processor.events if kind in ("", each.kind)]
    return _listed(processor, asked, fits, render.event, "/v1/events")


def movements(processor: CardProcessor, asked: Fields) -> Json:
    payout_id = asked.text("payout", default="", longest=100)
    kind = asked.text("type", default="", longest=100)
    source = asked.text("source", default="", longest=100)
    fits = [
        each
        for each in processor.movements.values()
        if payout_id in ("", each.payout_id) and kind in ("", each.kind) and source in ("", each.source_id)
    ]
    now = processor.now()
    return _listed(
        processor, asked, fits, lambda each: render.movement(each, now), "/v1/balance_transactions"
    )


def payouts(processor: CardProcessor, asked: Fields) -> Json:
    return _listed(processor, asked, list(processor.payouts.values()), render.payout, "/v1/payouts")


ROUTES: Final[list[tuple[str, Route]]] = [
    (r"/v1/checkout/sessions/(\w+)", session),
    (r"/v1/payment_intents/(\w+)", payment),
    (r"/v1/charges/(\w+)", charge),
    (r"/v1/refunds/(\w+)", refund),
    (r"/v1/payouts/(\w+)", payout),
    ("/v1/payouts", payouts),
    ("/v1/events", events),
    ("/v1/balance_transactions", movements),
]


def _found(among: Mapping[str, Found], identity: str, kind: str) -> Found:
    if identity not in among:
        raise no_such(kind, identity)
    return among[identity]


def _expanded(processor: CardProcessor, asked: Fields, shown: Json) -> Json:
    paths = asked.texts("expand")
    asked.finish()
    return render.expanded(processor, shown, paths)


def _listed(
    processor: CardProcessor,
    asked: Fields,
    fits: list[Listed],
    shown: Callable[[Listed], Json],
    url: str,
) -> Json:
    """Newest first, a page of them."""
    limit = asked.whole("limit", default=10)
    if not 1 <= limit <= MOST_LISTED:
        raise invalid("limit", "Limit must be between 1 and 100.", "parameter_invalid_integer")
    least, most = _created(asked)
    newest = [each for each in reversed(fits) if least <= seconds_of(each.created) <= most]
    if asked.has("starting_after"):
        after = asked.text("starting_after", longest=100)
        places = [place for place, each in enumerate(newest) if each.id == after]
        if not places:
            raise no_such(url.rpartition("/")[2], after, "starting_after")
        newest = newest[places[0] + 1 :]
    listed = render.page([shown(each) for each in newest[:limit]], url, has_more=len(newest) > limit)
    return _expanded(processor, asked, listed)


def _created(asked: Fields) -> tuple[int, int]:
    """The first and the last second that is asked for."""
    least, most = 0, 10**12
    if asked.has("created"):
        limits = asked.fields("created")
        least = max(limits.whole("gte", default=least), limits.whole("gt", default=least - 1) + 1)
        most = min(limits.whole("lte", default=most - 1), limits.whole("lt", default=most) - 1)
        limits.finish()
    return least, most
