"""What the bank's statements say, line by line."""

from ledger.migrations import run_sql_beside

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    run_sql_beside(__file__)
