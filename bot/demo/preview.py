"""How the bot would read what somebody is typing, for the page to show under the box: the reader itself, nothing else."""

import re
from typing import Any
from zoneinfo import ZoneInfo

from bot.language.reader import read
from bot.language.reading import Command, Mode, Nothing, NotUnderstood, Request, Transfer, Utterance
from bot.language.voice import say
from bot.ledger_views import money_text
from bot.x.gateway import MentionEntity, UserId

_HANDLE = re.compile(r"(?<![\w@])@(\w{1,15})")
_LONGEST = 2000


def preview(text: str, author: str, *, bot: str) -> dict[str, Any] | None:
    """`tone` is order, refusal or chatter; `says` one line. None while there is nothing to say."""
    if not text.strip() or len(text) > _LONGEST:
        return None
    # The page's text is not yet a post: which handles exist is not asked, only how the words are read.
    mentions = tuple(
        MentionEntity(found.start(), found.end(), found[1], UserId(number))
        for number, found in enumerate(_HANDLE.finditer(text), 1)
    )
    match read(Utterance(text=text, author=author, bot=bot, mentions=mentions)):
        case Transfer() | Request() as order:
            return {"tone": "order", "says": _order(order)}
        case Command() as command:
            return {"tone": "order", "says": f"reads: {command.verb.value}"}
        case NotUnderstood() as refused:
            return {"tone": "refusal", "says": _refusal(refused)}
        case Nothing():
            return {"tone": "chatter", "says": "not an order: no answer"}


def _order(order: Transfer | Request) -> str:
    payees = ", ".join(f"@{payee.username}" for payee in order.payees)
    amount = money_text(order.amount_minor, order.currency)
    shared = " shared by" if order.mode is Mode.SPLIT else (" each to" if len(order.payees) > 1 else " to")
    verb = "reads: send" if isinstance(order, Transfer) else "reads: request"
    return f"{verb} {amount}{shared} {payees}" + (f", note “{order.note}”" if order.note else "")


def _refusal(refused: NotUnderstood) -> str:
    parameters = {"part": refused.part, "suggestion": refused.suggestion}
    phrase = f"reason_{refused.reason.value}"
    words = say(phrase, language=refused.language, parameters=parameters, time_zone=ZoneInfo("UTC"))
    return words.splitlines()[0]
