"""One listener at a time among several programs on one PostgreSQL, by the database's own clock.

On SQLite one daemon owns the file, and nothing of this is needed. What the holder writes checks its token in the same
transaction, with the row locked: whoever stood still and lost the lease meanwhile can write nothing.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlmodel import Session, select

from bot.errors import LeaseLost
from bot.store.x_tables import LeaseRow
from ledger.database import Database

_BEGIN = text(
    "INSERT INTO leases (name, holder, token, until_at) VALUES (:name, 0, 0, 0) ON CONFLICT DO NOTHING"
)
_TAKE = text(
    "UPDATE leases SET token = CASE WHEN holder = :holder THEN token ELSE token + 1 END, holder = :holder,"
    " until_at = CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint) + :lasts"
    " WHERE name = :name AND (holder = :holder"
    " OR until_at <= CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)) RETURNING token"
)
_LEAVE = text("UPDATE leases SET until_at = 0, holder = 0 WHERE name = :name AND holder = :holder")
LASTS = timedelta(minutes=1)
"""How long a program that has died keeps the others from listening."""
ALONE = 0
"""The token where there can be one program only."""


@dataclass(frozen=True, slots=True)
class Lease:
    """`holder` is a number of this program's own, new at each start."""

    database: Database
    name: str
    holder: int
    lasts: timedelta

    def take(self) -> int | None:
        """The token of whoever holds it, which is this program now or was before; None where another holds it."""
        if self.database.dialect == "sqlite":
            return ALONE
        return self.database.write(self._take)

    def _take(self, session: Session) -> int | None:
        values = {
            "name": self.name,
            "holder": self.holder,
            "lasts": int(self.lasts.total_seconds() * 1_000_000),
        }
        connection = session.connection()
        connection.execute(_BEGIN, {"name": self.name})
        found: int | None = connection.execute(_TAKE, values).scalar_one_or_none()
        return found

    def check(self, session: Session, token: int) -> None:
        """Raises `LeaseLost` where another has taken it since: then the caller's transaction must not happen."""
        if self.database.dialect == "sqlite":
            return
        row = self.lock(session)
        if row is None or row.holder != self.holder or row.token != token:
            raise LeaseLost("another program listens now")

    def lock(self, session: Session) -> LeaseRow | None:
        """For who writes the same things without being the listener: one at a time."""
        rows = select(LeaseRow).where(LeaseRow.name == self.name).with_for_update()
        return session.exec(rows.execution_options(populate_existing=True)).first()

    def leave(self) -> None:
        """At the end of a program: the next one need not wait."""
        if self.database.dialect != "sqlite":
            values = {"name": self.name, "holder": self.holder}
            self.database.write(lambda session: session.connection().execute(_LEAVE, values) and None)
