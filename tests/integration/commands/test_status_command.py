"""`smoney status`: one screen, and an exit code that says whether an alarm is open."""

import json

from sqlalchemy import text

from bot.store.switches import Switch, turn_on
from bot.watching.watch import open_watch


def change(street, sql):
    street.town.bot.database.write(lambda session: session.connection().execute(text(sql)) and None)


class TestStatus:
    def test_of_a_town_where_all_is_well(self, street, smoney):
        said = smoney("status")
        assert said.code == 0
        assert "no alarm is open" in said.out
        assert "HALTED" not in said.out
        assert "120.00 EUR owed, 120.00 EUR held" in said.out
        assert "send_message" in said.out
        assert "2026-11-23 12:00" in said.out.partition("payment")[2]

    def test_shows_open_alarms_and_ends_with_one(self, street, smoney):
        change(street, "UPDATE inbox SET state = 'set_aside' WHERE kind = 'post'")
        open_watch(street.town.bot, street.town.settings).look()
        said = smoney("status")
        assert said.code == 1
        assert "rows_set_aside since 2026-11-23 12:00:00 UTC: findings 1, rows 1" in said.out
        assert "what to do: docs/operating/runbook.md#rows_set_aside" in said.out
        assert "no alarm" not in said.out
        (row,) = smoney("status", "--json").rows
        assert row["alarms"][0]["runbook"] == "docs/operating/runbook.md#rows_set_aside"

    def test_shows_what_is_halted(self, street, smoney):
        bot = street.town.bot
        for switch in (Switch.PAYMENTS_PAUSED, Switch.WINDING_DOWN):
            bot.database.write(lambda session: turn_on(session, switch, by="anna", clock=bot.clock))  # noqa: B023
        said = smoney("status")
        assert said.code == 0
        assert "payments paused since 2026-11-23 12:00:00 UTC" in said.out
        assert "winding down since" in said.out

    def test_shows_that_a_restored_book_waits(self, street, smoney):
        change(street, "INSERT INTO restores (id, made_at, restored_at, manifest) VALUES (1, 1, 2, '{}')")
        assert "restored 1970-01-01" in smoney("status").out

    def test_gives_all_of_it_as_json(self, street, smoney):
        street.tweets("bob", "@smoney send 1€ @carol", settle=False)
        street.town.bot.listening.read_mentions()
        (row,) = smoney("status", "--json").rows
        assert row["inbox"]["rows"] == {"waiting": 1, "set_aside": 0}
        assert row["inbox"]["oldest_seconds"] > 0
        assert row["halted"] == {}
        assert row["alarms"] == []
        assert set(row["last_reads"]) == {"mentions", "messages"}
        assert row["last_payment"].startswith("2026-11-23T12:00")
        assert row["last_seal"] is None
        assert row["money"] == [{"currency": "EUR", "owed_minor": 120_00, "held_minor": 120_00}]
        assert {each["call"] for each in row["limits"]} >= {"send_message"}
        assert json.dumps(row)
