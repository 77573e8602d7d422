"""The intents, their lines and challenges as they stand in the database: found, made and changed here, decided elsewhere."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

from sqlalchemy import func, text, update
from sqlmodel import Session, col, select

from bot.language.catalogue import Label, Line
from bot.payments import queries
from bot.payments.intents import (
    IntentState,
    Order,
    OrderKey,
    PlannedLine,
    new_reference,
    total_of,
)
from bot.people.people import People
from bot.store.guard_tables import WrongAnswerRow
from bot.store.remembered import forget, once
from bot.store.tables import ChallengeRow, IntentLineRow, IntentRow, PersonRow
from bot.store.vault import Vault
from bot.x.gateway import UserId
from ledger.clock import Clock, Entropy, IdSource
from ledger.money import Money, currency_of

Found: TypeAlias = tuple[IntentLineRow, IntentRow]
"""A line and the intent it belongs to."""


class Records:
    def __init__(
        self, *, people: People, vault: Vault, clock: Clock, ids: IdSource, entropy: Entropy
    ) -> None:
        self._people = people
        self._vault = vault
        self._clock = clock
        self._ids = ids
        self._entropy = entropy

    # Intents

    def find(self, session: Session, key: OrderKey) -> IntentRow | None:
        return session.exec(queries.OF_ORDER, params={"kind": key.kind, "order": key.id}).first()

    def by_reference(self, session: Session, reference: str) -> IntentRow | None:
        return session.exec(queries.BY_REFERENCE, params={"reference": reference}).first()

    def write_version(
        self, session: Session, order: Order, lines: Sequence[PlannedLine], state: IntentState
    ) -> IntentRow:
        """The intent as this version of the order has it; made new if there was none. Lines of older versions stay."""
        intent = self.find(session, order.key) or self._new(session, order)
        total = total_of(lines)
        intent.version = order.version
        intent.total_minor = total.amount_minor
        intent.currency = total.currency.code
        intent.note_sealed = self._seal_note(intent, order.note)
        intent.state = state
        intent.closed_at = None
        session.add(intent)
        session.flush()
        for position, line in enumerate(lines):
            self._write_line(session, intent, position, line)
        session.flush()
        forget(session, _lines_of(intent, intent.version))
        return intent

    def _new(self, session: Session, order: Order) -> IntentRow:
        return IntentRow(
            id=self._ids(),
            order_kind=order.key.kind,
            order_id=order.key.id,
            reference=self._free_reference(session),
            payer_id=order.payer_id,
            version=order.version,
            post_id=order.post_id,
            total_minor=0,
            currency="",
            state=IntentState.PARKED,
            created_at=self._clock(),
        )

    def _free_reference(self, session: Session) -> str:
        while self.by_reference(session, reference := new_reference(self._entropy)):
            pass
        return reference

    def _seal_note(self, intent: IntentRow, note: str | None) -> bytes | None:
        return self._vault.seal(note, table="intents", row_id=intent.id, column="note") if note else None

    def note(self, intent: IntentRow) -> str | None:
        if intent.note_sealed is None:
            return None
        return self._vault.open(intent.note_sealed, table="intents", row_id=intent.id, column="note")

    def close(self, session: Session, intent: IntentRow, state: IntentState) -> None:
        intent.state = state
        intent.closed_at = self._clock()
        session.add(intent)
        session.flush()

    def open_intents(self, session: Session, payer_id: int) -> list[IntentRow]:
        return list(session.exec(queries.OPEN_OF, params={"payer": payer_id}))

    def paid_since(
        self, session: Session, payer_id: int, since: datetime, lately: datetime
    ) -> tuple[int, int, int]:
        """What this person has paid after the earlier instant, and after the later one, in minor units, and in how many
        payments after the later; what came back to them does not count."""
        asked = {"payer": payer_id, "since": since, "lately": lately}
        minor, minor_lately, payments_lately = session.exec(queries.PAID_SINCE, params=asked).one()
        return int(minor), int(minor_lately), int(payments_lately)

    def paid_by_message_since(self, session: Session, payer_id: int, since: datetime) -> int:
        """The part of it, in minor units, that a message or an exemption was enough for."""
        asked = {"payer": payer_id, "since": since, "lately": since}
        return int(session.exec(queries.PAID_BY_MESSAGE_SINCE, params=asked).one()[0])

    def has_paid(self, session: Session, payer_id: int, payee_id: int) -> bool:
        """Whether this payer has paid this very account before: what came back or is being reviewed is no payment."""
        both = {"payer": payer_id, "payee": payee_id}
        return session.exec(queries.PAID_TO, params=both).first() is not None

    def last_paid(self, session: Session, payer_id: int, payee_id: int) -> datetime | None:
        """When this payer last paid this very account, in the sense of `has_paid`."""
        line = session.exec(queries.PAID_TO, params={"payer": payer_id, "payee": payee_id}).first()
        return session.get_one(IntentRow, line.intent_id).closed_at if line else None

    def has_paid_another(self, session: Session, payer_id: int, line: IntentLineRow) -> bool:
        """Whether this payer has paid a different account under the handle this line names. Of lines older than the
        handles' index only the newest are opened."""
        handle = self.handle(line).lower()
        both = {"payer": payer_id, "payee": line.payee_id}
        indexed = {**both, "handle": self._vault.blind_indexes(handle, "username")}
        if any(session.exec(found, params=indexed).first() for found in queries.PAID_UNDER_HANDLE):
            return True
        older = session.exec(queries.PAID_UNINDEXED, params=both)
        return any(self.handle(other).lower() == handle for other in older)

    # Lines

    def _write_line(self, session: Session, intent: IntentRow, position: int, line: PlannedLine) -> None:
        line_id = self._ids()
        handle = self._vault.seal(
            line.payee.username, table="intent_lines", row_id=line_id, column="username"
        )
        self._people.get(session, line.payee.user_id)
        session.add(
            IntentLineRow(
                id=line_id,
                intent_id=intent.id,
                version=intent.version,
                position=position,
                payee_id=line.payee.user_id,
                username_sealed=handle,
                username_index=self._vault.blind_index(line.payee.username.lower(), "username"),
                amount_minor=line.amount.amount_minor,
            )
        )

    def lines(self, session: Session, intent: IntentRow, version: int | None = None) -> list[IntentLineRow]:
        """Those of one version, the present one if none is named: once it is written no line joins or leaves it."""
        wanted = intent.version if version is None else version

        def read() -> tuple[IntentLineRow, ...]:
            return tuple(session.exec(queries.LINES, params={"intent": intent.id, "version": wanted}))

        return list(once(session, _lines_of(intent, wanted), read))

    def handle(self, line: IntentLineRow) -> str:
        """The handle the payer wrote."""
        if line.username_sealed is None:
            return ""
        return self._vault.open(line.username_sealed, table="intent_lines", row_id=line.id, column="username")

    def money(self, intent: IntentRow, amount_minor: int) -> Money:
        return Money(amount_minor, currency_of(intent.currency))

    def total(self, intent: IntentRow) -> Money:
        return self.money(intent, intent.total_minor)

    def payee_label(self, session: Session, line: IntentLineRow) -> Label:
        """The payee as their own latest label has it, under the handle the payer wrote if none was seen."""
        person = self._people.get(session, UserId(line.payee_id))
        return self._people.shown(person) if person.username_sealed else Label(self.handle(line))

    def told_lines(
        self, session: Session, intent: IntentRow, lines: Sequence[IntentLineRow] | None = None
    ) -> tuple[Line, ...]:
        """Payees and amounts as they are told to the payer."""
        return tuple(
            Line(self.payee_label(session, line), self.money(intent, line.amount_minor), intent.reference)
            for line in (self.lines(session, intent) if lines is None else lines)
        )

    def held_for(self, session: Session, payee_id: int) -> list[Found]:
        return _found(session.exec(queries.HELD_FOR, params={"payee": payee_id}))

    def set_aside_by(self, session: Session, payer_id: int) -> list[Found]:
        """What this payer gave and nobody has yet: held, still to be undone, or under review."""
        return _found(session.exec(queries.SET_ASIDE_BY, params={"payer": payer_id}))

    def undoable_until(self, session: Session, before: datetime) -> list[Found]:
        """What its payer can no longer take back, since before this instant."""
        return _found(session.exec(queries.UNDOABLE_DUE, params={"before": before}))

    def holds_due(self, session: Session, before: datetime) -> list[Found]:
        """Those whose time ended before this instant."""
        return _found(session.exec(queries.HELD_DUE, params={"before": before}))

    def held_soonest(self, session: Session, *, most: int) -> list[Found]:
        """Whatever is held, for anybody: what ends first."""
        return _found(session.exec(queries.HELD_SOONEST, params={"most": most}))

    def received_by(self, session: Session, payee_id: int, *, limit: int) -> list[Found]:
        """What this person was paid and has not given back, newest first."""
        rows = queries.RECEIVED.order_by(col(IntentLineRow.id).desc()).limit(limit)
        return _found(session.exec(rows, params={"payee": payee_id}))

    def received_under(self, session: Session, payee_id: int, reference: str) -> list[Found]:
        """The same, of one payment."""
        rows = queries.RECEIVED.where(IntentRow.reference == reference)
        return _found(session.exec(rows, params={"payee": payee_id}))

    def entries(self, session: Session, person_id: int, *, limit: int) -> list[Found]:
        """The newest payments this person gave or was given, held and returned ones among them."""
        # Each half finds its newest by an index; both at once would read everybody's.
        person = {"person": person_id, "most": limit}
        halves = [_found(session.exec(half, params=person)) for half in (queries.GIVEN, queries.GOT)]
        both = {line.id: (line, intent) for half in halves for line, intent in half}
        return [both[line_id] for line_id in sorted(both, reverse=True)][:limit]

    def unasked_since(self, session: Session, payer_id: int, since: datetime) -> list[IntentRow]:
        """Orders of this payer that lapsed before anybody could be asked."""
        return list(session.exec(queries.UNASKED, params={"payer": payer_id, "since": since}))

    def move_hold_ends(self, session: Session, by: timedelta) -> None:
        """The bot could not listen for so long: nobody's time to claim runs out for it."""
        longer = by // timedelta(microseconds=1)
        session.connection().execute(
            text("UPDATE intent_lines SET due_at = due_at + :longer WHERE state = 'held'"), {"longer": longer}
        )
        session.expire_all()

    # Wrong answers

    def count_wrong_answer(self, session: Session, person: PersonRow, within: timedelta) -> int:
        """Adds one, and returns how many there were in this time, since the person was last unlocked."""
        now = self._clock()
        session.add(WrongAnswerRow(id=self._ids(), person_id=person.user_id, at=now))
        session.flush()
        since = max(now - within, person.unlocked_at or now - within)
        rows = select(func.count()).where(
            col(WrongAnswerRow.person_id) == person.user_id, col(WrongAnswerRow.at) > since
        )
        return session.exec(rows).one()

    # Challenges

    def challenges(self, session: Session, payer_id: int, *states: str) -> list[ChallengeRow]:
        return list(session.exec(queries.CHALLENGES, params={"payer": payer_id, "states": states}))

    def add_challenge(self, session: Session, intent: IntentRow, letter: str) -> ChallengeRow:
        challenge = ChallengeRow(
            id=self._ids(),
            intent_id=intent.id,
            version=intent.version,
            payer_id=intent.payer_id,
            letter=letter,
            created_at=self._clock(),
        )
        session.add(challenge)
        intent.asked_at = challenge.created_at
        session.add(intent)
        session.flush()
        return challenge

    def end_challenges(self, session: Session, intent: IntentRow, state: str) -> None:
        """No code of this intent counts from here on."""
        session.exec(
            update(ChallengeRow)
            .where(col(ChallengeRow.intent_id) == intent.id, col(ChallengeRow.state).in_(("queued", "open")))
            .values(state=state)
        )

    def expired_challenges(self, session: Session, before: datetime) -> list[ChallengeRow]:
        """Those that reached their person and whose time ended before this instant."""
        return list(session.exec(queries.EXPIRED, params={"before": before}))

    def never_asked(self, session: Session, before: datetime) -> list[IntentRow]:
        """Orders whose question waits since before this instant and was never surely put."""
        return list(session.exec(queries.NEVER_ASKED, params={"before": before}))

    def parked_before(self, session: Session, before: datetime) -> list[IntentRow]:
        """Orders that wait for their payer to enrol since before this instant."""
        return list(session.exec(queries.PARKED, params={"before": before}))


def _lines_of(intent: IntentRow, version: int) -> tuple[str, int, int]:
    return ("lines of an intent's version", intent.id, version)


def _found(rows: Iterable[tuple[IntentLineRow, IntentRow]]) -> list[Found]:
    return [(line, intent) for line, intent in rows]
