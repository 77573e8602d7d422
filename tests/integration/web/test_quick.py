"""The pages stay quick with a full book: what they look up is found by indexes, and a million rows cost nothing."""

import sqlite3
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.watching import figures
from bot.web import figures as growing
from ledger.clock import microseconds_of
from tests.integration.payments.conftest import NOON
from tests.integration.web.conftest import Served

LOOKED_UP = {
    name: getattr(room, name)
    for room, names in (
        (figures, ("_INBOX", "_OUTBOX", "_READS", "_LAST_PAYMENT", "_SEAL")),
        (growing, ("_CLOSED", "_TOLD")),
    )
    for name in names
}
PARAMETERS = {"now": 1, "after": 1, "until": 2}
ROWS = 1_000_000
P95_SECONDS = 0.2


@pytest.mark.parametrize("name", LOOKED_UP)
def test_every_look_up_is_found_by_an_index(served_on_sqlite: Served, name: str):
    """On SQLite, whose plans say so in words; the indexes of both engines are the same."""
    bot = served_on_sqlite.street.town.bot
    sql = text("EXPLAIN QUERY PLAN " + LOOKED_UP[name])
    wanted = {key: value for key, value in PARAMETERS.items() if f":{key}" in LOOKED_UP[name]}
    plan = [row[3] for row in bot.database.read(lambda s: s.connection().execute(sql, wanted).all())]
    whole = [step for step in plan if step.startswith("SCAN") and " USING " not in step]
    few = (
        "SCAN cursors",
        "SCAN CONSTANT",
        "SCAN ledger_seal",
    )  # two rows; none; the last seal, in order of its key
    assert [step for step in whole if not step.startswith(few)] == []


@pytest.mark.prove
def test_status_and_figures_answer_in_time_with_a_million_orders(served_on_sqlite: Served):
    town = served_on_sqlite.street.town
    _fill(Path(town.settings.database_address.removeprefix("sqlite:///")))
    visitor = served_on_sqlite.visitor()
    for path in ("/status", "/readyz", "/metrics"):
        visitor.gets(path)  # what is counted once
        took = sorted(_seconds(visitor, path) for _ in range(40))
        assert took[int(len(took) * 0.95)] < P95_SECONDS, (path, took[-3:])


def _seconds(visitor, path: str) -> float:
    began = time.perf_counter()
    assert visitor.gets(path).ok
    return time.perf_counter() - began


def _fill(file: Path) -> None:
    """Orders and messages of the past year, written past the program: only their number matters here."""
    noon, second = microseconds_of(NOON), 1_000_000
    with sqlite3.connect(file) as raw:
        raw.execute("PRAGMA foreign_keys = OFF")
        numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})"
        person = raw.execute("SELECT min(user_id) FROM people").fetchone()[0]
        raw.execute(
            f"INSERT INTO intents (id, order_kind, order_id, reference, payer_id, version, total_minor, fee_minor, "
            f"currency, state, created_at, closed_at) {numbers} SELECT i, 'post', i, 'Q-' || i, {person}, i, 1000, 0, "
            f"'EUR', CASE i % 4 WHEN 0 THEN 'refused' WHEN 1 THEN 'expired' ELSE 'cancelled' END, "
            f"{noon} - (i * 30 + 3600) * {second}, {noon} - (i * 30 + 3600) * {second} FROM n"
        )
        raw.execute(
            f"INSERT INTO outbox (id, kind, person_id, phrase, language, priority, state, attempts, created_at, due_at) "
            f"{numbers} SELECT i, 'message', {person}, CASE i % 9 WHEN 0 THEN 'insufficient_funds' ELSE 'balance' END, "
            f"'en', 1, 'sent', 1, {noon} - (i * 30 + 3600) * {second}, {noon} FROM n"
        )
        raw.commit()
    raw.close()
