"""Indexes over what is still open, so that finding it costs the same however much is done with."""

from ledger.migrations import run_sql_beside

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    run_sql_beside(__file__)
