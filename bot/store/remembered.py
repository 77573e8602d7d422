"""What a work has read once and cannot have changed since: kept with its session, so that it is not read again.

Whoever changes what is kept here forgets it. A work that is taken back forgets everything.
"""

from collections.abc import Callable, Hashable
from typing import Final, TypeVar

from sqlalchemy import event
from sqlmodel import Session

T = TypeVar("T")
_KEY: Final = "bot.remembered"


def once(session: Session, key: Hashable, read: Callable[[], T]) -> T:
    """What `read` returned the first time it was asked for under this key in this session."""
    kept: dict[Hashable, T] = session.info.setdefault(_KEY, {})
    if key not in kept:
        kept[key] = read()
    return kept[key]


def forget(session: Session, key: Hashable) -> None:
    session.info.get(_KEY, {}).pop(key, None)


def _forget_all(session: Session, *_: object) -> None:
    session.info.pop(_KEY, None)


event.listen(Session, "after_soft_rollback", _forget_all)
event.listen(Session, "after_commit", _forget_all)
