"""The first form: accounts, transfers, and the rules that guard them."""

from ledger.migrations import run_sql_beside

revision = "0001"
down_revision = None


def upgrade() -> None:
    run_sql_beside(__file__)
