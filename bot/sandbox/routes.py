"""X's API v2 as a table: which route is which operation, who may sign for it, and the function that answers.

The functions stand in `user_routes`, `post_routes` and `message_routes`, the stream's rules here. All are pure of bytes
and sockets: `x_api` brings the request in and the answer out. What a route may do is `street`'s, how it looks `render`'s.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from bot.sandbox import activity, message_routes, post_routes, user_routes, webhooks
from bot.sandbox.call import Answer, Call, only
from bot.sandbox.limits import Operation
from bot.sandbox.refusals import wrong_sign_in
from bot.sandbox.rules import add_rules, delete_rules, list_rules
from bot.sandbox.street import Caller

SIGNED = "OAuth 1.0a User Context"
TOKEN = "OAuth 2.0 User Context"  # noqa: S105 - X's name for it
APP = "OAuth 2.0 Application-Only"


@dataclass(frozen=True, slots=True)
class Route:
    """`people` and `app` tell who may sign: a person (by signature, unless `signed` is False, or by token), the app with
    its bearer token."""

    method: str
    pattern: re.Pattern[str]
    operation: Operation
    act: Callable[[Call], Answer]
    people: bool = True
    app: bool = True
    signed: bool = True

    def check(self, caller: Caller) -> None:
        ways = {SIGNED: self.people and self.signed, TOKEN: self.people, APP: self.app}
        way = APP if caller.person is None else TOKEN if caller.by_token else SIGNED
        if not ways[way]:
            raise wrong_sign_in(", ".join(name for name, taken in ways.items() if taken))


def _route(method: str, path: str, operation: Operation, act: Callable[[Call], Answer], **who: bool) -> Route:
    pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))
    return Route(method, pattern, operation, act, **who)


def rules(call: Call) -> Answer:
    query = call.asked(["ids", "max_results", "pagination_token"])
    return Answer(list_rules(call.world, query.ids("ids") if query.get("ids") else None))


def change_rules(call: Call) -> Answer:
    query = call.asked(["dry_run", "delete_all"])
    dry_run = query.get("dry_run") == "true"
    only(call.body, "add", "delete")
    if "add" in call.body:
        return Answer(add_rules(call.world, call.body["add"], dry_run=dry_run), 201)
    return Answer(delete_rules(call.world, call.body.get("delete"), dry_run=dry_run))


ROUTES = (
    _route("GET", "/2/users/me", Operation.ME, user_routes.me, app=False),
    _route("GET", "/2/users/by", Operation.USERS, user_routes.users_by_username),
    _route("GET", "/2/users/by/username/{username}", Operation.USERS, user_routes.user_by_username),
    _route("GET", "/2/users", Operation.USERS, user_routes.users_by_id),
    _route("GET", "/2/users/{id}", Operation.USERS, user_routes.user_by_id),
    _route("GET", "/2/users/{id}/mentions", Operation.MENTIONS, post_routes.mentions),
    _route("GET", "/2/users/{id}/tweets", Operation.OWN_POSTS, post_routes.posts_of),
    _route("GET", "/2/tweets", Operation.POSTS, post_routes.posts_by_id),
    _route("POST", "/2/tweets", Operation.CREATE_POST, post_routes.create_post, app=False),
    _route("GET", "/2/tweets/search/stream/rules", Operation.RULES, rules, people=False),
    _route("POST", "/2/tweets/search/stream/rules", Operation.RULES, change_rules, people=False),
    _route("GET", "/2/tweets/{id}", Operation.POSTS, post_routes.post_by_id),
    _route("DELETE", "/2/tweets/{id}", Operation.DELETE_POST, post_routes.delete_post, app=False),
    _route("GET", "/2/activity/subscriptions", Operation.ACTIVITY, activity.subscriptions),
    _route(
        "POST", "/2/activity/subscriptions", Operation.ACTIVITY, activity.subscribe, app=False, signed=False
    ),
    _route("PUT", "/2/activity/subscriptions/{id}", Operation.ACTIVITY, activity.change_subscription),
    _route("DELETE", "/2/activity/subscriptions/{id}", Operation.ACTIVITY, activity.unsubscribe),
    _route("GET", "/2/webhooks", Operation.ACTIVITY, webhooks.webhooks, people=False),
    _route("POST", "/2/webhooks", Operation.ACTIVITY, webhooks.register, people=False),
    _route("PUT", "/2/webhooks/{id}", Operation.ACTIVITY, webhooks.check_again, people=False),
    _route("DELETE", "/2/webhooks/{id}", Operation.ACTIVITY, webhooks.remove, people=False),
    _route("GET", "/2/dm_events", Operation.MESSAGES, message_routes.all_messages, app=False),
    _route(
        "POST",
        "/2/dm_conversations/with/{participant_id}/messages",
        Operation.SEND_MESSAGE,
        message_routes.send_message,
        app=False,
    ),
    _route(
        "GET",
        "/2/dm_conversations/with/{participant_id}/dm_events",
        Operation.MESSAGES_WITH,
        message_routes.messages_with,
        app=False,
    ),
    _route(
        "GET",
        "/2/dm_conversations/{id}/dm_events",
        Operation.CONVERSATION,
        message_routes.messages_in,
        app=False,
    ),
)


def route_for(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The route, and the parts of the path; the first that matches, so that words go before patterns."""
    for route in ROUTES:
        match = route.pattern.fullmatch(path)
        if match is not None and route.method == method:
            return route, match.groupdict()
    return None
