"""Mouth: a phrase and its parameters become the words of one language.

A phrase stands in the language files line by line. `{name}` is a parameter in the form its type asks for, `{name:how}`
in another form; a line whose parameter is absent is left out, and `{?name}` at its beginning asks for one without
showing it (`{?lines.one}` and `{?lines.many}` for one or several). `- {lines:piece}` on a line of its own is repeated for each
item. Text from strangers is cleaned here, always.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from bot.language import formats, hostile
from bot.language.catalogue import CATALOGUE, Direction, Entry, Label, Line, Parameters
from bot.language.lexicon import language_files
from bot.language.page_phrases import PAGE_PHRASES
from ledger.money import Money

_PLACE = re.compile(r"\{(\w+)(?:[:|](\w+))?\}")
_CONDITION = re.compile(r"\{\?(\w+)(?:\.(one|many))?\}")
_QUOTED = frozenset(("note", "part", "suggestion"))
_HANDLES = frozenset(("bot", "username", "before"))
_OURS = frozenset(
    ("code", "letter", "letters", "reference", "link")
)  # made by us: nothing to clean, and typed as shown


class UnknownPhrase(LookupError):
    """No such phrase in the catalogue, or a language that lacks it: a fault of the program, never of a person."""


def say(phrase: str, *, language: str, parameters: Parameters, time_zone: tzinfo) -> str:
    """The phrase in this language; in English where there is no file for the language.

    Raises `UnknownPhrase` for a phrase that is not in the catalogue and `KeyError` for a required parameter left out.
    """
    if phrase not in CATALOGUE:
        raise UnknownPhrase(phrase)
    for name in CATALOGUE[phrase].required:
        parameters[name]
    known = language if language in language_files() else "en"
    speaker = _Speaker(known, language_files()[known], parameters, time_zone)
    return speaker.text(language_files()[known]["said"][phrase])


def say_on_page(phrase: str, *, language: str, parameters: Parameters, time_zone: tzinfo) -> str:
    """A sentence of the bot's own pages, in the same way. What it returns is text: a page escapes it."""
    if phrase not in PAGE_PHRASES:
        raise UnknownPhrase(phrase)
    for name in PAGE_PHRASES[phrase]:
        parameters[name]
    known = language if language in language_files() else "en"
    speaker = _Speaker(known, language_files()[known], parameters, time_zone)
    return speaker.text(language_files()[known]["page"][phrase])


@dataclass(frozen=True, slots=True)
class _Speaker:
    language: str
    table: Mapping[str, Any]
    parameters: Mapping[str, Any]
    time_zone: tzinfo

    def text(self, template: str) -> str:
        template = self._kept_together(template)
        lines = (said for line in template.strip().splitlines() for said in self._lines(line.rstrip()))
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()

    def _kept_together(self, template: str) -> str:
        """No line may begin with a French “!” or end with “«”: the space there does not break. What others wrote stays."""
        for pair in self.table["kept_together"]:
            template = template.replace(pair, pair.replace(" ", "\u00a0"))
        return template

    def _lines(self, line: str) -> Iterator[str]:
        """What one line of a template becomes: nothing, a line, or one for each item."""
        for condition in _CONDITION.finditer(line):
            if not self._holds(condition[1], condition[2]):
                return
        bare = _CONDITION.sub("", line)
        names = [place[1] for place in _PLACE.finditer(bare)]
        if any(_is_absent(self.parameters.get(name)) for name in names):
            return
        repeated = next((place for place in _PLACE.finditer(bare) if self._is_piece(place[2])), None)
        if repeated is None:
            yield self._filled(bare, self.parameters)
            return
        for item in self.parameters[repeated[1]]:
            yield bare.replace(repeated[0], self._piece(repeated[2], item))

    def _is_piece(self, name: str | None) -> bool:
        pieces = self.table["pieces"]
        return name in pieces or f"{name}_{Direction.OUT.value}" in pieces

    def _holds(self, name: str, number: str | None) -> bool:
        value = self.parameters.get(name)
        if number is None:
            return not _is_absent(value) and value is not False
        return isinstance(value, tuple) and (len(value) == 1 if number == "one" else len(value) > 1)

    def _piece(self, name: str, item: Any) -> str:
        """One item in the words of a piece; a piece for entries may differ by direction."""
        pieces = self.table["pieces"]
        template = self._kept_together(
            pieces[f"{name}_{item.direction.value}" if isinstance(item, Entry) else name]
        )
        fields = {field: getattr(item, field) for field in item.__dataclass_fields__}
        kept = [part for part in re.split(r"(?= · )", template) if not self._lacks(part, fields)]
        return self._filled("".join(kept), fields)

    def _lacks(self, part: str, fields: Mapping[str, Any]) -> bool:
        return any(_is_absent(fields.get(place[1])) for place in _PLACE.finditer(part))

    def _filled(self, template: str, values: Mapping[str, Any]) -> str:
        return _PLACE.sub(lambda place: self._worded(place[1], values[place[1]], place[2]), template)

    def _worded(self, name: str, value: Any, how: str | None) -> str:
        if isinstance(value, tuple):
            style = "or" if how == "or" else "standard"
            return formats.listed(
                [self._worded(name, item, None) for item in value], self.language, style=style
            )
        if isinstance(value, datetime):
            return self._instant(value, how)
        if isinstance(value, Money):
            return formats.money(value, self.language)
        if isinstance(value, Line):
            return self._person(value.person)
        if isinstance(value, Label):
            return self._person(value)
        if isinstance(value, int):
            return self._counted(value, how)
        return self._string(name, str(value))

    def _instant(self, value: datetime, how: str | None) -> str:
        form = {"time": formats.time, "date": formats.date}.get(how or "", formats.moment)
        return form(value, self.language, self.time_zone)

    def _counted(self, value: int, how: str | None) -> str:
        """As in “5 minutes”, “1 day”: the number with its noun."""
        shown = formats.number(value, self.language)
        if how is None:
            return shown
        forms = self.table["plurals"][how]
        return f"{shown}\u00a0{forms.get(formats.plural(value, self.language), forms['other'])}"

    def _person(self, label: Label) -> str:
        """As in “@alice (Alice Martin)”: the handle first, for it is what counts; a name may say anything."""
        username, name = hostile.handle(label.username), hostile.clean(label.name, hostile.NAME_LENGTH)
        if not username:
            return str(self.table["words"]["person_erased"])
        shown = re.sub("[()@]", "", name).strip()
        return f"@{username} ({shown})" if shown else f"@{username}"

    def _string(self, name: str, value: str) -> str:
        words = self.table["words"]
        if name in ("state", "command"):
            return str(words[f"{name}_{value}"])
        if name in _OURS:
            return value
        if name in _HANDLES:
            return hostile.handle(value)
        if name == "languages":
            return str(language_files()[value]["name"]) if value in language_files() else hostile.clean(value)
        opening, closing = self.table["quotes"]
        return f"{opening}{hostile.clean(value)}{closing}" if name in _QUOTED else hostile.clean(value)


def _is_absent(value: Any) -> bool:
    return value is None or value in ((), "")
