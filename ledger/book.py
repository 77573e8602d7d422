"""The book: the only one that moves money.

Every method takes the session of a `database.write` (or, where it only reads, of a `read`). Each asks the database to do
one thing in one statement; only if the database refuses is the reason looked up, so that the usual way costs nothing
and a refused operation has done nothing. Nothing here commits, and nothing here knows whose an account is.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg import Error as DriverError
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from ledger import posting, reading, seals
from ledger.accounts import Account, AccountId, AccountState, Balances, NewAccount, NormalSide
from ledger.clock import Clock, IdSource, microseconds_of
from ledger.database import Database
from ledger.errors import (
    AccountExists,
    AlreadyResolved,
    AlreadyReversed,
    AmountOutOfRange,
    IdempotencyConflict,
    Invalid,
    InvariantBroken,
    LedgerError,
    NotDue,
    NotPending,
    NotReversible,
    UnknownAccount,
    UnknownTransfer,
)
from ledger.money import Money
from ledger.rules import moved, refusal_of
from ledger.transfers import (
    NO_METADATA,
    Kind,
    Line,
    NewTransfer,
    Transfer,
    TransferId,
    check_names,
    differences,
)

MOST_LINES = 10_000


class Ledger:
    """Opens accounts and books transfers. Holds a clock and a source of ids; all else is in the database."""

    def __init__(self, *, clock: Clock, ids: IdSource) -> None:
        self._clock = clock
        self._ids = ids

    def open_account(self, session: Session, new: NewAccount) -> Account:
        """Open an account; the same one again is the one that is there. Raises `AccountExists` if that differs."""
        if (there := reading.account(session, new.id)) is None:
            reading.add_account(session, new, self._clock())
            return self.account(session, new.id)
        if any(getattr(there, name) != getattr(new, name) for name in NewAccount.__slots__):
            raise AccountExists(new.id)
        return there

    def account(self, session: Session, account_id: AccountId) -> Account:
        """The account as it stands. Raises `UnknownAccount`."""
        if (found := reading.account(session, account_id)) is None:
            raise UnknownAccount(account_id)
        return found

    def set_state(self, session: Session, account_id: AccountId, state: AccountState) -> Account:
        """Open, freeze or close an account. What is pending can still be voided or expire. Raises `UnknownAccount`."""
        self.account(session, account_id)
        reading.set_account_state(session, account_id, state)
        return self.account(session, account_id)

    def transfer(self, session: Session, new: NewTransfer) -> Transfer:
        """Book one transfer, at once or pending.

        Raises a `Refused` with the numbers, `UnknownAccount`, or `IdempotencyConflict`; nothing was written then.
        """
        return self._book(session, (self._line(new),))[0]

    def journal(self, session: Session, news: Sequence[NewTransfer]) -> tuple[Transfer, ...]:
        """Book several transfers under one journal id, in this order, all or nothing. Raises as `transfer`."""
        return self._book(session, self._lines_of(news))

    def transfer_alone(self, database: Database, new: NewTransfer) -> Transfer:
        """Book one transfer in a transaction of its own, where nothing else belongs to it; as fast as there is.

        Raises as `transfer`, and as `Database.write`.
        """
        lines = (self._line(new),)
        try:
            return database.write_one_statement(lambda session: posting.post(session, lines)[0])
        except (posting.RefusedByDatabase, DBAPIError, DriverError):  # the whole way says why, or tries again
            return database.write(lambda session: self.transfer(session, new))

    def post_pending(
        self,
        session: Session,
        pending_id: TransferId,
        *,
        idempotency_key: str,
        amount_minor: int | None = None,
        authorisation_id: int | None = None,
    ) -> Transfer:
        """Move what a pending transfer set aside, or `amount_minor` of it: the rest is free again.

        The authorisation is that of the pending transfer unless another is named. Raises `UnknownTransfer`,
        `NotPending`, `AlreadyResolved`, `AmountOutOfRange`, `AccountNotOpen` (frozen or closed).
        """
        pending = self._pending(session, pending_id)
        line = self._line_about(pending, Kind.POST, idempotency_key)._replace(
            amount=_part_of(pending.amount, amount_minor),
            authorisation_id=pending.authorisation_id if authorisation_id is None else authorisation_id,
        )
        return self._resolve(session, pending, line)

    def void_pending(self, session: Session, pending_id: TransferId, *, idempotency_key: str) -> Transfer:
        """Set free what a pending transfer set aside; always works, frozen or closed.

        Raises `UnknownTransfer`, `NotPending`, `AlreadyResolved`.
        """
        pending = self._pending(session, pending_id)
        return self._resolve(session, pending, self._line_about(pending, Kind.VOID, idempotency_key))

    def expire_pending(self, session: Session, pending_id: TransferId, *, idempotency_key: str) -> Transfer:
        """As `void_pending`, because its time is over. Raises `NotDue` before its `due_at`, by the ledger's clock."""
        pending = self._pending(session, pending_id)
        now = self._clock()
        if pending.due_at is not None and now < pending.due_at:
            raise NotDue(pending_id, pending.due_at, now)
        return self._resolve(session, pending, self._line_about(pending, Kind.EXPIRE, idempotency_key))

    def reverse(
        self,
        session: Session,
        transfer_id: TransferId,
        *,
        idempotency_key: str,
        amount_minor: int | None = None,
        authorisation_id: int | None = None,
        code: str = "reversal",
    ) -> Transfer:
        """Take back posted money, or `amount_minor` of it, by a transfer the other way; once only.

        Raises `UnknownTransfer`, `NotReversible`, `AlreadyReversed`, and whatever a transfer that way would.
        """
        original = self._known(session, transfer_id)
        if original.kind not in {Kind.POSTED, Kind.POST}:
            raise NotReversible(transfer_id, f"it is {original.kind.value}, and moved nothing posted")
        if original.reverses_id is not None:
            raise NotReversible(transfer_id, f"it is the reversal of {original.reverses_id}")
        check_names(code, idempotency_key)
        line = self._line_about(original, Kind.POSTED, idempotency_key)._replace(
            debit_account_id=original.credit_account_id,
            credit_account_id=original.debit_account_id,
            amount=_part_of(original.amount, amount_minor),
            reverses_id=original.id,
            authorisation_id=authorisation_id,
            code=code,
        )
        return self._book(session, [line])[0]

    def find_transfer(self, session: Session, transfer_id: TransferId) -> Transfer | None:
        """The transfer with this id, if there is one."""
        return reading.transfer(session, transfer_id)

    def by_idempotency_key(self, session: Session, idempotency_key: str) -> Transfer | None:
        """The transfer booked under this key, if there is one."""
        return reading.transfer_by_key(session, idempotency_key)

    def journal_of(self, session: Session, journal_id: int) -> tuple[Transfer, ...]:
        """The lines booked together, in their order; none if there is no such journal."""
        return reading.journal(session, journal_id)

    def resolution_of(self, session: Session, pending_id: TransferId) -> Transfer | None:
        """The transfer that posted, voided or expired a pending one; None while it is pending."""
        return reading.resolution_of(session, pending_id)

    def reversal_of(self, session: Session, transfer_id: TransferId) -> Transfer | None:
        """The transfer that took this one back, if any did."""
        return reading.reversal_of(session, transfer_id)

    def history(
        self, session: Session, account_id: AccountId, *, limit: int = 20, before_version: int | None = None
    ) -> tuple[Transfer, ...]:
        """An account's transfers, newest first. The next page is before the last one's `after(account_id).version`."""
        return reading.history(session, account_id, limit=limit, before_version=before_version)

    def balance_at(self, session: Session, account_id: AccountId, at: datetime) -> Balances:
        """An account's balances after everything booked at or before `at`, found by halving. Raises `UnknownAccount`."""
        return balance_at(session, self.account(session, account_id), at)

    def proof(self, session: Session, transfer_id: TransferId) -> dict[str, Any]:
        """A proof that the sealed book has this transfer. Raises `UnknownTransfer`, `NotSealed`."""
        return seals.proof(session, transfer_id)

    def _line(self, new: NewTransfer) -> Line:
        line_id = self._ids()
        return _line_of(new, line_id, line_id, microseconds_of(self._clock()))

    def _lines_of(self, news: Sequence[NewTransfer]) -> list[Line]:
        if not 1 <= len(news) <= MOST_LINES:
            raise Invalid(f"a journal has 1 to {MOST_LINES} lines, not {len(news)}")
        now = microseconds_of(self._clock())
        ids = self._ids.take(len(news))
        return [_line_of(new, line_id, ids[0], now) for new, line_id in zip(news, ids, strict=True)]

    def _known(self, session: Session, transfer_id: TransferId) -> Transfer:
        if (found := reading.transfer(session, transfer_id)) is None:
            raise UnknownTransfer(transfer_id)
        return found

    def _pending(self, session: Session, pending_id: TransferId) -> Transfer:
        found = self._known(session, pending_id)
        if found.kind is not Kind.PENDING:
            raise NotPending(pending_id, found.kind.value)
        return found

    def _resolve(self, session: Session, pending: Transfer, line: Line) -> Transfer:
        check_names(line.code, line.idempotency_key)
        line = line._replace(pending_id=pending.id, pending_minor=pending.amount.amount_minor)
        return self._book(session, [line])[0]

    def _line_about(self, about: Transfer, kind: Kind, idempotency_key: str) -> Line:
        line_id = self._ids()
        return Line(
            id=line_id,
            journal_id=line_id,
            kind=kind,
            debit_account_id=about.debit_account_id,
            credit_account_id=about.credit_account_id,
            amount=about.amount,
            code=about.code,
            pending_id=None,
            pending_minor=0,
            reverses_id=None,
            authorisation_id=None,
            idempotency_key=idempotency_key,
            booked_at=microseconds_of(self._clock()),
            due_at=None,
            effective_on=None,
            metadata=NO_METADATA,
            expected=None,
        )

    def _book(self, session: Session, lines: Sequence[Line]) -> tuple[Transfer, ...]:
        try:
            return posting.post(session, lines)
        except posting.RefusedByDatabase as refused:
            reason = refused.reason
        return _booked_before(session, lines) or _raise(_why(session, lines, reason))


def balance_at(session: Session, account: Account, at: datetime) -> Balances:
    """An account's balances after everything booked at or before `at`, found by halving its versions."""
    low, high = 0, account.version
    found = Balances(0, 0, 0, 0, 0)
    while low < high:  # booking times never run backwards within an account
        middle = (low + high + 1) // 2
        reached = reading.after_version(session, account.id, middle)
        if reached is None:
            raise InvariantBroken(f"account {account.id} has no transfer of version {middle}")
        if reached[0] <= at:
            low, found = middle, reached[1]
        else:
            high = middle - 1
    return found


def _line_of(new: NewTransfer, line_id: int, journal_id: int, now: int) -> Line:
    return Line(  # by place, in the order of its fields: this is asked for each transfer
        line_id,
        journal_id,
        Kind.POSTED if new.due_at is None else Kind.PENDING,
        new.debit_account_id,
        new.credit_account_id,
        new.amount,
        new.code,
        None,  # pending_id
        0,  # pending_minor
        None,  # reverses_id
        new.authorisation_id,
        new.idempotency_key,
        now,
        new.due_at,
        new.effective_on,
        new.metadata,
        new.expected,
    )


def _part_of(whole: Money, amount_minor: int | None) -> Money:
    if amount_minor is None:
        return whole
    if not 1 <= amount_minor <= whole.amount_minor:
        raise AmountOutOfRange(amount_minor, 1, whole.amount_minor)
    return Money(amount_minor, whole.currency)


def _booked_before(session: Session, lines: Sequence[Line]) -> tuple[Transfer, ...]:
    """The first result, if all of this was booked before; nothing, if none of it was; a conflict otherwise."""
    before = [reading.transfer_by_key(session, line.idempotency_key) for line in lines]
    if not any(before):
        return ()
    for booked, line in zip(before, lines, strict=True):
        if booked is None:
            raise IdempotencyConflict(line.idempotency_key, {"journal": ("without this line", "with it")})
        if different := differences(booked, line):
            raise IdempotencyConflict(line.idempotency_key, different)
    first = tuple(booked for booked in before if booked is not None)
    if len({booked.journal_id for booked in first}) > 1 or first[0].id != first[0].journal_id:
        raise IdempotencyConflict(lines[0].idempotency_key, {"journal": ("another one", "this one")})
    return first


def _why(session: Session, lines: Sequence[Line], reason: str) -> LedgerError:
    """Why the database refused these lines: the first rule broken, going through them one by one."""
    keys: set[str] = set()
    accounts: dict[AccountId, Account] = {}
    for line in lines:
        for account_id in (line.debit_account_id, line.credit_account_id):
            if account_id not in accounts:
                if (found := reading.account(session, account_id)) is None:
                    return UnknownAccount(account_id)
                accounts[account_id] = found
        debit, credit = accounts[line.debit_account_id], accounts[line.credit_account_id]
        if error := _settled(session, line) or refusal_of(line, debit, credit):
            return error
        if line.idempotency_key in keys:
            return Invalid(f"idempotency key {line.idempotency_key} stands twice in one journal")
        keys.add(line.idempotency_key)
        accounts[debit.id] = moved(debit, line, NormalSide.DEBIT)
        accounts[credit.id] = moved(credit, line, NormalSide.CREDIT)
    return InvariantBroken(f"the database refused transfer {lines[0].id}: {reason}")


def _settled(session: Session, line: Line) -> LedgerError | None:
    if line.pending_id is not None and (by := reading.resolution_of(session, line.pending_id)):
        return AlreadyResolved(by)
    if line.reverses_id is not None and (by := reading.reversal_of(session, line.reverses_id)):
        return AlreadyReversed(by)
    return None


def _raise(error: LedgerError) -> tuple[Transfer, ...]:
    raise error
