"""Each check of the reader is taken out once: then at least one labelled case must be read wrongly.

A check that can go without any case noticing is either needless or untested.
"""

import re
from types import ModuleType
from typing import Any

import pytest

from bot.language import amounts, commands, expressions, grammar, judging, notes, numerals, reader, tokens
from bot.language.numerals import Numeral
from bot.language.reader import read
from bot.language.reading import Transfer
from bot.language.roles import Role
from bot.language.spoken import Spoken
from tests.unit.language.cases import answers, cases, shown, utterance


def _nothing(*_: Any, **__: Any) -> None:
    return None


def _no(*_: Any, **__: Any) -> bool:
    return False


def _yes(*_: Any, **__: Any) -> bool:
    return True


NEVER = re.compile("(?!)")
CHECKS: list[tuple[Any, str, Any]] = [
    (amounts._Composer, "_misplaced", _nothing),
    (amounts._Composer, "_language_refuses", _nothing),
    (amounts._Composer, "_infix", _nothing),
    (amounts._Composer, "_afterwards", _nothing),
    (amounts._Composer, "_counts_something", _no),
    (amounts, "_units_refuse", _nothing),
    (amounts, "_are_cents", _yes),
    (numerals, "_PRECISE", NEVER),
    (numerals, "_DECIMALS", re.compile(r"(\d*)[.,](\d+)")),
    (numerals, "_GROUPED", NEVER),
    (numerals, "_plain_digits", lambda text: "".join(mark for mark in text if mark.isascii())),
    (tokens, "_unknown", lambda text: Role.WORD),
    (tokens, "_heed_hashtag", _nothing),
    (tokens, "_more_than", lambda start, whole: Role.EMOJI),
    (Spoken, "marks_thousands", _yes),
    (expressions, "HANDLES", frozenset()),
    (reader, "heed_cuts", _nothing),
    (reader, "_forbidden", _nothing),
    (notes, "_TAKEN_BACK", NEVER),
    (notes, "_SECOND_ORDER", NEVER),
    (grammar, "_ADDRESSED_LAST", NEVER),
    (grammar, "_with_note_inside", _nothing),
    (judging, "_is_quoted", _no),
    (judging, "_is_meant", _yes),
    (judging, "_OPENING", re.compile("[^b]*b")),
    (judging, "_WISHED", NEVER),
    (judging, "_ASKED_TO_PAY", NEVER),
    (grammar, "_names_payee", _no),
    (commands, "_is_said_to_bot", _yes),
    (amounts._Composer, "_is_abbreviated", _no),
    (judging, "_STRANGE_VERB", NEVER),
]


class TestEveryCheck:
    @pytest.mark.parametrize(
        ("place", "name", "without"), CHECKS, ids=lambda value: value if isinstance(value, str) else ""
    )
    def test_is_held_by_a_case(
        self, place: ModuleType | type, name: str, without: Any, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(place, name, without)
        _forget()
        try:
            assert any(not _read_as_labelled(case) for case in cases())
        finally:
            monkeypatch.undo()
            _forget()

    def test_needs_no_luck_to_be_taken_out(self):
        """With every check in place, all cases are read as labelled."""
        assert all(_read_as_labelled(case) for case in cases())


def _read_as_labelled(case) -> bool:
    try:
        got = shown(read(case.utterance))
    except Exception:  # noqa: BLE001 - a reader without its check may do anything; that is noticed too
        return False
    return any(answers(expected, got) for expected in (case.expect, *case.also))


def _forget() -> None:
    """What was remembered with or without the check."""
    numerals.numeral.cache_clear()
    tokens._words.cache_clear()


class TestOrder:
    def test_numerals_are_the_only_ones_to_judge_figures(self):
        assert numerals.numeral("10") == Numeral(1000, is_whole=True, digits="10")

    def test_an_order_keeps_its_payees_apart_from_its_note(self):
        reading = read(utterance("@smoney send 10€ to @alice for the trip with @bob"))
        assert isinstance(reading, Transfer)
        assert [payee.username for payee in reading.payees] == ["alice"]
