"""People by their numeric id, and the labels they are seen under.

A handle is only a label: it is never looked up here to find out whom to pay. Labels come with what arrives and are
replaced only by newer texts.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from enum import StrEnum

from sqlalchemy import bindparam, text
from sqlmodel import Session, col, select

from bot.language.catalogue import Label
from bot.people import time_zones
from bot.people.former_handles import FormerHandles
from bot.people.tiers import Tier
from bot.store.tables import PersonRow
from bot.store.vault import Vault
from bot.x.gateway import UserId, XUser
from bot.x.snowflake import instant_of
from ledger.clock import IdSource

_ENSURED = text(
    "INSERT INTO people (user_id, labelled_by, standing, spoken_language, wrong_answers, locks, letters_used, tier,"
    " is_private, receipts_muted)"
    " VALUES (:person, 0, 'stranger', :language, 0, 0, 0, 'new', FALSE, FALSE) ON CONFLICT DO NOTHING"
)
# Asked for each message, so built once. What was read before the lock was held is read again.
_TAKEN = (
    select(PersonRow)
    .where(PersonRow.user_id == bindparam("person"))
    .with_for_update(skip_locked=True, key_share=False)
    .execution_options(populate_existing=True)
)
_LOCKED = (
    select(PersonRow)
    .where(col(PersonRow.user_id).in_(bindparam("people", expanding=True)))
    .order_by(col(PersonRow.user_id))
    .with_for_update()
    .execution_options(populate_existing=True)
)


class Standing(StrEnum):
    STRANGER = "stranger"
    ENROLLED = "enrolled"
    STOPPED = "stopped"


class People:
    def __init__(self, *, vault: Vault, ids: IdSource, language: str = "en", time_zone: tzinfo = UTC) -> None:
        self._vault = vault
        self.former_handles = FormerHandles(vault, ids)
        self._language = language
        self._time_zone = time_zone

    def ensure(self, session: Session, user_id: UserId) -> None:
        """A row for this person, made once however many ask at the same moment."""
        session.connection().execute(_ENSURED, {"person": user_id, "language": self._language})

    def take(self, session: Session, user_id: UserId) -> bool:
        """Locks this person for the transaction; False if another worker has them."""
        return session.exec(_TAKEN, params={"person": user_id}).first() is not None

    def lock(self, session: Session, user_ids: Iterable[UserId]) -> dict[UserId, PersonRow]:
        """These people's rows, locked in the order of their ids. Whoever already holds one may still have to wait for
        another worker; where two wait for each other the database ends one of them, and its work is run again."""
        wanted = sorted(set(user_ids))
        for user_id in wanted:
            self.get(session, user_id)
        found = session.exec(_LOCKED, params={"people": wanted})
        return {UserId(row.user_id): row for row in found}

    def get(self, session: Session, user_id: UserId) -> PersonRow:
        if (known := session.get(PersonRow, user_id)) is not None:
            return known
        self.ensure(session, user_id)
        return session.get_one(PersonRow, user_id)

    def notice(self, session: Session, users: Iterable[XUser], *, seen_in: int) -> None:
        """Takes over the labels that came with a text; `seen_in` is its X id, and older ones change nothing."""
        for user in users:
            person = self.get(session, user.id)
            if seen_in > person.labelled_by and self._is_news(person, user):
                self._note_handle(session, person, user, at=instant_of(seen_in))
                self._label(person, user)
                person.labelled_by = seen_in
                session.add(person)

    def _is_news(self, person: PersonRow, user: XUser) -> bool:
        return user != XUser(user.id, self.label(person).username, self.label(person).name)

    def _note_handle(self, session: Session, person: PersonRow, user: XUser, *, at: datetime) -> None:
        before = self.label(person).username if person.username_sealed else ""
        if before and before.lower() != user.username.lower():
            self.former_handles.note(session, person, before, until=at)

    def _label(self, person: PersonRow, user: XUser) -> None:
        def seal(text: str, column: str) -> bytes:
            return self._vault.seal(text, table="people", row_id=person.user_id, column=column)

        person.username_sealed = seal(user.username, "username")
        person.name_sealed = seal(user.name, "name") if user.name else person.name_sealed
        person.username_index = self._vault.blind_index(user.username.lower(), "username")

    def shown(self, person: PersonRow) -> Label:
        """How to show this person to others: who wants to be private is their handle and nothing else."""
        label = self.label(person)
        return Label(label.username) if person.is_private else label

    def label(self, person: PersonRow) -> Label:
        """How to show this person to themselves and to admins; the numeric id where no label was ever seen, and nothing for
        who was erased."""

        def opened(value: bytes | None, column: str) -> str:
            if value is None:
                return ""
            return self._vault.open(value, table="people", row_id=person.user_id, column=column)

        if person.user_id < 0:
            return Label("")
        username = opened(person.username_sealed, "username") or str(person.user_id)
        return Label(username, opened(person.name_sealed, "name"))

    def set_tier(self, session: Session, person: PersonRow, tier: Tier, *, at: datetime) -> None:
        """How well the operator knows this person, from now on. Whoever calls this writes down who said so and why, in
        the same transaction."""
        person.tier = tier
        person.identified_at = None if tier is Tier.NEW else person.identified_at or at
        session.add(person)
        session.flush()

    def time_zone(self, person: PersonRow) -> tzinfo:
        """The one of the person's choice, else the operator's."""
        return time_zones.zone(person.time_zone, self._time_zone)

    def language(self, person: PersonRow) -> str:
        """The language of the person's choice, else the one they last wrote in."""
        return person.chosen_language or person.spoken_language
