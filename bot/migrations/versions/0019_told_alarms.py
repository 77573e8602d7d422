"""Whether the webhook has taken the news of each alarm."""

from ledger.migrations import run_sql_beside

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    run_sql_beside(__file__)
