"""The audit log: what admins did, to what, and why."""

from ledger.migrations import run_sql_beside

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    run_sql_beside(__file__)
