"""Tells the admins' own accounts on X of an alarm: a direct message, at most one an hour for each alarm.

X lets the bot write only to who has written to it, so an account that never did is left out, and the log says so.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlmodel import Session, col, select

from bot.errors import UnreadableRow
from bot.people.people import People
from bot.store.outbox import Outbox, Priority
from bot.store.tables import InboxRow, OutboxRow, PersonRow
from bot.store.vault import Vault
from bot.watching.alarms import OpenAlarm
from ledger.clock import Clock

log = structlog.get_logger(__name__)

PHRASE = "alarm"
PAUSE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class AdminMessages:
    accounts: Sequence[str]
    """X's numeric ids, or handles: an id is the account itself, a handle can change hands."""
    people: People
    outbox: Outbox
    vault: Vault
    clock: Clock

    def tell(self, session: Session, raised: Sequence[OpenAlarm], *, paused: bool) -> None:
        """In the transaction that raises it."""
        for person in self._admins(session) if raised else ():
            for each in raised:
                if not self._told_lately(session, person, each):
                    facts = {"alarm": each.alarm.value, "since": each.since, "paused": paused}
                    # It is no answer, but goes like one: to who asked for it in the settings, member or not.
                    self.outbox.tell(session, person, PHRASE, facts, priority=Priority.ANSWER)

    def _admins(self, session: Session) -> Iterator[PersonRow]:
        for account in self.accounts:
            person = self._person(session, account)
            if person is None:
                log.warning("alarms.account_never_wrote", account=account)
            else:
                yield person

    def _person(self, session: Session, account: str) -> PersonRow | None:
        rows = select(PersonRow).where(PersonRow.user_id == int(account)) if account.isdecimal() else None
        if rows is None:
            indexes = self.vault.blind_indexes(account.removeprefix("@").lower(), "username")
            rows = select(PersonRow).where(col(PersonRow.username_index).in_(indexes))
        known = list(session.exec(rows.limit(2)))
        wrote = select(InboxRow.id).where(InboxRow.kind == "message").limit(1)
        if (
            len(known) != 1
            or session.exec(wrote.where(InboxRow.person_id == known[0].user_id)).first() is None
        ):
            return None
        return known[0]

    def _told_lately(self, session: Session, person: PersonRow, alarm: OpenAlarm) -> bool:
        told = select(OutboxRow).where(OutboxRow.person_id == person.user_id, OutboxRow.phrase == PHRASE)
        lately = session.exec(told.where(col(OutboxRow.created_at) > self.clock() - PAUSE))
        return any(self._alarm_of(row) == alarm.alarm.value for row in lately)

    def _alarm_of(self, row: OutboxRow) -> object:
        try:
            return self.outbox.parameters(row).get("alarm")
        except UnreadableRow:
            return None
