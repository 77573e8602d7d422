"""A phrase's parameters, to text and back, so that the outbox can keep them until they are worded.

Each value carries its type's name, since a handle, an amount and an instant must come back as what they were.
"""

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from bot.errors import UnreadableRow
from bot.language.catalogue import Direction, Entry, Label, Line, Parameters, Renamed, State, Value
from ledger.errors import LedgerError
from ledger.money import Money, currency_of

_RECORDS: Mapping[str, type[Label | Line | Entry | Renamed]] = {
    "label": Label,
    "line": Line,
    "entry": Entry,
    "renamed": Renamed,
}


def dump(parameters: Parameters) -> str:
    """Raises `TypeError` for a value that is no parameter: a fault of ours, seen when the row is written."""
    return json.dumps({name: _pack(value) for name, value in parameters.items()}, separators=(",", ":"))


def load(text: str) -> dict[str, Value]:
    """Raises `UnreadableRow` where the text was not written by `dump`."""
    try:
        return {name: _unpack(packed) for name, packed in json.loads(text).items()}
    except (ValueError, TypeError, LookupError, AttributeError, LedgerError) as error:
        raise UnreadableRow(f"parameters of a message: {type(error).__name__}") from error


def _pack(value: Any) -> Any:
    match value:
        case Direction() | State():
            return {type(value).__name__.lower(): value.value}
        case None | bool() | int() | str():
            return value
        case Money():
            return {"money": [value.amount_minor, value.currency.code]}
        case datetime():
            return {"instant": value.isoformat()}
        case tuple():
            return [_pack(item) for item in value]
        case Label() | Line() | Entry() | Renamed():
            return {
                type(value).__name__.lower(): {
                    field.name: _pack(getattr(value, field.name)) for field in fields(value)
                }
            }
        case _:
            raise TypeError(f"{type(value).__name__} is no parameter of a phrase")


def _unpack(packed: Any) -> Any:
    if isinstance(packed, list):
        return tuple(_unpack(item) for item in packed)
    if not isinstance(packed, dict):
        return packed
    ((kind, content),) = packed.items()
    match kind:
        case "money":
            return Money(content[0], currency_of(content[1]))
        case "instant":
            return datetime.fromisoformat(content)
        case "state":
            return State(content)
        case "direction":
            return Direction(content)
        case _:
            return _RECORDS[kind](**{name: _unpack(value) for name, value in content.items()})
