"""What goes with a refusal: the piece that was not understood, and a line that would work.

A suggestion holds only what was read for certain, in our own words: it is itself an order the reader reads, with the
amount and the payees the person wrote. Where no payee is certain it shows the place to fill in (`@…`, which no order
has), so that sending it as it stands pays nobody. Nobody is paid by a suggestion: it has to be sent, and then confirmed.
"""

from collections.abc import Sequence

from bot.language.lexicon import language_files
from bot.language.reading import NotUnderstood, Reason, Utterance
from bot.language.roles import Role
from bot.language.tokens import Token

_EXAMPLE_MINOR = 1000
_MOST_PAYEES = 3
_AMOUNT_TROUBLE = frozenset(
    (Role.BAD_AMOUNT, Role.UNIT, Role.VAGUE, Role.ABOUT, Role.PERCENT, Role.MINUS, Role.TIMES)
)
_TROUBLE = {
    Reason.AMBIGUOUS_AMOUNT: _AMOUNT_TROUBLE,
    Reason.NO_AMOUNT: _AMOUNT_TROUBLE,
    Reason.TOO_PRECISE: _AMOUNT_TROUBLE,
    Reason.ZERO_OR_NEGATIVE: _AMOUNT_TROUBLE,
    Reason.UNSUPPORTED_CURRENCY: _AMOUNT_TROUBLE,
    Reason.NO_PAYEE: frozenset((Role.UNKNOWN_HANDLE, Role.OR, Role.WORD)),
    Reason.NEGATED: frozenset((Role.NEGATION,)),
    Reason.NOT_A_COMMAND: frozenset(
        (Role.CONDITION, Role.WHEN, Role.FROM, Role.WORD, Role.HASHTAG, Role.TALK, Role.VAGUE, Role.ODD)
    ),
}
TO_FILL_IN = "…"
"""In the place of a handle that is not known."""


def refusal(
    reason: Reason, tokens: Sequence[Token], utterance: Utterance, language: str, *, top_up: bool = False
) -> NotUnderstood:
    """The refusal with all that helps the person to do better: an order to pay, or a top-up where one was meant."""
    return NotUnderstood(
        reason,
        part=_part(reason, tokens, utterance),
        suggestion=_suggestion(tokens, utterance, language, top_up=top_up),
        language=language,
    )


def _part(reason: Reason, tokens: Sequence[Token], utterance: Utterance) -> str | None:
    if reason is Reason.MULTIPLE_AMOUNTS:
        found = [token for token in tokens if token.role in (Role.AMOUNT, Role.BAD_AMOUNT, Role.NUMBER)][1:2]
    else:
        roles = _TROUBLE.get(reason, frozenset())
        found = [token for token in tokens if token.role in roles][:1]
    return utterance.text[found[0].start : found[0].end] if found else None


def _suggestion(tokens: Sequence[Token], utterance: Utterance, language: str, *, top_up: bool) -> str:
    payees = _payees(tokens, utterance) or [TO_FILL_IN]
    table = language_files()[language]
    amounts = [token.value for token in tokens if token.role is Role.AMOUNT]
    certain = len(amounts) == 1 and not any(token.role is Role.BAD_AMOUNT for token in tokens)
    amount = _written(amounts[0] if certain else _EXAMPLE_MINOR, table["thousands_mark"])
    line = table["example_top_up" if top_up else "example"].format(
        amount=amount, payees=table["example_and"].join(f"@{name}" for name in payees)
    )
    return line if utterance.private else f"@{utterance.bot} {line}"


def _payees(tokens: Sequence[Token], utterance: Utterance) -> list[str]:
    """Those named in sight; where nobody is, the one person this is a reply to."""
    strangers = (utterance.bot.lower(), utterance.author.lower())
    named = [token.key for token in tokens if token.role is Role.MENTION and token.key not in strangers]
    if named:
        several = list(dict.fromkeys(named))
        return several if len(several) <= _MOST_PAYEES else []
    hidden = {
        mention.username.lower() for mention in utterance.mentions if mention.end <= utterance.display_start
    }
    hidden -= set(strangers)
    return sorted(hidden) if len(hidden) == 1 else []


def _written(amount_minor: int, thousands_mark: str) -> str:
    """As in “12,50€” or “12.50€”, as the language has it."""
    whole, cents = divmod(amount_minor, 100)
    mark = "." if thousands_mark == "," else ","
    return f"{whole}{mark}{cents:02}€" if cents else f"{whole}€"
