"""What stands under the box while somebody types."""

import pytest

from bot.demo.preview import _WHY, preview
from bot.language.reading import Reason


def seen(text: str) -> tuple[str, str]:
    found = preview(text, "bob", bot="smoney")
    assert found is not None
    return found["tone"], found["says"]


class TestPreview:
    def test_shows_an_order_as_it_is_read(self):
        assert seen("@smoney send 12,50€ to @alice for pizza") == (
            "order",
            "reads: send 12.50 € to @alice, note “pizza”",
        )

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("@smoney send 10€ or 20€ to @alice", "more than one amount: “20€”"),
            ("@smoney send 10€", "nobody to pay for sure"),
            ("@smoney don't send 10€ to @alice", "there is a “no” in it"),
        ],
    )
    def test_says_why_it_would_be_refused_and_what_would_work(self, text, says):
        tone, said = seen(text)
        assert tone == "refusal"
        assert said.startswith(f"would be refused, {says}")
        assert "would work: @smoney send" in said
        assert "was paid" not in said

    def test_has_words_for_every_reason(self):
        assert set(_WHY) == set(Reason)

    def test_says_nothing_of_nothing(self):
        assert preview("  ", "bob", bot="smoney") is None
        assert seen("what a day")[0] == "chatter"
