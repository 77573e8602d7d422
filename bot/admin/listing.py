"""Payments as rows to look through: the newest of all, and what one person has paid or was paid."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from bot.admin.pages import LARGEST_ID, LONG, Page, page_of
from bot.ledger_views import money_text
from bot.people.people import People
from bot.store.tables import IntentLineRow, IntentRow, PersonRow
from ledger.clock import first_id_at

A_TICK = timedelta(minutes=1)
"""More than an id's time may be off."""


@dataclass(frozen=True, slots=True)
class PaymentLine:
    """One payee's part of one payment."""

    at: datetime
    reference: str
    amount: str
    payer_id: int
    payer: str
    payee_id: int
    payee: str
    state: str
    """Of the whole order."""
    line_state: str


@dataclass(frozen=True, slots=True)
class Listing:
    people: People

    def newest(self, session: Session, *, before: int = LARGEST_ID) -> Page[PaymentLine]:
        rows = select(IntentRow).where(col(IntentRow.id) < before)
        return self._of_intents(session, rows.order_by(col(IntentRow.id).desc()).limit(LONG + 1))

    def paid_by(
        self, session: Session, person_id: int, *, before: int = LARGEST_ID, long: int = LONG
    ) -> Page[PaymentLine]:
        rows = select(IntentRow).where(IntentRow.payer_id == person_id, col(IntentRow.id) < before)
        return self._of_intents(session, rows.order_by(col(IntentRow.id).desc()).limit(long + 1), long=long)

    def paid_to(
        self, session: Session, person_id: int, *, before: int = LARGEST_ID, long: int = LONG
    ) -> Page[PaymentLine]:
        rows = select(IntentLineRow).where(
            IntentLineRow.payee_id == person_id, col(IntentLineRow.id) < before
        )
        found = page_of(
            session.exec(rows.order_by(col(IntentLineRow.id).desc()).limit(long + 1)).all(), long=long
        )
        wanted = {line.intent_id for line in found.rows}
        intents = {
            intent.id: intent
            for intent in session.exec(select(IntentRow).where(col(IntentRow.id).in_(wanted)))
        }
        return Page(
            self._shown(session, [(intents[line.intent_id], line) for line in found.rows]), found.older
        )

    def of_person(self, session: Session, person_id: int, *, limit: int) -> Sequence[PaymentLine]:
        """The newest on either side."""
        both = [
            *self.paid_by(session, person_id, long=limit).rows,
            *self.paid_to(session, person_id, long=limit).rows,
        ]
        return sorted(set(both), key=lambda row: row.at, reverse=True)[:limit]

    def found(
        self,
        session: Session,
        *,
        person_id: int | None = None,
        amount_minor: int | None = None,
        since: datetime,
        until: datetime,
        limit: int,
    ) -> Sequence[PaymentLine]:
        """Newest first: of one person on either side or of all, of one amount or of any. Ids tell the time, so nothing
        outside of it is read."""
        in_time = (
            col(IntentRow.id) >= first_id_at(since),
            col(IntentRow.id) < first_id_at(until + A_TICK),
            col(IntentRow.created_at) >= since,
            col(IntentRow.created_at) < until,
        )
        rows = (
            select(IntentRow, IntentLineRow)
            .join(IntentLineRow, col(IntentLineRow.intent_id) == col(IntentRow.id))
            .where(*in_time)
            .where(col(IntentLineRow.version) == col(IntentRow.version))
            .order_by(col(IntentRow.id).desc(), col(IntentLineRow.position))
            .limit(limit)
        )
        if amount_minor is not None:
            rows = rows.where(
                or_(
                    col(IntentLineRow.amount_minor) == amount_minor,
                    col(IntentRow.total_minor) == amount_minor,
                )
            )
        if person_id is None and amount_minor is None:
            # Each has a line at least. Told so, PostgreSQL joins these few and not all of the time asked for.
            newest = select(IntentRow.id).where(*in_time).order_by(col(IntentRow.id).desc()).limit(limit)
            rows = rows.where(col(IntentRow.id).in_(newest))
        if person_id is None:
            return self._shown(session, session.exec(rows))
        halves = (
            rows.where(IntentRow.payer_id == person_id),
            rows.where(IntentLineRow.payee_id == person_id),
        )
        pairs = {(i.id, line.id): (i, line) for half in halves for i, line in session.exec(half)}
        return self._shown(session, [pairs[key] for key in sorted(pairs, reverse=True)][:limit])

    def _of_intents(
        self, session: Session, rows: SelectOfScalar[IntentRow], *, long: int = LONG
    ) -> Page[PaymentLine]:
        found = page_of(session.exec(rows).all(), long=long)
        by_intent: dict[int, list[IntentLineRow]] = {intent.id: [] for intent in found.rows}
        lines = select(IntentLineRow).where(col(IntentLineRow.intent_id).in_(by_intent))
        for line in session.exec(lines.order_by(col(IntentLineRow.position))):
            by_intent[line.intent_id].append(line)
        return Page(
            self._shown(session, [(intent, line) for intent in found.rows for line in by_intent[intent.id]]),
            found.older,
        )

    def _shown(
        self, session: Session, pairs: Iterable[tuple[IntentRow, IntentLineRow]]
    ) -> Sequence[PaymentLine]:
        """Only the lines of the version that counts."""
        counting = [(intent, line) for intent, line in pairs if line.version == intent.version]
        names = self.names(session, {one for i, line in counting for one in (i.payer_id, line.payee_id)})
        return [
            PaymentLine(
                at=intent.created_at,
                reference=intent.reference,
                amount=money_text(line.amount_minor, intent.currency),
                payer_id=intent.payer_id,
                payer=names[intent.payer_id],
                payee_id=line.payee_id,
                payee=names[line.payee_id],
                state=intent.state,
                line_state=line.state,
            )
            for intent, line in counting
        ]

    def names(self, session: Session, ids: set[int]) -> Mapping[int, str]:
        """How each is shown in a list, for those there are."""
        found = session.exec(select(PersonRow).where(col(PersonRow.user_id).in_(ids)))
        return {person.user_id: self.name(person) for person in found}

    def name(self, person: PersonRow) -> str:
        username = self.people.label(person).username
        return f"@{username}" if username else f"erased, {person.user_id}"
