"""Everything kept about one person, opened, as data for a file of their own.

Table by table as it stands, so that nothing is left out that somebody adds later (a test holds each table that names people
to this). What would help a thief more than its owner is withheld, and so is what is somebody else's: who blocks or trusts
them, and what a payer wrote down of an order beyond the payment itself.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, Table, or_, select
from sqlmodel import Session, col
from sqlmodel import select as rows_of

from bot.errors import UnreadableRow
from bot.people.people import People
from bot.store.columns import metadata
from bot.store.tables import IntentLineRow, IntentRow, PersonRow
from bot.store.vault import Vault
from bot.x.gateway import UserId
from ledger.clock import Clock
from ledger.tables import TransferRow

Row: TypeAlias = dict[str, Any]
SEALED: Final = "_sealed"
OWNERS: Final[Mapping[str, str]] = {
    "people": "user_id", "inbox": "person_id", "outbox": "person_id", "intents": "payer_id", "challenges": "payer_id",
    "authorisations": "person_id", "wrong_answers": "person_id", "trusted_payees": "payer_id",
    "second_factors": "person_id", "device_links": "person_id", "devices": "person_id", "blocks": "person_id",
    "former_handles": "person_id", "questions": "person_id", "proposals": "person_id", "top_ups": "person_id",
}  # fmt: skip
"""The column of each table that says whose the row is."""
CHILDREN: Final[Mapping[str, tuple[str, str]]] = {
    "intent_lines": ("intent_id", "intents"), "reviews": ("intent_id", "intents"),
    "recovery_codes": ("factor_id", "second_factors"), "bank_lines": ("proposal_id", "proposals"),
}  # fmt: skip
"""Rows that belong to a row of theirs."""
WITHHELD: Final[Mapping[str, frozenset[str]]] = {
    "people": frozenset({"username_index", "thaw_nonce", "thaw_key_id"}),
    "intent_lines": frozenset({"username_index"}),
    "challenges": frozenset({"nonce", "key_id"}),
    "questions": frozenset({"nonce", "key_id"}),
    "authorisations": frozenset({"mac", "key_id"}),
    "second_factors": frozenset({"secret_sealed"}),
    "recovery_codes": frozenset({"code_hash"}),
    "device_links": frozenset({"token_hash"}),
    "devices": frozenset({"secret_hash"}),
    "proposals": frozenset({"proposed_by", "decided_by", "reference_index"}),
    "bank_lines": frozenset({"facts_index"}),
}
"""Secrets, and what is made from them: whoever took the file could use them. And the names of the
operator's people."""


@dataclass(frozen=True, slots=True)
class OwnData:
    people: People
    vault: Vault
    clock: Clock

    def of(self, session: Session, person: PersonRow) -> Row:
        """Plain data, ready for JSON. Amounts are minor units, times UTC."""
        return {
            "made_at": self.clock().isoformat(),
            "withheld": {table: sorted(columns) for table, columns in WITHHELD.items()},
            "received": list(self._received(session, person)),
            "transfers": list(_transfers(session, person)),
            "tables": {
                table.name: [self._row(table, dict(row)) for row in session.execute(found).mappings()]
                for table, found in _theirs(person.user_id)
            },
        }

    def _row(self, table: Table, row: Row) -> Row:
        (key,) = table.primary_key.columns
        shown: Row = {}
        for name, value in row.items():
            if name in WITHHELD.get(table.name, ()):
                continue
            if name.endswith(SEALED):
                shown[name.removesuffix(SEALED)] = self._opened(table.name, row[key.name], name, value)
            else:
                shown[name] = _plain(value)
        return shown

    def _opened(self, table: str, row_id: int, column: str, value: bytes | None) -> Any:
        """A text as it is, what is itself JSON as what it says."""
        if value is None:
            return None
        name = column.removesuffix(SEALED)
        try:
            text = self.vault.open(bytes(value), table=table, row_id=row_id, column=name)
        except UnreadableRow:
            return "(cannot be read)"
        return json.loads(text) if name in {"payload", "parameters", "facts"} and text[:1] in "{[" else text

    def _received(self, session: Session, person: PersonRow) -> Iterator[Row]:
        """What others paid them, or set aside for them: the payment itself, as they were told."""
        rows = (
            rows_of(IntentLineRow, IntentRow)
            .join(IntentRow, col(IntentRow.id) == col(IntentLineRow.intent_id))
            .where(IntentLineRow.payee_id == person.user_id, col(IntentLineRow.transfer_id).is_not(None))
            .order_by(col(IntentLineRow.id))
        )
        for line, intent in session.exec(rows):
            payer = self.people.shown(self.people.get(session, UserId(intent.payer_id)))
            yield {
                "reference": intent.reference,
                "from": payer.username,
                "from_name": payer.name,
                "amount_minor": line.amount_minor,
                "currency": intent.currency,
                "state": line.state,
                "at": _plain(intent.closed_at),
                "due_at": _plain(line.due_at),
                "note": self._opened("intents", intent.id, "note_sealed", intent.note_sealed),
            }


def _theirs(user_id: int) -> Iterator[tuple[Table, Any]]:
    for name, owner in OWNERS.items():
        table = metadata.tables[name]
        yield table, select(table).where(table.columns[owner] == user_id).order_by(*table.primary_key)
    for name, (parent_key, parent_name) in CHILDREN.items():
        table, parent = metadata.tables[name], metadata.tables[parent_name]
        own = select(parent.columns["id"]).where(parent.columns[OWNERS[parent_name]] == user_id)
        yield table, select(table).where(table.columns[parent_key].in_(own)).order_by(*table.primary_key)
    actions = metadata.tables["admin_actions"]
    about: ColumnElement[bool] = actions.columns["subject"] == f"person {user_id}"
    told = [column for column in actions.columns if column.name != "reason_sealed"]
    yield actions, select(*told).where(about).order_by(actions.columns["id"])


def _transfers(session: Session, person: PersonRow) -> Iterator[Row]:
    """Their wallet's side of each booking."""
    if person.wallet_id is None:
        return
    wallet = person.wallet_id
    rows = rows_of(TransferRow).where(
        or_(col(TransferRow.debit_account_id) == wallet, col(TransferRow.credit_account_id) == wallet)
    )
    for row in session.exec(rows.order_by(col(TransferRow.id))):
        yield {
            "id": row.id,
            "direction": "out" if row.debit_account_id == wallet else "in",
            "kind": row.kind,
            "code": row.code,
            "amount_minor": row.amount_minor,
            "currency": row.currency,
            "booked_at": _plain(row.booked_at),
            "due_at": _plain(row.due_at),
        }


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
