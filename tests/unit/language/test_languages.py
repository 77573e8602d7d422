"""Each language file is held to the catalogue and to the lists the reader knows; what it lacks is named."""

import re

import pytest

from bot.language.catalogue import CATALOGUE
from bot.language.lexicon import NO_COMMANDS, ROLES, language_files
from bot.language.page_phrases import PAGE_PHRASES
from bot.language.reading import Verb

TOP = {
    "name",
    "names",
    "locale",
    "thousands_mark",
    "quotes",
    "kept_together",
    "example",
    "example_and",
    "example_top_up",
    "understood",
    "numbers",
    "commands",
    "plurals",
    "words",
    "pieces",
    "said",
    "page",
}
MAY_BE_EMPTY = {"send_with_particle", "particle"}
_PLACE = re.compile(r"\{\??(\w+)")


@pytest.mark.parametrize("code", language_files())
class TestLanguageFile:
    def test_has_every_part(self, code: str):
        assert set(language_files()[code]) == TOP

    def test_has_every_list_of_words(self, code: str):
        understood = language_files()[code]["understood"]
        assert set(understood) == set(ROLES)
        assert {name for name, words in understood.items() if not words} <= MAY_BE_EMPTY

    def test_has_every_command(self, code: str):
        commands = language_files()[code]["commands"]
        assert set(commands) == {verb.value for verb in Verb} | NO_COMMANDS
        assert all(commands.values())

    def test_says_every_phrase_and_no_other(self, code: str):
        assert set(language_files()[code]["said"]) == set(CATALOGUE)

    def test_phrases_show_all_that_is_required_and_ask_for_nothing_unknown(self, code: str):
        for name, template in language_files()[code]["said"].items():
            phrase = CATALOGUE[name]
            asked = set(_PLACE.findall(template))
            assert asked <= set(phrase.required) | set(phrase.optional), name
            assert set(phrase.required) - asked <= {"limit"} | (
                {"expires_at"} if name == "challenge" else set()
            ), name

    def test_says_every_phrase_of_the_pages_with_all_that_is_required(self, code: str):
        page = language_files()[code]["page"]
        assert set(page) == set(PAGE_PHRASES)
        for name, template in page.items():
            assert set(_PLACE.findall(template)) == set(PAGE_PHRASES[name]), name

    def test_puts_the_facts_of_a_question_before_how_to_answer_it(self, code: str):
        """The pages show what stands before the empty line, and buttons for the rest."""
        facts, _, how = language_files()[code]["said"]["challenge"].strip().partition("\n\n")
        assert {"letter", "code", "minutes"} <= set(_PLACE.findall(how))
        assert {"total", "lines", "note", "first_payment", "changed_handles", "waiting"} <= set(
            _PLACE.findall(facts)
        )

    def test_has_the_pieces_and_words_of_english(self, code: str):
        for part in ("pieces", "words", "plurals"):
            assert set(language_files()[code][part]) == set(language_files()["en"][part])

    def test_lists_no_word_twice_with_the_same_part(self, code: str):
        for name, words in language_files()[code]["understood"].items():
            assert len(words) == len(set(words)), (
                name,
                sorted(word for word in words if words.count(word) > 1),
            )
