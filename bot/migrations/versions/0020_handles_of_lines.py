"""The handle of a line of a payment can be looked for."""

from ledger.migrations import run_sql_beside

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    run_sql_beside(__file__)
