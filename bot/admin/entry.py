"""How admins come in to the page: an invite's word sets password and app; name, password and code let in.

Whatever is wrong is told in one way, and takes the same time; each wrong try at a known name is counted in its row, five
lock it for a while, longer each time. A code's step never counts twice. A browser is known by a secret of 256 bits that is
kept as a hash, until it was idle for half an hour, twelve hours have passed, or its admin is ended or invited anew.

Whoever reaches the page could lock an admin out by guessing at their name. So a browser that an admin was signed in on
keeps a mark, a MAC over the admin, their password's hash and a time; with it the lock of the name does not stop a right
sign-in. It opens nothing by itself, and ends with the password.

Passwords are checked outside of any transaction, since that takes long on purpose; what was checked is held against the
row again in the one that counts.
"""

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from hashlib import sha256
from typing import Final

import structlog
from sqlalchemy import update
from sqlmodel import Session, col, select

from bot.admin import passwords
from bot.admin.acts import Role
from bot.admin.admins import NAME, hash_of_invite
from bot.admin.log import Actor
from bot.encoding import encode
from bot.keys import Keyring, Purpose, UnknownKey
from bot.people import one_time_codes
from bot.people.locking import Locking
from bot.store.admin_tables import AdminRow, AdminSessionRow
from bot.store.vault import Vault
from ledger.clock import Clock, Entropy, IdSource
from ledger.database import Database

log = structlog.get_logger(__name__)

SECRET_BYTES: Final = 32
IDLE: Final = timedelta(minutes=30)
LASTS: Final = timedelta(hours=12)
KNOWN_FOR: Final = timedelta(days=180)
"""How long a browser's mark is good."""
ISSUER: Final = "smoney admin"
LOCKING: Final = Locking()


@dataclass(frozen=True, slots=True, repr=False)
class Begun:
    """What is shown once to who holds a good invite."""

    name: str
    secret: str
    uri: str


class Problem(Enum):
    STALE = auto()
    """The invite is not good any more."""
    WEAK = auto()
    WRONG_CODE = auto()


@dataclass(frozen=True, slots=True)
class SignedIn:
    session_id: int
    actor: Actor
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    database: Database
    vault: Vault
    keyring: Keyring
    clock: Clock
    ids: IdSource
    entropy: Entropy

    # The invite

    def begin(self, word: str) -> Begun | None:
        """A new secret for the app, which counts once a code of it was shown. None where the word is not good."""
        return self.database.write(lambda session: self._begin(session, word))

    def _begin(self, session: Session, word: str) -> Begun | None:
        row = self._invited(session, word)
        if row is None:
            return None
        secret = one_time_codes.new_secret(self.entropy)
        row.secret_sealed = self.vault.seal(secret, table="admins", row_id=row.id, column="secret")
        row.used_step = None
        session.add(row)
        session.flush()
        uri = one_time_codes.enrolment_uri(secret, account=row.name, issuer=ISSUER)
        return Begun(row.name, secret, uri)

    def finish(self, word: str, password: str, code: str) -> str | Problem:
        """Sets both, and uses the word up: returns the secret of a new session. Raises `TooManyAtOnce`."""
        if not passwords.is_good(password):
            return Problem.WEAK
        kept = passwords.hashed(password, self.entropy)
        return self.database.write(lambda session: self._finish(session, word, kept, code))

    def _finish(self, session: Session, word: str, kept: str, code: str) -> str | Problem:
        row = self._invited(session, word)
        if row is None or row.secret_sealed is None:
            return Problem.STALE
        if not self._takes_code(row, code):
            return Problem.WRONG_CODE
        row.password_hash = kept
        row.invite_hash = row.invite_expires_at = None
        return self._open(session, row)

    def _invited(self, session: Session, word: str) -> AdminRow | None:
        found = select(AdminRow).where(
            AdminRow.invite_hash == hash_of_invite(word.strip()), col(AdminRow.ended_at).is_(None)
        )
        row = session.exec(found.with_for_update()).first()
        good = row is not None and row.invite_expires_at is not None and row.invite_expires_at > self.clock()
        return row if good else None

    # Signing in

    def sign_in(self, name: str, password: str, code: str, *, mark: str = "") -> str | None:
        """The secret of a new session; None for whatever was wrong. `mark` is what the browser was given by `mark`. Raises
        `TooManyAtOnce`."""
        asked = name if NAME.fullmatch(name) else ""
        kept = self.database.read(lambda session: self._password_of(session, asked))
        fits = passwords.fits(password, kept)
        return self.database.write(
            lambda session: self._sign_in(session, asked, kept if fits else None, code, mark)
        )

    @staticmethod
    def _password_of(session: Session, name: str) -> str | None:
        return session.exec(_CURRENT_PASSWORD.where(AdminRow.name == name)).first()

    def _sign_in(
        self, session: Session, name: str, proved: str | None, code: str, mark: str = ""
    ) -> str | None:
        """`proved` is the hash that the password was found to fit."""
        found = select(AdminRow).where(AdminRow.name == name, col(AdminRow.ended_at).is_(None))
        row = session.exec(found.with_for_update()).first()
        if row is None or row.password_hash is None:
            return None
        if _is_locked(row, self.clock()) and not self._is_marked(row, mark):
            return None
        if proved != row.password_hash or not self._takes_code(row, code):
            self._count(session, row)
            return None
        return self._open(session, row)

    def _takes_code(self, row: AdminRow, code: str) -> bool:
        digits = one_time_codes.digits_of(code)
        if digits is None or row.secret_sealed is None:
            return False
        secret = self.vault.open(row.secret_sealed, table="admins", row_id=row.id, column="secret")
        step = one_time_codes.matching_step(secret, digits, self.clock(), after=row.used_step)
        if step is None:
            return False
        row.used_step = step
        return True

    def _count(self, session: Session, row: AdminRow) -> None:
        row.wrong_tries += 1
        if row.wrong_tries >= LOCKING.tries:
            row.locked_until = self.clock() + LOCKING.lasts(row.locks)
            row.locks += 1
            row.wrong_tries = 0
            log.warning("admin.locked", admin=row.id, until=row.locked_until.isoformat())
        session.add(row)
        session.flush()

    def _open(self, session: Session, row: AdminRow) -> str:
        row.wrong_tries = row.locks = 0
        row.locked_until = None
        session.add(row)
        secret = urlsafe_b64encode(self.entropy(SECRET_BYTES)).decode().rstrip("=")
        now = self.clock()
        session.add(
            AdminSessionRow(
                id=self.ids(), admin_id=row.id, secret_hash=_hash(secret), created_at=now, seen_at=now
            )
        )
        session.flush()
        return secret

    # The browser's mark

    def mark(self, secret: str) -> str:
        """For the browser that has just got this session: what tells it from a stranger's later on."""
        made_at = str(int(self.clock().timestamp()))
        key_id = self.keyring.current_id

        def made(session: Session) -> str:
            row = session.exec(_SEATED.where(AdminSessionRow.secret_hash == _hash(secret))).one()
            return f"{key_id}.{made_at}.{self._mark_mac(row, made_at, key_id)}"

        return self.database.read(made)

    def _is_marked(self, row: AdminRow, mark: str) -> bool:
        key_id, _, rest = mark.partition(".")
        made_at, _, mac = rest.partition(".")
        try:
            ours = self._mark_mac(row, made_at, key_id)
        except UnknownKey:
            return False
        if not hmac.compare_digest(ours.encode(), mac.encode("utf-8", "replace")):
            return False
        return self.clock() - datetime.fromtimestamp(int(made_at), UTC) <= KNOWN_FOR

    def _mark_mac(self, row: AdminRow, made_at: str, key_id: str) -> str:
        key = self.keyring.derive(Purpose.ADMIN_BROWSER, key_id)
        bound = encode("smoney admin browser 1", row.id, row.password_hash or "", made_at)
        return hmac.new(key, bound, sha256).hexdigest()

    # Being in

    def at(self, session: Session, secret: str) -> SignedIn | None:
        """Who sits at the browser with this secret, with the role they have now. Reads only."""
        found = select(AdminSessionRow, AdminRow).where(
            AdminSessionRow.secret_hash == _hash(secret),
            col(AdminSessionRow.admin_id) == col(AdminRow.id),
            col(AdminSessionRow.ended_at).is_(None),
            col(AdminRow.ended_at).is_(None),
        )
        both = session.exec(found).first()
        if both is None:
            return None
        seat, row = both
        now = self.clock()
        if now - seat.seen_at >= IDLE or now - seat.created_at >= LASTS:
            return None
        return SignedIn(seat.id, Actor(row.name, Role(row.role), "page"), seat.seen_at)

    def touch(self, session_id: int) -> None:
        now = self.clock()
        this = col(AdminSessionRow.id) == session_id
        self.database.write(
            lambda session: session.exec(update(AdminSessionRow).where(this).values(seen_at=now)) and None
        )

    def sign_out(self, secret: str) -> None:
        this = col(AdminSessionRow.secret_hash) == _hash(secret), col(AdminSessionRow.ended_at).is_(None)
        now = self.clock()
        self.database.write(
            lambda session: session.exec(update(AdminSessionRow).where(*this).values(ended_at=now)) and None
        )


_SEATED = select(AdminRow).join(AdminSessionRow, col(AdminSessionRow.admin_id) == col(AdminRow.id))
_CURRENT_PASSWORD = select(AdminRow.password_hash).where(col(AdminRow.ended_at).is_(None))


def _is_locked(row: AdminRow, now: datetime) -> bool:
    return row.locked_until is not None and row.locked_until > now


def _hash(secret: str) -> bytes:
    """The secrets are random and long: a plain hash keeps them from whoever reads the database."""
    return sha256(b"smoney admin session " + secret.encode("utf-8", "surrogatepass")).digest()
