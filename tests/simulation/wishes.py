"""What people decided about their accounts, as far as it is certain: nothing but what they said and were told.

A word may lie unread for a while, or be read after a later one. So something is sure only once as many answers were heard
as words were said about it; before that either end is right, and the model demands nothing.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from tests.simulation.told import SmallQuestion

MINUTE = timedelta(minutes=1)
FREEZE_WORDS = frozenset({"freeze", "pause", "hacked"})
ERASE_WORDS = frozenset({"erase", "forget"})
ENDING_WORDS = frozenset({"stop", "cancel", "no", "nope"}) | FREEZE_WORDS | ERASE_WORDS
"""First words of what may end a question that is open."""


class Sure(StrEnum):
    NO = "no"
    MAYBE = "maybe"
    YES = "yes"


@dataclass(slots=True)
class Choice:
    """Something one word turns on and another off."""

    sure: Sure = Sure.NO
    wanted: Sure = Sure.NO
    said: int = 0
    heard: int = 0

    def is_said(self, wanted: Sure) -> None:
        self.wanted, self.sure = wanted, Sure.MAYBE
        self.said += 1

    def is_heard(self) -> None:
        self.heard += 1
        if self.heard == self.said:
            self.sure = self.wanted

    def is_lost(self) -> None:
        """By an erasure: nothing more is to be learned of it."""
        self.sure = Sure.MAYBE
        self.said += 1


@dataclass(slots=True)
class Wishes:
    """Of one person."""

    muted: Choice = field(default_factory=Choice)
    private: Choice = field(default_factory=Choice)
    blocks: dict[int, Choice] = field(default_factory=dict)
    frozen: Choice = field(default_factory=Choice)
    """By themselves; a code ends it."""
    frozen_by_operator: bool = False
    questions: list[SmallQuestion] = field(default_factory=list)
    """Whether to thaw, or to be erased, as they were asked."""
    erasing_at: datetime | None = None
    """When they last said the right code of an erasure: from then on they may be erased."""
    erasing_since: datetime | None = None
    """When they said it first, since they were last erased: what they said before it goes."""
    erased_at: datetime | None = None
    """The same once they were told that they are."""

    def says(self, first: str, second: str) -> None:
        """A private message that is no code, by its words; whom it is about is told by `blocks`."""
        if first in FREEZE_WORDS:
            self.frozen.is_said(Sure.YES)
        if first in {"mute", "unmute"}:
            self.muted.is_said(Sure.YES if first == "mute" else Sure.NO)
        if first in {"private", "public"} and not second:
            self.private.is_said(Sure.YES if first == "private" else Sure.NO)

    def blocks_or_not(self, other: int, wanted: Sure) -> None:
        self.blocks.setdefault(other, Choice()).is_said(wanted)

    def answers(self, letter: str | None, digits: str, at: datetime) -> str | None:
        """Whether it is the code of a question about the account; of which."""
        for asked in self.questions:
            asked_letter, asked_digits = asked.code.split()
            if digits == asked_digits and letter in {None, asked_letter} and at < asked.until + MINUTE:
                if asked.what == "thaw":  # what they are yet told of being frozen may be about before
                    self.frozen.sure = self.frozen.wanted = Sure.MAYBE
                else:
                    self.erasing_at = at
                    self.erasing_since = self.erasing_since or at
                    self._may_be_gone()
                return asked.what
        return None

    def _may_be_gone(self) -> None:
        for choice in (self.muted, self.private, self.frozen, *self.blocks.values()):
            choice.is_lost()

    @property
    def is_surely_frozen(self) -> bool:
        return self.frozen_by_operator or self.frozen.sure is Sure.YES
