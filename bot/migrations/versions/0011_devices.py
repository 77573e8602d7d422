"""Devices people are signed in on, and the links that brought them in."""

from ledger.migrations import run_sql_beside

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    run_sql_beside(__file__)
