"""Brings what is due to the endpoints: once when asked (`deliver`), or by itself in a thread (`Courier`)."""

import threading
from collections.abc import Mapping
from typing import Final

import requests

from bot.card_sandbox.core import CardProcessor
from bot.card_sandbox.post import PostTo

TIMEOUT_SECONDS: Final = 10
LOOK_EVERY_SECONDS: Final = 0.2
"""How often the courier looks at the clock, which may be set forward."""


def deliver(processor: CardProcessor, post_to: PostTo) -> int:
    """Posts all that is due by the processor's clock, in order, and says how many were taken. What is not taken is due again after
    a pause. The processor is not locked while something is posted."""
    taken = 0
    with processor.post.bringing:
        while True:
            with processor.lock:
                processor.catch_up()
                parcels = processor.post.due(processor.now())
            if not parcels:
                return taken
            for parcel in parcels:
                status = post_to(parcel.url, parcel.body, parcel.headers)
                with processor.lock:
                    processor.post.settle(parcel, status, processor.now())
                taken += 200 <= status < 300


def over_http(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """The endpoint's HTTP status; 0 where no answer came."""
    try:
        with requests.Session() as session:
            session.trust_env = False
            with session.post(
                url, data=body, headers=dict(headers), timeout=TIMEOUT_SECONDS, allow_redirects=False
            ) as answer:
                return answer.status_code
    except requests.RequestException:
        return 0


class Courier:
    """Delivers by itself from `begin` to `end`."""

    def __init__(self, processor: CardProcessor, post_to: PostTo = over_http) -> None:
        self._processor = processor
        self._post_to = post_to
        self._news = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="card-webhooks", daemon=True)

    def begin(self) -> None:
        self._stop_listening = self._processor.on_event(self._news.set)
        self._thread.start()

    def end(self) -> None:
        """Returns at once, or when what is being posted just now is answered."""
        self._stop_listening()
        self._over.set()
        self._news.set()
        self._thread.join(TIMEOUT_SECONDS)

    def _run(self) -> None:
        while not self._over.is_set():
            deliver(self._processor, self._post_to)
            self._news.wait(LOOK_EVERY_SECONDS)
            self._news.clear()
