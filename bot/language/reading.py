"""What goes into the reader and what comes out of it. Pure data.

A reading is exactly one of: an order, a `NotUnderstood` with its reason, or `Nothing` (talk that is not for us).
The reader never guesses at money: whatever is not read in full is refused.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias

from bot.x.gateway import MentionEntity, Span, UserId


@dataclass(frozen=True, slots=True)
class Utterance:
    """A tweet or a direct message as it arrived, with all the reader may know.

    `text` is as X gives it (HTML-escaped in posts). Offsets are code points of that text. `display_start` is where the
    visible text begins. `answers_bot` tells that the post is a reply to the bot's own. In a direct message
    (`private`) the bot need not be addressed. `language` is X's guess, "und" where it has none.
    """

    text: str
    author: str
    bot: str
    mentions: tuple[MentionEntity, ...] = ()
    urls: tuple[Span, ...] = ()
    display_start: int = 0
    language: str = "und"
    answers_bot: bool = False
    private: bool = False
    is_truncated: bool = False


@dataclass(frozen=True, slots=True)
class Payee:
    """A mentioned person in the payee's place: lower-case handle, and the id the text's entity gave, if any."""

    username: str
    user_id: UserId | None = None


class Mode(StrEnum):
    EACH = "each"
    """Every payee gets the amount."""
    SPLIT = "split"
    """The payees share the amount."""


class Reason(StrEnum):
    AMBIGUOUS_AMOUNT = "ambiguous_amount"
    NO_AMOUNT = "no_amount"
    NO_PAYEE = "no_payee"
    SELF_PAYMENT = "self_payment"
    NEGATED = "negated"
    QUESTION = "question"
    MULTIPLE_AMOUNTS = "multiple_amounts"
    UNSUPPORTED_CURRENCY = "unsupported_currency"
    TOO_PRECISE = "too_precise"
    ZERO_OR_NEGATIVE = "zero_or_negative"
    NOT_A_COMMAND = "not_a_command"
    SPOOFED_TEXT = "spoofed_text"


@dataclass(frozen=True, slots=True)
class Transfer:
    """Send money: `amount_minor` (cents) of `currency` to each of `payees`, or shared among them."""

    amount_minor: int
    payees: tuple[Payee, ...]
    currency: str = "EUR"
    mode: Mode = Mode.EACH
    note: str | None = None
    language: str = "en"
    kind: Literal["transfer"] = "transfer"


@dataclass(frozen=True, slots=True)
class Request:
    """Ask others for money: read, and kindly told that it is not offered yet."""

    amount_minor: int
    payees: tuple[Payee, ...]
    currency: str = "EUR"
    mode: Mode = Mode.EACH
    note: str | None = None
    language: str = "en"
    kind: Literal["request"] = "request"


class Verb(StrEnum):
    """Orders that pay nobody."""

    START = "start"  # consent: enrol
    STOP = "stop"  # leave
    HELP = "help"
    BALANCE = "balance"
    HISTORY = "history"
    RECEIPT = "receipt"  # with a reference
    CANCEL = "cancel"  # maybe with a reference; also the payer's "no"
    DECLINE = "decline"  # the payee does not want it; maybe with a reference
    RETURN = "return"  # the payee gives it back; maybe with a reference
    LANGUAGE = "language"  # with a language
    FREEZE = "freeze"  # at once, no code: nothing leaves the wallet
    THAW = "thaw"
    BLOCK = "block"  # with a person: neither side pays the other
    UNBLOCK = "unblock"
    TRUST = "trust"  # with a person: pay them without a code
    UNTRUST = "untrust"
    PRIVATE = "private"  # others hear as little of this person as can be
    PUBLIC = "public"
    MUTE = "mute"  # not told of each payment that comes in
    UNMUTE = "unmute"
    TIME_ZONE = "time_zone"  # with a place
    SETTINGS = "settings"
    MY_DATA = "my_data"  # everything kept about this person, as a file
    ERASE = "erase"  # forget everything about this person
    DEVICES = "devices"  # a link to sign in with, where the second factor is set up and devices are seen
    CONFIRM = "confirm"  # a bare "yes", which confirms nothing: a code is needed
    TOP_UP = "top_up"  # with an amount or without: money put into one's own account
    GREETING = "greeting"  # hello, thanks: friendly words in private


@dataclass(frozen=True, slots=True)
class Command:
    """An order that pays nobody. `reference` is upper case as we write it ("P-7K3F9Q"); `argument` is the
    two-letter language code for `Verb.LANGUAGE`, "" where the person named none that is known, and the words behind
    `Verb.TIME_ZONE`, as hostile as any. `person` is whom the command is about, where it is about somebody. `amount_minor` (euro cents) belongs
    to `Verb.TOP_UP` and is None where no amount was named."""

    verb: Verb
    reference: str | None = None
    argument: str | None = None
    person: Payee | None = None
    amount_minor: int | None = None
    language: str = "en"

    @property
    def kind(self) -> str:
        return self.verb.value


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """Addressed to the bot, about money or a command, and not to be carried out.

    `part` is the piece of the text that was not understood, `suggestion` a line that would work; both are None where
    there is none, and both are hostile text.
    """

    reason: Reason
    part: str | None = None
    suggestion: str | None = None
    language: str = "en"
    kind: Literal["reject"] = "reject"


@dataclass(frozen=True, slots=True)
class Nothing:
    """Talk that is not for the bot: no answer."""

    language: str = "en"
    kind: Literal["ignore"] = "ignore"


Reading: TypeAlias = Transfer | Request | Command | NotUnderstood | Nothing
