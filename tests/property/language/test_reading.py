"""What must hold for any text, and what may never change the amount of an order."""

import os
import random
import re
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.language.reader import LANGUAGES, read
from bot.language.reading import Reading, Request, Transfer, Utterance
from bot.x.gateway import MentionEntity
from tests.property.language.amounts import amounts_in
from tests.unit.language.cases import AUTHOR, BOT, Case, cases, paying, shown, utterance

ANY_TEXT = st.text(st.characters(), max_size=300)  # lone surrogates and control characters included
PAYING = paying()
PIECES = sorted({piece for case in cases() for piece in case.text.split()})
HIDDEN = [
    "\u200b",
    "\u200c",
    "\u200d",
    "\u2060",
    "\ufeff",
    "\u00ad",
    "\u202e",
    "\u202d",
    "\u2066",
    "\u200f",
    "\u061c",
    "\u034f",
    "\u0336",
    "\U000e0041",
]
REFUSERS = {
    "second amount": [" 20€ ", " 7 ", " 5 euros ", " €3 "],
    "negation": [" not ", " nicht ", " pas ", " no ", " não ", " niet ", " non ", " don't "],
    "question": ["?", " ¿", " how "],
    "quotation": ['"', "“", "»", "„"],
    "unknown unit": [" blorks ", " dollars ", " £ ", " CHF "],
    "percent": ["%", " percent "],
}
FEW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def changed_amount(case: Case, reading: Reading) -> bool:
    """Whether money would move that the case does not move: another sum, other people, another sharing."""
    return isinstance(reading, Transfer) and shown(reading) != case.expect


def _is_one_amount(case: Case, text: str, reading: Reading) -> bool:
    """Euros put before a number make one amount with it (“5 euros 15”, “20€ 30 cents”), not a second."""
    assert isinstance(reading, Transfer)
    in_words = not any(mark.isdigit() for mark in case.text) and reading.amount_minor % 100 == 30
    return in_words or amounts_in(text) == {reading.amount_minor}


class TestAnyText:
    @FEW
    @given(ANY_TEXT, st.booleans(), st.sampled_from((*LANGUAGES, "und", "xx")), st.integers(-5, 400))
    def test_is_read_without_an_exception(self, text: str, private: bool, language: str, start: int):
        entities = utterance(text).mentions
        read(Utterance(text, AUTHOR, BOT, entities, display_start=start, language=language, private=private))

    @FEW
    @given(ANY_TEXT, st.lists(st.tuples(st.integers(-9, 400), st.integers(-9, 400), ANY_TEXT), max_size=5))
    def test_with_entities_that_lie_is_read_without_an_exception(self, text: str, lies):
        entities = tuple(MentionEntity(start, end, name) for start, end, name in lies)
        read(Utterance(text, AUTHOR, BOT, entities, answers_bot=True))

    @FEW
    @given(st.lists(st.sampled_from(PIECES), max_size=25), st.sampled_from(LANGUAGES))
    def test_made_of_real_words_pays_only_an_amount_it_holds(self, pieces: list[str], language: str):
        reading = read(utterance("@smoney " + " ".join(pieces), language))
        if isinstance(reading, Transfer):
            assert reading.amount_minor > 0
            assert reading.payees
            assert AUTHOR not in {payee.username for payee in reading.payees}


class TestWhatIsAddedToAnOrder:
    """It stays the same order or is refused; it never becomes another."""

    @pytest.mark.parametrize("kind", REFUSERS)
    def test_never_changes_the_amount(self, kind: str):
        for case, piece in product(PAYING, REFUSERS[kind]):
            words = case.text.split(" ")
            for place in range(1, len(words) + 1, 2):
                text = " ".join(words[:place]) + piece + " ".join(words[place:])
                reading = read(utterance(text, case.language))
                assert not changed_amount(case, reading) or _is_one_amount(case, text, reading), text

    def test_if_hidden_never_changes_the_amount(self):
        chance = random.Random(7)
        for case, mark in product(PAYING, HIDDEN):
            place = chance.randrange(len(case.text) + 1)
            text = case.text[:place] + mark + case.text[place:]
            assert not changed_amount(case, read(utterance(text, case.language))), ascii(text)


class TestWhatChangesNothing:
    def test_capitals_spaces_and_polite_words(self):
        please = {
            "en": "please",
            "fr": "s'il te plaît",
            "de": "bitte",
            "es": "por favor",
            "it": "per favore",
            "pt": "por favor",
            "nl": "alsjeblieft",
            "ca": "si us plau",
        }
        for case in PAYING:
            expected = shown(read(case.utterance))
            polite = case.text.replace("@smoney ", f"@smoney {please.get(case.language, 'please')} ", 1)
            for text in (
                case.text.upper() if "&" not in case.text else case.text,
                re.sub(r" (?!\d{3})", "  ", case.text),
                case.text.replace(" ", "\u00a0"),
                f" {case.text} " if case.text[0] != "[" else case.text,
                polite,
            ):
                if text == polite and not case.text.startswith("@smoney "):
                    continue
                assert shown(read(replace(case, text=text).utterance)) == expected, text


TEMPLATES = {
    "en": (
        "send {} to @alice",
        "send {} to @alice and @bob",
        "split {} between @alice and @bob",
        "pay @alice {}",
    ),
    "fr": (
        "envoie {} à @alice",
        "envoie {} à @alice et @bob",
        "partage {} entre @alice et @bob",
        "paie à @alice {}",
    ),
    "de": (
        "sende {} an @alice",
        "sende {} an @alice und @bob",
        "teile {} zwischen @alice und @bob",
        "zahle @alice {}",
    ),
    "es": (
        "envía {} a @alice",
        "envía {} a @alice y @bob",
        "divide {} entre @alice y @bob",
        "paga a @alice {}",
    ),
    "it": (
        "invia {} a @alice",
        "invia {} a @alice e @bob",
        "dividi {} tra @alice e @bob",
        "paga a @alice {}",
    ),
    "pt": (
        "envia {} para @alice",
        "envia {} para @alice e @bob",
        "divide {} entre @alice e @bob",
        "paga a @alice {}",
    ),
    "nl": (
        "stuur {} naar @alice",
        "stuur {} naar @alice en @bob",
        "verdeel {} tussen @alice en @bob",
        "betaal @alice {}",
    ),
}


class TestTranslations:
    @given(st.integers(1, 10**9))
    @FEW
    def test_of_an_order_are_the_same_order(self, cents: int):
        written = f"{cents // 100},{cents % 100:02}€"
        for template in zip(*TEMPLATES.values(), strict=True):
            readings = {
                shown(read(utterance("@smoney " + line.format(written), code)))
                for code, line in zip(TEMPLATES, template, strict=True)
            }
            assert len(readings) == 1
            assert readings.pop().startswith(f"{cents} ")

    def test_may_be_mixed(self):
        for verb, unit, to in product(
            ("send", "envoie", "sende", "envía", "invia", "stuur"),
            ("euros", "Euro", "€"),
            ("to", "à", "an", "a", "naar"),
        ):
            assert shown(read(utterance(f"@smoney {verb} 10 {unit} {to} @alice"))) == "1000 alice"


class TestIndependentReading:
    def test_agrees_on_every_order_written_in_figures(self):
        for case in PAYING:
            found = amounts_in(case.text)
            reading = read(case.utterance)
            assert isinstance(reading, Transfer | Request)
            if found and not any(mark in case.text for mark in ("note", "row")):
                assert reading.amount_minor in found, (case.text, found)
                if reading.note is None:
                    assert found == {reading.amount_minor}, (case.text, found)


MUTATIONS = [
    "",
    " ",
    "€",
    "0",
    "1",
    ",",
    ".",
    "-",
    "k",
    "?",
    "not",
    "@bob",
    " and ",
    " or ",
    "for",
    "\u200b",
    "\u202e",
    '"',
    "%",
    "2",
    "x",
    "/",
    "if ",
    "RT ",
    "£",
    "é",
    "cents",
    "\n",
    "…",
    "&gt;",
    "&amp;",
    "#",
    "split ",
    " each",
]


@pytest.mark.prove
class TestLongFuzz:
    def test_mutated_orders_never_raise_and_never_pay_more_than_they_say(self):
        """A million and more with SMONEY_PROVE=long, else a sample. An order changed in one place pays nothing, or an
        amount that an independent reading finds in the text."""
        rounds = 1_200_000 if os.environ.get("SMONEY_PROVE") == "long" else 60_000
        chance = random.Random(20141014)
        for _ in range(rounds):
            case = chance.choice(PAYING)
            text = case.text
            for _ in range(chance.randint(1, 3)):
                place = chance.randrange(len(text) + 1)
                text = text[:place] + chance.choice(MUTATIONS) + text[place + chance.choice((0, 0, 1, 2)) :]
            reading = read(utterance(text, chance.choice((case.language, "und"))))
            if isinstance(reading, Transfer) and text.isascii() is False and "€" in text:
                found = amounts_in(text)
                assert not found or reading.amount_minor in found or _in_words(text), (text, reading)


def _in_words(text: str) -> bool:
    """An amount written in words beside figures elsewhere: the independent reading knows figures only."""
    return not any(mark.isdigit() for mark in text.split("for", maxsplit=1)[0])
