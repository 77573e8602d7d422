"""The demo's window on the money: what the sandbox's page shows beside the conversations. Reads only."""

from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select

from bot.ledger_views import money_text
from bot.people.people import People, Standing
from bot.store.tables import IntentLineRow, IntentRow, PersonRow
from ledger.database import Database
from ledger.tables import AccountRow, TransferRow

Json = dict[str, Any]
_STATES = {"posted": "posted", "pending": "pending", "post": "posted", "void": "voided", "expire": "expired"}


@dataclass(frozen=True, slots=True)
class DemoBank:
    database: Database
    people: People

    def wallets(self) -> list[Json]:
        return self.database.read(self._wallets)

    def _wallets(self, session: Session) -> list[Json]:
        rows = session.exec(
            select(PersonRow, AccountRow)
            .join(AccountRow, col(AccountRow.id) == col(PersonRow.wallet_id))
            .order_by(col(PersonRow.user_id))
        )
        return [_wallet(person, account) for person, account in rows]

    def transfers(self, limit: int) -> list[Json]:
        return self.database.read(lambda session: self._transfers(session, limit))

    def _transfers(self, session: Session, limit: int) -> list[Json]:
        names = self._account_names(session)
        references = _references(session)
        newest = select(TransferRow).order_by(col(TransferRow.id).desc()).limit(limit)
        return [
            {
                "id": str(row.id),
                "debit": names.get(row.debit_account_id, "?"),
                "credit": names.get(row.credit_account_id, "?"),
                "amount": money_text(row.amount_minor, row.currency),
                "state": _STATES[row.kind],
                "at": row.booked_at.isoformat(),
                "reference": references.get(row.pending_id or row.reverses_id or row.id, ""),
            }
            for row in session.exec(newest)
        ]

    def _account_names(self, session: Session) -> dict[int, str]:
        rows = session.exec(
            select(AccountRow, PersonRow).join(
                PersonRow, col(PersonRow.wallet_id) == col(AccountRow.id), isouter=True
            )
        )
        return {
            account.id: f"@{self.people.label(person).username}" if person else account.code.replace("_", " ")
            for account, person in rows
        }


def _wallet(person: PersonRow, account: AccountRow) -> Json:
    posted = account.credits_posted - account.debits_posted
    held = account.debits_pending
    return {
        "person_id": person.user_id,
        "available": money_text(posted - held, account.currency),
        "held": money_text(held, account.currency) if held else "",
        "enrolled": person.standing == Standing.ENROLLED,
    }


def _references(session: Session) -> dict[int, str]:
    rows = session.exec(
        select(IntentLineRow.transfer_id, IntentLineRow.settled_id, IntentRow.reference)
        .join(IntentRow, col(IntentRow.id) == col(IntentLineRow.intent_id))
        .where(col(IntentLineRow.transfer_id).is_not(None))
        .order_by(col(IntentLineRow.id).desc())
        .limit(200)
    )
    return {
        transfer_id: reference
        for first, second, reference in rows
        for transfer_id in (first, second)
        if transfer_id
    }
