"""What X refuses, in terms of what is to be done about it.

A read that failed changed nothing. A send that failed is told apart by whether it can have happened. X's problem
types are compared by their last part, because the address before it has changed once.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from bot.errors import (
    GatewayUnavailable,
    Misconfigured,
    OutcomeUnknown,
    RateLimited,
    SendRefused,
    SmoneyError,
    TryLater,
)
from bot.x.gateway import Limit

WINDOW = timedelta(minutes=15)
DAY = timedelta(days=1)
LONGEST_WINDOW = timedelta(hours=25)
_KEYS = "SMONEY_X_ACCESS_TOKEN"
_BAD_SETUP = {
    "oauth1-permissions": "the app may not do this; give it read, write and direct messages, then make the token anew.",
    "client-forbidden": "the app may not use this part of X's API; put it into a project with access to the v2 API.",
    "unsupported-authentication": "X wants another kind of key here; use the account's own access token.",
}
_PASSING = {"not-authorized-for-resource", "resource-not-found", "resource-unavailable"}
_LOCKED_OUT = {"64", "326"}  # X's own codes: the bot's account is suspended; is locked
_NOT_IN_THE_PLAN = {"453"}  # the app's access does not include this part of the API
_REPEATED = {"187"}  # the same text again


def limits_in(response: requests.Response) -> tuple[Limit, ...]:
    """The limits named in full in an answer's headers: the short window's, and the day's where X has one."""
    return tuple(
        limit
        for name, window in (("x-rate-limit", WINDOW), ("x-user-limit-24hour", DAY))
        if (limit := _limit_in(response, name, window)) is not None
    )


def _limit_in(response: requests.Response, name: str, window: timedelta) -> Limit | None:
    limit, remaining, reset = (
        _number(response, f"{name}-{part}") for part in ("limit", "remaining", "reset")
    )
    if limit is None or remaining is None or reset is None:
        return None
    instant = _instant(reset)
    return None if instant is None else Limit(limit, remaining, instant, window)


def of_a_read(response: requests.Response, now: datetime) -> SmoneyError:
    """What it means that X refused to be read."""
    status, kind, detail = response.status_code, _kind(response), _detail(response)
    if (common := _of_any(response, now)) is not None:
        return common
    if status == 403 and kind not in _PASSING:
        return Misconfigured(_KEYS, f"X refuses this account to be read: {detail}.")
    return GatewayUnavailable(f"X answered {status}: {detail}")


def of_a_send(response: requests.Response, now: datetime) -> SmoneyError:
    """What it means that X did not take a message."""
    status, detail = response.status_code, _detail(response)
    if (common := _of_any(response, now)) is not None:
        return common
    if not 400 <= status < 500 or status == 408:
        return OutcomeUnknown(f"X answered {status}: {detail}")
    repeated = "duplicate content" in detail.lower() or bool(_codes(response) & _REPEATED)
    if status != 403:
        return SendRefused(detail, status=status)
    return SendRefused(
        detail,
        status=status,
        duplicate=repeated,
        gone="deleted or not visible" in detail.lower(),
        unsummoned="not been mentioned or otherwise engaged" in detail.lower(),
    )


def _of_any(response: requests.Response, now: datetime) -> SmoneyError | None:
    """What means the same whatever was asked."""
    status, kind, detail = response.status_code, _kind(response), _detail(response)
    if status == 429 or kind == "usage-capped":
        return RateLimited(f"X's limit is used up: {detail}", at=_end_of_window(response, now))
    if status == 402:
        return TryLater(f"X wants credits before it goes on (402): {detail}", at=now + WINDOW)
    if status == 401:
        return Misconfigured(
            _KEYS, f"X does not accept the keys, or this machine's clock is wrong: {detail}."
        )
    if status == 403 and kind in _BAD_SETUP:
        return Misconfigured(_KEYS, _BAD_SETUP[kind])
    if status == 403 and _codes(response) & _NOT_IN_THE_PLAN:
        return Misconfigured(_KEYS, _BAD_SETUP["client-forbidden"])
    if status == 403 and _codes(response) & _LOCKED_OUT:
        return Misconfigured(_KEYS, f"X has locked or suspended the bot's account: {detail}.")
    return None


def _end_of_window(response: requests.Response, now: datetime) -> datetime:
    """When the limit that is used up ends: the day's limits have headers of their own. Nonsense counts as 15 minutes."""
    ends = [now + timedelta(seconds=1)]
    for name in ("x-rate-limit", "x-user-limit-24hour", "x-app-limit-24hour"):
        reset = _number(response, f"{name}-reset")
        if reset is not None and not _number(response, f"{name}-remaining"):
            ends.append(_instant(reset) or now + WINDOW)
    end = max(ends) if len(ends) > 1 else now + WINDOW
    return end if end <= now + LONGEST_WINDOW else now + WINDOW


def _number(response: requests.Response, name: str) -> int | None:
    text = response.headers.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def _instant(seconds: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _kind(response: requests.Response) -> str:
    kind = _said(response).get("type")
    return kind.rstrip("/").rpartition("/")[2] if isinstance(kind, str) else ""


def _detail(response: requests.Response) -> str:
    """X's own words, in one line and short: they go into logs and to the admin."""
    said = _said(response)
    words = next(
        (said[name] for name in ("detail", "message", "title") if isinstance(said.get(name), str)), ""
    )
    return " ".join(words.split())[:300].rstrip(".") or response.reason or "no reason given"


def _codes(response: requests.Response) -> set[str]:
    errors = _body(response).get("errors")
    return (
        {str(each.get("code")) for each in errors if isinstance(each, Mapping)}
        if isinstance(errors, list)
        else set()
    )


def _said(response: requests.Response) -> Mapping[str, Any]:
    """The problem: the whole body in the newer form, the first of its errors in the older one."""
    body = _body(response)
    errors = body.get("errors")
    if "detail" not in body and isinstance(errors, list) and errors and isinstance(errors[0], Mapping):
        return {**errors[0], **body}
    return body


def _body(response: requests.Response) -> Mapping[str, Any]:
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, Mapping) else {}
