"""Answers what people ask of their money: balance, history, one receipt. Reads only, and only what is theirs."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from bot.language.catalogue import Direction, Entry, State, Value
from bot.payments.intents import LineState
from bot.payments.records import Found, Records
from bot.payments.wallets import Wallets
from bot.people.people import People
from bot.store.outbox import Outbox
from bot.store.tables import IntentLineRow, IntentRow, PersonRow
from bot.x.gateway import UserId

NEWEST = 5
_INTENT_STATES = {
    "parked": State.WAITING,
    "asking": State.WAITING,
    "cancelled": State.CANCELLED,
    "expired": State.EXPIRED,
    "lapsed": State.EXPIRED,
    "refused": State.REFUSED,
    "withdrawn": State.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class Inquiries:
    wallets: Wallets
    records: Records
    people: People
    outbox: Outbox

    def balance(self, session: Session, person: PersonRow) -> None:
        balance = self.wallets.balance(session, person)
        facts: dict[str, Value] = {"posted": balance.posted}
        if balance.held.amount_minor:
            facts |= {"held": balance.held, "available": balance.available}
        if balance.incoming.amount_minor:
            facts["incoming"] = balance.incoming
        self.outbox.tell(session, person, "balance", facts)

    def history(self, session: Session, person: PersonRow) -> None:
        entries = self.entries(session, person, limit=NEWEST)
        if entries:
            self.outbox.tell(session, person, "history", {"entries": entries})
        else:
            self.outbox.tell(session, person, "history_empty", {})

    def entries(self, session: Session, person: PersonRow, *, limit: int) -> tuple[Entry, ...]:
        """Their newest payments, for the page too."""
        newest = self.records.entries(session, person.user_id, limit=limit)
        return tuple(self._entry(session, person, found) for found in newest)

    def receipt(self, session: Session, person: PersonRow, reference: str | None) -> None:
        """What became of one payment; of the newest one where none is named."""
        found = self._asked_for(session, person, reference)
        if not found:
            phrase = "reference_unknown" if reference else "history_empty"
            self.outbox.tell(session, person, phrase, {"reference": reference} if reference else {})
            return
        intent = found[0][1]
        entries = tuple(self._entry(session, person, each) for each in found)
        facts: dict[str, Value] = {
            "entries": entries,
            "reference": intent.reference,
            "note": self.records.note(intent),
        }
        self.outbox.tell(session, person, "receipt", facts)

    def _asked_for(self, session: Session, person: PersonRow, reference: str | None) -> list[Found]:
        """A payee sees only their own line of a payment, and only once money has come near them."""
        if reference is None:
            newest = self.records.entries(session, person.user_id, limit=1)
            reference = newest[0][1].reference if newest else ""
        intent = self.records.by_reference(session, reference)
        if intent is None:
            return []
        lines = self.records.lines(session, intent)
        if intent.payer_id != person.user_id:
            lines = [line for line in lines if line.payee_id == person.user_id and line.transfer_id]
        return [(line, intent) for line in lines]

    def _entry(self, session: Session, person: PersonRow, found: Found) -> Entry:
        line, intent = found
        gives = intent.payer_id == person.user_id
        other = (
            self.records.payee_label(session, line)
            if gives
            else self.people.shown(self.people.get(session, UserId(intent.payer_id)))
        )
        return Entry(
            direction=Direction.OUT if gives else Direction.IN,
            person=other,
            amount=self.records.money(intent, line.amount_minor),
            at=_when(intent),
            reference=intent.reference,
            state=_state(line, intent),
            note=self.records.note(intent) or "",
        )


def _when(intent: IntentRow) -> datetime:
    return intent.closed_at or intent.created_at


def _state(line: IntentLineRow, intent: IntentRow) -> State:
    if line.state == LineState.ASKED:
        return _INTENT_STATES[intent.state]
    return State(line.state)
