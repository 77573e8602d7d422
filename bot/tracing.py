"""One short id for all that follows from an order, so that the log's lines about one payment can be found together.

It is made from the order's id on X (of a post, the first of its edit history) and says nothing of anybody. What a person
says about an order, an answer above all, begins with an id of its own; once it is known which order it is about, its
lines bear the order's id as `trace`, and their own as `said`.
"""

from base64 import b32encode
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2s

from structlog.contextvars import bind_contextvars, bound_contextvars, get_contextvars, unbind_contextvars

TRACE = "trace"
SAID = "said"


def trace_of(order_id: int) -> str:
    """Eight letters and digits."""
    digest = blake2s(order_id.to_bytes(16, "big", signed=True), digest_size=5, person=b"trace").digest()
    return b32encode(digest).decode().lower()


@contextmanager
def following(order_id: int) -> Iterator[None]:
    """Every line logged in this block bears the id. A work runs in whatever thread there is, so this stands inside it."""
    with bound_contextvars(**{TRACE: trace_of(order_id)}):
        try:
            yield
        finally:
            unbind_contextvars(SAID)


def follow(order_id: int) -> None:
    """What is being worked turned out to be about this order. Does nothing where nothing is followed."""
    own, order = get_contextvars().get(TRACE), trace_of(order_id)
    if own not in {None, order}:
        bind_contextvars(**{TRACE: order, SAID: own})
