"""X's limits and what was asked of it; messages that are sent together."""

from ledger.migrations import run_sql_beside

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    run_sql_beside(__file__)
