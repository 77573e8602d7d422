"""Time zones as people name them: “Europe/Paris”, “paris”, “New York”, “Londres”."""

import re
from collections.abc import Iterator, Mapping
from datetime import tzinfo
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from babel import Locale

from bot.language.folding import folded
from bot.language.lexicon import language_files

MOST_WORDS = 8
_NO_PLACE = ("Etc/", "SystemV/", "US/", "posix/", "right/")


def find(words: str) -> str | None:
    """The zone that is named in these words, as the database of time zones writes it; the longest name counts."""
    spoken = _key(words).split()[:MOST_WORDS]
    named = _by_name()
    for length in range(len(spoken), 0, -1):
        for start in range(len(spoken) - length + 1):
            if zone := named.get(" ".join(spoken[start : start + length])):
                return zone
    return None


def zone(name: str | None, default: tzinfo) -> tzinfo:
    """The default for who chose none, and for a zone this machine has no data of."""
    try:
        return ZoneInfo(name) if name else default
    except ZoneInfoNotFoundError:
        return default


@cache
def _by_name() -> Mapping[str, str]:
    """Whole names before cities, our shorter names before longer ones."""
    zones = [name for name in available_timezones() if "/" in name and not name.startswith(_NO_PLACE)]
    zones.sort(key=lambda name: (name.count("/"), name))
    found = {"utc": "UTC", "gmt": "UTC"}
    for name in zones:
        found.setdefault(_key(name), name)
    for name in zones:
        found.setdefault(_key(name.rpartition("/")[2]), name)
    for city, name in _cities():
        found.setdefault(_key(city), name)
    return found


def _cities() -> Iterator[tuple[str, str]]:
    """Cities as the languages we speak call them."""
    known = available_timezones()
    for code, table in language_files().items():
        locale = Locale.parse(table.get("locale", code))
        for name, facts in locale.time_zones.items():
            if name in known and "city" in facts:
                yield str(facts["city"]), str(name)


def _key(name: str) -> str:
    return " ".join(re.split(r"[\W_]+", folded(name))).strip()
