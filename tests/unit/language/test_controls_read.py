"""What people decide for themselves is read in every language, and a person named in it is that person alone."""

import re

import pytest

from bot.language.lexicon import language_files
from bot.language.reader import LANGUAGES, read
from bot.language.reading import Command, Payee, Reading, Utterance, Verb
from bot.x.gateway import MentionEntity, UserId

ALONE = (Verb.PRIVATE, Verb.PUBLIC, Verb.MUTE, Verb.UNMUTE, Verb.SETTINGS)
ABOUT = (Verb.BLOCK, Verb.UNBLOCK, Verb.TRUST, Verb.UNTRUST)


def heard(text: str, language: str = "en") -> Reading:
    return read(Utterance(text, author="bob", bot="smoney", private=True, language=language))


@pytest.mark.parametrize("code", LANGUAGES)
class TestControls:
    def test_are_read_in_all_their_words(self, code: str):
        for verb in ALONE:
            for words in language_files()[code]["commands"][verb.value]:
                reading = heard(words, code)
                assert isinstance(reading, Command), (verb, words)
                assert reading.verb is verb, words

    def test_about_somebody_name_them(self, code: str):
        for verb in ABOUT:
            for words in language_files()[code]["commands"][verb.value]:
                for text in (f"{words} @alice", f"@alice {words}", f"{words.capitalize()} @Alice!"):
                    reading = heard(text, code)
                    assert isinstance(reading, Command), text
                    assert (reading.verb, reading.person) == (verb, Payee("alice")), text

    def test_take_a_place_as_time_zone(self, code: str):
        for words in language_files()[code]["commands"]["time_zone"]:
            reading = heard(f"{words} Europe/Paris", code)
            assert isinstance(reading, Command)
            assert reading.verb is Verb.TIME_ZONE
            assert (reading.argument or "").endswith("Europe/Paris")

    def test_block_and_unblock_without_anybody_stay_the_persons_own_brake(self, code: str):
        first = language_files()[code]["commands"]
        for verb, own in ((Verb.BLOCK, Verb.FREEZE), (Verb.UNBLOCK, Verb.THAW)):
            reading = heard(first[verb.value][0], code)
            assert isinstance(reading, Command)
            assert reading.verb in {own, verb}
            if any(first[verb.value][0] == words for words in first[own.value]):
                assert reading.verb is own


class TestPersonNamed:
    def test_is_the_one_of_the_posts_own_entity(self):
        text = "@smoney block @alice"
        mentions = (MentionEntity(0, 7, "smoney", UserId(1)), MentionEntity(14, 20, "alice", UserId(7)))
        reading = read(Utterance(text, author="bob", bot="smoney", mentions=mentions))
        assert reading == Command(Verb.BLOCK, person=Payee("alice", UserId(7)), language="en")

    @pytest.mark.parametrize(
        "text",
        ["block @alice @carol", "don't block @alice", "block @alice 10€", "freeze @alice", "balance @alice"],
    )
    def test_is_nobody_where_it_is_not_certain(self, text: str):
        reading = heard(text)
        assert not (isinstance(reading, Command) and reading.person)


@pytest.mark.parametrize("code", LANGUAGES)
class TestWordsTheBotTellsPeopleToWrite:
    """A sentence that says "CANCEL with the reference takes it back" must name a word that the reader knows."""

    @pytest.mark.parametrize("verb", [Verb.CANCEL, Verb.DECLINE, Verb.RETURN, Verb.RECEIPT])
    def test_are_read_with_a_reference(self, code: str, verb: Verb):
        word = language_files()[code]["words"][f"command_{verb.value}"]
        reading = heard(f"{word} P-HDVVRX", code)
        assert isinstance(reading, Command), word
        assert (reading.verb, reading.reference) == (verb, "P-HDVVRX")

    def test_are_read_where_it_stands_in_capitals_alone(self, code: str):
        for name in (
            "help",
            "history",
            "reference_unknown",
            "not_frozen",
            "factor_new",
            "private_on",
            "frozen",
        ):
            for word in _CAPITALS.findall(language_files()[code]["said"][name]):
                assert isinstance(heard(word, code), Command), (name, word)


_CAPITALS = re.compile(r"\b[A-ZÀ-Þ](?:·?[A-ZÀ-Þ]){2,}\b")
