"""What must hold for every top-up: the amount that was written, and nobody else in the message."""

import random
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.language.lexicon import language_files
from bot.language.reader import LANGUAGES, read
from bot.language.reading import Command, NotUnderstood, Reading, Verb
from tests.property.language.amounts import amounts_in
from tests.unit.language.cases import cases, paying, shown, utterance

FEW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
PLAIN = {
    "en": ("top up {}", "{} top up", "add {} to my account", "top up my wallet with {} please"),
    "fr": ("recharge {}", "recharger mon compte de {}", "ajoute {} à mon compte svp"),
    "de": ("{} aufladen", "lade mein Konto mit {} auf", "bitte {} auf mein Konto einzahlen"),
    "es": ("recarga {}", "recarga mi cuenta con {}", "ingresa {} en mi cuenta por favor"),
    "it": ("ricarica {}", "ricarica il mio conto di {}", "versa {} sul mio conto per favore"),
    "pt": ("carrega {}", "carrega a minha conta com {}", "adiciona {} à minha conta por favor"),
    "nl": ("{} opwaarderen", "waardeer mijn saldo op met {}", "zet {} op mijn rekening aub"),
    "ca": ("recarrega {}", "recarrega el compte amb {}", "afegeix {} al meu compte si us plau"),
}
SPELLINGS = (
    "{whole},{cents:02}€",
    "{whole}.{cents:02} €",
    "€{whole}.{cents:02}",
    "€ {whole},{cents:02}",
    "{whole},{cents:02} EUR",
    "{whole}.{cents:02} euros",
    "{whole} euro {cents:02} cent",
)
WORDS = sorted({word for table in language_files().values() for word in table["commands"]["top_up"]})
BESIDE = sorted({word for table in language_files().values() for word in table["commands"]["top_up_filler"]})
PIECES = sorted({piece for case in cases() for piece in case.text.split()})
AMOUNTS = [
    "20€",
    "5 euros",
    "7",
    "€3",
    "20,50",
    "ten euros",
    "0€",
    "-4€",
    "$9",
    "20%",
    "1.000€",
    "ein",
    "un",
    "2k",
]


def is_top_up(reading: Reading) -> bool:
    return isinstance(reading, Command) and reading.verb is Verb.TOP_UP


@pytest.mark.parametrize("language", PLAIN)
class TestAmountWritten:
    @FEW
    @given(st.integers(1, 10**9), st.sampled_from(SPELLINGS), st.sampled_from(["und", *LANGUAGES]), st.data())
    def test_is_the_amount_read(self, language: str, cents: int, spelling: str, hint: str, data):
        line = data.draw(st.sampled_from(PLAIN[language]))
        text = line.format(spelling.format(whole=cents // 100, cents=cents % 100))
        assert shown(read(utterance(text, hint, private=True))) == f"top_up {cents}", text

    @FEW
    @given(st.integers(1, 10**6), st.data())
    def test_in_whole_euros_is_the_amount_read(self, language: str, euros: int, data):
        line = data.draw(st.sampled_from(PLAIN[language]))
        for written in (
            f"{euros}€",
            f"€{euros}",
            f"{euros} EUR",
            f"{euros} euro",
            f"{euros},-€",
            f"{euros}00 cent",
        ):
            text = line.format(written)
            assert shown(read(utterance(text, private=True))) == f"top_up {euros * 100}", text


class TestSomebodyInTheMessage:
    def test_makes_it_no_top_up_whatever_the_order_is(self):
        for case, private in product((case for case in cases() if "@" in case.text), (True, False)):
            reading = read(utterance(case.text, case.language, private=private))
            assert not is_top_up(reading), case.text

    def test_keeps_an_order_an_order_whatever_top_up_is_written_around_it(self):
        chance = random.Random(20)
        for case in paying():
            words = case.text.split(" ")
            place = chance.randrange(len(words) + 1)
            text = " ".join([*words[:place], chance.choice(WORDS), *words[place:]])
            reading = read(utterance(text, case.language, private=chance.random() < 0.5))
            assert not is_top_up(reading), text

    @FEW
    @given(
        st.lists(st.sampled_from([*WORDS, *BESIDE, *AMOUNTS]), min_size=1, max_size=6),
        st.integers(0, 6),
        st.booleans(),
    )
    def test_is_never_paid_a_top_up(self, pieces: list[str], place: int, private: bool):
        text = " ".join(["@smoney", *pieces[:place], "@alice", *pieces[place:]])
        assert not is_top_up(read(utterance(text, private=private))), text


class TestAnyWords:
    @FEW
    @given(
        st.lists(
            st.sampled_from([*WORDS, *BESIDE, *AMOUNTS]) | st.sampled_from(PIECES), min_size=1, max_size=9
        ),
        st.sampled_from(LANGUAGES),
    )
    def test_top_up_only_an_amount_that_was_written(self, pieces: list[str], language: str):
        text = " ".join(pieces)
        reading = read(utterance(text, language, private=True))
        if isinstance(reading, Command) and reading.amount_minor is not None:
            assert reading.verb is Verb.TOP_UP
            assert reading.amount_minor > 0
            found = amounts_in(text)
            assert not found or found == {reading.amount_minor}, (text, found)

    @pytest.mark.parametrize(
        "piece",
        [
            "30€",
            "7",
            "$",
            "not",
            "nicht",
            "pas",
            "?",
            "every month",
            "tomorrow",
            "\u200b",
            '"',
            "%",
            "or",
            "because",
            "blorks",
        ],
    )
    def test_added_to_a_top_up_never_change_its_amount(self, piece: str):
        for lines in PLAIN.values():
            for line in lines:
                words = line.format("20€").split(" ")
                for place in range(len(words) + 1):
                    text = " ".join([*words[:place], piece, *words[place:]])
                    reading = read(utterance(text, private=True))
                    assert isinstance(reading, NotUnderstood), text
