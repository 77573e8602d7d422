"""What stands around every answer: headers, the host that was asked, the size of what comes in, how often, one log line.

The log line names the route and never the query or the path's own words: links carry secrets there.
"""

import time
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.web.rates import EVENTS, POSTS, READS, Rate, Rates
from bot.x.pushes import LARGEST_BODY_BYTES

log = structlog.get_logger(__name__)

MOST_BYTES: Final = 256 * 1024
OF_FILES: Final = {"/admin/bank/import": 64 * 1024 * 1024}
"""Where a file is taken in: more than any that is of use, so that who gave it is told in words what is too large. Its form is not
read before somebody is signed in there who may give one."""
HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "cache-control": "no-store",
    "x-robots-tag": "noindex",
}
OF_MACHINES: Final = ("/healthz", "/readyz", "/metrics")
"""Asked often and by machines: not logged when all is well."""


class Shield:
    def __init__(self, app: ASGIApp, *, rates: Rates, hosts: Iterable[str], https: bool) -> None:
        self._app = app
        self._rates = rates
        self._hosts = frozenset(host.lower() for host in hosts)
        self._headers = HEADERS | ({"strict-transport-security": "max-age=31536000"} if https else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        began, status = time.monotonic(), 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        refused = self._refused(scope)
        try:
            await (refused or self._app)(scope, receive, send_with_headers)
        except Exception as fault:  # noqa: BLE001 (already answered with our page, and logged there)
            log.debug("web.raised", kind=type(fault).__name__)
        milliseconds = round((time.monotonic() - began) * 1000)
        if scope["path"] not in OF_MACHINES or status >= 500:
            log.info(
                "web.request", method=scope["method"], route=_route(scope), status=status, ms=milliseconds
            )

    def _refused(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if _host(headers) not in self._hosts:
            return PlainTextResponse("This host is not ours.", 421)
        if scope["method"] in {"POST", "PUT", "PATCH"}:
            length = headers.get("content-length", "")
            if not length.isdecimal():
                return PlainTextResponse("How long is it?", 411)
            if int(length) > _most_bytes(scope):
                return PlainTextResponse("Too long.", 413)
        if not self._rates.allows(*_counted(scope)):
            return PlainTextResponse("Too many requests. Please wait a minute.", 429, {"retry-after": "60"})
        return None


def _counted(scope: Scope) -> tuple[str, str, Rate]:
    client = address_of(scope)
    if _is_pushed(scope):
        return "event", client, EVENTS
    return ("read", client, READS) if scope["method"] in {"GET", "HEAD"} else ("post", client, POSTS)


def _most_bytes(scope: Scope) -> int:
    return LARGEST_BODY_BYTES if _is_pushed(scope) else OF_FILES.get(scope["path"], MOST_BYTES)


def _is_pushed(scope: Scope) -> bool:
    return str(scope["path"]).startswith("/webhooks/")


def address_of(scope: Scope) -> str:
    """Who asks; an IPv6 neighbourhood counts as one."""
    host = (scope.get("client") or ("unknown", 0))[0]
    try:
        address = ip_address(host)
    except ValueError:
        return str(host)
    return address.exploded[:19] if address.version == 6 else str(address)


def is_near(scope: Scope) -> bool:
    """Whether a machine of the operator's own asks: this one, or one in a private network."""
    try:
        return ip_address((scope.get("client") or ("", 0))[0]).is_private
    except ValueError:
        return False


def _host(headers: Headers) -> str:
    host = headers.get("host", "").lower()
    return host.rpartition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]


def _route(scope: Scope) -> str:
    """The route's own pattern, never what was asked for: that may hold a secret."""
    found = scope.get("route")
    return getattr(found, "path", "") or "(none)"
