"""The whole story of one payment, in the order in which it happened: what an admin reads when somebody writes in.

One function gathers it; the command, `--json` and a page show the same. It reads only. What people wrote is part of the
story and is opened for it; codes are not, since they are nowhere.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import Session, col, select

from bot.admin.proposals import Proposals
from bot.errors import Misconfigured, UnreadableRow
from bot.language.catalogue import Label
from bot.ledger_views import money_text
from bot.people.people import People
from bot.store.admin_tables import ProposalRow
from bot.store.inbox import Inbox
from bot.store.outbox import Outbox
from bot.store.tables import (
    AuthorisationRow,
    ChallengeRow,
    InboxRow,
    IntentLineRow,
    IntentRow,
    OutboxRow,
    PersonRow,
)
from bot.store.vault import Vault
from bot.x.gateway import UserId
from bot.x.snowflake import instant_of
from ledger import reading

TOLD_UNTIL = timedelta(days=100)
"""Longer than any hold lasts: nothing more is said of a payment after that."""
MOST_MESSAGES = 2_000


@dataclass(frozen=True, slots=True)
class Happened:
    """One thing: when, which kind (`said`, `asked`, `answered`, `moved`, `refund`, `told`, `ended`), and in words for an admin."""

    at: datetime
    kind: str
    what: str


@dataclass(frozen=True, slots=True)
class PaymentStory:
    reference: str
    state: str
    payer: str
    payer_id: int
    payee_ids: tuple[int, ...]
    total: str
    lines: tuple[str, ...]
    note: str
    happened: tuple[Happened, ...]

    def as_row(self) -> dict[str, Any]:
        """For JSON."""
        row = asdict(self)
        row["happened"] = [
            {"at": each.at.isoformat(timespec="milliseconds"), "kind": each.kind, "what": each.what}
            for each in self.happened
        ]
        return row


@dataclass(frozen=True, slots=True)
class Stories:
    people: People
    inbox: Inbox
    outbox: Outbox
    vault: Vault
    proposals: Proposals

    def of(self, session: Session, reference: str) -> PaymentStory:
        """Raises `Misconfigured` where there is no payment of this reference."""
        intent = session.exec(select(IntentRow).where(IntentRow.reference == reference.upper())).first()
        if intent is None:
            raise Misconfigured(reference, "is no payment's reference.", example="P-7K3F9Q, as in a receipt")
        lines = self._lines(session, intent)
        happened = [
            *self._said(session, intent),
            *self._asked(session, intent),
            *self._moved(session, intent, lines),
            *self._given_back(session, lines),
            *self._told(session, intent, lines),
        ]
        if intent.closed_at is not None:
            happened.append(Happened(intent.closed_at, "ended", f"the order is {intent.state}"))
        return PaymentStory(
            reference=intent.reference,
            state=intent.state,
            payer=self._person(session, intent.payer_id),
            payer_id=intent.payer_id,
            payee_ids=tuple(line.payee_id for line in lines if line.version == intent.version),
            total=money_text(intent.total_minor, intent.currency),
            lines=tuple(
                self._line(session, intent, line) for line in lines if line.version == intent.version
            ),
            note=self._opened(intent.note_sealed, "intents", intent.id, "note"),
            happened=tuple(sorted(happened, key=lambda each: each.at)),
        )

    @staticmethod
    def _lines(session: Session, intent: IntentRow) -> list[IntentLineRow]:
        rows = select(IntentLineRow).where(IntentLineRow.intent_id == intent.id)
        return list(session.exec(rows.order_by(col(IntentLineRow.version), col(IntentLineRow.position))))

    def _line(self, session: Session, intent: IntentRow, line: IntentLineRow) -> str:
        amount = money_text(line.amount_minor, intent.currency)
        until = f" until {line.due_at:%Y-%m-%d %H:%M} UTC" if line.state == "held" and line.due_at else ""
        return f"{amount} to {self._person(session, line.payee_id)}: {line.state}{until}"

    def _said(self, session: Session, intent: IntentRow) -> Iterator[Happened]:
        """Every version of the order, as it was written."""
        rows = session.exec(select(InboxRow).where(InboxRow.chain_id == intent.order_id))
        versions = [row for row in rows if row.kind == intent.order_kind]
        for row in sorted(versions, key=lambda row: row.x_id):
            how = "tweet" if row.kind == "post" else "message"
            edited = ", an edit" if row.x_id != row.chain_id else ""
            aside = f" (set aside: {row.reason})" if row.state == "set_aside" else ""
            yield Happened(row.said_at, "said", f"{how} {row.x_id}{edited}: {self._words(row)}{aside}")

    def _words(self, row: InboxRow) -> str:
        if row.payload_sealed is None:
            return "(its text was wiped)"
        try:
            content = self.inbox.open(row).content
        except UnreadableRow as error:
            return f"({error})"
        return f"“{getattr(content, 'text', '')}”"

    def _asked(self, session: Session, intent: IntentRow) -> Iterator[Happened]:
        rows = select(ChallengeRow).where(ChallengeRow.intent_id == intent.id)
        for row in session.exec(rows.order_by(col(ChallengeRow.created_at), col(ChallengeRow.id))):
            asked_at = row.issued_at or row.created_at
            until = f", good until {row.expires_at:%H:%M:%S} UTC" if row.expires_at else ", not sent yet"
            yield Happened(
                asked_at, "asked", f"question {row.letter} over version {row.version}{until}: {row.state}"
            )

    def _moved(self, session: Session, intent: IntentRow, lines: list[IntentLineRow]) -> Iterator[Happened]:
        """The transfers, and what allowed each: found from the transfers, which name it."""
        named = {line.transfer_id or 0 for line in lines} | {line.settled_id or 0 for line in lines}
        transfers = [
            found for one in sorted(named - {0}) if (found := reading.transfer(session, one)) is not None
        ]
        causes = {found.authorisation_id for found in transfers} | {intent.authorisation_id}
        for row in session.exec(
            select(AuthorisationRow).where(col(AuthorisationRow.id).in_(causes - {None}))
        ):
            at = (
                instant_of(row.evidence)
                if row.kind in {"answer", "return"} and row.evidence > 0
                else row.created_at
            )
            who = self._person(session, row.person_id)
            yield Happened(at, "answered", f"{row.kind} of {who}, authorisation {row.id}")
        for found in transfers:
            amount = money_text(found.amount.amount_minor, found.amount.currency.code)
            what = f"transfer {found.id}: {found.kind.value} {found.code}, {amount}"
            yield Happened(found.booked_at, "moved", what)

    def _given_back(self, session: Session, lines: list[IntentLineRow]) -> Iterator[Happened]:
        """What admins asked for and decided about it."""
        rows = select(ProposalRow).where(col(ProposalRow.line_id).in_([line.id for line in lines]))
        for row in session.exec(rows.order_by(col(ProposalRow.id))):
            what = f"refund of {money_text(row.amount_minor, row.currency)}, proposal {row.id}"
            loss = " from the operator's own money" if row.from_loss else ""
            yield Happened(row.proposed_at, "refund", f"{what}{loss}: asked for by {row.proposed_by}")
            seen = self.proposals.opened(row)
            if seen.decided_at is not None:
                moved = f", transfer {row.transfer_id}" if row.transfer_id else ""
                yield Happened(seen.decided_at, "refund", f"{what}: {seen.state} by {seen.decided_by}{moved}")

    def _told(self, session: Session, intent: IntentRow, lines: list[IntentLineRow]) -> Iterator[Happened]:
        """What was said of it to payer and payees, and what became of each message."""
        people = {intent.payer_id, *(line.payee_id for line in lines)}
        rows = (
            select(OutboxRow)
            .where(col(OutboxRow.person_id).in_(people))
            .where(col(OutboxRow.created_at) >= intent.created_at - timedelta(minutes=1))
            .where(col(OutboxRow.created_at) <= intent.created_at + TOLD_UNTIL)
            .where(_may_be_about(intent))
            .order_by(col(OutboxRow.created_at), col(OutboxRow.id))
            .limit(MOST_MESSAGES)
        )
        for row in session.exec(rows):
            if self._is_about(session, row, intent):
                yield self._message(session, row)

    def _is_about(self, session: Session, row: OutboxRow, intent: IntentRow) -> bool:
        if row.challenge_id is not None:
            return session.get_one(ChallengeRow, row.challenge_id).intent_id == intent.id
        if row.reply_to is not None:
            return row.reply_to == intent.order_id
        try:
            return self.outbox.parameters(row).get("reference") == intent.reference
        except UnreadableRow:
            return False

    def _message(self, session: Session, row: OutboxRow) -> Happened:
        who = self._person(session, row.person_id)
        how = "in public" if row.kind == "reply" else "in private"
        why = f" ({row.reason})" if row.reason else ""
        tries = f", {row.attempts} tries" if row.attempts > 1 else ""
        at = row.finished_at or row.attempted_at or row.created_at
        return Happened(at, "told", f"{row.phrase} to {who} {how}: {row.state}{why}{tries}, outbox {row.id}")

    def _person(self, session: Session, user_id: int) -> str:
        person = session.get(PersonRow, user_id)
        label = self.people.label(person) if person is not None else Label(str(UserId(user_id)))
        name = f" ({label.name})" if label.name else ""
        return f"@{label.username}{name}, {user_id}"

    def _opened(self, value: bytes | None, table: str, row_id: int, column: str) -> str:
        if value is None:
            return ""
        try:
            return self.vault.open(value, table=table, row_id=row_id, column=column)
        except UnreadableRow as error:
            return f"({error})"


def _may_be_about(intent: IntentRow) -> ColumnElement[bool]:
    """Leaves out, before they are loaded, what is of another question or post, and what has no words left to say it by."""
    questions = select(ChallengeRow.id).where(ChallengeRow.intent_id == intent.id)
    of_neither = and_(col(OutboxRow.challenge_id).is_(None), col(OutboxRow.reply_to).is_(None))
    return or_(
        col(OutboxRow.challenge_id).in_(questions),
        col(OutboxRow.reply_to) == intent.order_id,
        and_(of_neither, col(OutboxRow.parameters_sealed).is_not(None)),
    )
