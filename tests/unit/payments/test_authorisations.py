"""What an authorisation's MAC covers: everything in its row, and everything of the transfers it allowed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.payments.authorisations import Moved, _canonical
from bot.store.tables import AuthorisationRow

MOVED: tuple[Moved, ...] = ((1, "posted", 2, 3, 1000, "EUR"), (4, "pending", 2, 5, 250, "EUR"))
FIELDS: dict[str, Any] = {
    "id": 11,
    "kind": "answer",
    "evidence": 12,
    "person_id": 13,
    "intent_id": 14,
    "version": 15,
    "created_at": datetime(2026, 11, 23, 12, 0, tzinfo=UTC),
    "key_id": "k1",
}
OTHER: dict[str, Any] = {
    **dict.fromkeys(("id", "evidence", "person_id", "intent_id", "version"), 99),
    "kind": "page",
    "created_at": FIELDS["created_at"] + timedelta(microseconds=1),
    "key_id": "k2",
}


def covered(moved: tuple[Any, ...] = MOVED, **changed: Any) -> bytes:
    return _canonical(AuthorisationRow(**{**FIELDS, **changed}, mac=b""), moved)


class TestCanonicalForm:
    def test_is_tried_below_with_every_column_but_the_mac_itself(self):
        assert set(OTHER) == set(AuthorisationRow.model_fields) - {"mac"}

    @pytest.mark.parametrize("name", OTHER)
    def test_changes_with_every_column(self, name):
        assert covered(**{name: OTHER[name]}) != covered()

    @pytest.mark.parametrize("line", [0, 1])
    @pytest.mark.parametrize(("place", "other"), [(0, 9), (1, "post"), (2, 9), (3, 9), (4, 9), (5, "USD")])
    def test_changes_with_everything_of_each_transfer(self, line, place, other):
        changed = [list(each) for each in MOVED]
        changed[line][place] = other
        assert covered(tuple(tuple(each) for each in changed)) != covered()

    def test_changes_with_a_transfer_more_or_less(self):
        assert covered(MOVED[:1]) != covered()
        assert covered((*MOVED, (6, "posted", 2, 7, 1, "EUR"))) != covered()

    def test_is_the_same_in_whatever_order_the_transfers_are_read(self):
        assert covered(MOVED[::-1]) == covered()
