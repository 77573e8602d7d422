"""Takes a person out of the book: their words, names and secrets go, and a number below zero stands in their place.

What was booked stays booked, so that the ledger adds up and the others keep their histories; whoever gave or got it is a
stand-in, its wallet closed, and the ids of X's (whose, which post, which message) are keyed hashes. An authorisation is
bound to those ids by its MAC: it is checked as it was and made anew, or nothing is done. What is still on its way to the
person is said first; then the last rows that name them go (`tidy`).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, and_, delete, or_, select, update
from sqlmodel import Session, col
from sqlmodel import select as rows_of

from bot.errors import InvariantBroken
from bot.payments.authorisations import Authorisations, Named
from bot.payments.intents import OPEN
from bot.payments.wallets import Wallets
from bot.people.erasures import Erasures
from bot.people.people import People, Standing
from bot.store.admin_tables import BankLineRow, ProposalRow
from bot.store.card_tables import TopUpRow
from bot.store.columns import BotTable, metadata
from bot.store.control_tables import BlockRow, ErasureRow, FormerHandleRow, QuestionRow
from bot.store.device_tables import DeviceLinkRow, DeviceRow
from bot.store.factor_tables import RecoveryCodeRow, SecondFactorRow
from bot.store.guard_tables import TrustedPayeeRow, WrongAnswerRow
from bot.store.tables import (
    AuthorisationRow,
    ChallengeRow,
    InboxRow,
    IntentLineRow,
    IntentRow,
    OutboxRow,
    PersonRow,
)
from bot.x.gateway import UserId
from ledger.clock import Clock, IdSource

_THEIR_OWN: Final[tuple[tuple[type[BotTable], str], ...]] = (
    (BlockRow, "person_id"), (BlockRow, "blocked_id"), (FormerHandleRow, "person_id"), (QuestionRow, "person_id"),
    (QuestionRow, "subject_id"), (DeviceLinkRow, "person_id"), (DeviceRow, "person_id"), (SecondFactorRow, "person_id"),
    (TrustedPayeeRow, "payer_id"), (TrustedPayeeRow, "payee_id"), (WrongAnswerRow, "person_id"),
)  # fmt: skip
"""Rows that go with their person."""
_FRESH: Final = {
    "username_sealed": None, "name_sealed": None, "username_index": None, "labelled_by": 0, "standing": "stranger",
    "wallet_id": None, "debt_id": None, "chosen_language": None, "welcomed_at": None, "enrolled_at": None, "stopped_at": None,
    "wrong_answers": 0, "locks": 0, "locked_until": None, "letters_used": 0, "barred_at": None, "unlocked_at": None,
    "tier": "new", "identified_at": None, "frozen_at": None, "frozen_by": None, "thaw_nonce": None, "thaw_key_id": None,
    "thaw_expires_at": None, "is_private": False, "receipts_muted": False, "time_zone": None, "terms_version": None,
    "terms_shown_version": None,
}  # fmt: skip
"""Somebody the bot has never met."""
_SETTLED: Final = ("sent", "failed", "dropped")


@dataclass(frozen=True, slots=True)
class Forgetting:
    people: People
    erasures: Erasures
    wallets: Wallets
    authorisations: Authorisations
    clock: Clock
    ids: IdSource

    def forget(self, session: Session, person: PersonRow, *, said_at: datetime) -> ErasureRow:
        """All of it, in the caller's transaction. The wallet must be empty. Raises `InvariantBroken` where an
        authorisation of theirs is forged."""
        user_id, erased = UserId(person.user_id), self._note(session, person, said_at)
        self.people.ensure(session, UserId(erased.id))
        self._close_wallet(session, person, session.get_one(PersonRow, erased.id))
        self.wipe(session, person, said_at=said_at)
        for intent in list(session.exec(rows_of(IntentRow).where(IntentRow.payer_id == user_id))):
            self._rename_intent(session, intent, erased.id)
        self._rename_authorisations(session, user_id, erased.id)
        self._take_out_of_lines(session, user_id, erased.id)
        self._wipe_bank_lines(session, user_id)
        self._rename_top_ups(session, user_id, erased.id)
        theirs = update(ProposalRow).where(col(ProposalRow.person_id) == user_id)
        session.exec(theirs.values(person_id=erased.id))
        session.flush()
        session.expire_all()
        return erased

    def _note(self, session: Session, person: PersonRow, said_at: datetime) -> ErasureRow:
        row = ErasureRow(
            id=-self.ids(),
            person_hash=self.erasures.hash_of(UserId(person.user_id)),
            erased_at=said_at,
            done_at=self.clock(),
            left_id=person.user_id,
        )
        session.add(row)
        session.flush()
        return row

    def _close_wallet(self, session: Session, person: PersonRow, stand_in: PersonRow) -> None:
        stand_in.standing = Standing.STOPPED
        wallet_id, person.wallet_id = person.wallet_id, None
        session.add(person)
        session.flush()
        stand_in.wallet_id = wallet_id
        session.add(stand_in)
        session.flush()
        if wallet_id is not None:
            self.wallets.close(session, stand_in)

    def wipe(self, session: Session, person: PersonRow, *, said_at: datetime) -> None:
        """What is theirs and no part of the books: words, names, secrets, devices, settings. The wallet stays."""
        user_id = person.user_id
        factors = select(col(SecondFactorRow.id)).where(col(SecondFactorRow.person_id) == user_id)
        session.exec(delete(RecoveryCodeRow).where(col(RecoveryCodeRow.factor_id).in_(factors)))
        for row, owner in _THEIR_OWN:
            session.exec(delete(row).where(getattr(row, owner) == user_id))
        unsaid = and_(col(OutboxRow.person_id) == user_id, col(OutboxRow.phrase) != "erased")
        session.exec(
            update(OutboxRow).where(unsaid, col(OutboxRow.state) == "waiting").values(state="dropped")
        )
        session.exec(
            update(OutboxRow).where(unsaid, col(OutboxRow.state).in_(_SETTLED)).values(parameters_sealed=None)
        )
        session.exec(
            update(InboxRow)
            .where(col(InboxRow.person_id) == user_id, col(InboxRow.said_at) <= said_at)
            .values(payload_sealed=None, state="done", finished_at=self.clock(), reason=None)
        )
        session.exec(update(IntentRow).where(col(IntentRow.payer_id) == user_id).values(note_sealed=None))
        wallet_id = person.wallet_id
        session.expire(person)
        for name, value in _FRESH.items():
            setattr(person, name, value)
        person.wallet_id = wallet_id
        session.add(person)
        session.flush()

    # What was booked

    def _rename_intent(self, session: Session, intent: IntentRow, stand_in: int) -> None:
        """The payer's orders, under numbers that no post or message has."""
        hashed = self.erasures.stand_in
        for challenge in session.exec(rows_of(ChallengeRow).where(ChallengeRow.intent_id == intent.id)):
            challenge.version, challenge.payer_id = hashed(challenge.version), stand_in
            session.add(challenge)
        for line in session.exec(rows_of(IntentLineRow).where(IntentLineRow.intent_id == intent.id)):
            line.version, line.username_sealed, line.username_index = hashed(line.version), None, None
            session.add(line)
        granted = rows_of(AuthorisationRow).where(AuthorisationRow.intent_id == intent.id)
        for row in list(session.exec(granted)):
            own = row.person_id == intent.payer_id
            self._rename(session, row, stand_in if own else row.person_id, own=own)
        intent.order_id, intent.version = hashed(intent.order_id), hashed(intent.version)
        intent.payer_id, intent.post_id, intent.note_sealed = stand_in, None, None
        session.add(intent)
        session.flush()

    def _rename_top_ups(self, session: Session, user_id: UserId, stand_in: int) -> None:
        """What they put in by card stays, under a number that no message has."""
        for row in session.exec(rows_of(TopUpRow).where(TopUpRow.person_id == user_id)):
            row.person_id = stand_in
            row.asked_in = self.erasures.stand_in(row.asked_in) if row.asked_in > 0 else row.asked_in
            session.add(row)
        session.flush()

    @staticmethod
    def _wipe_bank_lines(session: Session, user_id: UserId) -> None:
        """What the bank wrote of them: their name, and what for. Day and amount stay, as the books do."""
        theirs = select(col(ProposalRow.id)).where(col(ProposalRow.person_id) == user_id)
        rows = update(BankLineRow).where(col(BankLineRow.proposal_id).in_(theirs))
        session.exec(rows.values(facts_sealed=None))

    def _rename_authorisations(self, session: Session, user_id: UserId, stand_in: int) -> None:
        """What else they allowed: returns of what others had paid them."""
        for row in list(session.exec(rows_of(AuthorisationRow).where(AuthorisationRow.person_id == user_id))):
            self._rename(session, row, stand_in, own=True, keep_version=True)

    def _rename(
        self,
        session: Session,
        row: AuthorisationRow,
        person_id: int,
        *,
        own: bool,
        keep_version: bool = False,
    ) -> None:
        hashed = self.erasures.stand_in
        x_says = own and row.kind not in {"page", "admin", "card"} and row.evidence > 0
        version = row.version if keep_version or row.version is None else hashed(row.version)
        named = Named(person_id, hashed(row.evidence) if x_says else row.evidence, version)
        journals = _journals(session, row)
        if not self.authorisations.rename(session, row, named, journals=journals):
            raise InvariantBroken(f"authorisation {row.id} does not fit the transfers that name it")

    def _take_out_of_lines(self, session: Session, user_id: UserId, stand_in: int) -> None:
        """What others paid them, or did not in the end. An open order keeps its payee, since its code is bound to them: paid
        now, it is held as for anybody who has not enrolled."""
        settled = select(col(IntentRow.id)).where(col(IntentRow.state).not_in(sorted(OPEN)))
        session.exec(
            update(IntentLineRow)
            .where(col(IntentLineRow.payee_id) == user_id, col(IntentLineRow.intent_id).in_(settled))
            .values(payee_id=stand_in, username_sealed=None, username_index=None)
        )

    def _take_out_of_late_lines(self, session: Session, erased: ErasureRow) -> bool:
        """The same for orders that were open then, once nobody can answer them any more; False while somebody can. What
        was paid after all has come to whom they are now."""
        before = select(col(IntentRow.id)).where(col(IntentRow.created_at) <= erased.done_at)
        theirs = col(IntentLineRow.payee_id) == erased.left_id, col(IntentLineRow.transfer_id).is_(None)
        still_open = rows_of(IntentLineRow.id).where(
            *theirs, col(IntentLineRow.intent_id).in_(before.where(col(IntentRow.state).in_(sorted(OPEN))))
        )
        if session.exec(still_open.limit(1)).first() is not None:
            return False
        unpaid = update(IntentLineRow).where(*theirs, col(IntentLineRow.intent_id).in_(before))
        session.exec(unpaid.values(payee_id=erased.id, username_sealed=None, username_index=None))
        return True

    # Afterwards

    def tidy(self, session: Session) -> None:
        """For the sweep: the last rows of those whose last message has gone out or failed."""
        for erased in session.exec(rows_of(ErasureRow).where(col(ErasureRow.left_id).is_not(None))):
            user_id = erased.left_id or 0
            old = and_(col(OutboxRow.person_id) == user_id, col(OutboxRow.created_at) <= erased.done_at)
            under_way = rows_of(OutboxRow.id).where(old, col(OutboxRow.state).not_in(_SETTLED))
            if session.exec(under_way.limit(1)).first() is not None:
                continue
            if not self._take_out_of_late_lines(session, erased):
                continue
            # Who came back at once may have heard of it in the same message as of their erasure.
            joined = or_(old, col(OutboxRow.merged_into).in_(select(col(OutboxRow.id)).where(old)))
            session.exec(update(OutboxRow).where(joined).values(merged_into=None))
            session.exec(delete(OutboxRow).where(old))
            session.exec(
                delete(InboxRow).where(
                    col(InboxRow.person_id) == user_id,
                    col(InboxRow.said_at) <= erased.erased_at,
                    col(InboxRow.state) != "waiting",
                )
            )
            if not _is_named(session, user_id):
                session.exec(
                    delete(PersonRow).where(
                        col(PersonRow.user_id) == user_id, col(PersonRow.standing) == Standing.STRANGER
                    )
                )
            erased.left_id = None
            session.add(erased)
            session.flush()


def _journals(session: Session, row: AuthorisationRow) -> set[int]:
    """Where what it allowed can stand: the payment itself, what came of its lines, and what admins moved."""
    found = {0}
    if row.kind == "card":
        found.add(row.evidence)
    if row.kind == "admin":
        moved = rows_of(ProposalRow.transfer_id).where(ProposalRow.id == row.evidence)
        found |= {journal or 0 for journal in session.exec(moved)}
    if row.intent_id is not None:
        paid = rows_of(IntentRow.journal_id).where(IntentRow.id == row.intent_id)
        came = rows_of(IntentLineRow.settled_id).where(IntentLineRow.intent_id == row.intent_id)
        found |= {journal or 0 for wanted in (paid, came) for journal in session.exec(wanted)}
    return found - {0}


def _is_named(session: Session, user_id: int) -> bool:
    """Whether any row still speaks of this person: then they have come back, or somebody has paid them since."""
    people = metadata.tables["people"]
    found = [select(column).where(column == user_id).limit(1) for column in _referring(people)]
    return any(session.execute(one).first() is not None for one in found)


def _referring(people: Table) -> "list[ColumnElement[Any]]":
    return [
        column
        for table in metadata.sorted_tables
        for column in table.columns
        if any(key.column.table is people for key in column.foreign_keys)
    ]
