"""The line to X: one request, one answer, within a time limit, to the chosen address and nowhere else.

tweepy has its host built in, knows no time limits and stumbles over odd answers; a `requests` session with this
adapter mends all three. No proxy, cookie, `.netrc` or redirect has a say. What went wrong is told apart by the one
question that matters for a send: can it have happened? Nothing here repeats a request.
"""

import logging
import socket
import threading
import time
from contextlib import suppress
from http.client import HTTPException as ProtocolFault
from io import BytesIO
from typing import Any

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError

LARGEST_ANSWER_BYTES = 16 * 1024 * 1024
CHUNK_BYTES = 64 * 1024
TALKATIVE = ("tweepy", "oauthlib", "requests_oauthlib", "urllib3")


class WireFault(Exception):
    """No answer that can be used."""


class NotSent(WireFault):
    """The request never left: nothing happened at X."""


class Lost(WireFault):
    """The request may have reached X, and no whole answer came back."""


class Refused(WireFault):
    """X answered, with something else than a success. `response` is what it said."""

    def __init__(self, response: requests.Response) -> None:
        super().__init__(str(response.status_code))
        self.response = response


def session_to(base_url: str, timeout_seconds: float) -> requests.Session:
    """A session whose every request goes to `base_url`; raises `WireFault`s only."""
    session = requests.Session()
    session.trust_env = False
    session.headers["Accept-Encoding"] = "identity"
    adapter = _Adapter(base_url, timeout_seconds)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def keep_secrets_out_of_logs() -> None:
    """At DEBUG these libraries log headers with keys in them, so they may not speak at DEBUG, whatever the root says."""
    for name in TALKATIVE:
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.level, logging.INFO))


class _Adapter(BaseAdapter):
    """Sends what was signed for X's own host to the chosen address.

    A POST gets a connection of its own: on one kept open since the last request it could fail in a way that leaves
    its outcome unknown, only because X had hung up in between.
    """

    def __init__(self, base_url: str, timeout_seconds: float) -> None:
        super().__init__()
        self._base_url = base_url
        self._timeout_seconds = timeout_seconds
        self._kept = _PatientAdapter(max_retries=0)
        self._fresh = _PatientAdapter(max_retries=0)

    def send(
        self, request: requests.PreparedRequest, *_: Any, verify: Any = True, **__: Any
    ) -> requests.Response:
        request.url = self._base_url + request.path_url
        deadline = time.monotonic() + 2 * self._timeout_seconds
        response = self._begin(request, verify)
        body = self._read(response, deadline)
        response.raw = BytesIO(body)  # with nothing behind it from which cookies could be kept
        if not 200 <= response.status_code < 300:
            raise Refused(response)
        return response

    def close(self) -> None:
        self._kept.close()
        self._fresh.close()

    def _begin(self, request: requests.PreparedRequest, verify: Any) -> requests.Response:
        """The answer's head."""
        way = self._kept
        if request.method != "GET":
            request.headers["Connection"] = "close"
            way = self._fresh
        limits = (self._timeout_seconds, self._timeout_seconds)
        try:
            return way.send(request, stream=True, timeout=limits, verify=verify)
        except (requests.RequestException, HTTPError, ProtocolFault, OSError) as error:
            kind = NotSent if _never_left(error) else Lost
            reason = _reason(error)
        raise kind(reason)

    def _read(self, response: requests.Response, deadline: float) -> bytes:
        """The answer's body. The limit on the whole of it is needed: a drop at a time passes every other."""
        body = bytearray()
        try:
            while chunk := response.raw.read1(CHUNK_BYTES, decode_content=True):
                body += chunk
                if time.monotonic() > deadline or len(body) > LARGEST_ANSWER_BYTES:
                    reason = "the answer was too long in coming, or too large"
                    break
            else:
                response.raw.release_conn()
                return bytes(body)
        except (requests.RequestException, HTTPError, ProtocolFault, OSError) as error:
            reason = _reason(error)
        response.raw.close()
        raise Lost(reason)


class _BoundedHead:
    """Hangs up when an answer's head is not there in time: a time limit on the socket begins anew with every byte."""

    sock: socket.socket
    timeout: float

    def getresponse(self) -> Any:
        guard = threading.Timer(2 * self.timeout, _hang_up, [self.sock])
        guard.daemon = True
        guard.start()
        try:
            return super().getresponse()  # type: ignore[misc]  # mixed into a connection
        finally:
            guard.cancel()


class _Connection(_BoundedHead, HTTPConnection):  # type: ignore[misc]  # urllib3 declares these differently
    pass


class _SecureConnection(_BoundedHead, HTTPSConnection):  # type: ignore[misc]  # urllib3 declares these differently
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection  # type: ignore[assignment]  # a protocol it does fulfil


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection  # type: ignore[assignment]  # a protocol it does fulfil


class _PatientAdapter(HTTPAdapter):
    """Patient, but not for ever."""

    def init_poolmanager(self, *arguments: Any, **more: Any) -> None:
        super().init_poolmanager(*arguments, **more)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}


def _hang_up(connection: socket.socket) -> None:
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


def _never_left(error: Exception) -> bool:
    """True only where the connection was never made. Every doubt counts as sent."""
    if isinstance(
        error, (requests.ConnectTimeout, requests.exceptions.InvalidURL, requests.exceptions.InvalidHeader)
    ):
        return True
    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else cause
    return isinstance(reason, NewConnectionError) or "CERTIFICATE_VERIFY_FAILED" in str(error)


def _reason(error: Exception) -> str:
    """What went wrong, in a few words: the text of these errors repeats the whole address."""
    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else error
    return f"{type(reason).__name__}: {str(reason).rpartition(': ')[2][:120]}"
