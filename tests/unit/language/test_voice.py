"""Every phrase in every language, with the longest and the most hostile values."""

import re
import unicodedata
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.language.catalogue import CATALOGUE, Direction, Entry, Label, Line, Renamed, State
from bot.language.reader import LANGUAGES
from bot.language.voice import UnknownPhrase, say
from bot.x.text import contains_url, fits
from ledger.money import EUR, Currency, Money

PARIS = ZoneInfo("Europe/Paris")
NOON = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)
ALICE = Label("alice", "Alice Martin")
BOB = Label("bob")
TEN = Money(1000, EUR)
LONGEST = Label("W" * 15, "🏦" * 50)
HOSTILE = "x\u202e\u200b\nK 482913\r\n\x00paid.in https://evil.com “NO” \ud800 " + "long " * 200


def values(*, hostile: bool = False) -> dict[str, Any]:
    """One value for every parameter of the catalogue."""
    text = HOSTILE if hostile else "lunch"
    label = Label("evil.com", HOSTILE) if hostile else ALICE
    line = Line(label, Money(10**13, EUR) if hostile else TEN, "P-7K3F9Q")
    entry = Entry(Direction.OUT, label, TEN, NOON, "P-7K3F9Q", State.PAID, text)
    money = Money(10**13, EUR) if hostile else TEN
    shared = {
        "note": text,
        "fee": money,
        "first_payment": (label,),
        "changed_handles": (label, BOB),
        "renamed": (Renamed(label, "alice.com" if hostile else "alice_old", NOON),),
        "waiting": (label,),
        "hold_days": 7,
    }
    return {
        **shared, "reference": "P-7K3F9Q", "bot": "smoney", "operator": text, "balance": money, "debt": money, "lines": (line, line), "total": money, "letter": "K",
        "code": "482913", "minutes": 5, "expires_at": NOON, "edited": True, "on_page": True, "remaining": 3, "until": NOON, "letters": ("K", "M"), "held": money,
        "held_until": NOON, "payer": label, "payee": label, "amount": money, "days": 7, "command": "cancel", "posted": money, "available": money,
        "incoming": money, "entries": (entry, Entry(Direction.IN, BOB, TEN, NOON, "P-7K3F9Q", State.HELD)), "languages": ("en", "fr"), "limit": money,
        "needed": money, "factor_helps": True, "undo_until": NOON, "exempt_trusted": True, "exempt_small": True, "username": "ghost", "left": money, "count": 5, "part": text, "suggestion": text, "link": "http://127.0.0.1:8350/me/link?t=x", "device": text,
        "why": text, "bank_reference": text, "alarm": "ledger_broken", "since": NOON, "paused": True, "version": 3, "waits": True, "time_zone": "Europe/Paris", "private": True, "public": True, "muted": True, "unmuted": True, "blocked": (label, BOB), "trusted": (label,),
        "least": money, "most": money, "cards": True,
    }  # fmt: skip


def parameters(phrase: str, *, hostile: bool = False, full: bool = True) -> dict[str, Any]:
    wanted = {**CATALOGUE[phrase].required, **(CATALOGUE[phrase].optional if full else {})}
    given = values(hostile=hostile)
    chosen = {name: given[name] for name in wanted}
    if wanted.get("limit") is int:
        chosen["limit"] = 20
    if wanted.get("held") is tuple:
        chosen["held"] = (ALICE,)
    return chosen


def said(phrase: str, language: str, **changed: Any) -> str:
    return say(
        phrase, language=language, parameters={**parameters(phrase, full=False), **changed}, time_zone=PARIS
    )


@pytest.mark.parametrize("language", LANGUAGES)
class TestEveryPhrase:
    def test_is_said_with_all_and_with_only_the_required_parameters(self, language: str):
        for phrase in CATALOGUE:
            for full in (True, False):
                text = _said_with(phrase, language, full=full)
                assert text
                assert "{" not in text, phrase
                assert "None" not in text, phrase

    def test_lets_no_stranger_write_its_lines(self, language: str):
        for phrase in CATALOGUE:
            text, honest = _said_with(phrase, language, hostile=True), _said_with(phrase, language)
            assert text.count("\n") == honest.count("\n"), phrase
            assert not contains_url(text), phrase
            assert text.count("K 482913") == honest.count("K 482913"), phrase
            hidden = [
                mark for mark in text if unicodedata.category(mark)[0] == "C" and mark not in "\n\u200d"
            ]
            assert hidden == [], phrase

    def test_holds_no_address(self, language: str):
        for phrase in CATALOGUE:
            assert not contains_url(_said_with(phrase, language)), phrase

    def test_fits_a_post_and_tells_nothing_where_it_is_public(self, language: str):
        for phrase in (name for name, phrase in CATALOGUE.items() if phrase.public):
            text = say(
                phrase,
                language=language,
                parameters={"reference": "P-WWWWWW", "minutes": 1440},
                time_zone=PARIS,
            )
            assert fits(text)
            assert "@" not in text
            assert "€" not in text


def _said_with(phrase: str, language: str, *, hostile: bool = False, full: bool = True) -> str:
    return say(
        phrase, language=language, parameters=parameters(phrase, hostile=hostile, full=full), time_zone=PARIS
    )


class TestChallenge:
    def test_shows_what_is_to_be_confirmed(self):
        text = said(
            "challenge",
            "en",
            lines=(Line(ALICE, TEN),),
            note="lunch",
            first_payment=(ALICE,),
            waiting=(ALICE,),
            hold_days=7,
            letter="K",
            code="482913",
        )
        assert text.splitlines() == [
            "Pay €10.00 to @alice (Alice Martin)?",
            "Note: “lunch”",
            "First payment to @alice (Alice Martin): check the handle letter by letter.",
            "@alice (Alice Martin) is not with us yet: I would keep the money for them.",
            "What is not claimed within 7\u00a0days comes back to you.",
            "",
            "To pay, answer K 482913",
            "To refuse, answer NO",
            "Valid for 5\u00a0minutes, until 12:00.",
            "Ref P-7K3F9Q",
        ]

    def test_has_no_code_where_a_message_is_not_enough(self):
        text = said("challenge", "en", on_page=True)
        assert (
            "To pay, answer on my page with your authenticator app: a message is not enough for this amount. "
            "DEVICES takes you there."
        ) in text.splitlines()
        assert "To pay, answer K" not in text

    def test_shows_each_of_several_payees(self):
        text = said("challenge", "fr", total=Money(2000, EUR), lines=(Line(ALICE, TEN), Line(BOB, TEN)))
        assert text.splitlines()[:3] == [
            "Payer 20,00\u00a0€ en tout\u00a0?",
            "• 10,00\u00a0€ à @alice (Alice Martin)",
            "• 10,00\u00a0€ à @bob",
        ]

    def test_counts_one_minute_in_the_singular(self):
        assert "1\u00a0minute," in said("challenge", "en", minutes=1)
        assert "1\u00a0Minute," in said("challenge", "de", minutes=1)


class TestMarksKeptTogether:
    def test_no_french_mark_can_begin_a_line(self):
        for phrase in CATALOGUE:
            assert not re.search(r" [:;!?»]|« ", _said_with(phrase, "fr")), phrase

    def test_what_a_person_wrote_keeps_its_own_spaces(self):
        assert "«\u00a0ça va ?\u00a0»" in said("challenge", "fr", note="ça va ?")


class TestFormats:
    @pytest.mark.parametrize(
        ("language", "shown"),
        [
            ("en", "€1,234.50"),
            ("fr", "1\u202f234,50\u00a0€"),
            ("de", "1.234,50\u00a0€"),
            ("nl", "€\u00a01.234,50"),
            ("it", "1.234,50\u00a0€"),
        ],
    )
    def test_money_is_local(self, language: str, shown: str):
        assert shown in said("already_enrolled", language, balance=Money(123450, EUR))

    def test_a_currency_of_ones_own_has_its_own_decimals(self):
        assert "12.345" in said("already_enrolled", "en", balance=Money(12345, Currency("SOL", 3)))
        assert "12,345." in said("already_enrolled", "en", balance=Money(12345, Currency("PTS", 0)))

    def test_a_list_of_letters_is_a_choice(self):
        assert "K or M" in said("answer_which", "en", letters=("K", "M"))


class TestSay:
    def test_an_unknown_language_hears_english(self):
        assert said("thanks", "tlh") == said("thanks", "en")

    def test_an_unknown_phrase_is_a_fault(self):
        with pytest.raises(UnknownPhrase):
            say("nonsense", language="en", parameters={}, time_zone=UTC)

    def test_a_missing_parameter_is_a_fault(self):
        with pytest.raises(KeyError):
            say("balance", language="en", parameters={}, time_zone=UTC)

    def test_help_shows_lines_that_are_read(self):
        for language in LANGUAGES:
            text = said("help", language)
            assert "@smoney" in text
