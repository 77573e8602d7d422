"""The reader against every labelled case, and what it must do whatever the words are."""

import json
import re
import time
from pathlib import Path

import pytest

from bot.language import grammar, tokens
from bot.language.lexicon import lexicon
from bot.language.reader import LANGUAGES, language_of, read
from bot.language.reading import Command, Nothing, NotUnderstood, Reason, Transfer, Utterance, Verb
from bot.language.roles import Role
from bot.read_command import as_result, utterance_of
from bot.x.gateway import MentionEntity, UserId
from tests.unit.language.cases import answers, cases, shown, utterance

SHARED = Path(__file__).parents[4] / "shared" / "reader" / "dev.jsonl"


class TestLabelledCases:
    @pytest.mark.parametrize("language", LANGUAGES)
    def test_are_read_as_labelled(self, language: str):
        wrong: list[tuple[object, ...]] = []
        for case in (case for case in cases() if case.language == language):
            reading = read(case.utterance)
            if not any(answers(expected, shown(reading)) for expected in (case.expect, *case.also)):
                wrong.append((case.text, case.expect, shown(reading)))
            if case.note is not None and getattr(reading, "note", None) != case.note:
                wrong.append((case.text, case.note, getattr(reading, "note", None)))
        assert wrong == []

    def test_there_are_many_in_every_language(self):
        for language in LANGUAGES:
            assert sum(case.language == language for case in cases()) >= 60, language


@pytest.mark.shared
class TestSharedCases:
    @pytest.fixture
    def rows(self):
        if not SHARED.exists():
            pytest.skip("shared: the examination beside the project is not there")
        return [json.loads(line) for line in SHARED.read_text(encoding="utf-8").splitlines()]

    def test_nobody_is_paid_what_no_answer_accepts(self, rows):
        for row in rows:
            result = as_result(read(utterance_of(row)))
            if result["kind"] in ("transfer", "request"):
                assert any(_same(result, accepted) for accepted in _accepted(row)), row["text"]

    def test_nearly_all_are_answered_as_accepted(self, rows):
        wrong = []
        for row in rows:
            result = as_result(read(utterance_of(row)))
            refused_too = result["kind"] == "reject" and any(
                one["kind"] == "reject" for one in _accepted(row)
            )
            if not refused_too and not any(_same(result, accepted) for accepted in _accepted(row)):
                wrong.append(row["text"])
        assert len(wrong) <= len(rows) * 2 // 100, wrong


def _accepted(row):
    return [row["expect"], *row.get("accept_also", [])]


def _same(result, accepted):
    keys = {"transfer": ("amount_minor", "currency"), "request": ("amount_minor",), "reject": ("reason",)}
    same = result["kind"] == accepted["kind"]
    same = same and all(result[key] == accepted[key] for key in keys.get(result["kind"], ()))
    if same and result["kind"] in ("transfer", "request"):
        same = sorted(result["payees"]) == sorted(accepted["payees"])
        same = same and (len(result["payees"]) == 1 or result["mode"] == accepted.get("mode", "each"))
    return same


class TestPayees:
    def test_carry_the_id_of_their_entity(self):
        reading = read(utterance("@smoney send 10€ to @Alice"))
        assert isinstance(reading, Transfer)
        assert reading.payees[0].username == "alice"
        assert reading.payees[0].user_id is not None

    def test_are_nobody_where_the_entity_is_missing(self):
        said = Utterance(
            text="@smoney send 10€ to @alice",
            author="bob",
            bot="smoney",
            mentions=(MentionEntity(0, 7, "smoney"),),
        )
        assert shown(read(said)) == "refuse no_payee"

    def test_are_nobody_where_the_entity_lies_about_its_place_or_name(self):
        text = "@smoney send 10€ to @alice"
        for lie in (
            MentionEntity(19, 25, "alice"),
            MentionEntity(20, 26, "mallory"),
            MentionEntity(20, 400, "alice"),
            MentionEntity(-5, 3, "alice"),
        ):
            said = Utterance(
                text=text,
                author="bob",
                bot="smoney",
                mentions=(MentionEntity(0, 7, "smoney", UserId(1)), lie),
            )
            assert not isinstance(read(said), Transfer)

    def test_are_no_pieces_of_addresses(self):
        """X may see a mention where people see an address; without the check these would pay."""
        texts = (
            "@smoney send 10€ to @alice@mastodon",
            "@smoney send 10€ to @aliceé",
            "@smoney send 10€ to＠@alice",
        )
        for text in texts:
            start = text.index("@alice")
            entities = (MentionEntity(0, 7, "smoney"), MentionEntity(start, start + 6, "alice", UserId(5)))
            assert not isinstance(read(Utterance(text, "bob", "smoney", entities)), Transfer), text
        assert tokens._is_address(texts[0], 20, 26)
        assert not tokens._is_address("@smoney send 10€ to @alice!", 20, 26)

    def test_may_lack_an_entity_in_private_only(self):
        said = Utterance(text="send 10€ to @alice", author="bob", bot="smoney", private=True)
        reading = read(said)
        assert isinstance(reading, Transfer)
        assert reading.payees[0].user_id is None

    def test_are_not_those_hidden_in_a_reply(self):
        reading = read(utterance("[@leo ]@smoney send 40€"))
        assert isinstance(reading, NotUnderstood)
        assert reading.reason is Reason.NO_PAYEE
        assert reading.suggestion == "@smoney send 40€ to @leo"


class TestAddressing:
    def test_an_answer_to_the_bot_needs_no_handle(self):
        said = utterance("[@smoney ]send 10€ to @alice")
        assert isinstance(read(said), Nothing)
        answering = Utterance(
            said.text, said.author, said.bot, said.mentions, (), said.display_start, "en", answers_bot=True
        )
        assert shown(read(answering)) == "1000 alice"

    def test_a_name_that_only_begins_like_the_bot_is_somebody_else(self):
        assert isinstance(read(utterance("@smoney_fr send 10€ to @alice")), Nothing)

    def test_the_tweets_of_2014_are_read(self):
        for text, cents, payee in (
            ("@Smoneyfr #envoyer 12,99€ @armanddossantos", 1299, "armanddossantos"),
            ("@SMoneyfr #envoyer 100EUR @dest", 10000, "dest"),
            ("@SmoneyFR #envoyer 20 euros @dest", 2000, "dest"),
        ):
            said = utterance(text, "fr")
            reading = read(Utterance(said.text, said.author, "smoneyfr", said.mentions, language="fr"))
            assert shown(reading) == f"{cents} {payee}"


class TestTruncation:
    def test_a_cut_handle_or_number_is_not_read(self):
        for text in (
            "@smoney send 10€ to @ali…",
            "@smoney send to @alice 10…",
            "@smoney send to @alice 10€…",
            "@smoney @alice 1 25…",
        ):
            assert not isinstance(read(utterance(text)), Transfer), text

    def test_a_cut_note_changes_nothing(self):
        said = utterance("@smoney send 10€ to @alice for the piz…")
        cut = Utterance(said.text, said.author, said.bot, said.mentions, language="en", is_truncated=True)
        assert shown(read(cut)) == "1000 alice"


class TestPrivateMessages:
    @pytest.mark.parametrize(
        ("text", "verb", "reference"),
        [
            ("start", Verb.START, None),
            ("Inscription !", Verb.START, None),
            ("commencer", Verb.START, None),
            ("STOP", Verb.STOP, None),
            ("Hilfe bitte", Verb.HELP, None),
            ("solde", Verb.BALANCE, None),
            ("historial", Verb.HISTORY, None),
            ("receipt P-7K3F9Q", Verb.RECEIPT, "P-7K3F9Q"),
            ("reçu p-7k3f9q", Verb.RECEIPT, "P-7K3F9Q"),
            ("receipt p7k3f9q", Verb.RECEIPT, "P-7K3F9Q"),
            ("no", Verb.CANCEL, None),
            ("Non merci", Verb.CANCEL, None),
            ("cancel P-ABCDEF", Verb.CANCEL, "P-ABCDEF"),
            ("cancel my last payment", Verb.CANCEL, None),
            ("Storniere meine letzte Zahlung", Verb.CANCEL, None),
            ("decline", Verb.DECLINE, None),
            ("ZURÜCKGEBEN P-7K3F9Q", Verb.RETURN, "P-7K3F9Q"),
            ("freeze", Verb.FREEZE, None),
            ("bloquear", Verb.FREEZE, None),
            ("devices", Verb.DEVICES, None),
            ("Secure my account", Verb.DEVICES, None),
            ("mes appareils", Verb.DEVICES, None),
            ("Geräte", Verb.DEVICES, None),
            ("dispositivos", Verb.DEVICES, None),
            ("dispositivi", Verb.DEVICES, None),
            ("os meus dispositivos", Verb.DEVICES, None),
            ("apparaten", Verb.DEVICES, None),
            ("dispositius", Verb.DEVICES, None),
            ("yes", Verb.CONFIRM, None),
            ("ja", Verb.CONFIRM, None),
            ("sì", Verb.CONFIRM, None),
            ("hello!", Verb.GREETING, None),
            ("merci beaucoup", Verb.GREETING, None),
        ],
    )
    def test_are_commands(self, text: str, verb: Verb, reference: str | None):
        reading = read(utterance(text, "und", private=True))
        assert isinstance(reading, Command)
        assert (reading.verb, reading.reference) == (verb, reference)

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("language fr", "fr"),
            ("langue espagnol", "es"),
            ("Sprache Deutsch", "de"),
            ("language klingon", ""),
            ("in English please", "en"),
            ("taal", ""),
        ],
    )
    def test_choose_a_language(self, text: str, code: str):
        reading = read(utterance(text, "und", private=True))
        assert isinstance(reading, Command)
        assert (reading.verb, reading.argument) == (Verb.LANGUAGE, code)

    def test_are_never_met_with_silence_when_they_say_something(self):
        assert shown(read(utterance("what is the meaning of life", private=True))) == "refuse not_a_command"
        assert shown(read(utterance("I sent 10€ to @alice", private=True))) == "refuse not_a_command"

    def test_yes_and_hello_are_talk_in_public(self):
        for text in ("@smoney yes", "@smoney hello", "@smoney merci"):
            assert isinstance(read(utterance(text)), Nothing)


class TestSuggestions:
    def test_are_themselves_orders_that_are_read(self):
        for case in (case for case in cases() if case.expect.startswith("refuse")):
            reading = read(case.utterance)
            if isinstance(reading, NotUnderstood) and case.text != "@smoney cancel my last payment":
                assert reading.suggestion is not None
                filled_in = reading.suggestion.replace("@…", "@alice")
                assert isinstance(read(utterance(filled_in, reading.language)), Transfer), filled_in

    def test_with_a_place_to_fill_in_pay_nobody_as_they_stand(self):
        for text in ("@smoney send 10€", "@smoney envoie 12,50€ au resto", "@smoney stuur @a @b @c @d euro"):
            reading = read(utterance(text))
            assert isinstance(reading, NotUnderstood)
            assert reading.suggestion is not None
            assert "@…" in reading.suggestion
            assert not isinstance(read(utterance(reading.suggestion)), Transfer)

    def test_name_the_amount_that_was_read(self):
        reading = read(utterance("@smoney sned 12.50€ to @alice"))
        assert isinstance(reading, NotUnderstood)
        assert (reading.part, reading.suggestion) == ("sned", "@smoney send 12.50€ to @alice")


GUARDS = [
    (Role.NEGATION, "@smoney send 10€ to @alice not"),
    (Role.QUESTION, "@smoney send 10€ to @alice?"),
    (Role.CONDITION, "@smoney send 10€ to @alice monthly"),
    (Role.WHEN, "@smoney send 10€ to @alice tomorrow"),
    (Role.TALK, "@smoney sent: send 10€ to @alice"),
    (Role.VAGUE, "@smoney send more 10€ to @alice"),
    (Role.ABOUT, "@smoney send 10€ maximum to @alice"),
    (Role.TIMES, "@smoney send 10€ times to @alice"),
    (Role.OR, "@smoney send 10€ to @alice or @bob"),
    (Role.SELF, "@smoney send me 10€ to @alice"),
    (Role.WITH, "@smoney send 10€ with @alice"),
    (Role.PERCENT, "@smoney send 10€ to @alice percent"),
    (Role.UNIT, "@smoney send 10€ to @alice dollars"),
    (Role.UNKNOWN_HANDLE, "@smoney send 10€ to @alice $bob"),
    (Role.QUOTATION, '@smoney "send 10€ to @alice"'),
    (Role.REPOST, "RT @smoney send 10€ to @alice"),
    (Role.QUOTED_LINE, "&gt; @smoney send 10€ to @alice"),
    (Role.HIDDEN, "@smoney send 10€ to @alice\u200b"),
    (Role.ODD, "@smoney send 10€ to @alice/@bob"),
    (Role.WORD, "@smoney send 10€ to @alice blah"),
    (Role.HASHTAG, "@smoney #dontsend 10€ @alice"),
    (Role.BAD_AMOUNT, "@smoney send 10€ to @alice 5-6"),
    (Role.FROM, "@smoney send 10€ to @alice from @bob"),
    (Role.MINUS, "@smoney send 10€ to @alice minus"),
    (Role.WISH, "@smoney want to send 10€ to @alice"),
    (Role.REFERENCE, "@smoney send 10€ to @alice P-ABC234"),
    (Role.THOUSAND, "@smoney send 10€ to @alice k"),
    (Role.BEFORE_PAYEE, "@smoney send 10€ ma pote to @alice"),
]


class TestGuards:
    @pytest.mark.parametrize(
        ("role", "text"), GUARDS, ids=lambda value: value.name if isinstance(value, Role) else ""
    )
    def test_stands_between_the_text_and_a_payment(
        self, role: Role, text: str, monkeypatch: pytest.MonkeyPatch
    ):
        """The guard holds; and were it taken out of the grammar, this text would pay."""
        assert not isinstance(read(utterance(text)), Transfer)
        monkeypatch.setattr(grammar, "_DROPPED", grammar._DROPPED | {role})
        assert isinstance(read(utterance(text)), Transfer)

    def test_are_all_listed(self):
        """Whatever role an order has no place for; a number is by then an amount or a bad one."""
        placed = set(re.sub(r"\(\?P<\w+>", "", grammar._ORDER)) | set("gDHbcjolqh")
        guards = {role for role in Role if role.value not in placed}
        assert guards - {Role.NUMBER} <= {role for role, _ in GUARDS}


class TestHostileText:
    PIECES = (
        "a.", "@a ", "1 ", "1.", "«", "no ", "thanks ", "for ", "10€ ", "\u200b", "vingt ", "a-", "&gt;", "send ", "m'",
        "https://a ", "#a ", "\ud800", "@smoney ", "and @bob ", "e ", "::", ",", "hi ", "-", "=", "à ", "(", "😀",
        "1️⃣", "P-ABC234 ", "split ", "$a ", "&amp;", "5 000 ", "\n", "x",
    )  # fmt: skip

    @pytest.mark.parametrize("piece", PIECES)
    def test_of_ten_thousand_characters_is_read_in_milliseconds(self, piece):
        """A hundred, where an idle machine takes under ten: what is longer than any order is not looked at to its end."""
        text = "@smoney send 10€ to @alice " + piece * (10_000 // len(piece))
        assert _seconds(text) < 0.1, piece

    @pytest.mark.parametrize("piece", ["beer ", "@bob ", "and @bob ", "a. ", "😀"])
    def test_longer_than_any_order_never_pays(self, piece):
        text = "@smoney send 10€ to @alice for " + piece * 600
        assert isinstance(read(utterance(text)), NotUnderstood)
        assert isinstance(read(utterance("@smoney " + "what a lovely day " * 300)), Nothing)

    def test_never_raises_on_five_hundred_mentions_and_lying_offsets(self):
        text = "@smoney send 10€ to " + "@alice " * 500
        lies = tuple(MentionEntity(place * 13 - 40, place * 7, "alice", UserId(5)) for place in range(500))
        assert not isinstance(read(Utterance(text, "bob", "smoney", lies, display_start=-3)), Transfer)
        assert not isinstance(read(Utterance(text, "bob", "smoney", lies, display_start=10**9)), Transfer)

    def test_lone_surrogates_pay_nobody(self):
        assert not isinstance(read(utterance("@smoney send 1\ud8350€ to @alice")), Transfer)


class TestAHandle:
    def test_is_somebody_whatever_word_it_is(self):
        """@ten is no amount, @each no way to share, @stop no command."""
        known = lexicon()
        words = {
            word for word in (*known.exact, *known.by_fold, *known.number_pieces) if _HANDLE.fullmatch(word)
        }
        assert len(words) > 1000
        for word in sorted(words):
            order = read(utterance(f"@smoney send 10€ to @alice and @{word}"))
            assert isinstance(order, Transfer), word
            assert [payee.username for payee in order.payees] == ["alice", word]
            assert not isinstance(read(utterance(f"@smoney send @{word} euros to @alice")), Transfer), word


_HANDLE = re.compile(r"[a-z]{2,15}")


def _seconds(text: str) -> float:
    """The least of three: what else the process had to do meanwhile (a collection, say) is no fault of the reader."""
    said = utterance(text[:10_000])

    def once() -> float:
        started = time.process_time()
        read(said)
        return time.process_time() - started

    return min(once() for _ in range(3))


class TestLanguageOf:
    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("fr", "fr"),
            ("pt-BR", "pt"),
            ("French", "fr"),
            ("español", "es"),
            ("klingon", None),
            ("und", None),
            ("", None),
        ],
    )
    def test_knows_codes_and_names(self, text: str, code: str | None):
        assert language_of(text) == code

    def test_all_languages_are_listed(self):
        assert set(LANGUAGES) >= {"en", "fr", "es", "de", "it", "pt", "nl"}
