"""The line to the card processor: one request, one answer, to the given address and nowhere else.

Each request has a connection of its own: on one kept open since the last it could fail only because the other side had hung
up in between. No proxy, `.netrc`, cookie or redirect has a say, and nothing here repeats a request.
"""

import time
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import requests
from urllib3.exceptions import HTTPError

LARGEST_ANSWER_BYTES: Final = 4 * 1024 * 1024
CHUNK_BYTES: Final = 64 * 1024
Reply: TypeAlias = tuple[bytes, int, Mapping[str, str]]
"""Body, HTTP status, headers (found by their names in small letters)."""
Send: TypeAlias = Callable[[str, str, Mapping[str, str], bytes], Reply]
"""`send(method, url, headers, body)`; raises `ConnectionError` where no whole answer came."""


class NoAnswer(ConnectionError):
    """No whole answer came back; whether the request was carried out is not known."""


def over_http(timeout_seconds: float) -> Send:
    """Sends over HTTP. Connecting and each wait for bytes take `timeout_seconds` at most, the whole twice that."""

    def send(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        deadline = time.monotonic() + 2 * timeout_seconds
        try:
            with requests.Session() as session:
                session.trust_env = False
                session.headers.update({"Accept-Encoding": "identity", "Connection": "close"})
                answer = session.request(
                    method,
                    url,
                    headers=dict(headers),
                    data=body or None,
                    timeout=timeout_seconds,
                    allow_redirects=False,
                    stream=True,
                )
                return _read(answer, deadline), answer.status_code, _small(answer.headers)
        except NoAnswer as error:
            reason = str(error)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            reason = type(error).__name__  # its text may quote headers
        raise NoAnswer(reason)

    return send


def _read(answer: requests.Response, deadline: float) -> bytes:
    """The whole body. The limit on all of it is needed: a drop at a time passes every other. Raises `NoAnswer`."""
    body = bytearray()
    while chunk := answer.raw.read1(CHUNK_BYTES):
        body += chunk
        if time.monotonic() > deadline or len(body) > LARGEST_ANSWER_BYTES:
            raise NoAnswer("the answer was too long in coming, or too large")
    return bytes(body)


def _small(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
