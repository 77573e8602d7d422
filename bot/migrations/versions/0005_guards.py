"""Wrong answers, trusted payees, reviews and known keys."""

from ledger.migrations import run_sql_beside

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    run_sql_beside(__file__)
