"""The ledger stands alone: its tests have its own tables and no others."""

import pytest


@pytest.fixture
def whose_tables() -> str:
    return "ledger"
