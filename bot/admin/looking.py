"""Notes who looked at what is about one person: a member, a payment, what somebody wrote or was told.

Whoever keeps people's data has to be able to say who has seen it. So it is noted before it is shown, and what cannot be
noted is not shown; once an hour for each admin and thing, so that a page that is loaded again adds nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from bot.admin.log import Actor, AuditLog
from ledger.database import Database


@dataclass(frozen=True, slots=True)
class Looking:
    log: AuditLog

    def note(self, database: Database, actor: Actor, action: str, subjects: Iterable[str]) -> None:
        """`action` is one of `LOOKS`, a subject such as `person 7`. Raises what the database raises."""
        for subject in subjects:
            if not database.read(lambda session: self.log.has_looked(session, actor, action, subject)):  # noqa: B023
                database.write(lambda session: self.log.look(session, actor, action, subject))  # noqa: B023
