"""What can go wrong, sorted by what is to be done about it.

    SmoneyError
    ├── Refusal                 tell the person; this is no fault (subclasses stand beside the rule they state)
    ├── TryLater                nothing happened; the same thing may be done again, not before `at`
    │   ├── RateLimited         X's window is used up
    │   ├── GatewayUnavailable  X is down, slow, or answers nonsense
    │   └── LeaseLost           another program does this now
    ├── SendRefused             X refused this message for good; keep the reason, tell an admin
    ├── OutcomeUnknown          a send went out and no answer came: look for it before it is repeated
    ├── Misconfigured           an admin must mend a setting; says which one, what is wrong, and a right example
    ├── BackupUnusable          a backup is none of ours, damaged, or of another program; nothing was touched
    ├── WrongStatement          a bank's file cannot be read; says which line and why, and nothing of it was taken
    ├── UnreadableRow           one stored row makes no sense: set it aside with the reason, go on with the rest
    └── InvariantBroken         stop moving money and call an admin

One match in `daemon.py` decides what each means for the run; nowhere else is everything caught. The ledger has its
own tree (`ledger.errors`), which the story translates into refusals.
"""

from datetime import datetime
from typing import Any, ClassVar


class SmoneyError(Exception):
    """The root of everything this program raises on purpose."""


class Refusal(SmoneyError):
    """The person asked for something that cannot be done; `phrase` names the sentence that says so.

    `parameters` are what the sentence needs (see `bot.language.catalogue`). A refusal leaves no trace in the ledger.
    """

    phrase: ClassVar[str]

    def __init__(self, **parameters: Any) -> None:
        super().__init__(self.phrase)
        self.parameters = parameters


class TryLater(SmoneyError):
    """Nothing happened. `at` is when it may be tried again; None leaves the pause to the caller."""

    def __init__(self, reason: str, *, at: datetime | None = None) -> None:
        super().__init__(reason)
        self.at = at


class RateLimited(TryLater):
    """X's limit for this call is used up until `at`."""


class GatewayUnavailable(TryLater):
    """X could not be reached, answered with a fault of its own, or with something that cannot be read."""


class LeaseLost(TryLater):
    """Another program has taken over what this one did alone; nothing of it was written."""


class SendRefused(SmoneyError):
    """X will not take this message, now or later. `status` is X's HTTP status, `detail` X's own words.

    `duplicate` tells that X refused it as the same text again: after a lost answer that can mean it arrived. `gone` tells
    that the post it answers is deleted, or not shown to the bot any more. `unsummoned` tells that nobody calls the bot there,
    or that X has its one answer already: after a lost answer that can mean it arrived, too.
    """

    def __init__(
        self,
        detail: str,
        *,
        status: int,
        duplicate: bool = False,
        gone: bool = False,
        unsummoned: bool = False,
    ) -> None:
        super().__init__(f"{status}: {detail}")
        self.status = status
        self.detail = detail
        self.duplicate = duplicate
        self.gone = gone
        self.unsummoned = unsummoned


class OutcomeUnknown(SmoneyError):
    """The request went out and no usable answer came back."""


class Misconfigured(SmoneyError):
    """A setting is missing or wrong."""

    def __init__(self, setting: str, problem: str, *, example: str = "") -> None:
        super().__init__(f"{setting}: {problem}" + (f" A right one: {example}" if example else ""))
        self.setting = setting
        self.problem = problem
        self.example = example


class BackupUnusable(SmoneyError):
    """A backup cannot be restored; says why."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"This backup cannot be used: {problem}.")


class UnreadableRow(SmoneyError):
    """A stored row cannot be understood; it is set aside and the rest goes on."""


class InvariantBroken(SmoneyError):
    """Something that must always hold does not. Money stops moving until an admin has looked."""
