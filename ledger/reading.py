"""Rows to values: every SELECT of the ledger's book stands here. This module never writes and refuses nothing."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, Select, insert, or_, select, union_all, update
from sqlmodel import Session

from ledger.accounts import Account, AccountId, AccountState, Balances, NewAccount, NormalSide
from ledger.clock import microseconds_of
from ledger.money import Currency, Money
from ledger.tables import AccountRow, TransferRow
from ledger.transfers import Kind, Transfer, TransferId, metadata_of

ACCOUNTS = AccountRow.__table__  # type: ignore[attr-defined]
TRANSFERS = TransferRow.__table__  # type: ignore[attr-defined]


def account(session: Session, account_id: AccountId) -> Account | None:
    row = session.execute(select(ACCOUNTS).where(ACCOUNTS.c.id == account_id)).first()
    return None if row is None else account_of(row)


def add_account(session: Session, new: NewAccount, opened_at: datetime) -> None:
    values = {
        "id": new.id, "code": new.code, "currency": new.currency.code, "exponent": new.currency.exponent,
        "normal_side": new.normal_side.value, "guarded": int(new.guarded),
        "upper_bound_minor": new.upper_bound_minor,
        "debits_need_authorisation": int(new.debits_need_authorisation), "state": AccountState.OPEN.value,
        "version": 0, "debits_posted": 0, "credits_posted": 0, "debits_pending": 0, "credits_pending": 0,
        "opened_at": opened_at, "booked_at": opened_at,
    }  # fmt: skip
    session.execute(insert(ACCOUNTS).values(values))


def set_account_state(session: Session, account_id: AccountId, state: AccountState) -> None:
    session.execute(update(ACCOUNTS).where(ACCOUNTS.c.id == account_id).values(state=state.value))


def transfer(session: Session, transfer_id: int) -> Transfer | None:
    return _one(session, select(TRANSFERS).where(TRANSFERS.c.id == transfer_id))


def transfer_by_key(session: Session, idempotency_key: str) -> Transfer | None:
    return _one(session, select(TRANSFERS).where(TRANSFERS.c.idempotency_key == idempotency_key))


def resolution_of(session: Session, pending_id: int) -> Transfer | None:
    """The transfer that posted, voided or expired a pending one, if any did."""
    return _one(session, select(TRANSFERS).where(TRANSFERS.c.pending_id == pending_id))


def reversal_of(session: Session, transfer_id: int) -> Transfer | None:
    return _one(session, select(TRANSFERS).where(TRANSFERS.c.reverses_id == transfer_id))


def journal(session: Session, journal_id: int) -> tuple[Transfer, ...]:
    later = (TRANSFERS.c.journal_id == journal_id) & (TRANSFERS.c.journal_id != TRANSFERS.c.id)
    first = (TRANSFERS.c.id == journal_id) & (TRANSFERS.c.journal_id == journal_id)
    rows = session.execute(select(TRANSFERS).where(or_(first, later)).order_by(TRANSFERS.c.id))
    return tuple(transfer_of(row) for row in rows)


def history(
    session: Session, account_id: AccountId, *, limit: int, before_version: int | None
) -> tuple[Transfer, ...]:
    """Newest first. Each side has an index by version; the newest of both are merged."""
    sides = []
    for own, version in (
        (TRANSFERS.c.debit_account_id, TRANSFERS.c.debit_version),
        (TRANSFERS.c.credit_account_id, TRANSFERS.c.credit_version),
    ):
        side = select(TRANSFERS, version.label("version")).where(own == account_id)
        if before_version is not None:
            side = side.where(version < before_version)
        sides.append(select(side.order_by(version.desc()).limit(limit).subquery()))
    both = union_all(*sides).subquery()
    rows = session.execute(select(both).order_by(both.c.version.desc()).limit(limit))
    return tuple(transfer_of(row) for row in rows)


def between_versions(session: Session, account_id: AccountId, after: int, last: int) -> list[Transfer]:
    """An account's transfers of versions `after` + 1 to `last`, oldest first."""
    sides = [
        select(TRANSFERS, TRANSFERS.c[f"{side}_version"].label("version")).where(
            TRANSFERS.c[f"{side}_account_id"] == account_id,
            TRANSFERS.c[f"{side}_version"] > after,
            TRANSFERS.c[f"{side}_version"] <= last,
        )
        for side in ("debit", "credit")
    ]
    both = union_all(*sides).subquery()
    return [transfer_of(row) for row in session.execute(select(both).order_by(both.c.version))]


def after_id(session: Session, last: int, limit: int) -> list[Transfer]:
    query = select(TRANSFERS).where(TRANSFERS.c.id > last).order_by(TRANSFERS.c.id).limit(limit)
    return [transfer_of(row) for row in session.execute(query)]


def accounts_after(session: Session, last: int, limit: int) -> list[Account]:
    query = select(ACCOUNTS).where(ACCOUNTS.c.id > last).order_by(ACCOUNTS.c.id).limit(limit)
    return [account_of(row) for row in session.execute(query)]


def after_version(session: Session, account_id: AccountId, version: int) -> tuple[datetime, Balances] | None:
    """When an account reached a version, and its balances then: one look into each side's index."""
    for side in ("debit", "credit"):
        columns = [TRANSFERS.c[f"{side}_{name}"] for name in Balances._fields]
        row = session.execute(
            select(TRANSFERS.c.booked_at, *columns).where(
                TRANSFERS.c[f"{side}_account_id"] == account_id, TRANSFERS.c[f"{side}_version"] == version
            )
        ).first()
        if row is not None:
            return row[0], Balances._make(row[1:])
    return None


def account_of(row: Row[Any]) -> Account:
    return Account(
        id=AccountId(row.id),
        code=row.code,
        currency=Currency(row.currency, row.exponent),
        normal_side=NormalSide(row.normal_side),
        guarded=bool(row.guarded),
        upper_bound_minor=row.upper_bound_minor,
        debits_need_authorisation=bool(row.debits_need_authorisation),
        state=AccountState(row.state),
        version=row.version,
        debits_posted=row.debits_posted,
        credits_posted=row.credits_posted,
        debits_pending=row.debits_pending,
        credits_pending=row.credits_pending,
    )


def transfer_of(row: Row[Any]) -> Transfer:
    return Transfer(
        id=TransferId(row.id),
        journal_id=row.journal_id,
        kind=Kind(row.kind),
        debit_account_id=AccountId(row.debit_account_id),
        credit_account_id=AccountId(row.credit_account_id),
        amount=Money(row.amount_minor, Currency(row.currency, row.exponent)),
        code=row.code,
        pending_id=row.pending_id,
        reverses_id=row.reverses_id,
        authorisation_id=row.authorisation_id,
        idempotency_key=row.idempotency_key,
        due_at=row.due_at,
        effective_on=None if row.effective_on is None else date.fromisoformat(row.effective_on),
        metadata=metadata_of(row.details),
        numbers=(microseconds_of(row.booked_at), *(getattr(row, name) for name in _NUMBERS)),
    )


_NUMBERS = tuple(f"{side}_{name}" for side in ("debit", "credit") for name in Balances._fields)


def _one(session: Session, query: Select[Any]) -> Transfer | None:
    row = session.execute(query).first()
    return None if row is None else transfer_of(row)
