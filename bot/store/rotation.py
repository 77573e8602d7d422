"""Seals every encrypted column anew under the current key, while the bot runs.

A value names the key it was sealed with, so what is left to do is found in the values themselves: whoever is
interrupted goes on where they stopped. Rows are taken in small transactions, locked, opened and sealed again; a value
that does not open is counted and left as it is. Blind indexes are made anew with the text they belong to.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, Table, and_, func, select, update
from sqlmodel import Session

from bot.errors import UnreadableRow
from bot.store import (
    admin_tables,
    control_tables,
    device_tables,
    factor_tables,
    guard_tables,
    tables,
    x_tables,
)
from bot.store.columns import metadata
from bot.store.vault import Vault
from ledger.database import Database

SEALED = "_sealed"
INDEX = "_index"
BATCH = 200
ROOMS = (tables, factor_tables, guard_tables, x_tables, device_tables, control_tables, admin_tables)
"""A table is known once its module is imported."""


@dataclass(slots=True)
class Progress:
    """One column: how many values stood under an older key, how many are done, and how many do not open."""

    table: str
    column: str
    total: int
    done: int = 0
    unreadable: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Rotation:
    database: Database
    vault: Vault

    def run(self, told: Callable[[Progress], None] = lambda _: None) -> Sequence[Progress]:
        """Every sealed column there is; `told` hears of each batch."""
        return [self._column(table, column, told) for table, column in sealed_columns()]

    def _column(self, table: Table, column: "Column[Any]", told: Callable[[Progress], None]) -> Progress:
        progress = Progress(table.name, column.name, self._left(table, column))
        told(progress)
        after: int | None = None
        while (last := self._batch(table, column, after, progress)) is not None:
            after = last
            told(progress)
        return progress

    def _left(self, table: Table, column: "Column[Any]") -> int:
        counted = select(func.count()).select_from(table).where(self._is_old(column))
        return self.database.read(lambda session: int(session.connection().execute(counted).scalar_one()))

    def _is_old(self, column: "Column[Any]") -> Any:
        """Not under the current key: its first bytes name another. See `Vault` for the form of a value."""
        prefix = self.vault.prefix
        return and_(column.is_not(None), func.substr(column, 1, len(prefix)) != prefix)

    def _batch(
        self, table: Table, column: "Column[Any]", after: int | None, progress: Progress
    ) -> int | None:
        """Does the next rows, and returns the id of the last; None where none is left."""
        (key,) = table.primary_key.columns
        rows = select(key, column).where(self._is_old(column)).order_by(key).limit(BATCH).with_for_update()
        if after is not None:
            rows = rows.where(key > after)

        def work(session: Session) -> tuple[int | None, int, list[int]]:
            found = session.connection().execute(rows).all()
            unreadable = [
                row_id for row_id, value in found if not self._reseal(session, column, row_id, value)
            ]
            return (found[-1][0] if found else None), len(found), unreadable

        last, count, unreadable = self.database.write(work)
        progress.done += count - len(unreadable)
        progress.unreadable += unreadable
        return last

    def _reseal(self, session: Session, column: "Column[Any]", row_id: int, value: bytes) -> bool:
        table, name = column.table, column.name.removesuffix(SEALED)
        (key,) = table.primary_key.columns
        try:
            text = self.vault.open(bytes(value), table=table.name, row_id=row_id, column=name)
        except UnreadableRow:
            return False
        resealed = self.vault.seal(text, table=table.name, row_id=row_id, column=name)
        values = {column.name: resealed}
        if name + INDEX in table.columns:
            values[name + INDEX] = self.vault.blind_index(text.lower(), name)
        session.connection().execute(update(table).where(key == row_id).values(values))
        return True


def sealed_columns() -> Iterator[tuple[Table, "Column[Any]"]]:
    """Every column of the bot's tables that holds sealed values: those whose name says so."""
    for table in metadata.sorted_tables:
        for column in table.columns:
            if column.name.endswith(SEALED):
                yield table, column
