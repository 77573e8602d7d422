"""A book as it is after a year: a million members and five million payments, or a part of that."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing

import psycopg

from ledger.clock import microseconds_of
from tests.integration.payments.conftest import NOON


def fill(url: str, *, members: int, payments: int) -> None:
    """Members and payments of the past year, written past the program: only their number matters here. Each has a line and
    a message; bob pays one in a hundred."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as raw:
            raw.execute("PRAGMA foreign_keys = OFF")
            raw.execute("PRAGMA synchronous = OFF")
            columns = [row[1] for row in raw.execute("PRAGMA table_info(people)")]
            whose = raw.execute(WHOSE).fetchone()
            for statement in past_year(columns, *whose, of=(members, payments), numbers=COUNTED, no="0"):
                raw.execute(statement)
            raw.commit()
        return
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")  # past the guards
        connection.execute("SET synchronous_commit = off")
        named = connection.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'people' ORDER BY ordinal_position"
        )
        columns = [str(row[0]) for row in named]
        whose = connection.execute(WHOSE).fetchone()
        assert whose is not None
        indexes = connection.execute(INDEXES).fetchall()  # made anew over whole tables: that is far quicker
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}".encode())
        for statement in past_year(columns, *whose, of=(members, payments), numbers=SERIES, no="false"):
            connection.execute(statement.encode())
        for _, made in indexes:
            connection.execute(str(made).encode())
        connection.execute("VACUUM ANALYZE")


WHOSE = "SELECT payer_id, (SELECT min(id) FROM intents) FROM intents ORDER BY id DESC LIMIT 1"
COUNTED = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {most})"
SERIES = "WITH n(i) AS (SELECT generate_series(1::bigint, {most}::bigint))"
INDEXES = """
SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
    AND tablename IN ('people', 'intents', 'intent_lines', 'outbox', 'inbox')
    AND indexname NOT IN (SELECT conname FROM pg_constraint)
"""


def past_year(
    columns: Sequence[str], bob: int, oldest: int, *, of: tuple[int, int], numbers: str, no: str
) -> Iterator[str]:
    """The statements that write it; in which way numbers are counted, and nothing is said, each engine has of its own."""
    members, payments = (numbers.format(most=most) for most in of)
    everybody, all_payments = of
    copied = ", ".join(name for name in columns if name not in {"user_id", "wallet_id", "username_index"})
    yield (
        f"INSERT INTO people (user_id, {copied}) {members} SELECT 1000 + i, {copied} FROM n, people "
        f"WHERE people.user_id = {bob}"
    )
    yield "UPDATE people SET username_sealed = NULL, name_sealed = NULL WHERE user_id < 2000000"
    six, hour = 6_000_000, 3_600_000_000  # microseconds
    at = f"{microseconds_of(NOON)} - ({all_payments} - i) * {six} - {hour}"
    payer = f"CASE WHEN i % 100 = 0 THEN {bob} ELSE 1000 + 1 + i % {everybody} END"
    yield (
        f"INSERT INTO intents (id, order_kind, order_id, reference, payer_id, version, total_minor, fee_minor, currency, "
        f"state, created_at, closed_at, journal_id) {payments} SELECT {oldest} - {all_payments} - 9 + i, 'post', i, 'Q-' || i, "
        f"{payer}, i, 1000, 0, 'EUR', CASE i % 4 WHEN 0 THEN 'refused' ELSE 'paid' END, {at}, {at}, "
        f"CASE i % 4 WHEN 0 THEN NULL ELSE i END FROM n"
    )
    yield (
        f"INSERT INTO intent_lines (id, intent_id, version, position, payee_id, amount_minor, state, transfer_id) "
        f"{payments} SELECT i, {oldest} - {all_payments} - 9 + i, i, 0, 1000 + 1 + (i * 7) % {everybody}, 1000, "
        f"CASE i % 4 WHEN 0 THEN 'asked' ELSE 'paid' END, CASE i % 4 WHEN 0 THEN NULL ELSE i END FROM n"
    )
    yield (
        f"INSERT INTO outbox (id, kind, person_id, phrase, language, priority, state, attempts, created_at, due_at) "
        f"{payments} SELECT i, 'message', {payer}, CASE i % 9 WHEN 0 THEN 'insufficient_funds' ELSE 'receipt_payer' END, "
        f"'en', 1, 'sent', 1, {at}, {at} FROM n"
    )
    yield (
        f"INSERT INTO inbox (id, kind, x_id, chain_id, person_id, urgent, pushed, said_at, received_at, state) "
        f"{payments} SELECT i, 'post', i, i, {payer}, {no}, {no}, {at}, {at}, 'done' FROM n"
    )
