"""The labelled cases of `tests/data/reading`: what people write, and how it is to be read."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from bot.language.reading import Command, Mode, NotUnderstood, Reading, Request, Transfer, Utterance
from bot.x.gateway import MentionEntity, UserId

FOLDER = Path(__file__).parents[2] / "data" / "reading"
AUTHOR = "me_author"
BOT = "smoney"
_HANDLE = re.compile(r"(?<![\w@＠])[@＠]([A-Za-z0-9_]{1,15})(?![A-Za-z0-9_@])")
_HIDDEN = re.compile(r"\[([^\]]*)\](.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Case:
    text: str
    language: str
    expect: str
    also: tuple[str, ...] = ()
    note: str | None = None
    private: bool = False
    answers_bot: bool = False
    is_truncated: bool = False
    unknown: tuple[str, ...] = ()  # handles X made no entity of

    @property
    def utterance(self) -> Utterance:
        said = utterance(self.text, self.language, private=self.private)
        return replace(
            said,
            mentions=tuple(one for one in said.mentions if one.username.lower() not in self.unknown),
            answers_bot=self.answers_bot,
            is_truncated=self.is_truncated,
        )


@cache
def cases() -> tuple[Case, ...]:
    return tuple(_cases())


def _cases() -> Iterator[Case]:
    for path in sorted(FOLDER.rglob("*.toml")):
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        for group in table["cases"]:
            for text in group["texts"]:
                yield Case(
                    text,
                    table["language"],
                    group["expect"],
                    tuple(group.get("also", ())),
                    group.get("note"),
                    table.get("private", False),
                    group.get("answers_bot", False),
                    group.get("truncated", False),
                    tuple(group.get("unknown", ())),
                )


def paying() -> tuple[Case, ...]:
    """The cases that are orders to pay, and nothing but that."""
    return tuple(case for case in cases() if case.expect[0].isdigit() and not case.also)


def utterance(text: str, language: str = "en", *, private: bool = False) -> Utterance:
    """As X would give it: every handle is an entity; what stands in brackets at the beginning is hidden."""
    hidden = _HIDDEN.match(text)
    whole = hidden[1] + hidden[2] if hidden else text
    return Utterance(
        text=whole,
        author=AUTHOR,
        bot=BOT,
        mentions=tuple(
            MentionEntity(found.start(), found.end(), found[1], UserId(sum(map(ord, found[1].lower()))))
            for found in _HANDLE.finditer(whole)
        ),
        display_start=len(hidden[1]) if hidden else 0,
        language=language,
        private=private,
    )


def shown(reading: Reading) -> str:
    """A reading as the case files write it: "1000 alice bob split", "refuse negated", "balance", "top_up 2000"."""
    if isinstance(reading, Transfer | Request):
        words = ["request"] if isinstance(reading, Request) else []
        words += [str(reading.amount_minor), *(payee.username for payee in reading.payees)]
        return " ".join(words + ["split"] * (reading.mode is Mode.SPLIT))
    if isinstance(reading, Command) and reading.amount_minor is not None:
        return f"{reading.kind} {reading.amount_minor}"
    return f"refuse {reading.reason}" if isinstance(reading, NotUnderstood) else reading.kind


def answers(expected: str, got: str) -> bool:
    """Whether a reading is as expected; "refuse" is any refusal, "quiet" a refusal or silence."""
    if expected in ("refuse", "quiet"):
        return got.startswith("refuse") or (expected == "quiet" and got == "ignore")
    return got == expected
