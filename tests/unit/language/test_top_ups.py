"""Top-ups: what reads as one in each language, and all that does not."""

import re
from dataclasses import replace

import pytest

from bot.language.lexicon import language_files, lexicon
from bot.language.reader import LANGUAGES, read
from bot.language.reading import Command, NotUnderstood, Reason, Request, Verb
from bot.read_command import as_result
from tests.unit.language.cases import shown, utterance

OF_TWENTY_EUROS = {
    "en": (
        "top up 20€", "20€ top up", "Top up 20 euros, please", "TOP UP €20!", "top-up 20 EUR", "topup 20", "#topup 20€", "top me up by 20€", "hi! top up my account with 20€ 🙏",
        "top up my wallet by 20€", "add 20€ to my account", "add 20 euros to my balance", "put 20€ in my wallet", "put 20€ into my account", "deposit 20€", "deposit 20€ into my account",
        "make a deposit of 20€", "pay in 20€", "pay 20€ into my account", "recharge my account with 20€", "load my account with 20€", "fund my wallet with 20€", "top up 20€ by card",
        "top up 20€ with my credit card", "I want to top up 20€", "I'd like to add 20€ to my account", "top up twenty euros", "top up 2000 cents", "add 20€ to my account, thanks a lot", "top up 20€ @smoney",
    ),
    "fr": (
        "recharge 20€", "recharger 20€", "rechargez 20 €", "recharge mon compte de 20€", "Recharger mon compte de 20 euros svp", "recharge mon compte d'un montant de 20€", "recharge mon compte avec 20€", "recharge-moi de 20€", "20€ recharge", "recharge mon solde de 20€",
        "ajoute 20€ à mon compte", "ajouter 20€ sur mon compte", "AJOUTER 20€ A MON COMPTE", "mets 20€ sur mon compte", "verse 20€ sur mon compte", "dépose 20€", "deposer 20€ sur mon compte", "faire un dépôt de 20€",
        "alimente mon compte de 20€", "crédite mon compte de 20€", "crediter mon compte de 20€", "je voudrais recharger 20€", "je veux mettre 20€ sur mon compte", "Bonjour, merci de recharger 20 € sur mon compte",
        "recharge 20€ par carte bancaire", "recharger vingt euros",
    ),
    "de": (
        "20€ aufladen", "lade 20€ auf", "lad bitte 20€ auf", "lade mein Konto mit 20 Euro auf", "mein Konto mit 20€ aufladen", "lade mein Guthaben um 20€ auf", "lade 20€ auf mein Konto", "20€ auf mein Konto laden", "aufladen 20€",
        "20€ einzahlen", "zahle 20€ ein", "zahl bitte 20 Euro ein", "zahle 20€ auf mein Konto ein", "20€ auf mein Konto einzahlen", "ich möchte 20€ aufladen", "Ich würde gerne 20€ einzahlen", "ich will 20 Euro aufladen",
        "fülle mein Konto mit 20€ auf", "fuelle mein Konto mit 20€ auf", "füge meinem Konto 20€ hinzu", "20€ per Karte aufladen", "Aufladung von 20€", "zwanzig Euro aufladen", "Hallo, bitte 20€ aufladen, danke!",
    ),
    "es": (
        "recarga 20€", "recargar 20€", "recargue 20€", "recárgame 20€", "recargame 20€", "recarga mi cuenta con 20€", "recargar mi saldo con 20 euros por favor", "20€ recarga", "haz una recarga de 20€",
        "añade 20€ a mi cuenta", "anadir 20€ a mi cuenta", "añadir 20€ a mi saldo", "agrega 20€ a mi cuenta", "mete 20€ en mi cuenta", "pon 20€ en mi cuenta", "ingresa 20€ en mi cuenta", "ingresar 20€ en mi cuenta",
        "deposita 20€ en mi cuenta", "hacer un depósito de 20€", "quiero recargar 20€", "me gustaría recargar 20€", "quiero ingresar 20€ en mi cuenta", "recarga 20€ con tarjeta", "recargar veinte euros",
    ),
    "it": (
        "ricarica 20€", "ricaricare 20€", "ricarica il mio conto di 20€", "ricarica il conto con 20 euro per favore", "ricarica da 20€", "20€ ricarica", "fai una ricarica di 20€", "aggiungi 20€ al mio conto", "aggiungi 20€ al mio saldo",
        "metti 20€ sul mio conto", "versa 20€ sul mio conto", "versare 20€ sul conto", "depositare 20€", "deposita 20€ sul mio conto", "vorrei ricaricare 20€", "voglio versare 20€ sul mio conto", "ricarica 20€ con la carta",
        "ricaricare venti euro",
    ),
    "pt": (
        "carrega 20€", "carregar 20€", "carregue 20€", "carrega a minha conta com 20€", "carrega 20€ na minha conta", "carrega 20€ no meu saldo", "recarrega 20€", "recarregar a minha conta com 20 euros", "20€ carregar",
        "adiciona 20€ à minha conta", "adicionar 20€ a minha conta", "adiciona 20€ ao meu saldo", "põe 20€ na minha conta", "poe 20€ na minha conta", "mete 20€ na minha conta", "coloca 20€ na minha conta",
        "deposita 20€ na minha conta", "fazer um depósito de 20€", "quero carregar 20€", "gostava de carregar 20€", "gostaria de adicionar 20€ à minha conta", "carrega 20€ com cartão", "carregar vinte euros",
    ),
    "nl": (
        "20€ opwaarderen", "opwaarderen 20€", "waardeer 20€ op", "waardeer mijn saldo op met 20 euro", "waardeer mijn rekening op met 20€ aub", "mijn saldo opwaarderen met 20€", "laad 20€ op", "20 euro opladen", "stort 20€ op mijn rekening",
        "20€ op mijn rekening storten", "20€ storten op mijn rekening", "zet 20€ op mijn rekening", "20€ op mijn account zetten", "voeg 20€ toe aan mijn rekening", "20€ toevoegen aan mijn saldo", "vul mijn saldo aan met 20€",
        "ik wil 20€ opwaarderen", "ik wil graag 20€ op mijn rekening zetten", "20€ opwaarderen met kaart", "twintig euro opwaarderen",
    ),
    "ca": (
        "recarrega 20€", "recarregar 20€", "recarrega el meu compte amb 20€", "recarregar el compte amb 20 euros si us plau", "20€ recarregar", "recàrrega de 20€", "fes una recàrrega de 20€", "afegeix 20€ al meu compte", "afegir 20€ al meu saldo",
        "posa 20€ al meu compte", "ingressa 20€ al meu compte", "diposita 20€ al meu compte", "dipositar 20€", "vull recarregar 20€", "vull ingressar 20€ al meu compte", "recarrega 20€ amb targeta", "recarregar vint euros",
    ),
}  # fmt: skip
WITHOUT_AMOUNT = {
    "en": ("top up", "Top up!", "top up my account", "topup please", "deposit", "add money", "add money to my account", "add funds", "I want to top up", "can you top up my account?", "how do I top up?"),
    "fr": ("recharger", "recharger mon compte", "recharge", "dépôt", "faire un dépôt", "ajouter de l'argent", "mettre de l'argent sur mon compte", "je voudrais recharger mon compte"),
    "de": ("aufladen", "Konto aufladen", "mein Guthaben aufladen", "einzahlen", "Einzahlung", "Geld einzahlen", "zahle ein", "ich möchte aufladen"),
    "es": ("recargar", "recarga mi cuenta", "recargar saldo", "añadir dinero", "ingresar dinero", "depósito", "quiero recargar mi cuenta"),
    "it": ("ricarica", "ricaricare il mio conto", "deposito", "aggiungere denaro", "vorrei ricaricare il conto"),
    "pt": ("carregar", "carregar a minha conta", "recarga", "depósito", "depositar", "adicionar dinheiro"),
    "nl": ("opwaarderen", "mijn saldo opwaarderen", "storten", "geld storten", "geld toevoegen", "saldo opwaarderen"),
    "ca": ("recarregar", "recarrega el compte", "dipòsit", "afegir diners", "ingressar diners"),
}  # fmt: skip
REFUSED = {
    Reason.MULTIPLE_AMOUNTS: ("top up 20€ and 30€", "top up 20€ or 30€", "top up 20€ 50", "top up 20€ twice", "lade 20€ und 30€ auf", "zahle 20€ ein 30€", "zahle 20€ 30 ein"),
    Reason.AMBIGUOUS_AMOUNT: ("top up 20-30€", "top up to 20€", "top up about 20€", "top up max 20€", "top up at least 20€", "top up 1.000€", "top up20€", "recharge environ 20€", "zahle 20 ein"),
    Reason.ZERO_OR_NEGATIVE: ("top up 0€", "top up -20€", "top up 0.00€", "top up minus 20€"),
    Reason.TOO_PRECISE: ("top up 20.0055€", "recharge 0,005€", "20,1234€ aufladen"),
    Reason.NO_AMOUNT: ("top up 10%", "top up 20 percent", "20% aufladen"),
    Reason.UNSUPPORTED_CURRENCY: ("top up $20", "top up 20 dollars", "top up £20", "add 20 pounds to my account", "recharge 20 francs", "20 CHF aufladen", "ricarica 20 sterline", "recarga 20 pesos", "top up 0.01 BTC"),
    Reason.NEGATED: ("don't top up 20€", "do not top up 20€", "never top up 20€", "top up 20€ not", "stop top up 20€", "no top up", "cancel top up 20€", "ne recharge pas 20€", "nicht 20€ aufladen", "lade keine 20€ auf", "no recargar 20€", "non ricaricare 20€", "não carregar 20€", "niet 20€ opwaarderen", "no recarregar el compte amb 20€"),
    Reason.QUESTION: ("can you top up 20€?", "top up 20€?", "could you add 20€ to my account", "should I top up 20€", "kannst du 20€ aufladen?", "peux-tu recharger 20€ ?", "puedes recargar 20€"),
    Reason.NO_PAYEE: ("top up 20€ for @alice and @bob", "top up 20€ $bob"),
    Reason.SELF_PAYMENT: ("ajouté 20€ à mon compte", "top up 20€ and tell me my balance"),
    Reason.SPOOFED_TEXT: ("top\u200b up 20€", "top up 20\u200b€", "top up 2\u200b0€", "top up \u202e20€"),
    Reason.NOT_A_COMMAND: ("top up 20€ tomorrow", "top up 20€ every month", "top up 20€ monthly", "if top up 20€", "top up 20€ for lunch", "top up 20€ @alice", "@alice top up 20€", '"top up 20€"', "“top up 20€”", "I topped up 20€",
        "just topped up 20€", "I top up 20€", "he wants to top up 20€", "he would like to top up 20€", "er möchte 20€ aufladen", "elle veut recharger 20€", "hij wil 20€ opwaarderen", "my 20€ top up arrived", "check my 20€ top up", "top up 20€ and then the balance", "top up 20€ from my account", "recharge 20€ de ma part", "top up 2O€", "top up 20€ P-ABC234", "rechargé 20€", "j'ai rechargé 20€", "recharge 20€ demain",
        "20€ jeden Monat aufladen", "20€ morgen aufladen", "ich habe 20€ aufgeladen", "he recargado 20€", "recargué 20€", "ho ricaricato 20€", "add 20€", "put 20€", "füge 20€ hinzu"),
}  # fmt: skip
STAYS = (
    ("charge 20€ to @alice", "request 2000 alice"), ("charge @alice 20€", "request 2000 alice"), ("send 20€ to @alice", "2000 alice"), ("stort 20€ naar @alice", "2000 alice"), ("verse 20€ à @alice", "2000 alice"),
    ("versa 20€ a @alice", "2000 alice"), ("ingresa 20€ a @alice", "2000 alice"), ("deposita 20€ para @alice", "2000 alice"), ("zahle 20€ an @alice", "2000 alice"), ("pay in 20€ to @alice", "refuse not_a_command"),
    ("stort 20€", "refuse no_payee"), ("verse 20€", "refuse no_payee"), ("versa 20€", "refuse no_payee"), ("ingresa 20€", "refuse no_payee"), ("deposita 20€", "refuse no_payee"), ("pay 20€", "refuse no_payee"), ("pay", "refuse no_amount"),
    ("verse 20€ de mon compte", "refuse self_payment"), ("zahle ein Euro", "refuse no_payee"), ("pay 20€ with my account", "refuse self_payment"), ("my wallet", "balance"), ("mon compte", "balance"), ("funds", "balance"), ("top", "greeting"),
)  # fmt: skip


def heard(text: str, language: str = "und", *, private: bool = True):
    return read(utterance(text, language, private=private))


@pytest.mark.parametrize("code", LANGUAGES)
class TestTopUp:
    def test_is_read_with_its_amount(self, code: str):
        for text in OF_TWENTY_EUROS[code]:
            for language in ("und", code):
                reading = heard(text, language)
                assert isinstance(reading, Command), text
                assert (reading.verb, reading.amount_minor) == (Verb.TOP_UP, 2000), text

    def test_is_read_without_an_amount(self, code: str):
        for text in WITHOUT_AMOUNT[code]:
            reading = heard(text)
            assert isinstance(reading, Command), text
            assert (reading.verb, reading.amount_minor) == (Verb.TOP_UP, None), text

    def test_is_read_in_all_its_words(self, code: str):
        for words in language_files()[code]["commands"]["top_up"]:
            reading = heard(words, code)
            assert isinstance(reading, Command), words
            assert (reading.verb, reading.amount_minor) == (Verb.TOP_UP, None), words

    def test_is_read_where_words_are_typed_without_accents(self, code: str):
        for text in OF_TWENTY_EUROS[code]:
            plain = text.translate(str.maketrans("áàâäãéèêëíìîïóòôöõúùûüçñ", "aaaaaeeeeiiiiooooouuuucn"))
            assert shown(heard(plain)) == "top_up 2000", plain

    def test_may_stand_in_a_post(self, code: str):
        for text in OF_TWENTY_EUROS[code]:
            if "@smoney" not in text:
                assert shown(heard(f"@smoney {text}", code, private=False)) == "top_up 2000", text
                assert shown(heard(text, code, private=False)) == "ignore", text

    def test_is_answered_in_the_language_of_its_words(self, code: str):
        reading = heard(language_files()[code]["example_top_up"].format(amount="20€"), code)
        assert isinstance(reading, Command)
        assert (reading.amount_minor, reading.language) == (2000, code)

    def test_keeps_a_word_of_its_own_without_the_fillers(self, code: str):
        """“put in my account” may not shrink to “put”: then any “put 20€” would be a top-up."""
        listed = {frozenset(words) for words in _single_words(code)}
        alone = [words[0] for words in _stripped(code) if len(words) == 1]
        assert [forms for forms in alone if not any(listed_ <= forms for listed_ in listed)] == []

    def test_the_words_beside_it_turn_no_direction_and_ask_nothing(self, code: str):
        assert not set(language_files()[code]["commands"]["top_up_filler"]) & {
            "from", "depuis", "du", "aus", "vom", "desde", "dal", "dalla", "da minha", "vanaf", "des", "no", "not", "non", "pas", "nicht", "if", "how",
        }  # fmt: skip


def _single_words(code: str):
    return [{words} for words in language_files()[code]["commands"]["top_up"] if " " not in words]


def _stripped(code: str):
    return [one.words for several in lexicon().top_ups.values() for one in several if one.language == code]


class TestAmounts:
    @pytest.mark.parametrize(
        ("written", "cents"),
        [("20", 2000), ("20,50€", 2050), ("20.5€", 2050), ("€ 20,-", 2000), ("20€50", 2050), ("20 euros and 50 cents", 2050), ("50 cents", 50), ("forty-two euros", 4200), ("1 250,00 €", 125000), ("2k€", 200000), ("1'250€", 125000), ("1,000.50€", 100050)],
    )  # fmt: skip
    def test_are_read_as_in_an_order(self, written: str, cents: int):
        assert shown(heard(f"top up {written}")) == f"top_up {cents}"

    def test_of_one_mark_and_three_figures_count_only_where_the_command_says_so(self):
        assert shown(heard("lade 1.000€ auf")) == "top_up 100000"
        assert shown(heard("top up 1.000€", "de")) == "refuse ambiguous_amount"
        assert shown(heard("lade 1,000€ auf", "en")) == "refuse ambiguous_amount"

    def test_in_a_message_cut_off_are_not_trusted(self):
        said = replace(utterance("top up 20", private=True), is_truncated=True)
        assert shown(read(said)) == "refuse ambiguous_amount"

    def test_are_told_to_programs(self):
        assert as_result(heard("top up 20€")) == {"kind": "top_up", "amount_minor": 2000}
        assert as_result(heard("top up")) == {"kind": "top_up"}


class TestNoTopUp:
    @pytest.mark.parametrize("reason", REFUSED)
    def test_says_why(self, reason: Reason):
        told = {text: shown(heard(text)) for text in REFUSED[reason]}
        assert told == dict.fromkeys(REFUSED[reason], f"refuse {reason}")

    @pytest.mark.parametrize(("text", "expected"), STAYS)
    def test_changes_nothing_else(self, text: str, expected: str):
        assert shown(heard(text)) == expected

    def test_is_met_with_silence_in_a_post_where_it_is_talk(self):
        for text in (
            "I topped up 20€ at @smoney",
            "@smoney rechargé 20€",
            "my top up of 20€ via @smoney worked",
        ):
            assert shown(heard(text, private=False)) == "ignore", text

    def test_of_another_word_with_the_same_letters_is_read(self):
        assert not isinstance(heard("rechargé 20€", "fr"), Command)
        assert isinstance(heard("recharge 20€", "fr"), Command)


class TestSuggestion:
    def test_is_a_top_up_where_one_was_meant(self):
        for text, suggestion in (
            ("don't top up 20€", "top up 20€"),
            ("top up 20€ tomorrow", "top up 20€"),
            ("top up 1.000€", "top up 10€"),
            ("20$ aufladen", "10€ aufladen"),
            ("lade 12,50€ jeden Monat auf", "12,50€ aufladen"),
        ):
            reading = heard(text)
            assert isinstance(reading, NotUnderstood), text
            assert reading.suggestion == suggestion, text

    def test_is_itself_read(self):
        for texts in REFUSED.values():
            for reading in map(heard, texts):
                assert isinstance(reading, NotUnderstood)
                assert reading.suggestion is not None
                again = heard(reading.suggestion.replace("@…", "@alice"), reading.language)
                assert not isinstance(again, NotUnderstood | Request), reading.suggestion

    def test_addresses_the_bot_in_a_post(self):
        reading = heard("@smoney top up 20$", private=False)
        assert isinstance(reading, NotUnderstood)
        assert (reading.part, reading.suggestion) == ("20$", "@smoney top up 10€")


@pytest.mark.parametrize("code", LANGUAGES)
class TestLinesTheBotShows:
    @pytest.mark.parametrize("name", ["help", "top_up_how_much"])
    def test_are_read(self, code: str, name: str):
        """What help and the question for an amount show in front of everybody is a line that works."""
        lines = [line for line in language_files()[code]["said"][name].splitlines() if "20€" in line]
        assert len(lines) == 1
        line = lines[0].removeprefix("{?cards}")
        found = re.search(r"[“„«] ?(.*20€.*?) ?[”“»]", line) or re.match(r"(.*?20€)", line)
        assert found is not None
        assert shown(heard(found[1], code)) == "top_up 2000", found[1]
