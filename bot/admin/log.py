"""The audit log: every action of an admin, with who did it, to what, when and why. Rows are only ever added, and only by
who may do what they say. Beside them it keeps who looked at what is about one person, so that this too can be answered for.

Who: an admin's name, and the way they came (`command` or `page`). Why: their own words, sealed like all that people
write. What it was done to is named by kind and id; `facts` are ids, codes and numbers only.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session, col, select

from bot.admin.acts import Role, check
from bot.admin.pages import LARGEST_ID
from bot.errors import Misconfigured
from bot.store.tables import AdminActionRow
from bot.store.vault import Vault
from ledger.clock import Clock, IdSource

MOST_REASON = 1_000
LOOKS: Final = ("member.look", "payment.look", "inbox.look", "outbox.look")
"""Noted without a reason, and not shown among what was done unless asked for."""
LOOKED_LATELY: Final = timedelta(hours=1)
"""Whoever looks at the same again within it is not noted again."""
SELF_CHECK = "self-check"
"""The name under which the daemon itself pauses payments, and what nobody decided lapses; no admin is given it."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a name, what they may do, and `command` or `page`."""

    name: str
    role: Role
    channel: str = "command"


@dataclass(frozen=True, slots=True)
class Action:
    """One row of the log, opened."""

    id: int
    at: datetime
    by: str
    channel: str
    action: str
    subject: str
    reason: str
    facts: Mapping[str, str | int]


class AuditLog:
    def __init__(self, *, vault: Vault, clock: Clock, ids: IdSource) -> None:
        self._vault = vault
        self._clock = clock
        self._ids = ids

    def record(
        self,
        session: Session,
        actor: Actor,
        action: str,
        subject: str,
        *,
        reason: str,
        facts: Mapping[str, str | int] | None = None,
    ) -> None:
        """Adds a row, in the transaction of the action itself. Raises `NotAllowed` for who may not do it, and
        `Misconfigured` without a reason; then the action must not happen."""
        check(actor.role, action)
        why = reason.strip()
        if not why or len(why) > MOST_REASON or not actor.name.strip():
            raise Misconfigured(
                "--reason",
                f"must say why, in at most {MOST_REASON} characters.",
                example="--reason 'asked for by the member in a letter'",
            )
        row = self._row(actor, action, subject)
        row.reason_sealed = self._vault.seal(why, table="admin_actions", row_id=row.id, column="reason")
        row.facts = json.dumps(dict(facts or {}), sort_keys=True)
        session.add(row)
        session.flush()

    def look(self, session: Session, actor: Actor, action: str, subject: str) -> None:
        """Adds that somebody looked: one of `LOOKS`, at what. Raises `NotAllowed` for who may not."""
        check(actor.role, action)
        session.add(self._row(actor, action, subject))
        session.flush()

    def has_looked(self, session: Session, actor: Actor, action: str, subject: str) -> bool:
        """Whether that was noted lately."""
        rows = select(AdminActionRow.id).where(
            AdminActionRow.subject == subject,
            AdminActionRow.actor == actor.name,
            AdminActionRow.channel == actor.channel,
            AdminActionRow.action == action,
            col(AdminActionRow.at) > self._clock() - LOOKED_LATELY,
        )
        return session.exec(rows.limit(1)).first() is not None

    def _row(self, actor: Actor, action: str, subject: str) -> AdminActionRow:
        return AdminActionRow(
            id=self._ids(),
            at=self._clock(),
            actor=actor.name,
            channel=actor.channel,
            action=action,
            subject=subject,
            facts="{}",
        )

    def newest(
        self,
        session: Session,
        *,
        subject: str | None = None,
        limit: int = 50,
        before: int = LARGEST_ID,
        looks: bool = False,
    ) -> list[Action]:
        """The newest actions first, of one subject or of all, from below an id that was shown last; looks too where asked
        for. Ids of several programs rise with the time to half a minute; within what is shown the times decide."""
        rows = select(AdminActionRow).where(col(AdminActionRow.id) < before)
        if not looks:
            rows = rows.where(col(AdminActionRow.action).not_in(LOOKS))
        if subject is not None:
            rows = rows.where(AdminActionRow.subject == subject)
        found = session.exec(rows.order_by(col(AdminActionRow.id).desc()).limit(limit))
        return [self._opened(row) for row in sorted(found, key=lambda row: (row.at, row.id), reverse=True)]

    def _opened(self, row: AdminActionRow) -> Action:
        reason = (
            self._vault.open(row.reason_sealed, table="admin_actions", row_id=row.id, column="reason")
            if row.reason_sealed
            else ""
        )
        return Action(
            id=row.id,
            at=row.at,
            by=row.actor,
            channel=row.channel,
            action=row.action,
            subject=row.subject,
            reason=reason,
            facts=json.loads(row.facts),
        )
