"""`smoney read`: lines of JSON in, lines of JSON out, one reading for each, while they come.

Pure: the command line gives the lines and prints what comes back. A line that is no JSON object is answered with an
error of its own and never stops the rest. What strangers wrote is cleaned before it is shown on a terminal.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bot.language import hostile
from bot.language.explaining import NOTE, Explanation, Piece, explain
from bot.language.reader import read
from bot.language.reading import Command, NotUnderstood, Reading, Request, Transfer, Utterance
from bot.x.gateway import MentionEntity, Span, UserId

_URL = re.compile(r"https?://\S+")
_HANDLE_LENGTH = 30
_COLOURS = {
    "amount": "32",
    "mention": "36",
    "send": "33",
    "split": "33",
    "request": "33",
    "bot": "35",
    NOTE: "34",
}
_TROUBLE = "31"
_PLAIN = "2"


def answers(lines: Iterable[str]) -> Iterator[str]:
    """One line of JSON for each line of JSON: `{"id": ..., "result": {...}}`; empty lines are passed over.

    A line is one case: `text`, and where they matter `author`, `bot`, `lang`, `mentions` (handles in their order, or
    objects with `start`, `end`, `username` and `id`), `display_start`, `in_reply_to`, `private`, `truncated`.
    """
    for case in _cases(lines):
        yield json.dumps(_answer(case), ensure_ascii=False)


def explained(lines: Iterable[str], *, colour: bool = True) -> Iterator[str]:
    """The same for people: each piece of the text with its role, then the reading."""
    for case in _cases(lines):
        if isinstance(case, str):
            yield case
            continue
        explanation = explain(utterance_of(case))
        yield f"{hostile.clean(str(case.get('id', '')))}  {hostile.clean(str(case['text']), 300)}"
        yield "    " + "  ".join(_shown(piece, colour=colour) for piece in explanation.pieces)
        yield "    → " + _told(explanation)


def _cases(lines: Iterable[str]) -> Iterator[Mapping[str, Any] | str]:
    """Each line as a case that can be read, or the sentence that says why it cannot."""
    for line in lines:
        if not line.strip():
            continue
        try:
            case = json.loads(line)
            utterance_of(case)
        except (ValueError, TypeError, AttributeError, KeyError, OverflowError, RecursionError) as problem:
            yield f"not a case: {type(problem).__name__}: {problem}"
        else:
            yield case


def _answer(case: Mapping[str, Any] | str) -> dict[str, Any]:
    if isinstance(case, str):
        return {"id": None, "error": case}
    return {"id": case.get("id"), "result": as_result(read(utterance_of(case)))}


def _shown(piece: Piece, *, colour: bool) -> str:
    text = hostile.clean(piece.text)
    if not colour:
        return f"{text}[{piece.role}]"
    tone = _TROUBLE if piece.is_trouble else _COLOURS.get(piece.role, "0")
    return f"\x1b[{tone}m{text}\x1b[0m\x1b[{_PLAIN}m[{piece.role}]\x1b[0m"


def _told(explanation: Explanation) -> str:
    result = {**as_result(explanation.reading), "language": explanation.reading.language}
    if isinstance(explanation.reading, NotUnderstood):
        result |= {"part": explanation.reading.part, "suggestion": explanation.reading.suggestion}
    kept = {name: hostile.clean(value) if isinstance(value, str) else value for name, value in result.items()}
    return json.dumps({name: value for name, value in kept.items() if value is not None}, ensure_ascii=False)


def utterance_of(case: Mapping[str, Any]) -> Utterance:
    """The utterance of a case; where only handles are given, their places are found again in their order."""
    text, bot = str(case["text"]), str(case.get("bot") or "smoney")
    return Utterance(
        text=text,
        author=str(case.get("author") or ""),
        bot=bot,
        mentions=tuple(_entities(text, case.get("mentions") or ())),
        urls=tuple(Span(url.start(), url.end()) for url in _URL.finditer(text)),
        display_start=int(case.get("display_start") or 0),
        language=str(case.get("lang") or "und"),
        answers_bot=str(case.get("in_reply_to") or "").lower() == bot.lower(),
        private=bool(case.get("private", False)),
        is_truncated=bool(case.get("truncated", False)),
    )


def _entities(text: str, mentions: Iterable[Any]) -> Iterator[MentionEntity]:
    position = 0
    for mention in mentions:
        if isinstance(mention, Mapping):
            identity = mention.get("id")
            user_id = UserId(int(identity)) if identity is not None else None
            yield MentionEntity(int(mention["start"]), int(mention["end"]), str(mention["username"]), user_id)
            continue
        name = str(mention)[:_HANDLE_LENGTH]
        place = re.compile(rf"(?<![\w@＠])[@＠]{re.escape(name)}(?![A-Za-z0-9_])", re.IGNORECASE)
        found = place.search(text, position) or place.search(text)
        if found is not None:
            yield MentionEntity(found.start(), found.end(), name)
            position = found.end()


def as_result(reading: Reading) -> dict[str, Any]:
    """A reading as the cases write it."""
    if isinstance(reading, Transfer | Request):
        return {
            "kind": reading.kind,
            "amount_minor": reading.amount_minor,
            "currency": reading.currency,
            "payees": [payee.username for payee in reading.payees],
            "memo": reading.note,
            "mode": reading.mode.value,
        }
    if isinstance(reading, NotUnderstood):
        return {"kind": reading.kind, "reason": reading.reason.value}
    if isinstance(reading, Command) and reading.amount_minor is not None:
        return {"kind": reading.kind, "amount_minor": reading.amount_minor}
    return {"kind": reading.kind}
