"""Tiers of people; payments that can be undone or are being reviewed; more causes for a debit."""

from ledger.migrations import run_sql_beside

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    run_sql_beside(__file__)
