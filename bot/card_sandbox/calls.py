"""Requests to the API, answered: who asks, whether it was asked before, what is planned to go wrong, and which route it is.

`answer` is the whole of it, without a wire; `send_to` gives what speaks to it in the same process. A parameter that Stripe has and
the sandbox does not is refused as unknown: nothing is taken and then ignored.
"""

import base64
import binascii
import hmac
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from bot.card_sandbox import reading_routes, writing_routes
from bot.card_sandbox.core import LIVE_KEYS, CardProcessor
from bot.card_sandbox.faults import ApiFault
from bot.card_sandbox.objects import Json
from bot.card_sandbox.parameters import Fields, nested
from bot.card_sandbox.refusals import StripeRefusal, live_key, no_key, wrong_key
from bot.card_sandbox.render import API_VERSION
from bot.sandbox.faults import FaultKind

MOST_BYTES: Final = 64 * 1024
FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Request:
    """`path` begins with /v1/, `query` is what follows the question mark; headers' names are in small letters."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def __repr__(self) -> str:
        return f"Request({self.method} {self.path})"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is to be said, `after_seconds`. Where it `is_lost`, the connection breaks instead. `finish` is called when it is over."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    after_seconds: float = 0
    is_lost: bool = False
    finish: Callable[[], None] = lambda: None


def answer(processor: CardProcessor, request: Request) -> Answer:
    """Carries out one request of the API, with what is planned to go wrong."""
    with processor.lock:
        fault = processor.faults.take(request.method, request.path)
        match fault:
            case ApiFault(kind=FaultKind.CUT):
                return Answer(0, b"", {}, is_lost=True)
            case ApiFault(kind=FaultKind.REFUSE | FaultKind.FAIL):
                return _refused_by(fault)
        told = _carry_out(processor, request)
    match fault:
        case ApiFault(kind=FaultKind.LOSE):
            return Answer(0, b"", {}, is_lost=True, finish=told.finish)
        case ApiFault(kind=FaultKind.NONSENSE):
            return Answer(
                fault.nonsense_status, fault.body.encode(), {"content-type": "text/html"}, finish=told.finish
            )
        case ApiFault(kind=FaultKind.DELAY):
            return Answer(told.status, told.body, told.headers, fault.seconds, finish=told.finish)
    return told


Send = Callable[[str, str, Mapping[str, str], bytes], tuple[bytes, int, Mapping[str, str]]]


def send_to(processor: CardProcessor) -> Send:
    """Speaks to the API in the same process: `send(method, url, headers, body)` is (body, status, headers). A lost connection
    is a `ConnectionResetError`; nothing waits."""

    def send(
        method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[bytes, int, Mapping[str, str]]:
        parts = urlsplit(url)
        small = {name.lower(): value for name, value in headers.items()}
        told = answer(processor, Request(method, parts.path, parts.query, small, body))
        told.finish()
        if told.is_lost:
            raise ConnectionResetError("the connection broke")
        return told.body, told.status, told.headers

    return send


def _refused_by(fault: ApiFault) -> Answer:
    kind = "rate_limit_error" if fault.status == 429 else "api_error"
    refusal = StripeRefusal(fault.status, fault.message, kind=kind, code=fault.code)
    wait = fault.retry_after_seconds
    return _told(refusal.status, refusal.body(), {} if wait is None else {"retry-after": str(wait)})


def _carry_out(processor: CardProcessor, request: Request) -> Answer:
    headers = {"request-id": processor.ground.new_id("req")}
    try:
        _check_key(processor, request.headers.get("authorization", ""))
        processor.catch_up()
        if request.method == "POST":
            return _write(processor, request, headers)
        status, body = 200, _read(processor, request)
    except StripeRefusal as refusal:
        status, body = refusal.status, refusal.body()
    return _told(status, body, headers)


def _check_key(processor: CardProcessor, authorization: str) -> None:
    """Bearer, or the user's name of Basic, as the API takes it. What was given is never repeated."""
    scheme, _, given = authorization.partition(" ")
    key = given.strip()
    if scheme.lower() == "basic":
        try:
            key = base64.b64decode(key, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError, ValueError):
            key = ""
    if not key or scheme.lower() not in {"bearer", "basic"}:
        raise no_key()
    if key.startswith(LIVE_KEYS):
        raise live_key()
    if not hmac.compare_digest(key.encode(), processor.api_key.encode()):
        raise wrong_key()


def _read(processor: CardProcessor, request: Request) -> Json:
    for pattern, route in reading_routes.ROUTES:
        found = re.fullmatch(pattern, request.path)
        if found and request.method == "GET":
            fields = Fields(nested(_pairs(request.query)))
            return route(processor, fields, *found.groups())
    raise _no_route(request)


def _write(processor: CardProcessor, request: Request, headers: dict[str, str]) -> Answer:
    """Checked, then carried out once under its idempotency key: what fails the check leaves the key free."""
    key = request.headers.get("idempotency-key")
    if key is not None:
        headers |= {"idempotency-key": key}
        mark = f"{request.path}\n{sorted(_pairs(request.body.decode(errors='replace')))}"
        before = processor.answered.begin(key, mark, processor.now())
        if before is not None:
            return _told(*before, headers | {"idempotent-replayed": "true"})
    kept = key or ""
    try:
        status, body = 200, _prepared(processor, request)()
    except StripeRefusal as refusal:
        status, body = refusal.status, refusal.body()
        if not refusal.was_carried_out:
            processor.answered.forget(kept)
            kept = ""
    if not kept:
        return _told(status, body, headers)
    processor.answered.keep(kept, (status, body))
    return _told(status, body, headers, finish=lambda: _finish(processor, kept))


def _finish(processor: CardProcessor, key: str) -> None:
    with processor.lock:
        processor.answered.finish(key)


def _prepared(processor: CardProcessor, request: Request) -> Callable[[], Json]:
    for pattern, route in writing_routes.ROUTES:
        found = re.fullmatch(pattern, request.path)
        if found:
            return route(processor, Fields(nested(_form(request))), *found.groups())
    raise _no_route(request)


def _form(request: Request) -> Iterable[tuple[str, str]]:
    kind = request.headers.get("content-type", FORM).partition(";")[0].strip().lower()
    if kind != FORM or len(request.body) > MOST_BYTES:
        raise StripeRefusal(400, f"The body must be {FORM}, and at most {MOST_BYTES} bytes long.")
    try:
        return _pairs(request.body.decode())
    except UnicodeDecodeError:
        raise StripeRefusal(400, "Invalid UTF-8 in the body.") from None


def _pairs(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), errors="strict")
    except ValueError:
        raise StripeRefusal(400, "Invalid parameters: they cannot be read.") from None


def _no_route(request: Request) -> StripeRefusal:
    return StripeRefusal(404, f"Unrecognized request URL ({request.method}: {request.path[:200]}).")


def _told(
    status: int, body: Json, headers: Mapping[str, str], *, finish: Callable[[], None] = lambda: None
) -> Answer:
    content = json.dumps(body, indent=2, ensure_ascii=False).encode()
    shown = {"content-type": "application/json", "stripe-version": API_VERSION, "cache-control": "no-store"}
    return Answer(status, content, shown | dict(headers), finish=finish)
