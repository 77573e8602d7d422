"""uvicorn in a thread of the daemon: begins with it, ends with it, within a second or two."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address

import structlog
import uvicorn
from starlette.types import ASGIApp

from bot.errors import Misconfigured

log = structlog.get_logger(__name__)

STOP_SECONDS = 2
"""How long a request under way may take to end when the server stops."""


def listener_on(host: str, port: int) -> socket.socket:
    """A socket bound to this address; port 0 takes a free one. Raises `Misconfigured` where somebody else has it."""
    family = socket.AF_INET6 if ip_address(host).version == 6 else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise Misconfigured(
            "SMONEY_WEB_PORT",
            f"{host}:{port} cannot be listened on ({error.strerror}).",
            example="a port nobody uses, or 0 for no pages",
        ) from None
    return listener


@contextmanager
def serving(app: ASGIApp, listener: socket.socket) -> Iterator[None]:
    """Serves the application on this socket while the block runs."""
    config = uvicorn.Config(
        app,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,  # ours logs no query
        server_header=False,
        timeout_keep_alive=20,
        timeout_graceful_shutdown=STOP_SECONDS,
        limit_concurrency=200,
        forwarded_allow_ips="127.0.0.1",  # a proxy on this machine may say who asked, nobody else
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="web", daemon=True)
    thread.start()
    log.info("web.serving", host=listener.getsockname()[0], port=listener.getsockname()[1])
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(STOP_SECONDS * 2)
        listener.close()
