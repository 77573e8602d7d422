"""The card sandbox over HTTP on 127.0.0.1: the API under /v1/, the pages under /c/pay/, webhooks brought by a thread.

It listens on this machine only and moves test money only.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.types import Receive, Scope, Send

from bot.card_sandbox.api import Api
from bot.card_sandbox.core import CardProcessor
from bot.card_sandbox.courier import Courier
from bot.card_sandbox.page import Page
from bot.card_sandbox.state import load, save, text_of
from bot.sandbox.serving import Server, check_address, listener_on

SAVE_EVERY_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Served:
    """A running card sandbox: where it is (`http://127.0.0.1:PORT`, no slash at the end), and what it serves."""

    address: str
    processor: CardProcessor


@contextmanager
def serve(
    processor: CardProcessor,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    courier: bool = True,
    state: Path | None = None,
) -> Iterator[Served]:
    """Serves it while the block runs; port 0 takes a free one. Without the `courier` webhooks wait for `courier.deliver`. `state` is a
    file the processor is read from at the start and written to whenever it has changed. Raises `ValueError` for an address other
    machines could reach."""
    check_address(host)
    if state is not None:
        load(processor, state)
    with listener_on(host, port) as listener:
        address = f"http://{host}:{listener.getsockname()[1]}"
        with processor.lock:
            processor.address = address
        server = Server(_App(Api(processor), Page(processor)), listener, name="card-sandbox")
        with _keeping(processor, state), server.running():
            bringing = Courier(processor) if courier else None
            if bringing:
                bringing.begin()
            try:
                yield Served(address, processor)
            finally:
                if bringing:
                    bringing.end()


@contextmanager
def _keeping(processor: CardProcessor, state: Path | None) -> Iterator[None]:
    """Writes the processor to its file now and then, and at the end."""
    if state is None:
        yield
        return
    over = threading.Event()

    def keep() -> None:
        kept = ""
        while not over.wait(SAVE_EVERY_SECONDS):
            if kept != (now := text_of(processor)):
                save(processor, state)
                kept = now

    thread = threading.Thread(target=keep, name="card-state", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        save(processor, state)


class _App:
    def __init__(self, api: Api, page: Page) -> None:
        self._api = api
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            app = self._api if scope["path"].startswith("/v1/") else self._page.app
            await app(scope, receive, send)
