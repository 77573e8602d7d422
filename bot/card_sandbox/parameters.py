"""Form-encoded parameters with brackets, as the library sends them, read strictly: what nobody reads is refused by name."""

import re
from collections.abc import Collection, Iterable
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from bot.card_sandbox.refusals import invalid, missing, unknown_parameter

Node: TypeAlias = "str | dict[str, Node]"
MOST_PARAMETERS: Final = 200
DEEPEST: Final = 8
MOST_METADATA: Final = 50
_NAME: Final = re.compile(r"([a-z0-9_]+)((?:\[[A-Za-z0-9_]*\])*)")
_METADATA_KEY: Final = re.compile(r"[^\[\]]{1,40}")


def nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Node]:
    """`a[0][b]=c` as `{"a": {"0": {"b": "c"}}}`; `a[]=` counts up. Raises `StripeRefusal`."""
    root: dict[str, Node] = {}
    for count, (name, value) in enumerate(pairs):
        found = _NAME.fullmatch(name)
        keys = [found[1], *re.findall(r"\[([^\]]*)\]", found[2])] if found else []
        if not keys or len(keys) > DEEPEST or count >= MOST_PARAMETERS:
            raise invalid(name[:100], "Invalid parameters")
        _put(root, keys, value, name)
    return root


def _put(root: dict[str, Node], keys: list[str], value: str, name: str) -> None:
    place = root
    for key in keys[:-1]:
        inner = place.setdefault(key or str(len(place)), {})
        if isinstance(inner, str):
            raise invalid(name, f"Invalid parameters: {name} is given as two kinds of thing")
        place = inner
    last = keys[-1] or str(len(place))
    if last in place:
        raise invalid(name, f"Invalid parameters: {name} is given twice")
    place[last] = value


class Fields:
    """The parameters below one name. Each is taken once, by what it must be; `finish` refuses the rest."""

    def __init__(self, given: dict[str, Node], path: str = "") -> None:
        self.given = dict(given)
        self._path = path

    def name(self, key: str) -> str:
        return f"{self._path}[{key}]" if self._path else key

    def has(self, key: str) -> bool:
        return key in self.given

    def text(self, key: str, *, default: str | None = None, longest: int = 5000) -> str:
        """Raises `StripeRefusal` where it is missing and there is no default, empty, or too long."""
        value = self.given.pop(key, default)
        if value is None:
            raise missing(self.name(key))
        if not isinstance(value, str) or (value == "" and default is None):
            raise invalid(self.name(key), f"Invalid string for {self.name(key)}", "parameter_invalid_empty")
        if len(value) > longest or "\x00" in value:
            raise invalid(self.name(key), f"Invalid string: must be at most {longest} characters")
        return value

    def whole(self, key: str, *, default: int | None = None) -> int:
        text = self.text(key, default=None if default is None else str(default))
        if not re.fullmatch(r"-?[0-9]{1,18}", text):
            raise invalid(self.name(key), f"Invalid integer: {text[:40]}", "parameter_invalid_integer")
        return int(text)

    def choice(self, key: str, choices: Collection[str], *, default: str | None = None) -> str:
        value = self.text(key, default=default)
        if value not in choices:
            shown = ", ".join(sorted(choices)[:40])
            raise invalid(self.name(key), f"Invalid {self.name(key)}: must be one of {shown}")
        return value

    def url(self, key: str) -> str:
        value = self.text(key)
        if not _is_url(value):
            raise invalid(self.name(key), "Not a valid URL", "url_invalid")
        return value

    def fields(self, key: str, *, required: bool = True) -> "Fields":
        value = self.given.pop(key, None if required else {})
        if value is None:
            raise missing(self.name(key))
        if isinstance(value, str):
            raise invalid(self.name(key), "Invalid object")
        return Fields(value, self.name(key))

    def items(self, key: str) -> list["Fields"]:
        """A list of objects, in order."""
        listed = self.fields(key)
        return [listed.fields(place) for place in listed.places()]

    def texts(self, key: str) -> list[str]:
        listed = self.fields(key, required=False)
        return [listed.text(place, longest=200) for place in listed.places()]

    def metadata(self, key: str = "metadata") -> dict[str, str]:
        listed = self.fields(key, required=False)
        if len(listed.given) > MOST_METADATA or not all(map(_METADATA_KEY.fullmatch, listed.given)):
            raise invalid(self.name(key), "Metadata takes 50 keys of at most 40 characters each")
        return {each: listed.text(each, default="", longest=500) for each in list(listed.given)}

    def finish(self) -> None:
        """Raises `StripeRefusal` for a parameter nobody asked for."""
        for key in self.given:
            raise unknown_parameter(self.name(key))

    def places(self) -> list[str]:
        """The places of a list, which must be numbers from nought on."""
        places = sorted(self.given, key=lambda each: (len(each), each))
        if places != [str(place) for place in range(len(places))]:
            raise invalid(self._path, "Invalid array")
        return places


def _is_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 - raises for a wrong one
    except ValueError:
        return False
    return (
        parts.scheme in {"http", "https"}
        and re.fullmatch(r"[A-Za-z0-9.\-]+|[0-9a-fA-F:.]+", parts.hostname or "") is not None
        and parts.username is None
        and not re.search(r"[\s<>\"'\\]", value)
    )
