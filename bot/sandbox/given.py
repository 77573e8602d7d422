"""Reading what the control API is sent: each value is what it must be, or refused with a sentence."""

from enum import StrEnum
from typing import Any, TypeVar

from starlette.requests import Request

from bot.sandbox.refusals import invalid

Json = dict[str, Any]
Kind = TypeVar("Kind", bound=StrEnum)
LONGEST_SECONDS = 10 * 366 * 86_400
LARGEST_COUNT = 1_000_000


async def json_object(request: Request) -> Json:
    """The body of a request. Raises `XRefusal` where it is no JSON object."""
    try:
        given = await request.json()
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise invalid("body", "", "a JSON object is needed")
    return given


def number(value: Any) -> int | None:
    """An id as a number, from text or a number; None for anything else."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def text(given: Json, name: str, *, usual: str | None = None) -> str:
    value = given.get(name, usual)
    if not isinstance(value, str) or any("\ud800" <= character <= "\udfff" for character in value):
        raise invalid(name, "", f"{name} must be a text")
    return value


def identity_or_none(given: Json, name: str) -> int | None:
    value = given.get(name)
    if value is None:
        return None
    found = number(value)
    if found is None:
        raise invalid(name, "", f"{name} must be an id or a number")
    return found


def seconds(given: Json, name: str) -> float:
    value = given.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LONGEST_SECONDS:
        raise invalid(name, "", f"{name} must be a number of seconds, at most {LONGEST_SECONDS}")
    return float(value)


def count(given: Json, name: str) -> int:
    found = identity_or_none(given, name)
    if found is None or found > LARGEST_COUNT:
        raise invalid(name, "", f"{name} must be a number, at most {LARGEST_COUNT}")
    return found


def one_of(kinds: type[Kind], given: Json, name: str) -> Kind:
    try:
        return kinds(str(given.get(name)))
    except ValueError:
        names = ", ".join(str(each) for each in kinds)
        raise invalid(name, "", f"{name} must be one of {names}") from None
