"""PostgreSQL's own programs, `pg_dump` and `psql`, run beside this one."""

import os
import shutil
import subprocess
from pathlib import Path

from psycopg.pq import Conninfo

from bot.errors import Misconfigured, SmoneyError
from bot.settings import Settings, variable


class ToolFailed(SmoneyError):
    """One of PostgreSQL's programs ended with an error; carries its words."""


def run_tool(name: str, *arguments: str, settings: Settings) -> None:
    """Runs it on the database of the settings, to its end. Raises `ToolFailed`, and `Misconfigured` where it is not there."""
    done = subprocess.run(  # noqa: S603 (a program the admin has named, and arguments of ours)
        [_found(name, settings), *arguments],
        env=os.environ | _connection(settings.database_address),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ToolFailed(f"{name} ended with {done.returncode}: {' '.join(done.stderr.split())[:500]}")


def _found(name: str, settings: Settings) -> str:
    folder = settings.postgresql_bin
    path = shutil.which(name, path=None if folder is None else str(folder))
    if path is None:
        raise Misconfigured(
            variable("postgresql_bin"),
            f"there is no {name} {'on the path' if folder is None else f'in {folder}'}.",
            example="/usr/lib/postgresql/15/bin",
        )
    return str(Path(path).absolute())


def _connection(url: str) -> dict[str, str]:
    """The parts of a URL as libpq's variables: on the command line everybody could read the password."""
    options = Conninfo.parse(url.replace("postgresql+psycopg://", "postgresql://", 1).encode())
    return {
        option.envvar.decode(): option.val.decode()
        for option in options
        if option.envvar is not None and option.val is not None
    }
