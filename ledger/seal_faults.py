"""Recomputes seals, and says what is not as it was sealed. It reads only."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import text
from sqlmodel import Session

from ledger import merkle
from ledger.seals import NO_SEAL, Seal, key_id_of, leaves_of


@dataclass(frozen=True, slots=True)
class SealFault:
    """`where` (`seal 3`, `transfer 9`) is not as it was sealed; `what` is a short code, `detail` says how."""

    what: str
    where: str
    detail: str


def faults(session: Session, public_keys: Sequence[Ed25519PublicKey]) -> Iterator[SealFault]:
    """Recompute every seal. Signatures are checked with the keys given, and not at all if none are."""
    before: Mapping[Any, Any] = _BEFORE_ALL
    for row in session.execute(text("SELECT * FROM ledger_seal ORDER BY number")).mappings():
        yield from _faults_of(session, row, before, public_keys)
        before = row


def faults_of_one(
    session: Session, number: int, public_keys: Sequence[Ed25519PublicKey]
) -> Iterator[SealFault]:
    """The same for one seal and its place after the one before it; nothing where there is no such seal."""
    query = text(
        "SELECT * FROM ledger_seal WHERE number BETWEEN :number - 1 AND :number ORDER BY number DESC"
    )
    rows = session.execute(query, {"number": number}).mappings().all()
    if rows and rows[0]["number"] == number:
        yield from _faults_of(session, rows[0], rows[1] if len(rows) > 1 else _BEFORE_ALL, public_keys)


_BEFORE_ALL: Final[Mapping[Any, Any]] = {"number": 0, "through_id": 0, "hash": NO_SEAL}


def _faults_of(
    session: Session,
    row: Mapping[Any, Any],
    before: Mapping[Any, Any],
    public_keys: Sequence[Ed25519PublicKey],
) -> Iterator[SealFault]:
    keys = {key_id_of(key): key for key in public_keys}
    sealed = Seal(**{name: row[name] for name in Seal.__slots__})
    where = f"seal {sealed.number}"
    if (sealed.number, sealed.previous) != (before["number"] + 1, before["hash"]):
        yield SealFault("seal_does_not_follow", where, f"after seal {before['number']}")
    if sealed.hash != row["hash"] or (keys and not _signed(sealed, row["signature"], keys)):
        yield SealFault("seal_forged", where, f"signed by {sealed.key_id}")
    yield from _content_faults(session, before["through_id"], sealed, bytes(row["leaves"]))


def _content_faults(session: Session, first: int, sealed: Seal, located: bytes) -> Iterator[SealFault]:
    leaves = list(leaves_of(session, first, sealed.through_id))
    if len(leaves) == sealed.transfers and merkle.root_of(leaf for _, leaf in leaves).hex() == sealed.root:
        return
    now = {transfer_id: leaf[:8] for transfer_id, leaf in leaves}
    then = {
        int.from_bytes(located[at : at + 8], "big"): located[at + 8 : at + 16]
        for at in range(0, len(located), 16)
    }
    yield SealFault(
        "seal_broken", f"seal {sealed.number}", f"{sealed.transfers} transfers then, {len(now)} now"
    )
    for transfer_id in sorted(now.keys() | then.keys()):
        if now.get(transfer_id) != then.get(transfer_id):
            how = (
                "is gone"
                if transfer_id not in now
                else "was added"
                if transfer_id not in then
                else "was changed"
            )
            yield SealFault(
                "changed_after_sealing", f"transfer {transfer_id}", f"{how} since seal {sealed.number}"
            )


def _signed(sealed: Seal, signature: str, keys: Mapping[str, Ed25519PublicKey]) -> bool:
    try:
        keys[sealed.key_id].verify(bytes.fromhex(signature), bytes.fromhex(sealed.hash))
    except (KeyError, ValueError, InvalidSignature):
        return False
    return True
