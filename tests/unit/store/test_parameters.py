"""A phrase's parameters survive their time in the outbox."""

from datetime import UTC, datetime

import pytest

from bot.errors import UnreadableRow
from bot.language.catalogue import Direction, Entry, Label, Line, State, Value
from bot.store.parameters import dump, load
from ledger.money import EUR, Money

NOW = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)
ALICE = Label("alice", 'Al"ice\n\u202e')
EVERY_KIND: dict[str, Value] = {
    "text": "für @alice – 10€ {money}",
    "count": 3,
    "yes": True,
    "none": None,
    "money": Money(1050, EUR),
    "instant": NOW,
    "label": ALICE,
    "line": Line(ALICE, Money(1, EUR), "P-7K3F9Q"),
    "entry": Entry(Direction.OUT, ALICE, Money(1, EUR), NOW, "P-7K3F9Q", State.HELD, "note"),
    "state": State.PAID,
    "strings": ("A", "B"),
    "lines": (Line(ALICE, Money(1, EUR)), Line(ALICE, Money(2, EUR))),
    "empty": (),
}


class TestParameters:
    def test_come_back_as_what_they_were(self):
        assert load(dump(EVERY_KIND)) == EVERY_KIND

    def test_refuse_what_is_no_parameter(self):
        with pytest.raises(TypeError):
            dump({"float": 1.5})  # type: ignore[dict-item]

    @pytest.mark.parametrize(
        "text", ["", "[]", "{", '{"a":{"money":[1]}}', '{"a":{"unknown":1}}', '{"a":{}}']
    )
    def test_that_make_no_sense_are_an_unreadable_row(self, text):
        with pytest.raises(UnreadableRow):
            load(text)
