"""Ids and instants."""

import random
import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.clock import IdSource, first_id_at, instant_of, microseconds_of

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def ids(now=NOON, seed=1):
    return IdSource(lambda: now, random.Random(seed).randbytes)


class TestIdSource:
    def test_makes_positive_numbers_of_63_bits(self):
        assert 0 < ids()() < 2**63
        assert 0 < ids(datetime(2073, 1, 1, tzinfo=UTC))() < 2**63
        assert ids(datetime(2006, 1, 1, tzinfo=UTC))() > 0

    def test_rises_within_a_process_even_if_the_clock_runs_backwards(self):
        now = NOON
        source = IdSource(lambda: now, random.Random(1).randbytes)
        made = []
        for step in (0, 1, -100, 40, -3600, 7200):
            now += timedelta(seconds=step)
            made += [source() for _ in range(100)]
        assert made == sorted(set(made))

    def test_takes_many_at_once_as_it_would_one_by_one(self):
        now = NOON
        many, single = (IdSource(lambda: now, random.Random(1).randbytes) for _ in range(2))
        for step in (0, 31, 33, -100, 7200):
            now += timedelta(seconds=step)
            assert list(many.take(3)) == [single() for _ in range(3)]
            assert many() == single()

    def test_begins_a_new_place_in_every_tick_and_not_before(self):
        source = IdSource(lambda: now, random.Random(1).randbytes)
        start = datetime(2006, 1, 1, tzinfo=UTC) + timedelta(seconds=32 * 1000)
        now = start
        first = source()
        now = start + timedelta(seconds=32) - timedelta(microseconds=1)
        assert source() == first + 1
        now = start + timedelta(seconds=32)
        assert source() > first + 2

    def test_begins_a_new_place_for_many_at_once_as_well(self):
        source = IdSource(lambda: now, random.Random(1).randbytes)
        start = datetime(2006, 1, 1, tzinfo=UTC) + timedelta(seconds=32 * 1000)
        now = start
        first = source.take(2)[0]
        now = start + timedelta(seconds=32) - timedelta(microseconds=1)
        assert source.take(2)[0] == first + 2
        now = start + timedelta(seconds=32)
        assert source.take(2)[0] > first + 4

    def test_counts_from_a_random_place_in_the_lower_half_of_a_tick(self):
        now = datetime(2006, 1, 1, tzinfo=UTC) + timedelta(seconds=32 * 1000)
        assert IdSource(lambda: now, bytes)() == (1000 << 37) + 1
        assert IdSource(lambda: now, lambda size: b"\xff" * size)() == (1000 << 37) + 2**36

    def test_makes_them_from_the_first_tick_to_the_last(self):
        first = datetime(2006, 1, 1, tzinfo=UTC)
        end = first + timedelta(seconds=32 * 2**26)
        assert IdSource(lambda: first, bytes)() == 1
        assert IdSource(lambda: end - timedelta(microseconds=1), bytes)() == ((2**26 - 1) << 37) + 1
        for wrong in (first - timedelta(microseconds=1), end):
            with pytest.raises(ValueError, match="is the clock right"):
                ids(wrong)()

    def test_lies_at_or_above_the_first_there_can_be_at_its_time(self):
        assert (
            first_id_at(NOON) <= IdSource(lambda: NOON, bytes)() < first_id_at(NOON + timedelta(seconds=32))
        )
        assert first_id_at(datetime(1999, 1, 1, tzinfo=UTC)) == 0

    def test_is_ordered_by_time_across_processes(self):
        assert all(ids(NOON, seed)() < ids(NOON + timedelta(seconds=64), seed + 1)() for seed in range(50))

    def test_two_processes_do_not_meet(self):
        runs = [{source() for _ in range(1000)} for source in (ids(seed=seed) for seed in range(50))]
        assert len(set().union(*runs)) == 50_000

    def test_is_safe_among_threads(self):
        source = ids()
        made: list[int] = []
        threads = [
            threading.Thread(target=lambda: made.extend(source() for _ in range(500))) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(made)) == 4000

    @pytest.mark.parametrize("year", [1999, 2075])
    def test_says_so_when_the_clock_cannot_be_right(self, year):
        with pytest.raises(ValueError, match="is the clock right"):
            ids(datetime(year, 1, 1, tzinfo=UTC))()


class TestMicroseconds:
    @given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1)))  # noqa: DTZ001 (made aware)
    def test_are_exact_there_and_back(self, naive):
        assert instant_of(microseconds_of(naive.replace(tzinfo=UTC))) == naive.replace(tzinfo=UTC)

    def test_are_counted_from_1970(self):
        assert microseconds_of(datetime(1970, 1, 1, tzinfo=UTC)) == 0
        assert microseconds_of(NOON + timedelta(microseconds=1)) == 1_772_366_400_000_001

    def test_are_the_same_in_every_time_zone(self):
        there = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))
        assert microseconds_of(there) == microseconds_of(NOON)

    def test_are_not_guessed_for_a_naive_time(self):
        with pytest.raises(ValueError, match="no time zone"):
            microseconds_of(datetime(2026, 1, 1))  # noqa: DTZ001 (that is the point)
