"""Clear orders, put together from what people say in each language: each combination is read, and read right."""

import random
from collections.abc import Iterator

import pytest

from bot.language.reader import read
from tests.unit.language.cases import shown, utterance

GREETINGS = {
    "en": "Hi Hello Hey",
    "fr": "Salut Bonjour Coucou Bonsoir",
    "de": "Hallo Hi Moin Servus",
    "es": "Hola Buenas",
    "it": "Ciao Salve Buongiorno",
    "pt": "Olá Oi Viva",
    "nl": "Hoi Hallo Goedemorgen",
}
THANKS = {
    "en": "Thanks for lunch",
    "fr": "Merci pour le resto",
    "de": "Danke fürs Essen",
    "es": "Gracias por la cena",
    "it": "Grazie per la cena",
    "pt": "Obrigado pelo jantar",
    "nl": "Bedankt voor het eten",
}
POLITE = {
    "en": ("please", "pls", "thanks", "cheers", "🙏"),
    "fr": ("stp", "svp", "merci", "s'il te plaît", "merci d'avance"),
    "de": ("bitte", "danke", "Danke", "🙏"),
    "es": ("por favor", "porfa", "gracias", "🙏"),
    "it": ("per favore", "per piacere", "grazie mille", "🙏"),
    "pt": ("por favor", "pf", "obrigado", "se faz favor"),
    "nl": ("aub", "alsjeblieft", "bedankt", "dank je wel", "graag"),
}
VERBS = {
    "en": "send pay transfer give #send #pay tip wire",
    "fr": "envoie envoyer envoyez paie paye vire virer verse transfère donne #envoyer #payer",
    "de": "sende senden schicke schick überweise überweisen ueberweise zahle bezahle gib #senden",
    "es": "envía envia enviar manda mandar paga pagar transfiere transferir #enviar dale",
    "it": "invia inviare manda paga pagare versa versare trasferisci #inviare #pagare dai",
    "pt": "envia envie enviar manda paga pagar transfere transferir transfira #enviar",
    "nl": "stuur sturen betaal betalen overmaken geef zend #sturen #betalen",
}
TO = {"en": "to", "fr": "à", "de": "an", "es": "a", "it": "a", "pt": "para a ao", "nl": "naar aan"}
NOTE = {
    "en": "for coffee",
    "fr": "pour le ciné",
    "de": "für Pizza",
    "es": "por la cena",
    "it": "per la pizza",
    "pt": "para o cinema",
    "nl": "voor het cadeau",
}
AMOUNTS = {"10": 1000, "8,45": 845, "18.60": 1860, "1250": 125000, "0,5": 50}


@pytest.mark.parametrize("language", VERBS)
class TestClearOrders:
    def test_are_read_however_they_are_put(self, language: str):
        chance = random.Random(language)
        for _ in range(400):
            text, cents = _put_together(language, chance)
            assert shown(read(utterance(text, language))) == f"{cents} alice_b", text


def _put_together(language: str, chance: random.Random) -> tuple[str, int]:
    written, cents = chance.choice(list(AMOUNTS.items()))
    unit = "Euro" if language == "de" else "euro"
    form = chance.choice(("{}€", "{} €", "€{}", "€ {}", "EUR {}", "{}EUR", f"{{}} {unit}", f"{{}}{unit}"))
    verb, to = chance.choice(VERBS[language].split()), chance.choice(TO[language].split())
    amount = form.format(written)
    order = chance.choice(
        (f"{verb} {amount} {to} @Alice_B", f"{verb} {to} @Alice_B {amount}", f"{verb} @Alice_B {amount}")
    )
    return chance.choice(list(_dressed(order, language, chance))), cents


def _dressed(order: str, language: str, chance: random.Random) -> Iterator[str]:
    greeting = chance.choice(GREETINGS[language].split())
    polite, note = chance.choice(POLITE[language]), NOTE[language]
    yield f"@smoney {order}"
    yield f"@SMoney: {order}!"
    yield f"@smoney {order} {polite}"
    yield f"@smoney {order}, {polite}!"
    yield f"@smoney, {polite} {order}"
    yield f"@smoney {order} {note} 🍕"
    yield f"@smoney\n{order}\n{note}"
    yield f"{greeting} @smoney, {order} 🙏"
    yield f"{greeting} @smoney! {order}"
    yield f"{THANKS[language]} @Alice_B! @smoney {order}"
