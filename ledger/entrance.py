"""Who is at work in a database, so that closing it can wait for them."""

from threading import Condition

from ledger.errors import DatabaseClosed


class Entrance:
    """`with entrance:` around each use of what is closed one day; after `close` nobody comes in."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._inside = 0
        self._closed = False

    def __enter__(self) -> None:
        with self._changed:
            if self._closed:
                raise DatabaseClosed("the database was closed")
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._inside -= 1
            if self._closed:
                self._changed.notify_all()

    def close(self) -> None:
        """Let nobody in any more, and wait until the last one inside has left."""
        with self._changed:
            self._closed = True
            self._changed.wait_for(lambda: not self._inside)
