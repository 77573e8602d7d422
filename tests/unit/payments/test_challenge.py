"""The question and its answer: what a code is bound to, and how an answer is judged."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.encoding import encode
from bot.payments.challenge import (
    LETTERS,
    Answer,
    Asked,
    Verdict,
    canonical,
    code_for,
    judge,
    next_letter,
    parse_answer,
)

KEY = b"k" * 32
EXPIRES = datetime(2026, 11, 23, 12, 5, tzinfo=UTC)
ASKED = Asked(
    intent_id=11,
    version=12,
    payer_id=13,
    lines=((14, 1000), (15, 250)),
    fee_minor=0,
    currency="EUR",
    total_minor=1250,
    nonce=b"n" * 16,
    expires_at=EXPIRES,
    key_id="k1",
)
CHANGES: dict[str, Any] = {
    "intent_id": 99,
    "version": 99,
    "payer_id": 99,
    "lines": ((14, 1000), (16, 250)),
    "fee_minor": 1,
    "currency": "USD",
    "total_minor": 1251,
    "nonce": b"m" * 16,
    "expires_at": EXPIRES + timedelta(microseconds=1),
    "key_id": "k2",
}


class TestCode:
    def test_has_six_digits(self):
        code = code_for(ASKED, KEY)
        assert len(code) == 6
        assert code.isdigit()

    def test_every_field_of_what_was_asked_is_tried_below(self):
        assert set(CHANGES) == set(Asked.__dataclass_fields__)

    @pytest.mark.parametrize("field", CHANGES)
    def test_dies_with_any_change_of_what_it_is_bound_to(self, field):
        changed = replace(ASKED, **{field: CHANGES[field]})
        assert canonical(changed) != canonical(ASKED)
        assert code_for(changed, KEY) != code_for(ASKED, KEY)

    @pytest.mark.parametrize(
        "lines",
        [
            ((14, 250), (15, 1000)),  # amounts swapped
            ((15, 250), (14, 1000)),  # order swapped
            ((14, 1000),),
            ((14, 1000), (15, 250), (16, 0)),
            ((14, 1000), (15, 251)),
        ],
    )
    def test_dies_with_any_change_of_a_line(self, lines):
        assert code_for(replace(ASKED, lines=lines), KEY) != code_for(ASKED, KEY)

    def test_needs_the_key(self):
        assert code_for(ASKED, b"x" * 32) != code_for(ASKED, KEY)


class TestEncoding:
    def test_differs_where_fields_run_together(self):
        assert encode("ab", "c") != encode("a", "bc")
        assert encode(1, 2) != encode(12)
        assert encode(None) != encode("")
        assert encode(b"a") != encode("a")

    @given(
        st.lists(st.one_of(st.integers(-(2**63), 2**63 - 1), st.text(), st.binary(), st.none()), max_size=5),
        st.lists(st.one_of(st.integers(-(2**63), 2**63 - 1), st.text(), st.binary(), st.none()), max_size=5),
    )
    def test_is_one_way_only(self, left, right):
        same = [(type(value), value) for value in left] == [(type(value), value) for value in right]
        left, right = [_writable(value) for value in left], [_writable(value) for value in right]
        assert (encode(*left) == encode(*right)) == same or left == right

    def test_refuses_a_truth_value(self):
        with pytest.raises(TypeError):
            encode(True)


def _writable(value):
    return value.encode(errors="replace").decode() if isinstance(value, str) else value


class TestAnswer:
    @pytest.mark.parametrize(
        "text", ["K 482913", "k482913", "K-482 913", " K: 482913. ", "K 482-913", "`K 482913`", "“K 482913”"]
    )
    def test_is_read_as_people_type_it(self, text):
        assert parse_answer(text) == Answer("K", "482913")

    def test_may_leave_the_letter_out(self):
        assert parse_answer("482913") == Answer(None, "482913")

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "K",
            "48291",
            "4829133",
            "KK 482913",
            "K 482913 please pay",
            "K ４８２９１３",
            "no",
            "10€",
            "٤٨٢٩١٣",
        ],
    )
    def test_is_nothing_else(self, text):
        assert parse_answer(text) is None

    @given(st.text())
    def test_never_raises(self, text):
        parse_answer(text)


class TestVerdict:
    RIGHT = Answer("K", code_for(ASKED, KEY))

    def test_right_up_to_the_last_moment(self):
        assert judge(self.RIGHT, ASKED, KEY, answered_at=EXPIRES) is Verdict.RIGHT

    def test_late_after_it(self):
        after = EXPIRES + timedelta(microseconds=1)
        assert judge(self.RIGHT, ASKED, KEY, answered_at=after) is Verdict.LATE

    def test_wrong_with_other_digits(self):
        other = Answer("K", f"{(int(self.RIGHT.digits) + 1) % 10**6:06d}")
        assert judge(other, ASKED, KEY, answered_at=EXPIRES) is Verdict.WRONG


class TestLetters:
    def test_come_in_turn(self):
        first, used = next_letter(0, [])
        second, _ = next_letter(used, [])
        assert (first, second) == ("A", "B")

    def test_pass_over_those_that_are_open(self):
        assert next_letter(0, ["A", "B"])[0] == "C"

    def test_run_out_with_a_fault_of_ours(self):
        with pytest.raises(ValueError, match="letter"):
            next_letter(0, LETTERS)

    def test_are_none_that_are_read_as_digits(self):
        assert not set(LETTERS) & set("IO")
