"""How long a write waits between two tries."""

from itertools import pairwise

from ledger.retries import pauses


class TestPauses:
    def test_double_up_to_a_second_and_end_at_the_total(self):
        seconds = list(pauses(10))
        assert seconds[:3] == [0.005, 0.01, 0.02]
        assert max(seconds) == 1.0
        assert 9 < sum(seconds) <= 10
        assert all(earlier <= later for earlier, later in pairwise(seconds))

    def test_count_what_each_try_waits_by_itself(self):
        assert len(list(pauses(10, each_try_seconds=1))) == 8

    def test_are_none_when_there_is_no_time(self):
        assert list(pauses(0)) == []

    def test_go_up_to_the_total_itself(self):
        assert list(pauses(0.005)) == [0.005]
