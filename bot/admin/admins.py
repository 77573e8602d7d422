"""The admins of this book: who they are, what they may do, and how the first one comes.

On the command line an admin is the system's user who types. As long as nobody was added, whoever can open the book is its
owner; the first to be added is an owner with a login of their own, and at least one like that always remains, so that an
owner who has lost their second factor can be invited anew from the machine itself. A name is never given twice.
"""

import os
import pwd
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from sqlmodel import Session, col, select

from bot.admin.acts import NotAllowed, Role
from bot.admin.log import SELF_CHECK, Actor, AuditLog
from bot.errors import Misconfigured
from bot.store.admin_tables import AdminRow, AdminSessionRow
from ledger.clock import Clock, Entropy, IdSource

INVITE_LASTS: Final = timedelta(hours=24)
INVITE_BYTES: Final = 16
NAME: Final = re.compile(r"[a-z][a-z0-9._-]{0,39}")


def login_name() -> str:
    """The system's user behind a command: the one who became root where that is known."""
    return os.environ.get("SUDO_USER") or pwd.getpwuid(os.getuid()).pw_name


def who_types(session: Session, *, unknown: Role | None = None) -> Actor:
    """Who gives a command, and what they may do. Somebody unknown has the role `unknown`; raises `NotAllowed` without."""
    login = login_name()
    known = session.exec(_CURRENT.where(AdminRow.login == login)).first()
    if known is not None:
        return Actor(known.name, Role(known.role))
    if unknown is None and session.exec(_CURRENT.limit(1)).first() is not None:
        raise NotAllowed(
            f"{login} is no admin here. Nothing was done. An owner adds them: smoney admin add NAME --login {login}"
        )
    return Actor(f"{login} (system)", unknown or Role.OWNER)


_CURRENT = select(AdminRow).where(col(AdminRow.ended_at).is_(None))


@dataclass(frozen=True, slots=True)
class Admin:
    """One of them, as shown."""

    name: str
    role: Role
    login: str
    signs_in: bool
    """Whether they have set a password and an app for the page."""
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Admins:
    log: AuditLog
    clock: Clock
    ids: IdSource
    entropy: Entropy

    def all(self, session: Session) -> Sequence[Admin]:
        return [
            Admin(row.name, Role(row.role), row.login or "", row.password_hash is not None, row.added_at)
            for row in session.exec(_CURRENT.order_by(col(AdminRow.name)))
        ]

    def add(
        self, session: Session, actor: Actor, name: str, role: Role, *, login: str | None, reason: str
    ) -> str:
        """Returns the word with which they set their password and app on the page; it is good once and for a day.

        Raises `Misconfigured` for a name or login that is taken, and `NotAllowed`.
        """
        facts = {"role": role.value}
        self.log.record(session, actor, "admin.add", f"admin {name}", reason=reason, facts=facts)
        if not NAME.fullmatch(name) or name == SELF_CHECK:
            raise Misconfigured(name, "is no name for an admin.", example="anna or anna.b (small letters)")
        if session.exec(select(AdminRow).where(AdminRow.name == name)).first() is not None:
            raise Misconfigured(name, "is or was an admin's name here.", example=f"{name}2")
        if login and session.exec(_CURRENT.where(AdminRow.login == login)).first() is not None:
            raise Misconfigured(login, "gives another admin's commands.", example="a login of their own")
        first = session.exec(_CURRENT.limit(1)).first() is None
        if first and (role is not Role.OWNER or not login):
            raise Misconfigured(
                name,
                "would be the first admin here, and has to be an owner who can give commands.",
                example=f"smoney admin add {name} --role owner --login {login_name()}",
            )
        row = AdminRow(id=self.ids(), name=name, role=role.value, login=login or None, added_at=self.clock())
        return self._invite(session, row)

    def invite(self, session: Session, actor: Actor, name: str, *, reason: str) -> str:
        """For who has lost password or app: both end now, and so do their sessions. Returns the word as `add` does."""
        self.log.record(session, actor, "admin.invite", f"admin {name}", reason=reason)
        row = self._known(session, name)
        row.password_hash = row.secret_sealed = row.used_step = row.locked_until = None
        row.wrong_tries = row.locks = 0
        self._sign_out(session, row)
        return self._invite(session, row)

    def _invite(self, session: Session, row: AdminRow) -> str:
        word = self.entropy(INVITE_BYTES).hex()
        row.invite_hash = hash_of_invite(word)
        row.invite_expires_at = self.clock() + INVITE_LASTS
        session.add(row)
        session.flush()
        return word

    def set_role(self, session: Session, actor: Actor, name: str, role: Role, *, reason: str) -> None:
        """Raises `Misconfigured` where no owner with a login would be left."""
        row = self._known(session, name)
        facts = {"from": row.role, "to": role.value}
        self.log.record(session, actor, "admin.role", f"admin {name}", reason=reason, facts=facts)
        if role is not Role.OWNER:
            self._check_another_owner(session, row)
        row.role = role.value
        session.add(row)
        session.flush()

    def end(self, session: Session, actor: Actor, name: str, *, reason: str) -> None:
        """They may do nothing any more, at once. Raises as `set_role`."""
        self.log.record(session, actor, "admin.end", f"admin {name}", reason=reason)
        row = self._known(session, name)
        self._check_another_owner(session, row)
        row.ended_at = self.clock()
        row.invite_hash = row.invite_expires_at = row.password_hash = row.secret_sealed = None
        session.add(row)
        self._sign_out(session, row)
        session.flush()

    def _known(self, session: Session, name: str) -> AdminRow:
        row = session.exec(_CURRENT.where(AdminRow.name == name).with_for_update()).first()
        if row is None:
            raise Misconfigured(name, "is no admin here.", example="a name from `smoney admin list`")
        return row

    def _check_another_owner(self, session: Session, row: AdminRow) -> None:
        owners = session.exec(_CURRENT.where(AdminRow.role == Role.OWNER.value).with_for_update()).all()
        if not any(owner.id != row.id and owner.login for owner in owners):
            raise Misconfigured(
                row.name,
                "is the last owner who can give commands.",
                example="add another owner with a --login first",
            )

    def _sign_out(self, session: Session, row: AdminRow) -> None:
        open_ones = select(AdminSessionRow).where(
            AdminSessionRow.admin_id == row.id, col(AdminSessionRow.ended_at).is_(None)
        )
        for each in session.exec(open_ones):
            each.ended_at = self.clock()
            session.add(each)


def hash_of_invite(word: str) -> bytes:
    """The word is random and long: a plain hash keeps it from whoever reads the database."""
    return sha256(b"smoney admin invite " + word.encode("utf-8", "surrogatepass")).digest()
