"""`smoney read`: lines of JSON in, lines of JSON out, one reading for each, while they come.

Pure: the command line gives the lines and prints what comes back. A line that is no JSON object is answered with an
error of its own and never stops the rest.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bot.language.reader import read
from bot.language.reading import NotUnderstood, Reading, Request, Transfer, Utterance
from bot.x.gateway import MentionEntity, Span

_URL = re.compile(r"https?://\S+")


def answers(lines: Iterable[str]) -> Iterator[str]:
    """One line of JSON for each line of JSON: `{"id": ..., "result": {...}}`; empty lines are passed over."""
    for line in lines:
        if line.strip():
            yield json.dumps(_answer(line), ensure_ascii=False)


def _answer(line: str) -> dict[str, Any]:
    try:
        case = json.loads(line)
        utterance = utterance_of(case)
    except (ValueError, TypeError, AttributeError, KeyError) as problem:
        return {"id": None, "error": f"not a case: {problem}"}
    return {"id": case.get("id"), "result": as_result(read(utterance))}


def utterance_of(case: Mapping[str, Any]) -> Utterance:
    """The utterance of a case; where each mention stands is found again, in the order given."""
    text, bot = str(case["text"]), str(case.get("bot", "smoney"))
    answered = str(case.get("in_reply_to") or "")
    return Utterance(
        text=text,
        author=str(case.get("author", "")),
        bot=bot,
        mentions=_entities(text, [str(name) for name in case.get("mentions", ())]),
        urls=tuple(Span(url.start(), url.end()) for url in _URL.finditer(text)),
        display_start=int(case.get("display_start") or 0),
        language=str(case.get("lang", "und")),
        answers_bot=answered.lower() == bot.lower(),
        private=bool(case.get("private", False)),
        is_truncated=bool(case.get("truncated", False)),
    )


def _entities(text: str, names: Iterable[str]) -> tuple[MentionEntity, ...]:
    found, position = [], 0
    for name in names:
        pattern = re.compile(rf"(?<![\w@＠])[@＠]{re.escape(name)}(?![A-Za-z0-9_])", re.IGNORECASE)
        match = pattern.search(text, position) or pattern.search(text)
        if match is not None:
            found.append(MentionEntity(match.start(), match.end(), name))
            position = match.end()
    return tuple(found)


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
    return {"kind": reading.kind}
