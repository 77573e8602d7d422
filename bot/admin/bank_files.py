"""A bank's file as an admin gives it, by command or on a page: read in one way, known by one name in the audit log, and told
of in the same words."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from bot.errors import Misconfigured
from bot.funding.csv_columns import columns_said
from bot.funding.csv_values import ORDERS
from bot.funding.reading import read_statement
from bot.funding.statements import BankLine, BankStatement, Told, bare, nothing_told

STATES: Final = ("known", "open", "proposed", "matched")
"""What became of a line. `known`: it came before, and was left out."""
LONGEST_NAME: Final = 200


@dataclass(frozen=True, slots=True)
class BankFile:
    name: str
    data: bytes
    columns: str = ""
    """Which heading of a CSV is what, as `columns_said` takes it; nothing where the file says it itself."""
    dates: str | None = None
    """The order of days, where a CSV leaves it open."""

    @property
    def reason(self) -> str:
        """Why lines came in: this very file did."""
        name = bare(self.name.replace("\\", "/").rpartition("/")[2], LONGEST_NAME) or "a file without a name"
        return f"{name}, sha256 {sha256(self.data).hexdigest()}"

    def read(self, *, told: Told = nothing_told) -> BankStatement:
        """Raises `WrongStatement`, and `Misconfigured` for columns or an order of days that there cannot be."""
        if self.dates is not None and self.dates not in ORDERS:
            raise Misconfigured("--dates", f"is none of {', '.join(ORDERS)}.", example=f"--dates {ORDERS[0]}")
        return read_statement(
            self.data, columns_said(self.columns) if self.columns else {}, self.dates, told=told
        )


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one line; ids only where it was kept and is new."""

    said: BankLine
    state: str
    line_id: int | None = None
    proposal_id: int | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    lines: Sequence[Taken]
    dry_run: bool

    @property
    def counts(self) -> Mapping[str, int]:
        found = Counter(each.state for each in self.lines)
        return {state: found[state] for state in STATES}

    @property
    def sentence(self) -> str:
        counts = self.counts
        kept = " This was a rehearsal: nothing was kept." if self.dry_run else ""
        return (
            f"{len(self.lines)} lines, {len(self.lines) - counts['known']} of them new: {counts['proposed']} proposed,"
            f" {counts['matched']} matched, {counts['open']} open.{kept}"
        )
