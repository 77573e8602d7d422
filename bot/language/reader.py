"""Ears: what a person wrote becomes exactly one reading, and money is never guessed at.

Pure: no clock, no I/O beyond the language files at the first call, no state. `read` never raises, whatever the text.
A payment comes out only if one rule of the grammar fits the whole message; all else is a command, a refusal with its
reason, or nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.language import grammar, judging, notes
from bot.language.amounts import with_amounts
from bot.language.commands import command_in
from bot.language.expressions import joined
from bot.language.reading import (
    Command,
    Mode,
    Nothing,
    Payee,
    Reading,
    Reason,
    Request,
    Transfer,
    Utterance,
    Verb,
)
from bot.language.roles import Role
from bot.language.spoken import DEFAULT, heed_cuts, hint_of, language_of, languages, spoken_language
from bot.language.suggesting import refusal
from bot.language.tokens import MOST_TOKENS, Token, tokens_of
from bot.language.top_ups import top_up_in

__all__ = ["LANGUAGES", "language_of", "read", "understood"]

LANGUAGES: tuple[str, ...]
"""The codes of all languages there are files for, in the order of the alphabet. Known at the first use."""


def __getattr__(name: str) -> tuple[str, ...]:
    if name == "LANGUAGES":
        return languages()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def read(utterance: Utterance) -> Reading:
    """What this message asks for: an order, a command, a refusal with its reason, or nothing."""
    return understood(utterance).reading


@dataclass(frozen=True, slots=True)
class Understood:
    """A reading with what led to it: every token of the visible text with its role, and which of them are the note."""

    reading: Reading
    tokens: Sequence[Token]
    note: Sequence[Token] = ()


def understood(utterance: Utterance) -> Understood:
    """The reading and how it came about; `read` gives only the first."""
    cut = tokens_of(utterance)
    tokens = joined(cut)
    if not (utterance.private or utterance.answers_bot or any(token.role is Role.BOT for token in tokens)):
        return Understood(Nothing(language=hint_of(utterance) or DEFAULT), tokens)
    spoken = spoken_language(tokens, utterance)
    for token in tokens:
        if token.meaning is not None and token.meaning.settled is None:
            token.role = token.meaning.role_in(spoken.language, spoken.hint)
    heed_cuts(tokens)
    composed = with_amounts(tokens, spoken.marks_thousands)
    kept = grammar.kept(composed)
    letters = grammar.letters_of(kept)
    order = grammar.derive(kept, letters, may_be_unaddressed=utterance.private or utterance.answers_bot)
    if order is not None and len(cut) > MOST_TOKENS:
        return Understood(refusal(Reason.NOT_A_COMMAND, kept, utterance, spoken.language), composed)
    if order is not None:
        return Understood(_ordered(order, utterance, spoken.language), composed, order.note)
    reading = (
        top_up_in(composed, utterance, spoken.language)
        or command_in(tokens, utterance, spoken.language)
        or _refused(kept, letters, utterance, spoken.language)
    )
    return Understood(reading, composed)


def _ordered(order: grammar.Derivation, utterance: Utterance, language: str) -> Reading:
    """The order, unless who or what it names forbids it."""
    payees = tuple(Payee(token.key, token.user_id) for token in order.order if token.role is Role.MENTION)
    reason = _forbidden(order, payees, utterance) or notes.refusal_in(order.note, payees=len(payees))
    if reason is not None:
        return refusal(reason, [*order.order, *order.note], utterance, language)
    amount = next(token for token in order.order if token.role is Role.AMOUNT)
    kind = Request if order.kind == "ask" else Transfer
    return kind(
        amount_minor=amount.value,
        payees=payees,
        mode=Mode.SPLIT if order.kind == "share" else Mode.EACH,
        note=notes.text_of(order.note, utterance.text),
        language=language,
    )


def _forbidden(order: grammar.Derivation, payees: Sequence[Payee], utterance: Utterance) -> Reason | None:
    names = [payee.username for payee in payees]
    if utterance.author.lower() in names:
        return Reason.SELF_PAYMENT
    if len(set(names)) < len(names):
        return Reason.NO_PAYEE
    if utterance.is_truncated and not order.note:
        return Reason.AMBIGUOUS_AMOUNT
    return Reason.NOT_A_COMMAND if order.kind == "share" and len(names) < 2 else None


def _refused(kept: Sequence[Token], letters: str, utterance: Utterance, language: str) -> Reading:
    reason = judging.reason_to_refuse(kept, letters, utterance)
    if reason is Reason.QUESTION and not set(letters) & _OF_A_PAYMENT:
        return Command(Verb.HELP, language=language)
    if reason is not None:
        return refusal(reason, kept, utterance, language)
    if not utterance.private or not kept:
        return Nothing(language=language)
    if set(letters) <= _FRIENDLY:
        return Command(Verb.GREETING, language=language)
    return refusal(Reason.NOT_A_COMMAND, kept, utterance, language)


_OF_A_PAYMENT = frozenset("AXnmU")  # without any of these, "how do I pay" asks how it works
_FRIENDLY = frozenset("gCDHJkb")
