"""How the bot would read what somebody is typing, for the page to show under the box: the reader itself, nothing else."""

import re
from typing import Any

from bot.language.reader import read
from bot.language.reading import Command, Mode, Nothing, NotUnderstood, Reason, Request, Transfer, Utterance
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
            return {"tone": "order", "says": _command(command)}
        case NotUnderstood() as refused:
            return {"tone": "refusal", "says": _refusal(refused)}
        case Nothing():
            return {"tone": "chatter", "says": "not an order: no answer"}


def _command(command: Command) -> str:
    about = f" @{command.person.username}" if command.person else ""
    return f"reads: {command.verb.value}{about}"


def _order(order: Transfer | Request) -> str:
    payees = ", ".join(f"@{payee.username}" for payee in order.payees)
    amount = money_text(order.amount_minor, order.currency)
    shared = " shared by" if order.mode is Mode.SPLIT else (" each to" if len(order.payees) > 1 else " to")
    verb = "reads: send" if isinstance(order, Transfer) else "reads: request"
    return f"{verb} {amount}{shared} {payees}" + (f", note “{order.note}”" if order.note else "")


def _refusal(refused: NotUnderstood) -> str:
    """While one still types nothing has happened yet, so these are not the words of the bot's answer."""
    puzzling = f": “{refused.part}”" if refused.part else ""
    works = f" · would work: {refused.suggestion}" if refused.suggestion else ""
    return f"would be refused, {_WHY[refused.reason]}{puzzling}{works}"


_WHY = {
    Reason.AMBIGUOUS_AMOUNT: "not sure how much is meant",
    Reason.NO_AMOUNT: "no amount in euros",
    Reason.NO_PAYEE: "nobody to pay for sure",
    Reason.SELF_PAYMENT: "nobody pays themselves",
    Reason.NEGATED: "there is a “no” in it",
    Reason.QUESTION: "it looks like a question",
    Reason.MULTIPLE_AMOUNTS: "more than one amount",
    Reason.UNSUPPORTED_CURRENCY: "only euros are moved",
    Reason.TOO_PRECISE: "finer than a cent",
    Reason.ZERO_OR_NEGATIVE: "the amount is not above zero",
    Reason.NOT_A_COMMAND: "not understood",
    Reason.SPOOFED_TEXT: "hidden or look-alike characters",
}
