"""The control API under /sandbox/: act as anybody, break things on purpose, move the clock, read everything.

For the page and for tests in other processes. It speaks to this machine only: a request that names another host, or
that a page of another origin sends, is refused, because any website a person visits could otherwise send one.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Scope

from bot.sandbox.core import World
from bot.sandbox.faults import FaultKind
from bot.sandbox.limits import Operation
from bot.sandbox.people import Person
from bot.sandbox.refusals import XRefusal, invalid
from bot.sandbox.state import dump

Json = dict[str, Any]
_LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
_FAULT_FIELDS = frozenset({"caller_id", "skip", "times", "status", "title", "detail", "seconds", "body"})


def guarded(scope: Scope) -> Response | None:
    """The refusal of a request that does not come from this machine's own page or a plain client; None for others."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    host, origin = headers.get("host", ""), headers.get("origin")
    if host.rpartition(":")[0] not in _LOCAL_NAMES and host not in _LOCAL_NAMES:
        return _problem(403, "this host is not the sandbox")
    if origin is not None and urlsplit(origin).netloc != host:
        return _problem(403, "the sandbox answers its own page only")
    if scope["method"] == "POST" and not headers.get("content-type", "").startswith("application/json"):
        return _problem(415, "the sandbox takes JSON")
    return None


async def problem_of(_request: Request, error: Exception) -> Response:
    """A refusal of the world as the page and tests read it."""
    if isinstance(error, XRefusal):
        first = (error.problem.get("errors") or [{}])[0]
        return _problem(error.status, first.get("message", error.detail))
    return _problem(404, f"nobody and nothing is known as {error}")


def _problem(status: int, detail: str) -> Response:
    return JSONResponse({"status": status, "detail": detail}, status_code=status)


class Control:
    """The routes; each takes a JSON object and answers with one."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        reading: dict[str, Callable[[Request], Json]] = {
            "/sandbox/world": lambda _: dump(self._world),
            "/sandbox/meter": lambda _: self._meter(),
        }
        acting: dict[str, Callable[[Json], Json]] = {
            "/sandbox/people": self.create_person,
            "/sandbox/person": self.change_person,
            "/sandbox/posts": self.post,
            "/sandbox/edit": self.edit,
            "/sandbox/delete": self.delete,
            "/sandbox/repost": self.repost,
            "/sandbox/messages": self.send_message,
            "/sandbox/groups": self.create_group,
            "/sandbox/group-messages": self.send_to_group,
            "/sandbox/faults": self.plan_fault,
            "/sandbox/clock": self.move_clock,
            "/sandbox/drop-streams": self.drop_streams,
        }
        return [
            *(Route(path, _reader(read)) for path, read in reading.items()),
            *(Route(path, _actor(act), methods=["POST"]) for path, act in acting.items()),
        ]

    def create_person(self, given: Json) -> Json:
        person = self._world.create_person(
            _text(given, "username"),
            given.get("name") or "",
            open_messages=bool(given.get("open_messages")),
        )
        return _person(person)

    def change_person(self, given: Json) -> Json:
        """Any of: username, name, suspended, protected, writes_long, closed, blocks (somebody)."""
        person = self._who(given, "person")
        if "username" in given or "name" in given:
            self._world.rename(person, given.get("username", person.username), given.get("name"))
        if "suspended" in given:
            self._world.suspend(person, suspended=bool(given["suspended"]))
        if "protected" in given:
            self._world.protect(person, protected=bool(given["protected"]))
        if "writes_long" in given:
            person.writes_long = bool(given["writes_long"])
        if "blocks" in given:
            self._world.block(person, self._who(given, "blocks"))
        if given.get("closed"):
            self._world.close_account(person)
        return _person(person)

    def post(self, given: Json) -> Json:
        post = self._world.post(
            self._who(given, "author"),
            _text(given, "text"),
            in_reply_to=_number(given, "in_reply_to"),
            quote_of=_number(given, "quote_of"),
            language=str(given.get("language", "und")),
        )
        return {"id": str(post.id)}

    def edit(self, given: Json) -> Json:
        return {"id": str(self._world.edit(self._post(given), _text(given, "text")).id)}

    def delete(self, given: Json) -> Json:
        self._world.delete(self._post(given))
        return {"deleted": True}

    def repost(self, given: Json) -> Json:
        return {"id": str(self._world.repost(self._who(given, "author"), self._post(given)).id)}

    def send_message(self, given: Json) -> Json:
        message = self._world.send_message(
            self._who(given, "sender"), self._who(given, "recipient"), _text(given, "text")
        )
        return {"id": str(message.id)}

    def create_group(self, given: Json) -> Json:
        others = [self._person(each) for each in given.get("others", [])]
        return {"id": self._world.create_group(self._who(given, "creator"), others)}

    def send_to_group(self, given: Json) -> Json:
        sender, group = self._who(given, "sender"), _text(given, "group")
        return {"id": str(self._world.send_to_group(sender, group, _text(given, "text")).id)}

    def plan_fault(self, given: Json) -> Json:
        """`kind` and, if wanted, `operation` and the other fields of a fault; `{"clear": true}` forgets all."""
        if given.get("clear"):
            self._world.faults.clear()
            return {"waiting": 0}
        try:
            kind = FaultKind(given.get("kind", ""))
            operation = Operation(given["operation"]) if "operation" in given else None
        except ValueError as error:
            raise invalid("kind", given, str(error)) from None
        how = {name: value for name, value in given.items() if name in _FAULT_FIELDS}
        self._world.plan_fault(kind, operation, **how)
        return {"waiting": len(self._world.faults.waiting)}

    def move_clock(self, given: Json) -> Json:
        now = self._world.advance(timedelta(seconds=float(given.get("advance_seconds", 0))))
        return {"now": now.isoformat()}

    def drop_streams(self, _given: Json) -> Json:
        self._world.drop_streams()
        return {"dropped": True}

    def _meter(self) -> Json:
        meter = self._world.meter
        counts = {price.value[0]: count for price, count in meter.counts.items()}
        return {"counts": counts, "dollars": meter.thousandths / 1000}

    def _who(self, given: Json, name: str) -> Person:
        return self._person(given.get(name))

    def _person(self, who: Any) -> Person:
        """By id (as text or number) or by username (with or without @)."""
        text = str(who or "")
        if text.isascii() and text.isdigit() and self._world.people.get(int(text)) is not None:
            return self._world.person(int(text))
        return self._world.person(text.removeprefix("@"))

    def _post(self, given: Json) -> int:
        identity = _number(given, "id")
        if identity is None or self._world.posts.get(identity) is None:
            raise KeyError(given.get("id"))
        return identity


def _reader(read: Callable[[Request], Json]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return JSONResponse(read(request))

    return answer


def _actor(act: Callable[[Json], Json]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            given = await request.json()
        except (ValueError, RecursionError):
            given = None
        if not isinstance(given, dict):
            raise invalid("body", "", "a JSON object is needed")
        return JSONResponse(act(given))

    return answer


def _text(given: Json, name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str):
        raise invalid(name, value, f"{name} must be a text")
    return value


def _number(given: Json, name: str) -> int | None:
    value = given.get(name)
    if value is None:
        return None
    if not str(value).isdigit():
        raise invalid(name, value, f"{name} must be an id")
    return int(value)


def _person(person: Person) -> Json:
    return {
        "id": str(person.id),
        "username": person.username,
        "name": person.name,
        "keys": {
            "access_token": person.keys.access_token,
            "access_token_secret": person.keys.access_token_secret,
            "user_token": person.keys.user_token,
        },
    }
