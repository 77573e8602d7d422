"""Every refusal of the program has its sentence; the language files are held to the catalogue elsewhere."""

import importlib
import pkgutil

import bot
from bot.errors import Refusal
from bot.language.catalogue import CATALOGUE


def refusals() -> list[type[Refusal]]:
    for module in pkgutil.walk_packages(bot.__path__, "bot."):
        if ".versions." not in module.name:
            importlib.import_module(module.name)
    found, left = [], [Refusal]
    while left:
        children = left.pop().__subclasses__()
        found += children
        left += children
    return found


class TestRefusals:
    def test_have_each_a_phrase_of_the_catalogue(self):
        assert len(refusals()) >= 12
        assert {
            refusal.__name__: refusal.phrase for refusal in refusals() if refusal.phrase not in CATALOGUE
        } == {}
