"""Numbers and units become amounts, or pieces that carry the reason why they are none.

What is composed here is read in full or refused: a unit on both sides, cents behind, a multiplier, a sign, a percent
mark, letters stuck to the digits. A number that counts something else ("3 hugs") is no amount.
"""

from collections.abc import Callable, Sequence

from bot.language.numerals import Numeral, numeral
from bot.language.reading import Reason
from bot.language.roles import Role
from bot.language.tokens import Token

MarksThousands = Callable[[str], bool]
"""Whether a separator marks thousands in the language of the message."""

_CEILING_MINOR = 10**14
_GLUED_MULTIPLIERS = {"k": 1000, "keur": 1000, "keuro": 1000, "keuros": 1000}
_LOOKALIKES = frozenset("oilsbz|")


def with_amounts(tokens: Sequence[Token], marks_thousands: MarksThousands) -> list[Token]:
    """The tokens with each number and its units in one piece: an amount, or what is refused."""
    reader = _Composer(tokens, marks_thousands)
    return reader.run()


class _Composer:
    """Goes through the tokens once, from left to right."""

    def __init__(self, tokens: Sequence[Token], marks_thousands: MarksThousands) -> None:
        self.tokens = tokens
        self.marks_thousands = marks_thousands
        self.position = 0
        self.found: list[Token] = []

    def run(self) -> list[Token]:
        while self.position < len(self.tokens):
            token = self.tokens[self.position]
            if token.role is Role.NUMBER or (token.role is Role.UNIT and self._role_at(1) is Role.NUMBER):
                self.found.append(self._amount())
            else:
                self.found.append(token)
                self.position += 1
        return self.found

    def _role_at(self, ahead: int) -> Role | None:
        place = self.position + ahead
        return self.tokens[place].role if place < len(self.tokens) else None

    def _take(self) -> Token:
        token = self.tokens[self.position]
        self.position += 1
        return token

    def _next(self) -> Token | None:
        return self.tokens[self.position] if self.position < len(self.tokens) else None

    def _amount(self) -> Token:
        """From a unit or number on, as far as the amount goes."""
        first = self.tokens[self.position]
        before = [self._take()] if first.role is Role.UNIT else []
        number = self._take()
        amount = Token(Role.AMOUNT, "", first.start, number.end)
        amount.meaning = number.meaning
        multiplier = self._multiplier(number, amount)
        units = before + self._units(amount)
        amount.reason = self._priced(amount, number, multiplier, units)
        if amount.reason is not None:
            amount.role = Role.BAD_AMOUNT
        return amount

    def _priced(self, amount: Token, number: Token, multiplier: int, units: Sequence[Token]) -> Reason | None:
        """Sets the amount's value; or the first thing that forbids it."""
        read = _value(number)
        amount.value, fraction = divmod(read.hundredths * multiplier * _factor(units), 100)
        return (
            self._misplaced(amount)
            or read.reason
            or self._language_refuses(read, multiplier)
            or _units_refuse(units, multiplier)
            or (Reason.TOO_PRECISE if fraction else None)
            or self._infix(amount, units, multiplier)
            or self._afterwards(amount, units, number)
            or _out_of_bounds(amount.value)
        )

    def _multiplier(self, number: Token, amount: Token) -> int:
        """Reads “4k”, “2 mille”: a thousand times; the token is taken."""
        after = self._next()
        if after is None:
            return 1
        glued = after.start == number.end
        if after.role is Role.THOUSAND and (glued or after.key not in _GLUED_MULTIPLIERS):
            amount.end = self._take().end
            return 1000
        if glued and after.key in _GLUED_MULTIPLIERS:
            amount.end = after.end
            if after.key == "k":
                self.position += 1
            return 1000
        return 1

    def _units(self, amount: Token) -> list[Token]:
        """The units that follow directly."""
        units = []
        while (after := self._next()) is not None and (after.role is Role.UNIT or self._is_glued_unit(after)):
            units.append(self._take())
            amount.end = after.end
        if units and self._is_abbreviated(amount.end):
            self._take()
        return units

    def _is_abbreviated(self, end: int) -> bool:
        """The point of “40 EUR. to”: behind the unit and before the word for the payee it ends no sentence."""
        after = self._next()
        return after is not None and after.key == "." and after.start == end and self._role_at(1) is Role.TO

    def _is_glued_unit(self, token: Token) -> bool:
        return (
            token.key in _GLUED_MULTIPLIERS
            and token.key != "k"
            and token.start == self.tokens[self.position - 1].end
        )

    def _misplaced(self, first: Token) -> Reason | None:
        """What stands before it: a sign, a bound, something stuck to it."""
        previous = self.found[-1] if self.found else None
        if previous is None:
            return None
        if previous.role in (Role.DASH, Role.MINUS):
            return Reason.ZERO_OR_NEGATIVE
        if previous.role is Role.ABOUT:
            return Reason.AMBIGUOUS_AMOUNT
        if previous.end == first.start and previous.role not in _MAY_STICK_BEFORE:
            return Reason.SPOOFED_TEXT if previous.role is Role.HIDDEN else Reason.AMBIGUOUS_AMOUNT
        return None

    def _language_refuses(self, read: Numeral, multiplier: int) -> Reason | None:
        if not read.mark:
            return None
        return None if multiplier == 1 and self.marks_thousands(read.mark) else Reason.AMBIGUOUS_AMOUNT

    def _infix(self, amount: Token, units: Sequence[Token], multiplier: int) -> Reason | None:
        """Reads “40€20”, “40 euros 20”, “40 euros et 20 centimes”: two figures behind the unit are cents."""
        ahead = 1 if self._role_at(0) in (Role.AND, Role.WITH) else 0
        if not units or self._role_at(ahead) is not Role.NUMBER:
            return None
        cents = self.tokens[self.position + ahead]
        unit = self.tokens[self.position + ahead + 1] if self._role_at(ahead + 1) is Role.UNIT else None
        behind = self.tokens[self.position - 2 : self.position]
        if len(units) > 1 or multiplier > 1 or not _are_cents(cents, unit, joined=bool(ahead), behind=behind):
            return None if ahead else Reason.MULTIPLE_AMOUNTS
        if amount.value % 100 or _factor(units) != 100:
            return Reason.AMBIGUOUS_AMOUNT
        amount.value += _value(cents).hundredths // 100
        amount.end = (unit or cents).end
        self.position += ahead + (2 if unit else 1)
        return None

    def _afterwards(self, amount: Token, units: Sequence[Token], number: Token) -> Reason | None:
        """What stands behind it: a percent mark, letters stuck to it, a noun it counts."""
        after = self._next()
        in_words = number.value > 0 or number.meaning is not None
        if after is None:
            return Reason.AMBIGUOUS_AMOUNT if in_words and not units else None
        glued = after.start == amount.end
        if after.role is Role.PERCENT:
            return Reason.NO_AMOUNT
        if after.role in (Role.UNIT, Role.THOUSAND, Role.NUMBER):
            return Reason.AMBIGUOUS_AMOUNT
        if glued and after.role in _NEVER_GLUED:
            return Reason.SPOOFED_TEXT if _deceives(after) else Reason.AMBIGUOUS_AMOUNT
        if units:
            return None
        if in_words:
            return Reason.AMBIGUOUS_AMOUNT
        return Reason.NO_AMOUNT if self._counts_something(after) else None

    def _counts_something(self, after: Token) -> bool:
        """A bare number with a noun behind it. An emoji is one, unless it ends the text."""
        if after.role is Role.EMOJI:
            return self.position + 1 < len(self.tokens)
        return after.role in (Role.WORD, Role.HASHTAG, Role.VAGUE, Role.HIDDEN, Role.ODD, Role.CONDITION)


_MAY_STICK_BEFORE = frozenset(
    (Role.SEND, Role.REQUEST, Role.TO, Role.COLON, Role.MENTION, Role.BOT, Role.EACH)
)
_NEVER_GLUED = frozenset(
    (Role.WORD, Role.HIDDEN, Role.NUMBER, Role.ODD, Role.UNIT, Role.SEND, Role.TALK, Role.NEGATION, Role.GREETING,
     Role.PLEASE, Role.AND, Role.OR, Role.TO, Role.FOR, Role.EACH, Role.TIMES, Role.ABOUT, Role.REFERENCE)
)  # fmt: skip


def _value(number: Token) -> Numeral:
    if number.meaning is not None:
        return Numeral(number.value * 100, reason=number.reason, is_whole=True)
    return numeral(number.key)


def _factor(units: Sequence[Token]) -> int:
    """How many cents one of the unit is; without a unit, the euro."""
    return units[0].meaning.factor if units and units[0].meaning is not None else 100


def _out_of_bounds(cents: int) -> Reason | None:
    if cents == 0:
        return Reason.ZERO_OR_NEGATIVE
    return None if cents < _CEILING_MINOR else Reason.AMBIGUOUS_AMOUNT


def _deceives(after: Token) -> bool:
    """Letters that look like figures, or are of another script."""
    return after.role is Role.HIDDEN or not after.key.isascii() or set(after.key) <= _LOOKALIKES


def _units_refuse(units: Sequence[Token], multiplier: int) -> Reason | None:
    factors = {unit.meaning.factor if unit.meaning else 100 for unit in units}
    if 0 in factors:
        return Reason.UNSUPPORTED_CURRENCY
    if len(factors) > 1 or len(units) > 2 or (multiplier > 1 and 1 in factors):
        return Reason.AMBIGUOUS_AMOUNT
    return None


def _are_cents(cents: Token, unit: Token | None, *, joined: bool, behind: Sequence[Token]) -> bool:
    """Whether a number behind "40 euros" says how many cents come to it."""
    read = _value(cents)
    if read.reason is not None or not read.is_whole or read.hundredths >= 100_00:
        return False
    two_figures = len(read.digits) == 2 or (cents.meaning is not None and cents.value >= 10)
    if cents.start == behind[-1].end:  # "40€20": only where all of it is in one piece
        all_stuck = len(behind) > 1 and behind[-1].start == behind[-2].end and behind[-1].role is Role.UNIT
        follows = unit is None or (unit.meaning is not None and unit.meaning.factor == 1)
        return len(read.digits) == 2 and all_stuck and follows
    if unit is not None:
        return unit.meaning is not None and unit.meaning.factor == 1
    return two_figures and not joined and behind[-1].key.isalpha()
