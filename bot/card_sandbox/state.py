"""The processor in a file, so that a demo can be left and come back to. Written whole and put in place at once, for its owner alone.

What lasts is kept: keys, sessions with all that came of them, what is still due, stored answers, and how far the clock was moved.
Planned faults and letters on their way are not: who listens asks again for what it missed.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from types import UnionType
from typing import Any, Final, TypeVar, get_args, get_origin, get_type_hints

from bot.card_sandbox.cards import Card
from bot.card_sandbox.core import CardProcessor
from bot.card_sandbox.idempotency import Kept
from bot.card_sandbox.objects import (
    Charge,
    Dispute,
    Due,
    Event,
    Json,
    Movement,
    Payment,
    Payout,
    Refund,
    Session,
)
from bot.sandbox.ground import MovableClock

T = TypeVar("T")
FORM: Final = 1
_TABLES: Final[dict[str, type[Any]]] = {
    "sessions": Session,
    "payments": Payment,
    "charges": Charge,
    "movements": Movement,
    "refunds": Refund,
    "disputes": Dispute,
    "payouts": Payout,
    "awaiting": Card,
}


def save(processor: CardProcessor, path: Path) -> None:
    """Writes the file beside its place and moves it there, so that a crash leaves the old or the new one whole."""
    text = text_of(processor)
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    with os.fdopen(
        os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def text_of(processor: CardProcessor) -> str:
    """All that is kept, as the file has it."""
    with processor.lock:
        clock = processor.ground.clock
        kept = {
            "form": FORM,
            "api_key": processor.api_key,
            "webhook_secret": processor.webhook_secret,
            "clock_ahead_seconds": clock.ahead.total_seconds() if isinstance(clock, MovableClock) else 0,
            "events": processor.events,
            "due": processor.due,
            "answered": processor.answered.kept,
        }
        return json.dumps(
            _plain(kept | {name: getattr(processor, name) for name in _TABLES}), ensure_ascii=False
        )


def load(processor: CardProcessor, path: Path) -> bool:
    """Fills an empty processor from the file; False if there is none. Raises `ValueError` for a file of another kind."""
    if not path.exists():
        return False
    kept = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(kept, dict) or kept.get("form") != FORM:
        raise ValueError(f"{path} is not a card sandbox's file of form {FORM}")
    with processor.lock:
        _fill(processor, kept)
    return True


def _fill(processor: CardProcessor, kept: Json) -> None:
    processor.take_keys(kept["api_key"], kept["webhook_secret"])
    if isinstance(processor.ground.clock, MovableClock):
        processor.ground.clock.ahead = timedelta(seconds=kept["clock_ahead_seconds"])
    for name, kind in _TABLES.items():
        getattr(processor, name).update({each: _made(kind, given) for each, given in kept[name].items()})
    processor.events.extend(_made(Event, given) for given in kept["events"])
    processor.due.extend(_made(Due, given) for given in kept["due"])
    answered = {key: _made(Kept, given) for key, given in kept["answered"].items() if given["answer"]}
    for each in answered.values():
        each.under_way = False  # whoever asked is gone
    processor.answered.kept.update(answered)


def _plain(value: Any) -> Any:
    """Only what JSON has."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value


def _made(kind: type[T], given: Mapping[str, Any]) -> T:
    hints = get_type_hints(kind)
    return kind(**{name: _as(hints[name], value) for name, value in given.items()})


def _as(hint: Any, value: Any) -> Any:
    if get_origin(hint) in (tuple, UnionType):
        is_pair = get_origin(hint) is tuple or isinstance(value, list)
        return tuple(value) if is_pair else value
    if not isinstance(hint, type) or get_args(hint):
        return value
    if issubclass(hint, datetime):
        return datetime.fromisoformat(value)
    if issubclass(hint, StrEnum):
        return hint(value)
    return _made(hint, value) if is_dataclass(hint) else value
