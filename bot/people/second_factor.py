"""The second factor: an authenticator app that only its person holds, and what raises the limits of what they may pay.

Whoever has stolen somebody's session on X reads their messages and could set up an app of their own. So a new factor
raises nothing for 48 hours, in which its person is told three times; and taking the place of a trusted one, or
removing it, needs that one's code, a recovery code, or the same 48 hours with the same notices.

    none ── begin ──> pending ── verify ──> new ── 48 hours ──> active
                                            └── remove, no code needed ──> none

What a page calls, each inside one `database.write`, with the person's row of that session:

    standing(session, person)              what to show: none, pending, new or active, and what is under way
    begin(session, person, proof=None)     a secret and its `otpauth://` address for the QR code, to be shown once.
                                           `proof` is a code of the present factor or a recovery code; without one the
                                           new factor waits 48 hours, and the old one stays until then
    verify(session, person, code)          the first code of the app: now it counts; ten recovery codes, to be shown once
    check(session, person, code)           a code at sign-in or under a payment. Recovery codes are not taken here
    prove(session, person, proof)          a code or a recovery code
    remove(session, person, proof=None)    at once with a proof, or while it is new; else in 48 hours
    keep(session, person, proof)           calls off a removal or replacement that is waiting
    call_off(session, person)              the same, and a new factor with it, where its person stops or freezes, or X
                                           will not deliver a notice

Nothing begins without proof while its person hears no notices (they have stopped) or has pulled the brake (frozen): both
would let a thief wait out the 48 hours in silence.

None of them raises for a wrong code: they return `Tried`, so that the caller commits and the try is counted. A code is
accepted once. Wrong tries lock for a growing time, and the person is told.
"""

import hmac
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, func
from sqlmodel import Session, col, select

from bot.language.catalogue import Parameters
from bot.people import one_time_codes
from bot.people.factor_states import (
    REMINDED_AFTER,
    WAIT,
    Begun,
    Factor,
    FactorState,
    Live,
    Outcome,
    Removed,
    Tried,
    Verified,
    sort_out,
)
from bot.people.locking import Locking
from bot.people.people import People, Standing
from bot.store.factor_tables import RecoveryCodeRow, SecondFactorRow
from bot.store.outbox import Outbox, Priority
from bot.store.tables import PersonRow
from bot.store.vault import Vault
from bot.x.gateway import UserId
from ledger.clock import Clock, Entropy, IdSource

NOTICES: Final = frozenset({"factor_new", "factor_removal"})
"""What its person must hear, or it does not come about: an X session that is stolen can also block the bot."""
_LIVE = (
    select(SecondFactorRow)
    .where(SecondFactorRow.person_id == bindparam("person"), col(SecondFactorRow.ended_at).is_(None))
    .execution_options(populate_existing=True)
)
_TO_REMIND = select(SecondFactorRow.person_id).where(
    col(SecondFactorRow.notice_at).is_not(None), col(SecondFactorRow.notice_at) <= bindparam("now")
)


@dataclass(frozen=True, slots=True)
class SecondFactors:
    people: People
    outbox: Outbox
    vault: Vault
    clock: Clock
    ids: IdSource
    entropy: Entropy
    issuer: str
    locking: Locking

    def standing(self, session: Session, person: PersonRow) -> Factor:
        now = self.clock()
        live = sort_out(self._rows(session, person), now)
        current = live.current
        if current is None or current.trusted_at is None:
            return Factor(FactorState.PENDING if live.begun else FactorState.NONE)
        is_new = current.trusted_at > now
        coming = current if is_new else live.waiting
        return Factor(
            FactorState.NEW if is_new else FactorState.ACTIVE,
            verified_at=current.verified_at,
            active_from=coming.trusted_at if coming else None,
            removal_at=current.removal_at,
            locked_until=current.locked_until
            if current.locked_until and current.locked_until > now
            else None,
        )

    # Setting one up

    def begin(self, session: Session, person: PersonRow, *, proof: str | None = None) -> Begun:
        live = self._locked(session, person)
        tried = Tried(Outcome.ACCEPTED)
        proved = proof is not None and live.current is not None
        if proof is not None and live.current is not None:
            tried = self._prove(session, person, live.current, proof)
        if not proved and not _may_begin(person):
            tried = Tried(Outcome.NOTHING)
        if not tried.accepted:
            return Begun(tried)
        if live.begun is not None:
            self._end(session, live.begun)
        row = SecondFactorRow(id=self.ids(), person_id=person.user_id, begun_at=self.clock(), proved=proved)
        secret = one_time_codes.new_secret(self.entropy)
        row.secret_sealed = self.vault.seal(secret, table="second_factors", row_id=row.id, column="secret")
        session.add(row)
        session.flush()
        account = "@" + self.people.label(person).username
        uri = one_time_codes.enrolment_uri(secret, account=account, issuer=self.issuer)
        return Begun(tried, secret, uri, waits=not proved)

    def verify(self, session: Session, person: PersonRow, code: str) -> Verified:
        live = self._locked(session, person)
        row = live.begun
        if row is None or not (row.proved or _may_begin(person)):
            return Verified(Tried(Outcome.NOTHING))
        tried = self._try(session, person, row, code)
        if not tried.accepted:
            return Verified(tried)
        self._take_effect(session, person, row, live)
        return Verified(tried, self._give_recovery_codes(session, row), row.trusted_at)

    def _take_effect(self, session: Session, person: PersonRow, row: SecondFactorRow, live: Live) -> None:
        now, current = self.clock(), live.current
        row.verified_at = now
        row.trusted_at = now + WAIT
        if live.waiting is not None:
            self._end(session, live.waiting)
        if row.proved and current is not None and current.trusted_at is not None:
            row.trusted_at = max(now, current.trusted_at)
            self._end(session, current)
        if row.trusted_at > now:
            row.notice_at = min(now + REMINDED_AFTER, row.trusted_at)
            self._tell(session, person, "factor_new", {"until": row.trusted_at})
        else:
            self._tell(session, person, "factor_replaced", {})
        session.add(row)
        session.flush()

    def _give_recovery_codes(self, session: Session, row: SecondFactorRow) -> tuple[str, ...]:
        codes = one_time_codes.new_recovery_codes(self.entropy)
        for code in codes:
            code_hash = one_time_codes.recovery_hash(self._secret(row), code)
            session.add(RecoveryCodeRow(id=self.ids(), factor_id=row.id, code_hash=code_hash))
        session.flush()
        return codes

    # Using it

    def check(self, session: Session, person: PersonRow, code: str) -> Tried:
        current = self._locked(session, person).current
        if current is None:
            return Tried(Outcome.NOTHING)
        return self._try(session, person, current, code)

    def prove(self, session: Session, person: PersonRow, proof: str) -> Tried:
        current = self._locked(session, person).current
        if current is None:
            return Tried(Outcome.NOTHING)
        return self._prove(session, person, current, proof)

    def _prove(self, session: Session, person: PersonRow, row: SecondFactorRow, proof: str) -> Tried:
        if one_time_codes.recovery_code_of(proof) is None:
            return self._try(session, person, row, proof)
        if (lock := self._lock_of(row)) is not None:
            return lock
        if not self._use_recovery_code(session, row, proof):
            return self._count(session, person, row)
        left = select(func.count()).where(
            col(RecoveryCodeRow.factor_id) == row.id, col(RecoveryCodeRow.used_at).is_(None)
        )
        self._tell(session, person, "recovery_code_used", {"left": session.exec(left).one()})
        return self._accept(session, row)

    def _use_recovery_code(self, session: Session, row: SecondFactorRow, code: str) -> bool:
        given = one_time_codes.recovery_hash(self._secret(row), code)
        unused = select(RecoveryCodeRow).where(
            RecoveryCodeRow.factor_id == row.id, col(RecoveryCodeRow.used_at).is_(None)
        )
        fitting = [kept for kept in session.exec(unused) if hmac.compare_digest(kept.code_hash, given)]
        for kept in fitting:
            kept.used_at = self.clock()
            session.add(kept)
        return bool(fitting)

    def _try(self, session: Session, person: PersonRow, row: SecondFactorRow, code: str) -> Tried:
        if (lock := self._lock_of(row)) is not None:
            return lock
        digits = one_time_codes.digits_of(code)
        if digits is None:  # no guess, a slip: nothing six digits long could have been meant
            return Tried(Outcome.WRONG, remaining=self.locking.tries - row.wrong_tries)
        step = one_time_codes.matching_step(self._secret(row), digits, self.clock(), after=row.last_step)
        if step is None:
            return self._count(session, person, row)
        row.last_step = step
        if row.verified_at is None:
            row.verified_at = row.trusted_at = self.clock()
        return self._accept(session, row)

    def _lock_of(self, row: SecondFactorRow) -> Tried | None:
        if row.locked_until is None or row.locked_until <= self.clock():
            return None
        return Tried(Outcome.LOCKED, locked_until=row.locked_until)

    def _accept(self, session: Session, row: SecondFactorRow) -> Tried:
        row.wrong_tries = row.locks = 0
        session.add(row)
        session.flush()
        return Tried(Outcome.ACCEPTED)

    def _count(self, session: Session, person: PersonRow, row: SecondFactorRow) -> Tried:
        row.wrong_tries += 1
        session.add(row)
        if row.wrong_tries < self.locking.tries:
            return Tried(Outcome.WRONG, remaining=self.locking.tries - row.wrong_tries)
        row.locked_until = self.clock() + self.locking.lasts(row.locks)
        row.locks += 1
        row.wrong_tries = 0
        session.flush()
        self._tell(session, person, "factor_locked", {"until": row.locked_until})
        return Tried(Outcome.LOCKED, locked_until=row.locked_until)

    # Giving it up

    def remove(self, session: Session, person: PersonRow, *, proof: str | None = None) -> Removed:
        now, current = self.clock(), self._locked(session, person).current
        if current is None or current.trusted_at is None:
            return Removed(Tried(Outcome.NOTHING))
        is_new = current.trusted_at > now
        if proof is not None and not is_new:
            tried = self._prove(session, person, current, proof)
            if not tried.accepted:
                return Removed(tried)
        if proof is None and not is_new and not _may_begin(person):
            return Removed(Tried(Outcome.NOTHING))
        if proof is not None or is_new:
            self._end(session, current)
            self._tell(session, person, "factor_removed", {})
            return Removed(Tried(Outcome.ACCEPTED), now)
        if current.removal_at is None:
            current.removal_at = now + WAIT
            current.notice_at = now + REMINDED_AFTER
            session.add(current)
            session.flush()
            self._tell(session, person, "factor_removal", {"until": current.removal_at})
        return Removed(Tried(Outcome.ACCEPTED), current.removal_at)

    def keep(self, session: Session, person: PersonRow, proof: str) -> Tried:
        live = self._locked(session, person)
        if live.current is None:
            return Tried(Outcome.NOTHING)
        tried = self._prove(session, person, live.current, proof)
        if not tried.accepted:
            return tried
        if live.waiting is not None:
            self._end(session, live.waiting)
        if live.current.removal_at is not None:
            live.current.removal_at = live.current.notice_at = None
            session.add(live.current)
            session.flush()
        self._tell(session, person, "factor_kept", {})
        return tried

    def call_off(self, session: Session, person: PersonRow) -> None:
        """Whatever is under way that no proof was shown for: a new factor, one that waits to replace another, a removal. For
        whoever stops, freezes or cannot be told. Who still hears anything is told."""
        live = self._locked(session, person)
        current, kept = live.current, live.waiting is not None
        for row in (live.begun, live.waiting):
            if row is not None and not row.proved:
                self._end(session, row)
        if current is not None and current.trusted_at is not None and current.trusted_at > self.clock():
            self._end(session, current)
            self._tell(session, person, "factor_removed", {})
        elif current is not None and current.removal_at is not None:
            current.removal_at = current.notice_at = None
            session.add(current)
            session.flush()
            kept = True
        if kept:
            self._tell(session, person, "factor_kept", {})

    def forget(self, session: Session, person: PersonRow) -> None:
        """Ends every factor of this person at once and wipes its secret: for erasing somebody, and for an admin who
        has made sure of the person in another way. Nothing is asked and nobody is told here."""
        self._locked(session, person)
        for row in self._rows(session, person):
            self._end(session, row)

    # As time goes by

    def remind(self, session: Session) -> None:
        """For the sweep: tells what is under way after a day, and what has come about."""
        for person_id in sorted(set(session.exec(_TO_REMIND, params={"now": self.clock()}))):
            self._locked(session, self.people.get(session, UserId(person_id)))

    def _remind(self, session: Session, person: PersonRow, row: SecondFactorRow) -> None:
        now = self.clock()
        ends = row.removal_at or row.trusted_at
        leaving = row.removal_at is not None
        if ends is not None and ends > now:
            self._tell(session, person, "factor_removal" if leaving else "factor_new", {"until": ends})
            row.notice_at = ends
        else:
            self._tell(session, person, "factor_removed" if leaving else "factor_active", {})
            row.notice_at = None
        session.add(row)
        session.flush()

    def _locked(self, session: Session, person: PersonRow) -> Live:
        """Whoever changes anything here holds the person: two at once cannot both use one code. What has come about
        since is told, and what counts no more is ended and wiped."""
        self.people.lock(session, [UserId(person.user_id)])
        rows = self._rows(session, person)
        live = sort_out(rows, self.clock())
        for row in rows:
            if row.notice_at is not None and row.notice_at <= self.clock():
                self._remind(session, person, row)
            if row not in (live.current, live.waiting, live.begun):
                self._end(session, row)
        return live

    def _rows(self, session: Session, person: PersonRow) -> list[SecondFactorRow]:
        return list(session.exec(_LIVE, params={"person": person.user_id}))

    def _end(self, session: Session, row: SecondFactorRow) -> None:
        row.ended_at = self.clock()
        row.secret_sealed = row.notice_at = None
        session.add(row)
        session.flush()

    def _secret(self, row: SecondFactorRow) -> str:
        if row.secret_sealed is None:
            raise ValueError("a factor that has ended has no secret")
        return self.vault.open(row.secret_sealed, table="second_factors", row_id=row.id, column="secret")

    def _tell(self, session: Session, person: PersonRow, phrase: str, facts: Parameters) -> None:
        self.outbox.tell(session, person, phrase, facts, priority=Priority.RECEIPT)


def _may_begin(person: PersonRow) -> bool:
    """Whether its person would hear of what begins without proof, and has not pulled the brake."""
    return person.standing == Standing.ENROLLED and person.frozen_at is None
