"""Alarms as rows: raised once, kept open while it lasts, cleared when it is over.

An alarm about money pauses payments in the transaction that raises it, and that stands in the audit log under the name
`self-check`. It is the act an admin pauses with (`payments.pause`), done with the least role that may do it: so one
place says since when and why payments are paused, whoever did it. The log's channel is `command`, since it is the command
`smoney run` that looks; no admin can be called `self-check`. Only an owner lets payments go on. An owner who does so
while the alarm is still open has looked, and is not paused again by the same alarm.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, or_, text
from sqlmodel import Session, col, select

from bot.admin.acts import Role
from bot.admin.log import SELF_CHECK, Actor, AuditLog
from bot.store.admin_tables import AlarmRow
from bot.store.columns import literally
from bot.store.switches import Switch, turn_on
from bot.watching.names import MONEY, Alarm, Facts
from ledger.clock import Clock, IdSource, microseconds_of

_KNOWN = select(AlarmRow).where(literally(AlarmRow.name, *(alarm.value for alarm in Alarm)))
"""Those of names this program knows: another version's may have had others."""
_OPEN = _KNOWN.where(col(AlarmRow.cleared_at).is_(None))
_UNTOLD = _KNOWN.where(
    or_(
        col(AlarmRow.raised_told_at).is_(None),
        and_(col(AlarmRow.cleared_at).is_not(None), col(AlarmRow.cleared_told_at).is_(None)),
    )
)


@dataclass(frozen=True, slots=True)
class OpenAlarm:
    id: int
    alarm: Alarm
    since: datetime
    facts: Facts


@dataclass(frozen=True, slots=True)
class Changes:
    """What one look changed."""

    raised: tuple[OpenAlarm, ...] = ()
    cleared: tuple[OpenAlarm, ...] = ()
    paused: bool = False
    """Whether payments were paused by it."""


def open_alarms(session: Session) -> tuple[OpenAlarm, ...]:
    """The oldest first."""
    return tuple(sorted((_seen(row) for row in session.exec(_OPEN)), key=lambda each: (each.since, each.id)))


def _seen(row: AlarmRow) -> OpenAlarm:
    return OpenAlarm(row.id, Alarm(row.name), row.raised_at, json.loads(row.facts))


@dataclass(frozen=True, slots=True)
class News:
    """That an alarm was raised, or is over: something a webhook has not taken yet."""

    state: str
    """`raised` or `cleared`."""
    at: datetime
    alarm: OpenAlarm


def untold(session: Session, *, limit: int) -> list[News]:
    """What no webhook has taken yet of the oldest alarms, in the order in which it happened."""
    found: list[News] = []
    for row in session.exec(_UNTOLD.order_by(col(AlarmRow.raised_at), col(AlarmRow.id)).limit(limit)):
        if row.raised_told_at is None:
            found.append(News("raised", row.raised_at, _seen(row)))
        if row.cleared_at is not None and row.cleared_told_at is None:
            found.append(News("cleared", row.cleared_at, _seen(row)))
    return sorted(found, key=lambda news: (news.at, news.alarm.id, news.state != "raised"))


def note_told(session: Session, news: News, *, at: datetime) -> None:
    row = session.get_one(AlarmRow, news.alarm.id)
    if news.state == "raised":
        row.raised_told_at = at
    else:
        row.cleared_told_at = at
    session.add(row)
    session.flush()


@dataclass(frozen=True, slots=True)
class Alarms:
    log: AuditLog
    clock: Clock
    ids: IdSource
    has_webhook: bool
    """Whether somebody is to be told: else what is over is done with, and is told to nobody who comes later."""

    def settle(self, session: Session, found: Mapping[Alarm, Facts], *, clears: Collection[Alarm]) -> Changes:
        """Opens what was found and is not open yet, and ends what was not found, of those this look can tell the end of."""
        rows = {Alarm(row.name): row for row in session.exec(_OPEN.with_for_update())}
        raised = [
            opened
            for alarm, facts in found.items()
            if alarm not in rows and (opened := self._raise(session, alarm, facts)) is not None
        ]
        for alarm in found.keys() & rows.keys():
            rows[alarm].facts = _json(found[alarm])
            session.add(rows[alarm])
        over = [row for alarm, row in rows.items() if alarm in clears and alarm not in found]
        for row in over:
            row.cleared_at = self.clock()
            if not self.has_webhook:
                row.raised_told_at = row.cleared_told_at = row.cleared_at
            session.add(row)
        session.flush()
        paused = self._pause(session, [each for each in raised if each.alarm in MONEY])
        cleared = sorted((_seen(row) for row in over), key=lambda each: (each.since, each.id))
        return Changes(tuple(raised), tuple(cleared), paused)

    def _raise(self, session: Session, alarm: Alarm, facts: Facts) -> OpenAlarm | None:
        """None where another program was quicker."""
        opened = OpenAlarm(self.ids(), alarm, self.clock(), facts)
        values = {
            "id": opened.id,
            "name": alarm.value,
            "at": microseconds_of(opened.since),
            "facts": _json(facts),
        }
        return opened if session.connection().execute(_INSERT, values).rowcount else None

    def _pause(self, session: Session, about_money: Collection[OpenAlarm]) -> bool:
        if not about_money or not turn_on(session, Switch.PAYMENTS_PAUSED, by=SELF_CHECK, clock=self.clock):
            return False
        names = ", ".join(sorted(each.alarm.value for each in about_money))
        actor = Actor(SELF_CHECK, Role.SUPPORT)
        facts = {"alarm": min(each.id for each in about_money)}
        self.log.record(session, actor, "payments.pause", "book", reason=f"alarm: {names}", facts=facts)
        return True


_INSERT = text(
    "INSERT INTO alarms (id, name, raised_at, facts) VALUES (:id, :name, :at, :facts) ON CONFLICT DO NOTHING"
)


def _json(facts: Facts) -> str:
    return json.dumps(dict(facts), sort_keys=True)
