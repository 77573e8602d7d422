"""Orders without an amount: start, stop, help, balance and the like. (A top-up that names one is `top_ups.py`'s.)

A command is read only from a message that is nothing else: its words, polite words, and words that fill a question
("what is my ..."). Friendly words and a bare yes or no count in private only: in public they are talk.
"""

from collections.abc import Sequence

from bot.language.lexicon import apart, lexicon
from bot.language.reading import (
    Command,
    Nothing,
    NotUnderstood,
    Payee,
    Reading,
    Reason,
    Utterance,
    Verb,
)
from bot.language.roles import Role
from bot.language.tokens import Token

_MOST_WORDS = 14
_SPACE = frozenset(
    (
        Role.BOT,
        Role.PLEASE,
        Role.EMOJI,
        Role.COMMA,
        Role.FULL_STOP,
        Role.COLON,
        Role.DASH,
        Role.LINK,
        Role.QUOTATION,
        Role.REFERENCE,
    )
)
_NEVER = frozenset(
    (Role.UNKNOWN_HANDLE, Role.AMOUNT, Role.BAD_AMOUNT, Role.NUMBER, Role.QUOTED_LINE,
     Role.HIDDEN, Role.PERCENT)
)  # fmt: skip
_PRIVATE_ONLY = frozenset((Verb.CONFIRM, Verb.GREETING))
_ABOUT_SOMEBODY = frozenset((Verb.BLOCK, Verb.UNBLOCK, Verb.TRUST, Verb.UNTRUST))
_LONGEST_PLACE = 60
_WITH_REFERENCE = frozenset((Verb.RECEIPT, Verb.CANCEL, Verb.DECLINE, Verb.RETURN))


def command_in(tokens: Sequence[Token], utterance: Utterance, language: str) -> Reading | None:
    """The command this message is, or None. `tokens` are those after the address, before amounts are composed."""
    if len(tokens) > 3 * _MOST_WORDS:
        return None
    if any(token.role in _NEVER for token in tokens):
        return None
    if mentioned := [token for token in tokens if token.role is Role.MENTION]:
        return _about(mentioned, tokens, language)
    reference = _reference_in(tokens, utterance.text)
    keys = _keys(tokens, _SPACE) or _keys(tokens, _SPACE - {Role.PLEASE})
    if not keys:
        asks = any(token.role is Role.QUESTION for token in tokens)
        return Command(Verb.HELP, language=language) if asks else None
    if len(keys) > _MOST_WORDS:
        return None
    unfriendly = _keys(tokens, _SPACE | {Role.GREETING})
    return (
        _language_choice(keys, language)
        or _time_zone(tokens, utterance, language)
        or _listed(keys, reference, utterance, language)
        or (_listed(unfriendly, reference, utterance, language) if unfriendly else None)
        or _asked_about(tokens, language)
    )


def _keys(tokens: Sequence[Token], passed_over: frozenset[Role]) -> tuple[str, ...]:
    """The words of the message, expressions taken apart again."""
    kept = (token.key.lstrip("#＃") for token in tokens if token.role not in passed_over)
    return tuple(word for key in kept if key not in "?¿？" for word in apart(key))


def _reference_in(tokens: Sequence[Token], text: str) -> str | None:
    """The one reference named, as we write it; two are none."""
    named = {_written(text[token.start : token.end]) for token in tokens if token.role is Role.REFERENCE}
    return named.pop() if len(named) == 1 else None


def _written(reference: str) -> str:
    letters = reference.upper().replace("-", "")
    return f"{letters[0]}-{letters[1:]}"


def _listed(
    keys: tuple[str, ...], reference: str | None, utterance: Utterance, language: str
) -> Reading | None:
    found = _known(keys)
    if not found:
        return None
    verb, own = _chosen(found, language)
    if verb in _PRIVATE_ONLY and not utterance.private:
        return Nothing(language=own)
    if verb in _LEAVING and not utterance.private and len(keys) > 1 and reference is None:
        return NotUnderstood(Reason.NEGATED, language=own)
    return Command(verb, reference=reference if verb in _WITH_REFERENCE else None, language=own)


def _known(keys: tuple[str, ...]) -> Sequence[tuple[str, str]]:
    """The commands these words are, with the language of each; without the words that only fill up."""
    words = lexicon()
    found = words.commands.get(keys)
    if found is None:
        core = tuple(key for key in keys if key not in words.fillers)
        found = words.commands.get(core) if core else None
    return found or ()


def _about(mentioned: Sequence[Token], tokens: Sequence[Token], language: str) -> Command | None:
    """A command about one person: “block @somebody”."""
    if len(mentioned) > 1:
        return None
    found = [
        pair for pair in _known(_keys(tokens, _SPACE | {Role.MENTION})) if Verb(pair[0]) in _ABOUT_SOMEBODY
    ]
    if not found:
        return None
    verb, own = _chosen(found, language)
    return Command(verb, person=Payee(mentioned[0].key, mentioned[0].user_id), language=own)


def _time_zone(tokens: Sequence[Token], utterance: Utterance, language: str) -> Command | None:
    """“time zone Europe/Paris”: the words behind, as they were written."""
    keys: tuple[str, ...] = ()
    for token in tokens[:_MOST_WORDS]:
        keys += _keys([token], _SPACE)
        found = [pair for pair in _known(keys) if pair[0] == Verb.TIME_ZONE] if keys else []
        if found:
            place = " ".join(utterance.text[token.end :].split())[:_LONGEST_PLACE]
            return Command(Verb.TIME_ZONE, argument=place, language=_chosen(found, language)[1])
    return None


def _chosen(found: Sequence[tuple[str, str]], language: str) -> tuple[Verb, str]:
    """Where languages differ, the message's own; the first listed verb is the more careful one."""
    own = [(Verb(name), code) for name, code in found if code == language]
    several = own or [(Verb(name), code) for name, code in found]
    return min(several, key=lambda one: _CARE.index(one[0]))


_LEAVING = frozenset((Verb.CANCEL, Verb.STOP, Verb.DECLINE, Verb.RETURN))
_CARE = (
    Verb.FREEZE, Verb.STOP, Verb.THAW, Verb.CANCEL, Verb.DECLINE, Verb.RETURN, Verb.RECEIPT, Verb.HISTORY, Verb.BALANCE, Verb.START,
    Verb.ERASE, Verb.MY_DATA, Verb.BLOCK, Verb.UNTRUST, Verb.TRUST, Verb.PRIVATE, Verb.UNMUTE, Verb.UNBLOCK, Verb.PUBLIC, Verb.MUTE, Verb.TIME_ZONE, Verb.SETTINGS,
    Verb.TOP_UP, Verb.HELP, Verb.LANGUAGE, Verb.DEVICES, Verb.CONFIRM, Verb.GREETING,
)  # fmt: skip


def _asked_about(tokens: Sequence[Token], language: str) -> Command | None:
    """A question, in whatever words, whose only subject is one command ("could you tell me what my balance is?")."""
    words = lexicon()
    subjects: set[str] = set()
    loose = False
    asks = any(token.role is Role.QUESTION for token in tokens)
    asks_bot = asks and _is_said_to_bot(tokens)
    for token in tokens:
        pieces = [piece for piece in apart(token.key.lstrip("#＃")) if piece not in words.fillers]
        known = {name for piece in pieces for name, _ in words.commands.get((piece,), ())} & _ASKABLE
        if asks_bot and words.asked_for_help.intersection(pieces):
            known = known | {Verb.HELP.value}
        if known:
            subjects = known & subjects if subjects else known
        elif pieces and token.role in _LOOSE:
            loose = True
        elif pieces and token.role not in _SPACE:
            return None
    return (
        Command(Verb(subjects.pop()), language=language)
        if len(subjects) == 1 and (asks or not loose)
        else None
    )


def _is_said_to_bot(tokens: Sequence[Token]) -> bool:
    """“@bot how does it work?”, and not “who uses @bot?”: before the address stands at most a greeting."""
    roles = [token.role for token in tokens]
    before = roles[: roles.index(Role.BOT)] if Role.BOT in roles else []
    return all(role in _SPACE or role is Role.GREETING for role in before)


_ASKABLE = frozenset((Verb.BALANCE.value, Verb.HELP.value, Verb.HISTORY.value))
_LOOSE = frozenset(
    (
        Role.QUESTION,
        Role.TALK,
        Role.WISH,
        Role.TO,
        Role.FROM,
        Role.FOR,
        Role.AND,
        Role.WHEN,
        Role.WITH,
        Role.VAGUE,
        Role.SELF,
        Role.SEND,
        Role.BEFORE_PAYEE,
    )
)


def _language_choice(keys: tuple[str, ...], language: str) -> Command | None:
    """Reads “language fr”, “speak French please”: the code of the language, or "" where it is none we know."""
    words = lexicon()
    whole = words.commands.get(keys)
    if whole and all(name != Verb.LANGUAGE.value for name, _ in whole):
        return None
    core = [key for key in keys if key not in words.fillers] or list(keys)
    chosen = words.language_names.get(core[-1])
    before = tuple(core[:-1])
    asks = any(name == Verb.LANGUAGE.value for name, _ in words.commands.get(before, ()))
    if chosen is not None and (asks or (not before and len(core[-1]) > 2)):
        return Command(Verb.LANGUAGE, argument=chosen, language=chosen)
    asks_alone = any(name == Verb.LANGUAGE.value for name, _ in words.commands.get(tuple(core), ()))
    if asks_alone or (asks and len(before) == 1 and words.meaning_of(before[0]) is None):
        return Command(Verb.LANGUAGE, argument="", language=language)
    return None
