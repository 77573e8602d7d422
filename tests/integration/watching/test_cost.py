"""A look costs about the same however large the book is: none of its statements reads a growing table through."""

import re

from tests.integration.payments.conftest import a_street
from tests.integration.payments.test_plans import a_day, listening, plan_of
from tests.integration.watching.conftest import watched_town

MAY_BE_READ_THROUGH = {
    # Indexes over the few rows that still want something.
    "ix_outbox_due", "ix_outbox_failed", "ix_inbox_set_aside", "ix_inbox_waiting", "ix_intent_lines_set_aside", "uq_alarms_open",
    "ix_top_ups_set_aside", "ix_card_movements_open", "uq_people_debt_id",
    # Small tables, however long the bot runs: a row a call, a switch, an account of the operator's own, a day and call.
    "call_windows", "switches", "h", "call_counts",
    # The newest row alone, from the end.
    "ledger_seal",
    # A few rows that a statement has chosen itself.
    "following", "beside",
}  # fmt: skip


def of_a_look(street):
    """The steps by which each statement of a look finds its rows, with all that could be looked at new to it."""
    watched = watched_town(street)
    a_day(street)
    watched.seals()
    watched.looks()
    watched.watch._place.transfer = 0
    with listening() as seen:
        watched.looks()
    database = street.town.bot.database
    return {
        statement: database.read(lambda session: plan_of(session, statement, parameters))  # noqa: B023
        for statement, parameters in list(seen.items())
    }


def read_through(plan):
    """What a plan's steps read from end to end, by its name or the index's."""
    steps = [re.match(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?", step) for step in plan]
    return {
        step[1] if (step[2] or "sqlite_autoindex").startswith("sqlite_autoindex") else step[2]
        for step in steps
        if step
    }


def test_no_statement_of_a_look_reads_a_growing_table_through(sqlite_url, tmp_path):
    with a_street(sqlite_url, tmp_path) as street:
        plans = of_a_look(street)
    assert len(plans) > 20
    wrong = {
        statement: found
        for statement, plan in plans.items()
        if (found := read_through(plan) - MAY_BE_READ_THROUGH)
    }
    assert wrong == {}


def test_one_that_did_would_be_seen(sqlite_url, tmp_path):
    with a_street(sqlite_url, tmp_path) as street:
        sums = "SELECT code, sum(a.debits_posted) FROM ledger_account AS a GROUP BY code"
        plan = street.town.bot.database.read(lambda session: plan_of(session, sums, ()))
    assert read_through(plan) == {"a"}
