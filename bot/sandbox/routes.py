"""X's API v2 as functions: one for each route, from a checked request to an answer.

The table at the end says which route is which operation and who may sign for it. Everything here is pure of bytes and
sockets: `http` brings the request in and the answer out. What a route may do is `street`'s, how it looks `render`'s.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox import asked
from bot.sandbox.asked import Query, identity, username
from bot.sandbox.core import World
from bot.sandbox.limits import Operation
from bot.sandbox.people import Person
from bot.sandbox.refusals import forbidden, invalid, not_found, wrong_sign_in
from bot.sandbox.render import Renderer
from bot.sandbox.rules import add_rules, delete_rules, list_rules
from bot.sandbox.street import Caller, Street
from bot.x.text import escape

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
    body: Json
    status: int = 200


# --- people ---


def me(call: Call) -> Answer:
    person = call.caller.person
    if person is None:
        raise forbidden()
    return _one_user(call, person, "id", str(person.id))


def user_by_id(call: Call) -> Answer:
    return _one_user(call, call.street.user(call.path_id()), "id", call.path["id"])


def user_by_username(call: Call) -> Answer:
    name = username("username", call.path["username"])
    return _one_user(call, call.street.user_named(name), "username", name)


def users_by_id(call: Call) -> Answer:
    ids = call.asked(USER_PARAMETERS, ["ids"]).ids("ids")
    return _users(call, {str(each): call.street.user(each) for each in ids}, "ids")


def users_by_username(call: Call) -> Answer:
    names = call.asked(USER_PARAMETERS, ["usernames"]).usernames()
    return _users(call, {each: call.street.user_named(each) for each in names}, "usernames")


def _one_user(call: Call, person: Person | None, parameter: str, value: str) -> Answer:
    renderer = call.renderer(call.asked(USER_PARAMETERS), asked.USER_EXPANSIONS)
    if person is None:
        return Answer({"errors": [_no_user(call, parameter, value)]})
    return Answer({"data": renderer.user(person)})


def _users(call: Call, found: dict[str, Person | None], parameter: str) -> Answer:
    query = call.asked(USER_PARAMETERS, [parameter])
    renderer = call.renderer(query, asked.USER_EXPANSIONS)
    data = [renderer.user(person) for person in found.values() if person is not None]
    errors = [_no_user(call, parameter, value) for value, person in found.items() if person is None]
    return Answer({name: value for name, value in {"data": data, "errors": errors}.items() if value})


def _no_user(call: Call, parameter: str, value: str) -> Json:
    """X tells a suspended person from one who never was."""
    people = call.world.people
    by_id = people.get(int(value)) if parameter in ("id", "ids") else None
    person = by_id if by_id is not None else people.holder(value)
    problem = not_found("user", parameter, value)
    if person is not None and person.suspended and not person.gone:
        problem |= {"title": "Forbidden", "detail": f"User has been suspended: [{value}]."}
    return problem


# --- posts ---


def mentions(call: Call) -> Answer:
    query = call.asked(POST_PARAMETERS, TIME_PARAMETERS)
    person = call.street.world.people.get(call.path_id())
    if person is None or not person.findable:
        return Answer({"errors": [_no_user(call, "id", call.path["id"])]})
    listing = call.street.mentions(call.caller, person.id, query.range(least=5, usual=10))
    return Answer(call.renderer(query, asked.POST_EXPANSIONS).posts_page(listing))


def posts_of(call: Call) -> Answer:
    query = call.asked(POST_PARAMETERS, TIME_PARAMETERS, ["exclude"])
    person = call.street.world.people.get(call.path_id())
    if person is None or not person.findable:
        return Answer({"errors": [_no_user(call, "id", call.path["id"])]})
    exclude = query.names("exclude", frozenset({"replies", "retweets"}))
    listing = call.street.posts_of(call.caller, person.id, query.range(least=5, usual=10), exclude)
    return Answer(call.renderer(query, asked.POST_EXPANSIONS).posts_page(listing))


def post_by_id(call: Call) -> Answer:
    query = call.asked(POST_PARAMETERS)
    post = call.street.post(call.caller, call.path_id())
    if post is None:
        return Answer({"errors": [not_found("tweet", "id", call.path["id"])]})
    return Answer(call.renderer(query, asked.POST_EXPANSIONS).single_post(post))


def posts_by_id(call: Call) -> Answer:
    query = call.asked(POST_PARAMETERS, ["ids"])
    found = {each: call.street.post(call.caller, each) for each in query.ids("ids")}
    answer = call.renderer(query, asked.POST_EXPANSIONS).posts(
        post for post in found.values() if post is not None
    )
    missing = [not_found("tweet", "ids", str(each)) for each, post in found.items() if post is None]
    if missing:
        answer["errors"] = [*missing, *answer.get("errors", [])]
    return Answer(answer)


def create_post(call: Call) -> Answer:
    call.asked()
    _only(call.body, "text", "reply", "quote_tweet_id", "edit_options", "reply_settings")
    text = _text(call.body)
    if "edit_options" in call.body:
        options = _only(_object(call.body, "edit_options"), "previous_post_id")
        before = identity("previous_post_id", options.get("previous_post_id"))
        post = call.street.edit_post(call.caller, before, text)
    else:
        post = call.street.create_post(call.caller, text, **_reply(call.body), quote_of=_quote(call.body))
    history = [str(each) for each in call.world.posts.history(post)]
    shown = {"id": str(post.id), "text": escape(post.text), "edit_history_tweet_ids": history}
    return Answer({"data": shown}, 201)


def delete_post(call: Call) -> Answer:
    call.asked()
    return Answer({"data": {"deleted": call.street.delete_post(call.caller, call.path_id())}})


def _reply(body: Json) -> Json:
    if "reply" not in body:
        return {}
    known = ("in_reply_to_tweet_id", "exclude_reply_user_ids", "auto_populate_reply_metadata")
    reply = _only(_object(body, "reply"), *known)
    left_out = reply.get("exclude_reply_user_ids", [])
    if not isinstance(left_out, list):
        raise invalid("reply.exclude_reply_user_ids", left_out, "must be a list")
    return {
        "in_reply_to": identity("reply.in_reply_to_tweet_id", reply.get("in_reply_to_tweet_id")),
        "left_out": [identity("reply.exclude_reply_user_ids", each) for each in left_out],
    }


def _quote(body: Json) -> int | None:
    return identity("quote_tweet_id", body["quote_tweet_id"]) if "quote_tweet_id" in body else None


# --- messages ---


def send_message(call: Call) -> Answer:
    call.asked()
    recipient = call.path_id("participant_id")
    _only(call.body, "text")
    message = call.street.send_message(call.caller, recipient, _text(call.body))
    return Answer(
        {"data": {"dm_conversation_id": message.conversation_id, "dm_event_id": str(message.id)}}, 201
    )


def all_messages(call: Call) -> Answer:
    return _messages(call, None)


def messages_with(call: Call) -> Answer:
    return _messages(call, call.street.conversation_with(call.caller, call.path_id("participant_id")))


def messages_in(call: Call) -> Answer:
    name = call.path["id"]
    if not re.fullmatch(r"[0-9]{1,19}-[0-9]{1,19}|[0-9]{15,19}", name, re.ASCII):
        raise invalid("id", name, f"The `id` query parameter value [{name}] is not valid")
    return _messages(call, name)


def _messages(call: Call, conversation: str | None) -> Answer:
    query = call.asked(MESSAGE_PARAMETERS, LIST_PARAMETERS, ["event_types"])
    kinds = query.names("event_types", asked.MESSAGE_KINDS) or asked.MESSAGE_KINDS
    wanted = query.range(least=1, usual=100)
    listing = call.street.messages(call.caller, conversation, wanted, kinds)
    return Answer(call.renderer(query, asked.MESSAGE_EXPANSIONS).messages_page(listing))


# --- the stream's rules ---


def rules(call: Call) -> Answer:
    query = call.asked(["ids", "max_results", "pagination_token"])
    return Answer(list_rules(call.world, query.ids("ids") if query.get("ids") else None))


def change_rules(call: Call) -> Answer:
    query = call.asked(["dry_run", "delete_all"])
    dry_run = query.get("dry_run") == "true"
    _only(call.body, "add", "delete")
    if "add" in call.body:
        return Answer(add_rules(call.world, call.body["add"], dry_run=dry_run), 201)
    return Answer(delete_rules(call.world, call.body.get("delete"), dry_run=dry_run))


# --- bodies ---


def _only(body: Json, *known: str) -> Json:
    for name in body:
        if name not in known:
            message = (
                f"$.{name}: is not defined in the schema and the schema does not allow additional properties"
            )
            raise invalid(name, body[name], message)
    return body


def _object(body: Json, name: str) -> Json:
    value = body[name]
    if not isinstance(value, dict):
        raise invalid(name, value, f"$.{name}: must be an object")
    return value


def _text(body: Json) -> str:
    text = body.get("text")
    if not isinstance(text, str):
        raise invalid("text", text, "$.text: must be a string")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise invalid("text", "", "$.text: is not valid Unicode") from None
    return text


# --- the table ---

USER = ("OAuth 1.0a User Context", "OAuth 2.0 User Context")
APP = "OAuth 2.0 Application-Only"


@dataclass(frozen=True, slots=True)
class Route:
    """`people` and `app` tell who may sign: a person (either way), the app with its bearer token."""

    method: str
    pattern: re.Pattern[str]
    operation: Operation
    act: Callable[[Call], Answer]
    people: bool = True
    app: bool = True

    def check(self, caller: Caller) -> None:
        if (self.app if caller.person is None else self.people) is False:
            raise wrong_sign_in(", ".join((*(USER if self.people else ()), *((APP,) if self.app else ()))))


def _route(method: str, path: str, operation: Operation, act: Callable[[Call], Answer], **who: bool) -> Route:
    pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))
    return Route(method, pattern, operation, act, **who)


ROUTES = (
    _route("GET", "/2/users/me", Operation.ME, me, app=False),
    _route("GET", "/2/users/by", Operation.USERS, users_by_username),
    _route("GET", "/2/users/by/username/{username}", Operation.USERS, user_by_username),
    _route("GET", "/2/users", Operation.USERS, users_by_id),
    _route("GET", "/2/users/{id}", Operation.USERS, user_by_id),
    _route("GET", "/2/users/{id}/mentions", Operation.MENTIONS, mentions),
    _route("GET", "/2/users/{id}/tweets", Operation.OWN_POSTS, posts_of),
    _route("GET", "/2/tweets", Operation.POSTS, posts_by_id),
    _route("POST", "/2/tweets", Operation.CREATE_POST, create_post, app=False),
    _route("GET", "/2/tweets/search/stream/rules", Operation.RULES, rules, people=False),
    _route("POST", "/2/tweets/search/stream/rules", Operation.RULES, change_rules, people=False),
    _route("GET", "/2/tweets/{id}", Operation.POSTS, post_by_id),
    _route("DELETE", "/2/tweets/{id}", Operation.DELETE_POST, delete_post, app=False),
    _route("GET", "/2/dm_events", Operation.MESSAGES, all_messages, app=False),
    _route(
        "POST",
        "/2/dm_conversations/with/{participant_id}/messages",
        Operation.SEND_MESSAGE,
        send_message,
        app=False,
    ),
    _route(
        "GET",
        "/2/dm_conversations/with/{participant_id}/dm_events",
        Operation.MESSAGES_WITH,
        messages_with,
        app=False,
    ),
    _route("GET", "/2/dm_conversations/{id}/dm_events", Operation.CONVERSATION, messages_in, app=False),
)
STREAM_PATH = "/2/tweets/search/stream"


def route_for(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The route, and the parts of the path; the first that matches, so that words go before patterns."""
    for route in ROUTES:
        match = route.pattern.fullmatch(path)
        if match is not None and route.method == method:
            return route, match.groupdict()
    return None
