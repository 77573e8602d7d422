"""Restores: that this book came out of a backup, and whether it has come to terms with X since."""

from ledger.migrations import run_sql_beside

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    run_sql_beside(__file__)
