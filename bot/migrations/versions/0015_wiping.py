"""Texts that are to be wiped."""

from ledger.migrations import run_sql_beside

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    run_sql_beside(__file__)
