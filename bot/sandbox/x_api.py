"""X's API v2 as an ASGI application: bytes in, signature checked, operation done, X's headers and JSON out.

Nothing is decided here about what a request may do; this is where planned faults become what a client really meets:
a closed connection, a late answer, a page of HTML.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from bot.sandbox.call import Answer, Call
from bot.sandbox.core import World
from bot.sandbox.faults import ConnectionLost, Fault, FaultKind, NonsenseAnswer
from bot.sandbox.limits import Operation
from bot.sandbox.oauth2 import TOKEN_PATH, refreshed
from bot.sandbox.refusals import XRefusal, invalid, no_such_route, wrong_sign_in
from bot.sandbox.routes import APP, Route, route_for
from bot.sandbox.sign_in import SignIn
from bot.sandbox.stream import ActivityStream, PostStream
from bot.sandbox.street import Caller, Street
from bot.sandbox.webhooks import Postman

LARGEST_BODY = 1_000_000
_PROBLEM = "application/problem+json"
_JSON = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One answer, or one line of a stream, as it left: for tests that hold it against X's description."""

    method: str
    path: str
    query: Mapping[str, str]
    status: int
    media_type: str
    body: bytes


Observe = Callable[[Exchange], None]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request as it came."""

    method: str
    path: str
    target: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


class XApi:
    """The application. `begin` and `end` frame the time it serves."""

    def __init__(self, world: World, *, keep_alive_seconds: float, observe: Observe | None) -> None:
        self._world = world
        self._street = Street(world)
        self._sign_in = SignIn(world)
        self._streams = {
            kind.path: kind(world, keep_alive_seconds=keep_alive_seconds, sent=self._observe_line)
            for kind in (PostStream, ActivityStream)
        }
        self._postman = Postman(world)
        self._observe = observe
        self._observed: list[Exception] = []

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        self._postman.begin()
        for stream in self._streams.values():
            stream.begin(loop)

    def end(self) -> None:
        self._postman.end()
        for stream in self._streams.values():
            stream.end()

    def raise_what_was_observed(self) -> None:
        """Raises what the observer raised, all of it at once."""
        if self._observed:
            raise ExceptionGroup("answers of the sandbox were objected to", self._observed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = await _read(scope, receive)
        caller: Caller | None = None
        operation: Operation | None = None
        if asked.path == TOKEN_PATH and asked.method == "POST":
            status, told = refreshed(self._world, asked.headers, asked.body)
            await self._say(asked, send, status, _JSON, as_json(told), {})
            return
        try:
            caller = self._signed(asked)
            if asked.path in self._streams and asked.method == "GET":
                operation = Operation.STREAM
                await self._open_stream(asked, caller, receive, send)
                return
            route, parts = _found(asked)
            operation = route.operation
            route.check(caller)
            answer = await self._done(asked, caller, route, parts)
        except XRefusal as refusal:
            body, status = as_json(refusal.problem), refusal.status
            await self._say(asked, send, status, _PROBLEM, body, self._limit_headers(caller, operation))
        except NonsenseAnswer as nonsense:
            await self._say(asked, send, 200, "text/html", nonsense.body.encode(), {}, observed=False)
        except ConnectionLost:
            await _hang_up(scope, receive)
        else:
            limits = self._limit_headers(caller, operation)
            await self._say(asked, send, answer.status, _JSON, as_json(answer.body), limits)

    def _signed(self, asked: _Asked) -> Caller:
        with self._world.lock:
            host = asked.headers.get("host", "")
            return self._sign_in.caller(
                method=asked.method, target=asked.target, host=host, headers=asked.headers
            )

    async def _done(self, asked: _Asked, caller: Caller, route: Route, parts: dict[str, str]) -> Answer:
        fault = await self._fault(caller, route.operation)
        answer = self._street.call(
            caller,
            route.operation,
            fault,
            lambda: route.act(Call(self._street, caller, parts, asked.query, _json_object(asked))),
        )
        return answer if answer.then is None else await asyncio.to_thread(answer.then)

    async def _fault(self, caller: Caller, operation: Operation) -> Fault | None:
        fault = self._street.fault_for(caller, operation)
        if fault is not None and fault.kind is FaultKind.DELAY:
            await asyncio.sleep(fault.seconds)
        return fault

    async def _open_stream(self, asked: _Asked, caller: Caller, receive: Receive, send: Send) -> None:
        if caller.person is not None:
            raise wrong_sign_in(APP)
        stream = self._streams[asked.path]
        fault = await self._fault(caller, Operation.STREAM)
        self._street.call(
            caller,
            Operation.STREAM,
            fault,
            lambda: stream.check(Call(self._street, caller, {}, asked.query)),
        )
        headers = self._headers(_JSON) | self._limit_headers(caller, Operation.STREAM)
        position = stream.position  # taken before the client knows: from here on nothing is missed
        await send({"type": "http.response.start", "status": 200, "headers": _encoded(headers)})
        await stream.run(asked.query, position, receive, send)

    async def _say(
        self,
        asked: _Asked,
        send: Send,
        status: int,
        media: str,
        body: bytes,
        more: dict[str, str],
        *,
        observed: bool = True,
    ) -> None:
        headers = self._headers(media) | more | {"content-length": str(len(body))}
        await send({"type": "http.response.start", "status": status, "headers": _encoded(headers)})
        await send({"type": "http.response.body", "body": body})
        if (
            self._observe is not None and observed
        ):  # after the answer, which so takes no longer for being looked at
            self._note(Exchange(asked.method, asked.path, asked.query, status, media.partition(";")[0], body))

    def _observe_line(self, path: str, query: Mapping[str, str], line: bytes) -> None:
        if self._observe is not None:
            self._note(Exchange("GET", path, query, 200, "application/json", line))

    def _note(self, exchange: Exchange) -> None:
        assert self._observe is not None  # noqa: S101 - the callers have looked
        try:
            self._observe(exchange)
        except Exception as error:  # noqa: BLE001 - kept, and raised when serving ends
            self._observed.append(error)

    def _headers(self, media: str) -> dict[str, str]:
        return {"content-type": media, "date": format_datetime(self._world.now(), usegmt=True)}

    def _limit_headers(self, caller: Caller | None, operation: Operation | None) -> dict[str, str]:
        if caller is None or operation is None:
            return {}
        with self._world.lock:
            now = self._world.now()
            short = self._world.windows.quarter_hour(caller.key, operation, now)
            day = self._world.windows.day(caller.key, operation, now)
        windows = (
            {"x-rate-limit": short} if day is None else {"x-rate-limit": short, "x-user-limit-24hour": day}
        )
        return {
            f"{name}-{part}": str(value)
            for name, window in windows.items()
            for part, value in (
                ("limit", window.limit),
                ("remaining", window.remaining),
                ("reset", window.reset_seconds),
            )
        }


def as_json(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


async def _read(scope: Scope, receive: Receive) -> _Asked:
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"") if len(body) <= LARGEST_BODY else b""
        more = message.get("more_body", False)
    query = scope["query_string"].decode("latin-1")
    target = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
    return _Asked(
        method=scope["method"],
        path=scope["path"],
        target=f"{target}?{query}" if query else target,
        query=dict(parse_qsl(query, keep_blank_values=True)),
        headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]},
        body=body,
    )


def _found(asked: _Asked) -> tuple[Route, dict[str, str]]:
    found = route_for(asked.method, asked.path)
    if found is None:
        raise no_such_route()
    return found


def _json_object(asked: _Asked) -> dict[str, Any]:
    """The body of a request, which must be an object where there is one."""
    if not asked.body:
        return {}
    if len(asked.body) > LARGEST_BODY:
        raise XRefusal(413, "Payload Too Large", "The body of the request is too large.")
    try:
        body = json.loads(asked.body)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise invalid("body", "", "The body of the request is not a JSON object")
    return body


async def _hang_up(scope: Scope, receive: Receive) -> None:
    """Breaks the connection without a word."""
    scope["state"]["break_connection"]()
    while (await receive())["type"] != "http.disconnect":
        pass


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
