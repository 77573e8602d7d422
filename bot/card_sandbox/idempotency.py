"""Idempotency keys, as Stripe documents them (https://docs.stripe.com/api/idempotent_requests).

The first answer under a key is kept, whatever it was, once the request had begun to be carried out; the same request gets it
again for a day. Another request under the same key is refused, and so is one while the first is still under way.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.card_sandbox.objects import Json
from bot.card_sandbox.refusals import invalid, key_in_use, other_parameters

KEPT_FOR: Final = timedelta(hours=24)
LONGEST_KEY: Final = 255


@dataclass(slots=True)
class Kept:
    """What one key stands for. `answer` is (HTTP status, body), None while it is being carried out."""

    request: str
    at: datetime
    answer: tuple[int, Json] | None = None
    under_way: bool = True


class Answered:
    """Not locked by itself: the processor is, around it."""

    def __init__(self) -> None:
        self.kept: dict[str, Kept] = {}

    def begin(self, key: str, request: str, now: datetime) -> tuple[int, Json] | None:
        """The answer given before, or None: then it is to be carried out, and `keep` or `forget` called. Raises `StripeRefusal`."""
        if not 0 < len(key) <= LONGEST_KEY:
            raise invalid("Idempotency-Key", f"Idempotency keys are at most {LONGEST_KEY} characters long.")
        self.kept = {each: kept for each, kept in self.kept.items() if kept.at + KEPT_FOR > now}
        kept = self.kept.get(key)
        if kept is None:
            self.kept[key] = Kept(request, now)
            return None
        if kept.request != request:
            raise other_parameters()
        if kept.under_way:
            raise key_in_use()
        return kept.answer

    def keep(self, key: str, answer: tuple[int, Json]) -> None:
        self.kept[key].answer = answer

    def forget(self, key: str) -> None:
        """The request was not begun: it may be asked again under this key, otherwise too."""
        self.kept.pop(key, None)

    def finish(self, key: str) -> None:
        """Its answer has been given."""
        if key in self.kept:
            self.kept[key].under_way = False
