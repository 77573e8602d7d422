"""Files that are there when all of them is written, and not at all if writing failed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from bot.errors import Misconfigured


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Gets its name once it is whole and on the disk; only its owner may read it. Never over another one."""
    if path.exists():
        raise Misconfigured(str(path), "is there already.", example="a name that is not taken")
    unfinished = path.with_name(path.name + ".unfinished")
    try:
        with unfinished.open("xb") as out:
            os.fchmod(out.fileno(), 0o600)
            yield out
            flush_to_disk(out)
        put_in_place(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def flush_to_disk(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def put_in_place(unfinished: Path, path: Path) -> None:
    """Gives a file its name, which nobody else may have taken meanwhile, and makes that last."""
    try:
        os.link(unfinished, path)
    except FileExistsError:
        raise Misconfigured(str(path), "is there already.", example="a name that is not taken") from None
    unfinished.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
