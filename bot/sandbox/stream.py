"""The streams: what is new, line by line, to the one connection X allows for each.

A thing is sent when readers can see it, in the order it happened; keep-alives fill the silence. There is no backfill:
what happened while nobody listened is not sent.
"""

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from starlette.types import Receive, Send

from bot.sandbox.activity import charge, events, is_visible
from bot.sandbox.asked import POST_EXPANSIONS, Query
from bot.sandbox.call import POST_PARAMETERS, Call
from bot.sandbox.core import Happening, World
from bot.sandbox.refusals import too_many_connections
from bot.sandbox.render import Renderer
from bot.sandbox.rules import matching

Json = dict[str, Any]
Sent = Callable[[str, Mapping[str, str], bytes], None]
_KNOWN = POST_PARAMETERS | {"backfill_minutes", "start_time", "end_time"}
_LOOK_AGAIN_SECONDS = 0.05
"""How often a post that is not yet visible is looked at again."""


class LineStream(ABC):
    """One connection that tells line by line what is new; what counts as new, its kinds say."""

    path: str

    def __init__(self, world: World, *, keep_alive_seconds: float, sent: Sent) -> None:
        self._world = world
        self._keep_alive_seconds = keep_alive_seconds
        self._sent = sent
        self._open = False
        self._ending = False
        self._dropped = False
        self._news = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop_listening: Callable[[], None] = lambda: None

    @property
    def position(self) -> int:
        """The end of what was told so far: a stream that begins now sends what comes after it."""
        return len(self._world.happened)

    @abstractmethod
    def lines(self, query: Mapping[str, str], happening: Happening) -> list[Json]:
        """What is sent of something that happened; the world is locked."""

    def ready(self, query: Mapping[str, str], position: int) -> tuple[list[Json], int]:
        """What can be sent from a position on, and the position after it; the world is locked."""
        bodies: list[Json] = []
        for happening in self._world.happened[position:]:
            if not is_visible(self._world, happening):
                break
            position += 1
            if lines := self.lines(query, happening):
                charge(self._world, happening)
                bodies += lines
        return bodies, position

    def check(self, call: Call) -> None:  # noqa: ARG002 - its kinds look at the request
        """Raises `XRefusal` for a wrong request or a second connection."""
        if self._open:
            raise too_many_connections()

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._stop_listening = self._world.on_change(self._heard)

    def end(self) -> None:
        self._stop_listening()
        self._ending = True
        self._news.set()

    async def run(self, query: Mapping[str, str], position: int, receive: Receive, send: Send) -> None:
        """Sends what comes after the position until the client leaves, the streams are dropped or the server stops."""
        self._open = True
        self._dropped = False
        leaving = asyncio.ensure_future(_until_gone(receive))
        try:
            await self._send_all(query, position, leaving, send)
        finally:
            self._open = False
            leaving.cancel()
        await send({"type": "http.response.body", "body": b""})

    async def _send_all(
        self, query: Mapping[str, str], position: int, leaving: asyncio.Future[None], send: Send
    ) -> None:
        while not (self._ending or self._dropped or leaving.done()):
            self._news.clear()
            with self._world.lock:
                bodies, position = self.ready(query, position)
            for body in bodies:
                line = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
                self._sent(self.path, query, line)
                await send({"type": "http.response.body", "body": line + b"\r\n", "more_body": True})
            behind = position < self.position
            if not await self._wait(leaving, _LOOK_AGAIN_SECONDS if behind else self._keep_alive_seconds):
                await send({"type": "http.response.body", "body": b"\r\n", "more_body": True})

    async def _wait(self, leaving: asyncio.Future[None], seconds: float) -> bool:
        """Until there is news or nobody to hear it; False if the time passed in silence."""
        news = asyncio.ensure_future(self._news.wait())
        done, _ = await asyncio.wait(
            _both(news, leaving), timeout=seconds, return_when=asyncio.FIRST_COMPLETED
        )
        news.cancel()
        return bool(done) or seconds == _LOOK_AGAIN_SECONDS

    def _heard(self, happening: Happening) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake, happening.kind == "drop")

    def _wake(self, dropped: bool) -> None:  # noqa: FBT001 - called by the loop
        self._dropped = self._dropped or dropped
        self._news.set()


class PostStream(LineStream):
    """The filtered stream: every post that matches a rule. Posts of protected people are never sent."""

    path = "/2/tweets/search/stream"

    def check(self, call: Call) -> None:
        call.asked(_KNOWN).wanted(POST_EXPANSIONS)
        super().check(call)

    def lines(self, query: Mapping[str, str], happening: Happening) -> list[Json]:
        if happening.kind == "message":
            return []
        post = self._world.posts[happening.id]
        rules = matching(self._world, post) if self._world.posts.is_visible(post) else []
        if not rules:
            return []
        renderer = Renderer(self._world, Query(query, _KNOWN).wanted(POST_EXPANSIONS), None)
        return [renderer.single_post(post) | {"matching_rules": rules}]


class ActivityStream(LineStream):
    """The activity stream: the events that were subscribed to, for all people of the app."""

    path = "/2/activity/stream"

    def check(self, call: Call) -> None:
        call.asked(["backfill_minutes", "start_time", "end_time"])
        super().check(call)

    def lines(self, query: Mapping[str, str], happening: Happening) -> list[Json]:  # noqa: ARG002
        return [event.body for event in events(self._world, happening)]


def _both(one: asyncio.Future[Any], other: asyncio.Future[Any]) -> set[asyncio.Future[Any]]:
    return {one, other}


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
