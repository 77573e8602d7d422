"""Several things for one person in one message: direct messages are scarce, and nobody likes five in a row.

Answers, receipts and notices that wait for a person go out together; a question never does, so that nothing stands
beside its code. What goes out together stays together until its fate is known, so that a lost message can be found again
by its words.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from sqlmodel import Session

from bot.channels.wording import Wording
from bot.errors import UnreadableRow
from bot.store.outbox import Outbox, Priority
from bot.store.tables import OutboxRow

MOST_TOGETHER = 20
LONGEST_MESSAGE = 9_000
"""X takes 10,000 characters in a direct message (docs.x.com direct messages, read 2026-08-22)."""
LATE = timedelta(minutes=5)
"""What took longer says so."""


@dataclass(frozen=True, slots=True)
class Worded:
    """A message, and the rows that go out in it, the one it was made for first."""

    text: str
    rows: tuple[OutboxRow, ...]


@dataclass(frozen=True, slots=True)
class Together:
    outbox: Outbox
    wording: Wording

    def word(
        self,
        session: Session,
        row: OutboxRow,
        *,
        attempted_at: datetime,
        tried_before: bool,
        may_be_out: bool,
    ) -> Worded | None:
        """The message in which this row goes out; None where it is to be said no more.

        `attempted_at` is its first attempt, which may be this one; `tried_before`: what goes out with it was settled then.
        """
        own = self.wording.word(session, row, may_be_out=may_be_out)
        if own is None:
            return None
        said, oldest = {row.id: own}, row.created_at
        others: list[OutboxRow] = []
        if row.kind == "message" and row.priority != Priority.CHALLENGE:
            others = self.outbox.merged(session, row) if tried_before else self._joining(session, row, own)
        for other in others:
            said[other.id] = self.wording.word(session, other, may_be_out=may_be_out) or ""
            oldest = min(oldest, other.created_at)
        paragraphs = [said[row_id] for row_id in sorted(said)]
        late = attempted_at - oldest
        if row.kind == "message" and late >= LATE:
            paragraphs.append(self.wording.late(row, minutes=int(late.total_seconds() // 60)))
        return Worded("\n\n".join(paragraph for paragraph in paragraphs if paragraph), (row, *others))

    def _joining(self, session: Session, row: OutboxRow, own: str) -> list[OutboxRow]:
        """What joins it now, as far as one message holds."""
        room = LONGEST_MESSAGE - len(own)
        lengths = [
            (other, self._length(session, other))
            for other in self.outbox.companions(session, row, most=MOST_TOGETHER)
        ]
        joining, used = [], 0
        for other, length in takewhile(lambda pair: pair[1] is not None, lengths):
            used += (length or 0) + 2
            if used > room:
                break
            other.merged_into = row.id
            session.add(other)
            joining.append(other)
        session.flush()
        return joining

    def _length(self, session: Session, row: OutboxRow) -> int | None:
        """None for what cannot be worded, or is to be said no more: it comes to its end by itself, and takes nothing with it."""
        try:
            words = self.wording.word(session, row, may_be_out=False)
        except (UnreadableRow, LookupError, TypeError, ValueError):
            return None
        return None if words is None else len(words)
