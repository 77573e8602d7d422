"""X's newer names (`post.fields`, `edit_history_post_ids`): a whole test run, or a part of it, in which every sandbox speaks them."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from bot.sandbox.core import World

WANTED = "TEST_NEWER_NAMES"


@contextmanager
def spoken() -> Iterator[None]:
    """Every world made while the block runs speaks the newer names."""
    made: Callable[..., None] = World.__init__

    def make(world: World, *arguments: Any, **named: Any) -> None:
        made(world, *arguments, **named)
        world.newer_names = True

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(World, "__init__", make)
        yield


@contextmanager
def spoken_if_wanted() -> Iterator[None]:
    """The same where the environment says so."""
    if os.environ.get(WANTED) == "1":
        with spoken():
            yield
    else:
        yield
