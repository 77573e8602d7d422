"""Who was erased, told by a keyed hash of their id: what they said before counts no more, whenever it arrives again.

See [the decision](../../docs/adr/0010-erased-people.md).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, func
from sqlmodel import Session, col, select

from bot.store.control_tables import ErasureRow
from bot.store.vault import Vault
from bot.x.gateway import UserId

_NEWEST: Final = select(func.max(ErasureRow.erased_at)).where(
    col(ErasureRow.person_hash).in_(bindparam("hashes", expanding=True))
)


@dataclass(frozen=True, slots=True)
class Erasures:
    vault: Vault

    def cover(self, session: Session, user_id: UserId, said_at: datetime) -> bool:
        """Whether this was said by somebody who was erased since."""
        hashes = self.vault.blind_indexes(str(user_id), "erased person")
        until: datetime | None = session.exec(_NEWEST, params={"hashes": hashes}).one()
        return until is not None and said_at <= until

    def hash_of(self, user_id: UserId) -> bytes:
        return self.vault.blind_index(str(user_id), "erased person")

    def is_of(self, user_id: UserId, person_hash: bytes) -> bool:
        return person_hash in self.vault.blind_indexes(str(user_id), "erased person")

    def stand_in(self, x_id: int) -> int:
        """The number below zero that takes the place of an id of X's: a keyed hash of it, 62 bits."""
        if x_id < 0:
            return x_id
        digest = self.vault.blind_index(str(x_id), "erased order")
        return -(int.from_bytes(digest[:8]) >> 2) - 1
