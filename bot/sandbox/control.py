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
from bot.sandbox.given import count, identity_or_none, json_object, number, one_of, seconds, text
from bot.sandbox.limits import Operation
from bot.sandbox.people import Person
from bot.sandbox.refusals import XRefusal, invalid
from bot.sandbox.state import dump

Json = dict[str, Any]
_LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
_FAULT_FIELDS: dict[str, Callable[[Json, str], Any]] = {
    "caller_id": identity_or_none,
    "skip": count,
    "times": count,
    "status": count,
    "seconds": seconds,
    "title": text,
    "detail": text,
    "body": text,
}


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
            text(given, "username"),
            text(given, "name", usual=""),
            open_messages=given.get("open_messages") is True,
        )
        return _person(person)

    def change_person(self, given: Json) -> Json:
        """Any of: username, name, suspended, protected, writes_long, closed, blocks (somebody)."""
        person = self._who(given, "person")
        if "username" in given or "name" in given:
            name = text(given, "name", usual=person.name)
            self._world.rename(person, text(given, "username", usual=person.username), name)
        if "suspended" in given:
            self._world.suspend(person, suspended=given["suspended"] is True)
        if "protected" in given:
            self._world.protect(person, protected=given["protected"] is True)
        if "writes_long" in given:
            person.writes_long = given["writes_long"] is True
        if "blocks" in given:
            self._world.block(person, self._who(given, "blocks"))
        if given.get("closed") is True:
            self._world.close_account(person)
        return _person(person)

    def post(self, given: Json) -> Json:
        post = self._world.post(
            self._who(given, "author"),
            text(given, "text"),
            in_reply_to=identity_or_none(given, "in_reply_to"),
            quote_of=identity_or_none(given, "quote_of"),
            language=text(given, "language", usual="und"),
        )
        return {"id": str(post.id)}

    def edit(self, given: Json) -> Json:
        return {"id": str(self._world.edit(self._post(given), text(given, "text")).id)}

    def delete(self, given: Json) -> Json:
        self._world.delete(self._post(given))
        return {"deleted": True}

    def repost(self, given: Json) -> Json:
        return {"id": str(self._world.repost(self._who(given, "author"), self._post(given)).id)}

    def send_message(self, given: Json) -> Json:
        message = self._world.send_message(
            self._who(given, "sender"), self._who(given, "recipient"), text(given, "text")
        )
        return {"id": str(message.id)}

    def create_group(self, given: Json) -> Json:
        others = given.get("others", [])
        if not isinstance(others, list):
            raise invalid("others", others, "others must be a list of people")
        members = [self._person(each) for each in others]
        return {"id": self._world.create_group(self._who(given, "creator"), members)}

    def send_to_group(self, given: Json) -> Json:
        sender, group = self._who(given, "sender"), text(given, "group")
        return {"id": str(self._world.send_to_group(sender, group, text(given, "text")).id)}

    def plan_fault(self, given: Json) -> Json:
        """`kind` and, if wanted, `operation` and the other fields of a fault; `{"clear": true}` forgets all."""
        if given.get("clear") is True:
            self._world.faults.clear()
            return {"waiting": 0}
        kind = one_of(FaultKind, given, "kind")
        operation = one_of(Operation, given, "operation") if "operation" in given else None
        how = {name: read(given, name) for name, read in _FAULT_FIELDS.items() if name in given}
        self._world.plan_fault(kind, operation, **how)
        return {"waiting": len(self._world.faults.waiting)}

    def move_clock(self, given: Json) -> Json:
        now = self._world.advance(timedelta(seconds=seconds(given, "advance_seconds")))
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
        identity = number(who)
        if identity is not None and self._world.people.get(identity) is not None:
            return self._world.person(identity)
        return self._world.person(str(who or "").removeprefix("@"))

    def _post(self, given: Json) -> int:
        identity = identity_or_none(given, "id")
        if identity is None or self._world.posts.get(identity) is None:
            raise KeyError(given.get("id"))
        return identity


def _reader(read: Callable[[Request], Json]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return JSONResponse(read(request))

    return answer


def _actor(act: Callable[[Json], Json]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return JSONResponse(act(await json_object(request)))

    return answer


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
