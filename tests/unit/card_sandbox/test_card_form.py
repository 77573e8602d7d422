"""What the card form takes for a card. Pure."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.card_sandbox.cards import TEST_CARDS, Card, Problems, Typed, card_of, passes_luhn, read_card

NOW = datetime(2026, 11, 27, tzinfo=UTC)


def problems(read: Card | Problems) -> set[str]:
    return set() if isinstance(read, Card) else set(read)


class TestLuhn:
    @pytest.mark.parametrize("digits", [*TEST_CARDS, "79927398713", "0"])
    def test_passes_a_right_check_digit(self, digits):
        assert passes_luhn(digits)

    @given(st.sampled_from(list(TEST_CARDS)), st.integers(0, 15), st.integers(1, 9))
    def test_fails_with_any_one_digit_wrong(self, digits, place, by):
        wrong = str((int(digits[place]) + by) % 10)
        assert not passes_luhn(digits[:place] + wrong + digits[place + 1 :])


class TestReadCard:
    @pytest.mark.parametrize("number", TEST_CARDS)
    def test_keeps_brand_and_last_four_digits_of_a_test_card(self, number):
        spaced = " ".join(number[place : place + 4] for place in range(0, 16, 4))
        read = read_card(Typed(spaced, "09/31", "123", "Ada"), NOW)
        assert isinstance(read, Card)
        assert read == card_of(number) == Card(read.brand, number[-4:], TEST_CARDS[number])

    @pytest.mark.parametrize(
        ("expiry", "good"),
        [
            ("11/26", True),
            ("11 / 26", True),
            ("1126", True),
            ("1/27", True),
            ("11/2026", True),
            ("10/26", False),
            ("12/25", False),
            ("00/30", False),
            ("13/30", False),
            ("", False),
            ("1/1/30", False),
        ],
    )
    def test_takes_a_month_that_is_not_over(self, expiry, good):
        read = read_card(Typed("4242424242424242", expiry, "1234", "Ada"), NOW)
        assert isinstance(read, Card) == good
        assert good or problems(read) == {"expiry"}

    def test_tells_of_every_field_at_once(self):
        assert problems(read_card(Typed(), NOW)) == {"number", "expiry", "cvc", "name"}

    @given(st.text(), st.text(), st.text(), st.text())
    def test_takes_any_text(self, number, expiry, cvc, name):
        read = read_card(Typed(number, expiry, cvc, name), NOW)
        assert isinstance(read, dict | Card)

    def test_what_was_typed_shows_in_no_repr(self):
        assert "4242" not in repr(Typed("4242424242424242", cvc="123"))
