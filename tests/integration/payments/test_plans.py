"""What the bot asks its database costs the same however much is done with: no statement of a day reads a table through."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, event

from tests.integration.payments.conftest import a_street

GROWING = (
    "inbox",
    "outbox",
    "intents",
    "intent_lines",
    "challenges",
    "people",
    "authorisations",
    "ledger_transfer",
)
"""Tables that grow with every payment; the others are small."""


@contextmanager
def listening() -> Iterator[dict[str, object]]:
    """Each statement that was run, with parameters it was run with."""
    seen: dict[str, object] = {}

    def note(connection, cursor, statement, parameters, context, many):
        if not many and statement.split(None, 1)[0].upper() in {"SELECT", "UPDATE", "DELETE"}:
            seen[statement] = parameters

    event.listen(Engine, "before_cursor_execute", note)
    yield seen
    event.remove(Engine, "before_cursor_execute", note)


def a_day(street) -> None:
    """Something of everything people do."""
    street.tweets("bob", "@smoney send 10€ @alice for pizza")
    street.answers("bob")
    street.tweets("bob", "@smoney send 5€ @zoe")
    street.says("bob", "A 000000")
    street.answers("bob")
    street.tweets("carol", "@smoney send 2€ @zoe")
    street.answers("carol")
    street.says("bob", "balance")
    street.says("bob", "history")
    street.says("bob", "cancel")
    street.says("alice", "return")
    street.says("zoe", "start")
    street.passes(hours=1)
    street.tweets("bob", "@smoney send 3€ @alice")
    street.passes(days=40)


def reads_through(plan: list[str]) -> list[str]:
    """The steps of a plan that read a growing table, or the whole of an index over one, from end to end. An index over
    the few rows that are still open may be read through."""
    return [
        step
        for step in plan
        if step.startswith("SCAN") and step.split()[1] in GROWING and not step.endswith(("_waiting", "_open"))
    ]


def plan_of(session, statement: str, parameters: object) -> list[str]:
    found = session.connection().exec_driver_sql("EXPLAIN QUERY PLAN " + statement, parameters)
    return [row[3] for row in found]


class TestPlans:
    def test_no_statement_of_a_day_reads_a_growing_table_through(self, sqlite_url, tmp_path):
        with a_street(sqlite_url, tmp_path) as street, listening() as seen:
            a_day(street)
            database = street.town.bot.database
            plans = {
                statement: database.read(lambda session: plan_of(session, statement, parameters))  # noqa: B023
                for statement, parameters in list(seen.items())
                if "cursors" not in statement
            }
        assert len(plans) > 60
        assert {statement: steps for statement, plan in plans.items() if (steps := reads_through(plan))} == {}

    def test_one_that_did_would_be_seen(self, sqlite_url, tmp_path):
        with a_street(sqlite_url, tmp_path) as street:
            words = "SELECT id FROM inbox WHERE received_at = ?"
            plan = street.town.bot.database.read(lambda session: plan_of(session, words, (1,)))
        assert reads_through(plan)
