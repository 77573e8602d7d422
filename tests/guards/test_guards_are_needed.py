"""A sample of `make prove-guards`: another one each day of the month would be luck, so it is a fixed one."""

import pytest

from tests.guards.guards import GUARDS, Guard
from tests.guards.proving import ROOT, prove
from tests.simulation.mutants import changed

SAMPLE = GUARDS[::8]


class TestGuards:
    @pytest.mark.prove
    @pytest.mark.timeout(900)
    def test_of_a_sample_turn_their_tests_red_when_taken_away(self):
        assert prove(SAMPLE) == 0

    @pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
    def test_stand_where_they_are_said_to(self, guard: Guard):
        for file in {change.module for change in guard.changes}:
            source = (ROOT / file).read_text(encoding="utf-8")
            changes = [change for change in guard.changes if change.module == file]
            assert changed(source, changes) != source
