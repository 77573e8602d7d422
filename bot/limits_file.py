"""The operator's limits, from a TOML file: one table a tier, and one for who holds a second factor.

What a file leaves out stays as it is built in; what it misspells or gets wrong is one clear sentence, and nothing
starts. The allowance without a second factor is a setting of its own, for it is what a stolen session can cost.
"""

import tomllib
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from bot.errors import Misconfigured
from bot.payments.limits import NO_CAP, Caps, Limits
from bot.people.tiers import Tier
from bot.settings import Settings, variable

SETTING = variable("limits_file")
EXAMPLE = "the file shown in docs/limits.md"
SECOND_FACTOR = "second_factor"
_KEYS = tuple(each.name for each in fields(Caps))


def limits_of(settings: Settings) -> Limits:
    """The built-in limits, changed by the file and the allowance the settings name. Raises `Misconfigured`."""
    allowance = Caps(
        settings.allowance_per_payment_minor,
        settings.allowance_per_payment_minor,
        settings.allowance_per_day_minor,
    )
    limits = Limits(without_factor=allowance)
    return limits if settings.limits_file is None else _changed(limits, _tables(settings.limits_file))


def _tables(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        problem = f"{file} cannot be read ({type(error).__name__})."
    except tomllib.TOMLDecodeError as error:
        problem = f"{file} is not TOML: {error}."
    raise _wrong(problem)


def _changed(limits: Limits, tables: dict[str, Any]) -> Limits:
    known = (*Tier, SECOND_FACTOR)
    for name, table in tables.items():
        if name not in known or not isinstance(table, dict):
            raise _wrong(f"has {name}, which is none of the tables {', '.join(known)}.")
    tiers = {
        tier: _agreeing(tier, _caps(tier, caps, tables.get(tier, {}))) for tier, caps in limits.tiers.items()
    }
    with_factor = _caps(SECOND_FACTOR, limits.with_factor, tables.get(SECOND_FACTOR, {}))
    return replace(limits, tiers=tiers, with_factor=with_factor)


def _caps(name: str, built_in: Caps, table: dict[str, Any]) -> Caps:
    for key, value in table.items():
        if key not in _KEYS:
            raise _wrong(f"has {key} in [{name}], which is none of {', '.join(_KEYS)}.")
        if type(value) is not int or not 0 <= value <= NO_CAP:
            raise _wrong(f"has {key} in [{name}], which is not a whole number from 0 to {NO_CAP}.")
    return replace(built_in, **table)


def _agreeing(name: str, caps: Caps) -> Caps:
    if not caps.per_payment_minor <= caps.per_day_minor <= caps.per_30_days_minor:
        raise _wrong(f"lets [{name}] pay more at once than in a day, or in a day than in 30 days.")
    return caps


def _wrong(problem: str) -> Misconfigured:
    return Misconfigured(SETTING, problem, example=EXAMPLE)
