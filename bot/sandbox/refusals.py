"""How the sandbox says no: X's own statuses, titles and words.

The wordings are X's as documented or reported (read 2026-08-22); the bot recognises some of them, so they must not be
improved. A refusal is raised by the core and becomes an HTTP answer in `http` or one of the bot's errors in `gateway`.
"""

from typing import Any

PROBLEMS = "https://api.twitter.com/2/problems/"
BLANK = "about:blank"

DUPLICATE = "You are not allowed to create a Tweet with duplicate content."
NOT_SUMMONED = (
    "Reply to this conversation is not allowed because you have not been mentioned or otherwise engaged "
    "by the author of the post you are replying to."
)
NO_MESSAGE_PERMISSION = "You do not have permission to DM one or more participants."
REPLY_TO_NOTHING = "You attempted to reply to a Tweet that is deleted or not visible to you."
SUSPENDED = "Your account is suspended and is not permitted to access this feature."
TOO_LONG = "Your Tweet text is too long. For more information see the Twitter API documentation."


class XRefusal(Exception):
    """X's no: an HTTP status and a problem in X's shape."""

    def __init__(self, status: int, title: str, detail: str, *, kind: str = BLANK, **more: Any) -> None:
        super().__init__(f"{status} {title}: {detail}")
        self.status = status
        self.detail = detail
        self.problem: dict[str, Any] = {
            "title": title,
            "detail": detail,
            "type": kind,
            "status": status,
            **more,
        }


def forbidden(detail: str = "You are not permitted to perform this action.") -> XRefusal:
    return XRefusal(403, "Forbidden", detail)


def suspended() -> XRefusal:
    """X's older shape stands beside the newer one, because X sends this one's number in it."""
    return XRefusal(403, "Forbidden", SUSPENDED, errors=[{"code": 64, "message": SUSPENDED}])


def invalid(parameter: str, value: Any, message: str) -> XRefusal:
    return XRefusal(
        400,
        "Invalid Request",
        "One or more parameters to your request was invalid.",
        kind=PROBLEMS + "invalid-request",
        errors=[{"parameters": {parameter: [str(value)]}, "message": message}],
    )


def unauthorized() -> XRefusal:
    return XRefusal(401, "Unauthorized", "Unauthorized")


def wrong_sign_in(supported: str) -> XRefusal:
    return XRefusal(
        403,
        "Unsupported Authentication",
        "Authenticating with this kind of token is forbidden for this endpoint. "
        f"Supported authentication types are [{supported}].",
        kind=PROBLEMS + "unsupported-authentication",
    )


def too_many_requests() -> XRefusal:
    return XRefusal(429, "Too Many Requests", "Too Many Requests")


def no_such_route() -> XRefusal:
    return XRefusal(404, "Not Found", "The requested resource was not found.")


def credits_depleted() -> XRefusal:
    return XRefusal(
        402,
        "CreditsDepleted",
        "Your enrolled account does not have any credits to fulfill this request.",
        kind=PROBLEMS + "credits",
    )


def too_many_connections() -> XRefusal:
    return XRefusal(
        429,
        "ConnectionException",
        "This stream is currently at the maximum allowed connection limit.",
        kind=PROBLEMS + "streaming-connection",
        connection_issue="TooManyConnections",
    )


def not_found(resource: str, parameter: str, value: str) -> dict[str, Any]:
    """One entry of the `errors` of an answer that is otherwise 200."""
    return {
        "value": value,
        "detail": f"Could not find {resource} with {parameter}: [{value}].",
        "title": "Not Found Error",
        "resource_type": resource,
        "parameter": parameter,
        "resource_id": value,
        "type": PROBLEMS + "resource-not-found",
    }
