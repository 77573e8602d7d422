"""The ledger as rows to look at: accounts and transfers, for the command line and the demo's page."""

from collections.abc import Mapping

from sqlmodel import Session, col, select

from bot.store.tables import PersonRow
from ledger.database import Database
from ledger.money import currency_of, decimal_text
from ledger.tables import AccountRow, TransferRow

_SYMBOLS = {"EUR": "€"}


def accounts(database: Database) -> list[dict[str, object]]:
    """Every account: whose wallet (by X's id) or which of the operator's own, and its balances."""

    def work(session: Session) -> list[dict[str, object]]:
        owners = _owners(session)
        rows = session.exec(select(AccountRow).order_by(col(AccountRow.opened_at), col(AccountRow.id)))
        return [_account(row, owners) for row in rows]

    return database.read(work)


def _owners(session: Session) -> Mapping[int, int]:
    owned = select(PersonRow.wallet_id, PersonRow.user_id).where(col(PersonRow.wallet_id).is_not(None))
    return {wallet: user for wallet, user in session.exec(owned) if wallet is not None}


def _account(row: AccountRow, owners: Mapping[int, int]) -> dict[str, object]:
    is_credit = row.normal_side == "credit"
    ins, outs = (
        (row.credits_posted, row.debits_posted) if is_credit else (row.debits_posted, row.credits_posted)
    )
    held = row.debits_pending if is_credit else row.credits_pending
    incoming = row.credits_pending if is_credit else row.debits_pending
    return {
        "account": row.id,
        "kind": row.code,
        "person": owners.get(row.id, ""),
        "currency": row.currency,
        "posted": _text(ins - outs, row.currency),
        "held": _text(held, row.currency),
        "incoming": _text(incoming, row.currency),
        "state": row.state,
    }


def _text(amount_minor: int, currency: str) -> str:
    return decimal_text(amount_minor, currency_of(currency).exponent)


def history(database: Database, account_id: int | None, *, limit: int) -> list[dict[str, object]]:
    """The newest transfers first, of one account or of the whole book."""
    return database.read(lambda session: newest(session, account_id, limit=limit))


def newest(
    session: Session, account_id: int | None = None, *, limit: int, before: int | None = None
) -> list[dict[str, object]]:
    """From below the transfer that was shown last, where one is named."""
    rows = select(TransferRow)
    if before is not None:
        rows = rows.where(col(TransferRow.id) < before)
    if account_id is not None:
        rows = rows.where(
            (col(TransferRow.debit_account_id) == account_id)
            | (col(TransferRow.credit_account_id) == account_id)
        )
    found = session.exec(rows.order_by(col(TransferRow.id).desc()).limit(limit))
    return [_transfer(row) for row in found]


def _transfer(row: TransferRow) -> dict[str, object]:
    return {
        "transfer": row.id,
        "booked_at": row.booked_at.isoformat(timespec="seconds"),
        "kind": row.kind,
        "code": row.code,
        "debit": row.debit_account_id,
        "credit": row.credit_account_id,
        "amount": money_text(row.amount_minor, row.currency),
        "resolves": row.pending_id or row.reverses_id or "",
    }


def money_text(amount_minor: int, currency: str) -> str:
    """As pages and tables show it, the same in every language: `10.00 €`."""
    return f"{_text(amount_minor, currency)} {_SYMBOLS.get(currency, currency)}"
