"""X pushes what happens, beside the lists that are polled: a webhook's bodies come late, twice, in any order or not at
all, and a stream tells what is said while it is open, once or twice, and ends when it likes.

In some worlds the id of a message that is pushed is another than in the list, as it may be at X.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from bot.errors import TryLater
from bot.sandbox.activity import MENTION, MESSAGE, events, is_visible
from bot.sandbox.core import Subscription
from bot.sandbox.webhooks import signature
from bot.wiring import Bot
from bot.x.pushes import NotFromX
from bot.x.streaming import Lines, Streaming
from tests.simulation.model import Broken

if TYPE_CHECKING:
    from tests.simulation.run import Run

Json = dict[str, Any]
LOW_BITS = 12
"""Of an id: what can be another without another moment."""


@dataclass(slots=True)
class Pushing:
    """`ways`: by webhook, by stream, both or none."""

    run: "Run"
    ways: frozenset[str]
    other_ids: bool
    waiting: list[Json] = field(default_factory=list)
    pushed_as: dict[int, int] = field(default_factory=dict)
    """Under which id a message was pushed."""
    streams_again_at: datetime | None = None
    _told: int = 0
    _streams: dict[int, Streaming] = field(default_factory=dict)

    @classmethod
    def of(cls, run: "Run") -> "Pushing":
        ways = run.chance.choice((set(), {"webhook"}, {"stream"}, {"webhook", "stream"}))
        world = run.world
        for kind in (MENTION, MESSAGE) if ways else ():
            made = Subscription(world.ground.next_id(), kind, run.bot_id)
            world.subscriptions[made.id] = made
        return cls(run, frozenset(ways), run.chance.happens(0.5))

    def _bodies(self, start: int) -> tuple[list[Json], int]:
        """What can be told of what happened from there on, and where it ends."""
        world, bodies = self.run.world, []
        for happening in world.happened[start:]:
            if not is_visible(world, happening):
                break
            start += 1
            bodies += [self._as_pushed(event.body, happening.id) for event in events(world, happening)]
        return bodies, start

    def _as_pushed(self, body: Json, identity: int) -> Json:
        for event in body["data"]["payload"].get("direct_message_events", ()):
            if self.other_ids:
                other = identity ^ (1 + identity % (2**LOW_BITS - 1))
                event["id"] = str(self.pushed_as.setdefault(identity, other))
        return body

    # The webhook

    def brings_one(self, bot: Bot) -> int:
        """One body, by X's webhook; how many rows it made, or 1 for one that made none."""
        run = self.run
        fresh, self._told = self._bodies(self._told)
        self.waiting += [body for body in fresh if not self._is_lost()]
        if not self.waiting:
            return 0
        place = 0
        if len(self.waiting) > 1 and run.chance.happens(0.3):
            place = run.chance.randrange(1, len(self.waiting))
            run.happened["X pushes out of order"] += 1
        body = json.dumps(self.waiting[place]).encode()
        if run.chance.happens(0.03):
            self._is_not_believed(bot, body)
        secret = run.world.app.consumer_secret
        bot.pushes.receive(body, signature(secret, body))  # whatever it raises: X brings it again
        run.happened["X pushes by webhook"] += 1
        if run.chance.happens(0.1):
            run.happened["X pushes again"] += 1
        else:
            self.waiting.pop(place)
        return 1

    def _is_lost(self) -> bool:
        lost = self.run.chance.happens(0.6 if self.run.down_for else 0.06)
        self.run.happened["X loses what it should push"] += lost
        return lost

    def _is_not_believed(self, bot: Bot, body: bytes) -> None:
        forged = body.replace(b"dm.received", b"dm.received ")
        try:
            bot.pushes.receive(forged, signature("guessed", forged))
        except NotFromX:
            self.run.happened["a body without X's signature"] += 1
            return
        raise Broken("only X is believed", "a webhook's body with a wrong signature was stored")

    # The stream

    def streams(self, bot: Bot, fill_gap: Callable[[], int]) -> int:
        """One connection from its beginning to its end."""
        run = self.run
        if self.streams_again_at is not None and run.clock() < self.streams_again_at:
            return 0
        streaming = self._streams.get(id(bot))
        if streaming is None:
            streaming = self._streams[id(bot)] = Streaming(
                "activity",
                bot.pushes,
                bot.listening.lease,
                lambda: run.seams.pass_by("before"),
                self._opened,
                fill_gap,
                lambda: None,
                run.clock,
                ("mentions", "messages"),
            )
        self.streams_again_at = run.clock() + streaming.once(lambda: True)
        run.happened["a stream is opened"] += 1
        return 1

    @contextmanager
    def _opened(self) -> Iterator[Lines]:
        if self.run.chance.happens(0.1):
            raise TryLater("X does not open the stream")
        yield self._lines(self._unseen_from())

    def _unseen_from(self) -> int:
        """The end of what readers can see by now: a stream tells what comes after it."""
        world = self.run.world
        position = len(world.happened)
        while position and not is_visible(world, world.happened[position - 1]):
            position -= 1
        return position

    def _lines(self, position: int) -> Lines:
        """Half a minute lies between what was said and its line, and no more."""
        run = self.run
        for _ in range(run.chance.choice((1, 2, 3, 5, 8))):
            run.clock.advance(timedelta(seconds=run.chance.randrange(1, 20)))
            run.somebody_acts()
            bodies, position = self._bodies(position)
            for body in bodies:
                for _ in range(2 if run.chance.happens(0.1) else 1):
                    run.happened["X pushes by stream"] += 1
                    yield json.loads(json.dumps(body))
            yield None
        if run.chance.happens(0.3):
            raise TryLater("the line is cut")
