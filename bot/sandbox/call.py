"""A request whose sender is known, and what is answered to it: the form all routes share."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.asked import Query, identity
from bot.sandbox.core import World
from bot.sandbox.refusals import invalid
from bot.sandbox.render import Renderer
from bot.sandbox.street import Caller, Street

Json = dict[str, Any]
POST_PARAMETERS = frozenset({"tweet.fields", "expansions", "user.fields"})
USER_PARAMETERS = frozenset({"user.fields", "expansions", "tweet.fields"})
MESSAGE_PARAMETERS = frozenset({"dm_event.fields", "expansions", "user.fields", "tweet.fields"})
LIST_PARAMETERS = frozenset({"max_results", "pagination_token"})
TIME_PARAMETERS = LIST_PARAMETERS | {"since_id", "until_id", "start_time", "end_time"}


@dataclass(frozen=True, slots=True)
class Call:
    """A request whose sender is known: the parts of its path, its query, its JSON body."""

    street: Street
    caller: Caller
    path: dict[str, str]
    query: dict[str, str]
    body: Json = field(default_factory=dict)

    @property
    def world(self) -> World:
        return self.street.world

    def asked(self, *known: Iterable[str]) -> Query:
        """The query, with no parameter but these."""
        return Query(self.query, frozenset(name for names in known for name in names))

    def renderer(self, query: Query, expansions: frozenset[str]) -> Renderer:
        return Renderer(self.world, query.wanted(expansions), self.caller.id)

    def path_id(self, name: str = "id") -> int:
        return identity(name, self.path[name])


@dataclass(frozen=True, slots=True)
class Answer:
    """`then`, if there is one, makes the real answer with the world unlocked: it may take time and talk to others."""

    body: Json
    status: int = 200
    then: "Callable[[], Answer] | None" = None


def only(body: Json, *known: str) -> Json:
    for name in body:
        if name not in known:
            message = (
                f"$.{name}: is not defined in the schema and the schema does not allow additional properties"
            )
            raise invalid(name, body[name], message)
    return body


def object_in(body: Json, name: str) -> Json:
    value = body[name]
    if not isinstance(value, dict):
        raise invalid(name, value, f"$.{name}: must be an object")
    return value


def text_in(body: Json) -> str:
    text = body.get("text")
    if not isinstance(text, str):
        raise invalid("text", text, "$.text: must be a string")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise invalid("text", "", "$.text: is not valid Unicode") from None
    return text
