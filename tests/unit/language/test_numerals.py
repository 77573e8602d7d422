"""The shapes of numbers, one by one."""

import pytest

from bot.language.lexicon import lexicon
from bot.language.numerals import numeral
from bot.language.reading import Reason


class TestNumeral:
    @pytest.mark.parametrize(
        ("text", "hundredths"),
        [
            ("40", 4000), ("040", 4000), ("40,5", 4050), ("40.50", 4050), (",40", 40), (".4", 40), ("1.250,00", 125000), ("1,250.00", 125000),
            ("1'250.50", 125050), ("1’250", 125000), ("3 400,50", 340050), ("3\u00a0400", 340000), ("3\u202f400", 340000), ("1.000.000", 100000000), ("1,000,000.5", 100000050),
            ("40,-", 4000), ("40,--", 4000), ("40.-", 4000), ("４０", 4000), ("٤٠", 4000), ("4️⃣0️⃣", 4000), ("🔟", 1000), ("𝟒𝟎", 4000), ("0,5", 50), ("0", 0),
        ],
    )  # fmt: skip
    def test_is_exact(self, text: str, hundredths: int):
        read = numeral(text)
        assert (read.hundredths, read.reason, read.mark) == (hundredths, None, "")

    @pytest.mark.parametrize(("text", "mark"), [("2.000", "."), ("2,000", ","), ("250.000", ".")])
    def test_asks_the_language_about_three_digits(self, text: str, mark: str):
        assert (numeral(text).mark, numeral(text).reason) == (mark, None)

    @pytest.mark.parametrize(
        "text",
        [
            "3.4.5", "30,40,50", "3 00", "3..000", "30. 40", "10 , 50", "4_0", "8*5", "8x5", "8×5", "10+5", "10-20", "10/2", "10:30", "1.2345,00", "12,34.56", "1.250,500",
            "3'40", "1,250,00", "40-", "1 2 3", "1" * 13, "9" * 300, "40.50.", "1 000.000,00", "0 400", "1,00,000",
        ],
    )  # fmt: skip
    def test_is_refused_whole(self, text: str):
        assert numeral(text).reason is not None

    @pytest.mark.parametrize("text", ["40.0005", "0,004", "0.500", "1234.567", "1,250.0005"])
    def test_finer_than_a_cent_is_too_precise(self, text: str):
        assert numeral(text).reason is Reason.TOO_PRECISE

    @pytest.mark.parametrize("text", ["4０", "٤0", "४०", "4️⃣0", "𝟒0", "①0"])
    def test_mixed_or_unknown_digits_are_refused(self, text: str):
        assert numeral(text).reason is not None


class TestNumberWords:
    @pytest.mark.parametrize(
        ("language", "words", "value"),
        [
            ("en", "forty two", 42), ("en", "one hundred and five", 105), ("en", "two thousand five hundred", 2500), ("en", "a hundred", 100),
            ("fr", "quatre vingt dix sept", 97), ("fr", "soixante et onze", 71), ("fr", "deux cents", 200), ("fr", "mille deux cent trente", 1230), ("fr", "septante deux", 72),
            ("de", "fünfundzwanzig", 25), ("de", "zweitausenddreihundert", 2300), ("de", "hundertfünf", 105), ("es", "cuarenta y dos", 42), ("es", "mil quinientos", 1500),
            ("es", "veintidós", 22), ("it", "ventotto", 28), ("it", "duemila", 2000), ("it", "centocinquanta", 150), ("pt", "vinte e cinco", 25), ("pt", "cento e vinte e três", 123),
            ("pt", "mil e quinhentos", 1500), ("nl", "vijfentwintig", 25), ("nl", "tweeëntwintig", 22), ("nl", "honderdvijf", 105), ("nl", "drieduizend", 3000),
        ],
    )  # fmt: skip
    def test_are_read_in_full(self, language: str, words: str, value: int):
        from bot.language.folding import folded  # noqa: PLC0415

        assert lexicon().numbers[language].value_of(folded(words).replace(" ", "")) == value

    def test_every_number_below_a_hundred_is_known_in_every_language(self):
        for language, table in lexicon().numbers.items():
            assert set(range(1000)) <= set(table.values.values()), language

    def test_no_two_languages_disagree_about_a_word(self):
        found: dict[str, set[int]] = {}
        for table in lexicon().numbers.values():
            for word, value in table.values.items():
                found.setdefault(word, set()).add(value)
        assert {word: values for word, values in found.items() if len(values) > 1} == {}
