"""What people can do about a payment after the fact: cancel, decline, return.

Each names a reference or means the only one there is. Where several would fit, the person is shown them and asked;
nothing is guessed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from bot.language.catalogue import Line
from bot.language.reading import Verb
from bot.payments.claims import Claims
from bot.payments.records import Found, Records
from bot.payments.story import Story
from bot.people.people import People
from bot.store.outbox import Outbox
from bot.store.tables import IntentLineRow, IntentRow, PersonRow
from bot.tracing import follow
from bot.x.gateway import MessageId, UserId

RECENT = 5


@dataclass(frozen=True, slots=True)
class Changes:
    story: Story
    claims: Claims
    records: Records
    people: People
    outbox: Outbox

    def cancel(self, session: Session, payer: PersonRow, reference: str | None) -> None:
        """The payer's "no": to an open question, or (by its reference) to money nobody has claimed yet."""
        if (intent := self._open_order(session, payer, reference)) is not None:
            self.story.cancel(session, payer, intent)
            return
        held = self.records.set_aside_by(session, payer.user_id)
        if reference is None:
            self._ask_which(session, payer, Verb.CANCEL, self._open_or_held(session, payer, held))
            return
        chosen = [found for found in held if found[1].reference == reference]
        for line, intent in chosen:
            follow(intent.order_id)
            self.claims.cancel(session, payer, line, intent)
        if not chosen:
            self.outbox.tell(session, payer, "nothing_to_cancel", {})

    def _open_order(self, session: Session, payer: PersonRow, reference: str | None) -> IntentRow | None:
        intents = self.records.open_intents(session, payer.user_id)
        if reference is not None:
            return next((intent for intent in intents if intent.reference == reference), None)
        return intents[0] if len(intents) == 1 else None

    def _open_or_held(self, session: Session, payer: PersonRow, held: Sequence[Found]) -> Sequence[Found]:
        intents = self.records.open_intents(session, payer.user_id)
        return [(line, intent) for intent in intents for line in self.records.lines(session, intent)] or held

    def decline(self, session: Session, payee: PersonRow, reference: str | None) -> None:
        """The payee does not want what is held for them."""
        held = self.records.held_for(session, payee.user_id)
        self._choose(session, payee, Verb.DECLINE, held, reference, self.claims.decline)

    def give_back(
        self, session: Session, payee: PersonRow, reference: str | None, said_in: MessageId
    ) -> None:
        """The payee returns what came. Raises `InsufficientMoney`."""

        def back(session: Session, payee: PersonRow, line: IntentLineRow, intent: IntentRow) -> None:
            self.claims.give_back(session, payee, line, intent, said_in=said_in)

        if reference is None:
            received = self.records.received_by(session, payee.user_id, limit=RECENT)
        else:
            received = self.records.received_under(session, payee.user_id, reference)
        self._choose(session, payee, Verb.RETURN, received, reference, back)

    def _choose(
        self,
        session: Session,
        person: PersonRow,
        verb: Verb,
        found: Sequence[Found],
        reference: str | None,
        act: Callable[[Session, PersonRow, IntentLineRow, IntentRow], None],
    ) -> None:
        fitting = [each for each in found if reference in {None, each[1].reference}]
        if len(fitting) == 1:
            follow(fitting[0][1].order_id)
            act(session, person, *fitting[0])
            return
        self._ask_which(session, person, verb, fitting)

    def _ask_which(self, session: Session, person: PersonRow, verb: Verb, found: Sequence[Found]) -> None:
        if not found:
            self.outbox.tell(session, person, f"nothing_to_{verb.value}", {})
            return
        lines = tuple(self._told(session, verb, line, intent) for line, intent in found[:RECENT])
        self.outbox.tell(session, person, "which_one", {"command": verb.value, "lines": lines})

    def _told(self, session: Session, verb: Verb, line: IntentLineRow, intent: IntentRow) -> Line:
        other = self.records.payee_label(session, line)
        if verb is not Verb.CANCEL:
            other = self.people.shown(self.people.get(session, UserId(intent.payer_id)))
        return Line(other, self.records.money(intent, line.amount_minor), intent.reference)
