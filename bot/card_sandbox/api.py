"""The API over a wire: a request is read, `calls` answers it, and its answer is said, late or not at all where that is planned."""

import asyncio

from starlette.requests import Request as WebRequest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bot.card_sandbox.calls import MOST_BYTES, Request, answer
from bot.card_sandbox.core import CardProcessor


class Api:
    """The ASGI application below /v1/."""

    def __init__(self, processor: CardProcessor) -> None:
        self._processor = processor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _body(WebRequest(scope, receive))
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        query = scope["query_string"].decode("latin-1")
        told = answer(self._processor, Request(scope["method"], scope["path"], query, headers, body))
        try:
            await asyncio.sleep(told.after_seconds)
        finally:
            told.finish()
        if told.is_lost:
            scope["state"]["break_connection"]()
            await asyncio.sleep(0)
            return
        await Response(told.body, told.status, dict(told.headers))(scope, receive, send)


async def _body(request: WebRequest) -> bytes:
    """The body, and of one that is too long as much as shows it."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            break
    return bytes(body)
