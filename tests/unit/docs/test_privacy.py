"""docs/operating/privacy.md speaks of every table there is: nothing about people is kept that it does not name."""

import re
from pathlib import Path

from sqlmodel import SQLModel

import bot.store.rotation  # noqa: F401 (knows every room of tables)
import ledger.tables  # noqa: F401
from bot.settings import Settings, variable
from bot.store.columns import metadata
from bot.web import forms
from bot.web.admin import seats as admin
from bot.web.me import seats as me

PAGE = (Path(__file__).parents[3] / "docs" / "operating" / "privacy.md").read_text(encoding="utf-8")
CELLS = "\n".join(re.findall(r"^\| (`[^|]+) \|", PAGE, re.MULTILINE))
"""The first cell of each line of a table, where the tables of the database stand."""
NOT_TABLES = {"erasures.jsonl"}


def tables() -> set[str]:
    ledgers = {name for name in SQLModel.metadata.tables if name.startswith("ledger_")}
    return set(metadata.tables) | ledgers


class TestTables:
    def test_are_each_told_of_with_how_long_they_are_kept(self):
        missing = tables() - set(re.findall(r"`(\w+)`", CELLS))
        assert not missing, f"docs/operating/privacy.md says nothing of {', '.join(sorted(missing))}"

    def test_that_are_told_of_are_there(self):
        named = set(re.findall(r"`([\w.]+)`", CELLS)) - NOT_TABLES
        assert named <= tables(), f"there are no tables {', '.join(sorted(named - tables()))}"


class TestCookies:
    def test_are_each_told_of(self):
        set_here = {forms.COOKIE, me.COOKIE, admin.COOKIE, admin.KNOWN}
        assert set(re.findall(r"`(smoney_\w+)`", PAGE)) == set_here


class TestTimes:
    def test_are_those_of_the_settings(self):
        for name in ("texts_kept_hours", "handle_change_days"):
            default = Settings.model_fields[name].default
            assert re.search(rf"`{variable(name)}`,? \(?{default}\b", PAGE), f"{name} is {default}"
