"""The odds of guessing a code, as docs/threats.md has them."""

import os
import random
from dataclasses import replace

from bot.payments.challenge import code_for
from tests.unit.payments.test_challenge import ASKED, KEY

QUESTIONS = 100_000
GUESSES = 20


class TestOdds:
    def test_twenty_guesses_are_right_about_twenty_times_in_a_million(self):
        """Twenty different guesses against each of 100,000 questions: two are expected to be right, and more than
        twelve would happen once in a million runs."""
        right = 0
        for _ in range(QUESTIONS):
            code = int(code_for(replace(ASKED, nonce=os.urandom(16)), KEY))
            right += code in random.sample(range(10**6), GUESSES)
        assert right <= 12

    def test_every_digit_comes_as_often_at_every_place(self):
        """Else a good guesser would be right more often. Each is expected 4,000 times, give or take 60."""
        codes = [code_for(replace(ASKED, nonce=os.urandom(16)), KEY) for _ in range(40_000)]
        for place in range(6):
            for digit in "0123456789":
                assert 3_600 < sum(code[place] == digit for code in codes) < 4_400
