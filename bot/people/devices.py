"""Devices people are signed in on: the second channel beside direct messages.

A device is let in by a link sent in a message, and, where its person has an active second factor, by a code of that as
well. The link holds a token of 128 bits that is kept as a hash, is good once and for one person, and ends soon; opening
it acts on nothing, since previewers open links. A device that was not used for a while, or not proved for half a day,
must show a code again; without a second factor it needs a new link.

Whoever lost both app and recovery codes asks for the factor's removal with the link alone: that takes its 48 hours, with
notices, and only then the link is enough.

Each function that writes is to be called in one `database.write`; none raises for a wrong code, so that it is counted.
"""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlmodel import Session, col, select

from bot.language.catalogue import Parameters
from bot.people.factor_states import FactorState, Outcome, Tried
from bot.people.people import People
from bot.people.second_factor import SecondFactors
from bot.store.device_tables import DeviceLinkRow, DeviceRow
from bot.store.outbox import Outbox, Priority
from bot.store.tables import PersonRow
from bot.store.vault import Vault
from bot.x.gateway import UserId
from ledger.clock import Clock, Entropy, IdSource

TOKEN_BYTES = 16
SECRET_BYTES = 32
LINK_LASTS = timedelta(minutes=15)
INVITED_AGAIN_AFTER = timedelta(minutes=1)
IDLE = timedelta(minutes=30)
PROVED_FOR = timedelta(hours=12)
KEPT_FOR = timedelta(days=90)
"""How long a browser that is not used stays known."""
NAME_LENGTH = 60


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who sits at a device. `fresh`: they showed not long ago that it is they."""

    device_id: int
    person_id: UserId
    fresh: bool
    seen_at: datetime


@dataclass(frozen=True, slots=True, repr=False)
class LetIn:
    """`secret` goes into the browser's cookie; None where the code was not accepted. `NOTHING`: the link is not good."""

    tried: Tried
    secret: str | None = None


@dataclass(frozen=True, slots=True)
class Device:
    id: int
    name: str
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Devices:
    people: People
    outbox: Outbox
    factors: SecondFactors
    vault: Vault
    clock: Clock
    ids: IdSource
    entropy: Entropy
    address: str
    """Where the pages are, without a slash at the end; empty where there are none."""

    # The link

    def invite(self, session: Session, person: PersonRow, *, phrase: str = "device_link") -> None:
        """Sends a link, in a message only; links sent before count no more. `phrase` says what it is for."""
        if not self.address:
            self.outbox.tell(session, person, "device_no_page", {})
            return
        if self.outbox.told_lately(session, person, phrase, within=INVITED_AGAIN_AFTER):
            return
        self._end_links(session, person)
        now, token = self.clock(), _text(self.entropy(TOKEN_BYTES))
        link = DeviceLinkRow(
            id=self.ids(),
            person_id=person.user_id,
            token_hash=_hash(token),
            created_at=now,
            expires_at=now + LINK_LASTS,
        )
        session.add(link)
        session.flush()
        facts: Parameters = {
            "link": f"{self.address}/me/link?t={token}",
            "minutes": LINK_LASTS // timedelta(minutes=1),
        }
        self.outbox.tell(session, person, phrase, facts)

    def _end_links(self, session: Session, person: PersonRow) -> None:
        unused = col(DeviceLinkRow.person_id) == person.user_id, col(DeviceLinkRow.used_at).is_(None)
        session.exec(update(DeviceLinkRow).where(*unused).values(used_at=self.clock()))

    def invited(self, session: Session, token: str) -> PersonRow | None:
        """Whose link this is, while it is good. Reads only."""
        link = self._link(session, token)
        return None if link is None else session.get(PersonRow, link.person_id)

    def _link(self, session: Session, token: str) -> DeviceLinkRow | None:
        link = session.exec(select(DeviceLinkRow).where(DeviceLinkRow.token_hash == _hash(token))).first()
        good = link is not None and link.used_at is None and link.expires_at > self.clock()
        return link if good else None

    def needs_code(self, session: Session, person: PersonRow) -> bool:
        """Only a factor that has been trusted asks: a new one may be a thief's own."""
        return self.factors.standing(session, person).state is FactorState.ACTIVE

    # Letting in

    def let_in(self, session: Session, token: str, *, proof: str, name: str) -> LetIn:
        """The link with its button pressed. A wrong code leaves the link good, so that it can be tried again."""
        link, person = self._held(session, token)
        if link is None or person is None:
            return LetIn(Tried(Outcome.NOTHING))
        if self.needs_code(session, person):
            tried = self.factors.prove(session, person, proof)
            if not tried.accepted:
                return LetIn(tried)
        link.used_at = self.clock()
        session.add(link)
        return LetIn(Tried(Outcome.ACCEPTED), self._add(session, person, name))

    def _held(self, session: Session, token: str) -> tuple[DeviceLinkRow | None, PersonRow | None]:
        """The link and its person, locked: two at once cannot both use one link."""
        link = self._link(session, token)
        if link is None:
            return None, None
        person = self.people.lock(session, [UserId(link.person_id)])[UserId(link.person_id)]
        session.refresh(link)
        return (link, person) if link.used_at is None else (None, None)

    def _add(self, session: Session, person: PersonRow, name: str) -> str:
        now, secret = self.clock(), _text(self.entropy(SECRET_BYTES))
        row = DeviceRow(
            id=self.ids(),
            person_id=person.user_id,
            secret_hash=_hash(secret),
            created_at=now,
            proved_at=now,
            seen_at=now,
        )
        shown = name[:NAME_LENGTH] or "?"
        row.name_sealed = self.vault.seal(shown, table="devices", row_id=row.id, column="name")
        session.add(row)
        session.flush()
        self.outbox.tell(session, person, "device_new", {"device": shown}, priority=Priority.NOTICE)
        return secret

    def lost(self, session: Session, token: str) -> bool:
        """Somebody with the link and no code any more: the factor's removal begins. False where the link is not good, or
        nothing may begin now."""
        link, person = self._held(session, token)
        if link is None or person is None:
            return False
        link.used_at = self.clock()
        session.add(link)
        return self.factors.remove(session, person).tried.accepted

    # Being there

    def at(self, session: Session, secret: str) -> SignedIn | None:
        """Who sits at the browser with this secret. Reads only; `touch` notes that it is used."""
        row = session.exec(select(DeviceRow).where(DeviceRow.secret_hash == _hash(secret))).first()
        now = self.clock()
        if row is None or row.ended_at is not None or now - row.seen_at > KEPT_FOR:
            return None
        fresh = now - row.seen_at < IDLE and now - row.proved_at < PROVED_FOR
        return SignedIn(row.id, UserId(row.person_id), fresh, row.seen_at)

    def touch(self, session: Session, device_id: int) -> None:
        session.exec(update(DeviceRow).where(col(DeviceRow.id) == device_id).values(seen_at=self.clock()))

    def prove(self, session: Session, person: PersonRow, device_id: int, code: str) -> Tried:
        """A known device shows again that it is its person's. Without an active factor only a new link does."""
        if not self.needs_code(session, person):
            return Tried(Outcome.NOTHING)
        tried = self.factors.prove(session, person, code)
        if tried.accepted:
            now = self.clock()
            session.exec(
                update(DeviceRow).where(col(DeviceRow.id) == device_id).values(proved_at=now, seen_at=now)
            )
        return tried

    def of(self, session: Session, person: PersonRow) -> Sequence[Device]:
        """The newest used first."""
        rows = select(DeviceRow).where(
            DeviceRow.person_id == person.user_id, col(DeviceRow.ended_at).is_(None)
        )
        newest = rows.order_by(col(DeviceRow.seen_at).desc(), col(DeviceRow.id).desc()).limit(50)
        return [Device(row.id, self._name(row), row.seen_at) for row in session.exec(newest)]

    def _name(self, row: DeviceRow) -> str:
        if row.name_sealed is None:
            return "?"
        return self.vault.open(row.name_sealed, table="devices", row_id=row.id, column="name")

    def sign_out(self, session: Session, person: PersonRow, device_id: int) -> bool:
        """Only a person's own device; False where there is none like it."""
        row = session.get(DeviceRow, device_id)
        if row is None or row.person_id != person.user_id or row.ended_at is not None:
            return False
        row.ended_at = self.clock()
        session.add(row)
        session.flush()
        return True


def _text(value: bytes) -> str:
    return urlsafe_b64encode(value).decode().rstrip("=")


def _hash(token: str) -> bytes:
    """The tokens are random and long: a plain hash is enough to keep them from whoever reads the database."""
    return hashlib.sha256(b"smoney device " + token.encode("utf-8", "surrogatepass")).digest()
