"""The list of erasures that is kept outside the database, so that a restored backup forgets again whom it had forgotten.

One line of JSON for each: the keyed hash of who it was, and when. Added to by the sweep, within its half minute.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlmodel import Session, col, select

from bot.store.control_tables import ErasureRow
from ledger.clock import Clock


@dataclass(frozen=True, slots=True)
class Listed:
    person_hash: bytes
    erased_at: datetime


@dataclass(frozen=True, slots=True)
class ErasureList:
    file: Path
    clock: Clock

    def write(self, session: Session) -> None:
        """Adds what is not on it yet. Safe on disk before it is marked; a line that is there twice does no harm."""
        new = list(session.exec(select(ErasureRow).where(col(ErasureRow.listed_at).is_(None))))
        if not new:
            return
        with os.fdopen(os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "w") as out:
            for row in new:
                said = {"person_hash": row.person_hash.hex(), "erased_at": row.erased_at.isoformat()}
                out.write(json.dumps(said) + "\n")
            out.flush()
            os.fsync(out.fileno())
        for row in new:
            row.listed_at = self.clock()
            session.add(row)
        session.flush()

    def read(self) -> Iterator[Listed]:
        """Raises `ValueError` for a line that is none of ours."""
        if not self.file.exists():
            return
        for line in self.file.read_text(encoding="utf-8").splitlines():
            said = json.loads(line)
            yield Listed(bytes.fromhex(said["person_hash"]), datetime.fromisoformat(said["erased_at"]))
