"""Tamper evidence: transfers are sealed in Merkle trees, each signed together with the one before it.

Sealing reads a snapshot, hashes, and then inserts one row: posting never waits for it. A seal covers a range of ids, and
the database refuses to book behind its end. A proof shows with the public key alone, without a database, that a
transfer stood in a sealed book exactly as shown. Whoever has the signing key can forge: keep it away from the database.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import insert, text
from sqlmodel import Session

from ledger import merkle
from ledger.clock import Clock, first_id_at, microseconds_of
from ledger.database import Database
from ledger.errors import NotSealed, ProofInvalid, UnknownTransfer
from ledger.tables import SealRow

SEALS = SealRow.__table__  # type: ignore[attr-defined]
MOST_IN_ONE_SEAL: Final = 16_384
LAG: Final = timedelta(seconds=90)
"""Only what is older is sealed: longer than any transaction takes from drawing an id to its commit."""

NO_SEAL: Final = "0" * 64
PROOF_FORMAT: Final = "smoney-ledger-proof-1"

_NUMBERS = (
    "id", "journal_id", "debit_account_id", "credit_account_id", "amount_minor", "exponent", "pending_id",
    "reverses_id", "authorisation_id", "booked_at", "due_at", "debit_version", "debit_debits_posted",
    "debit_credits_posted", "debit_debits_pending", "debit_credits_pending", "credit_version",
    "credit_debits_posted", "credit_credits_posted", "credit_debits_pending", "credit_credits_pending",
)  # fmt: skip
_TEXTS = ("kind", "currency", "code", "idempotency_key", "effective_on", "details")
_OPTIONAL = {"pending_id", "reverses_id", "authorisation_id", "due_at", "effective_on", "details"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """One seal. `through_id` is the first id it does not cover; `root`, `previous` and `hash` are hex."""

    number: int
    through_id: int
    transfers: int
    previous: str
    root: str
    sealed_at: int
    key_id: str

    @property
    def hash(self) -> str:
        """What is signed: everything the seal says, under a name that nothing else is signed under."""
        values = (
            self.number,
            self.through_id,
            self.transfers,
            self.previous,
            self.root,
            self.sealed_at,
            self.key_id,
        )
        return sha256(f"smoney-ledger-seal-1:{':'.join(map(str, values))}".encode()).hexdigest()


def key_id_of(key: Ed25519PublicKey) -> str:
    """The short name of a public key: the first 16 hex digits of its hash."""
    return sha256(key.public_bytes_raw()).hexdigest()[:16]


def seal(database: Database, *, key: Ed25519PrivateKey, clock: Clock) -> tuple[Seal, ...]:
    """Seal every transfer older than `LAG` that is not sealed yet, in as many seals as it takes; often none."""
    made = []
    while (one := _seal_some(database, key, clock)) is not None:
        made.append(one)
    return tuple(made)


def proof(session: Session, transfer_id: int) -> dict[str, Any]:
    """A proof of inclusion, ready for JSON. Raises `UnknownTransfer`, or `NotSealed` if its seal is still to come."""
    if (
        session.execute(text("SELECT 1 FROM ledger_transfer WHERE id = :id"), {"id": transfer_id}).first()
        is None
    ):
        raise UnknownTransfer(transfer_id)
    covering = "SELECT * FROM ledger_seal WHERE through_id > :id ORDER BY number LIMIT 1"
    row = session.execute(text(covering), {"id": transfer_id}).mappings().first()
    if row is None:
        raise NotSealed(transfer_id)
    leaves = list(leaves_of(session, _end_before(session, row["number"]), row["through_id"]))
    position = [leaf_id for leaf_id, _ in leaves].index(transfer_id)
    path = merkle.path_of([leaf for _, leaf in leaves], position)
    return {
        "format": PROOF_FORMAT,
        "transfer": _fields(session, transfer_id),
        "position": position,
        "path": [step.hex() for step in path],
        "seal": {name: row[name] for name in Seal.__slots__},
        "signature": row["signature"],
    }


def check_proof(given: Mapping[str, Any], public_key: Ed25519PublicKey) -> Mapping[str, Any]:
    """The transfer a proof shows, as its columns, if the key signed a book that has exactly it. Needs no database.

    Raises `ProofInvalid`, which says at which step it failed.
    """
    try:
        if given["format"] != PROOF_FORMAT:
            raise ProofInvalid(f"its format is not {PROOF_FORMAT}")
        sealed = Seal(**given["seal"])
        leaf = merkle.leaf_hash(canonical(given["transfer"]))
        path = [bytes.fromhex(step) for step in given["path"]]
        root = merkle.root_by_path(leaf, given["position"], sealed.transfers, path)
        if root is None or root.hex() != sealed.root:
            raise ProofInvalid("the transfer as shown does not lead to the sealed root")
        public_key.verify(bytes.fromhex(given["signature"]), bytes.fromhex(sealed.hash))
    except InvalidSignature:
        raise ProofInvalid("the seal was not signed with this key") from None
    except (KeyError, TypeError, ValueError, AttributeError) as broken:
        raise ProofInvalid(f"it is no proof at all ({type(broken).__name__})") from broken
    return dict(given["transfer"])


def canonical(fields: Mapping[str, Any]) -> bytes:
    """A transfer's columns as the bytes that are hashed: numbers by commas, texts with their lengths, `-` for none."""
    if set(fields) != {*_NUMBERS, *_TEXTS}:
        raise ValueError("not the columns of a transfer")
    numbers = [_number(name, fields[name]) for name in _NUMBERS]
    texts = [_text(name, fields[name]) for name in _TEXTS]
    return ",".join([*numbers, *texts]).encode()


def _number(name: str, value: object) -> str:
    if value is None and name in _OPTIONAL:
        return "-"
    if type(value) is not int:
        raise ValueError(f"{name} is a whole number")
    return str(value)


def _text(name: str, value: object) -> str:
    if value is None and name in _OPTIONAL:
        return "-"
    if not isinstance(value, str):
        raise ValueError(f"{name} is a text")  # noqa: TRY004 (one kind of error for a broken file)
    return f"{len(value)}:{value}"


# The same as `canonical`, made by the database: one text a row is all that has to leave it.
_CANONICAL_SQL: Final = " || ',' || ".join(
    [f"coalesce(CAST({name} AS TEXT), '-')" for name in _NUMBERS]
    + [f"coalesce(CAST(length({name}) AS TEXT) || ':' || {name}, '-')" for name in _TEXTS]
)
_LEAVES_SQL: Final = (
    f"SELECT id, {_CANONICAL_SQL} FROM ledger_transfer "  # noqa: S608 (names of ours)
    "WHERE id >= :first AND id < :last ORDER BY id LIMIT :most"
)


def leaves_of(
    session: Session, first: int, last: int, most: int = 2**62
) -> Iterator[tuple[int, merkle.Hash]]:
    parameters = {"first": first, "last": last, "most": most}
    options = {"stream_results": True, "max_row_buffer": 1000}
    for transfer_id, content in session.execute(text(_LEAVES_SQL), parameters, execution_options=options):
        yield transfer_id, merkle.leaf_hash(content.encode())


def _seal_some(database: Database, key: Ed25519PrivateKey, clock: Clock) -> Seal | None:
    now = clock()
    key_id = key_id_of(key.public_key())

    def prepare(session: Session) -> tuple[Seal, bytes] | None:
        number, first, previous = _last(session)
        end = min(first_id_at(now - LAG), _oldest_running(session, now))
        leaves = list(leaves_of(session, first, end, MOST_IN_ONE_SEAL))
        if not leaves:
            return None
        through = end if len(leaves) < MOST_IN_ONE_SEAL else leaves[-1][0] + 1
        root = merkle.root_of(leaf for _, leaf in leaves).hex()
        located = b"".join(transfer_id.to_bytes(8, "big") + leaf[:8] for transfer_id, leaf in leaves)
        made = Seal(
            number=number + 1, through_id=through, transfers=len(leaves), previous=previous, root=root,
            sealed_at=microseconds_of(now), key_id=key_id,
        )  # fmt: skip
        return made, located

    prepared = database.read(prepare)
    if prepared is None:
        return None
    made, located = prepared
    signature = key.sign(bytes.fromhex(made.hash)).hex()
    return made if database.write(lambda session: _insert(session, made, signature, located)) else None


def _insert(session: Session, made: Seal, signature: str, located: bytes) -> bool:
    """Add the seal; False if another process has sealed meanwhile."""
    number, _, previous = _last(session)
    if (number + 1, previous) != (made.number, made.previous):
        return False
    values = {name: getattr(made, name) for name in Seal.__slots__}
    session.execute(insert(SEALS).values(**values, hash=made.hash, signature=signature, leaves=located))
    return True


def _last(session: Session) -> tuple[int, int, str]:
    """Number, end and hash of the newest seal."""
    query = "SELECT number, through_id, hash FROM ledger_seal ORDER BY number DESC LIMIT 1"
    row = session.execute(text(query)).first()
    return (0, 0, NO_SEAL) if row is None else (row[0], row[1], row[2])


def _end_before(session: Session, number: int) -> int:
    query = text("SELECT through_id FROM ledger_seal WHERE number = :number")
    return int(session.execute(query, {"number": number - 1}).scalar() or 0)


def _oldest_running(session: Session, now: datetime) -> int:
    """On PostgreSQL, an id behind which no transaction still running can book.

    One that runs longer than `LAG` holds sealing up, not the other way round.
    """
    if session.get_bind().dialect.name != "postgresql":
        return 2**63 - 1
    query = "SELECT EXTRACT(EPOCH FROM clock_timestamp() - min(xact_start))::bigint FROM pg_stat_activity"
    running = session.execute(text(f"{query} WHERE backend_xid IS NOT NULL")).scalar()
    return first_id_at(now - timedelta(seconds=int(running or 0)) - LAG)


def _fields(session: Session, transfer_id: int) -> dict[str, Any]:
    columns = ", ".join((*_NUMBERS, *_TEXTS))
    query = f"SELECT {columns} FROM ledger_transfer WHERE id = :id"  # noqa: S608 (names of ours)
    return dict(session.execute(text(query), {"id": transfer_id}).mappings().one())


def proof_text(given: Mapping[str, Any]) -> str:
    """A proof as the small JSON file that is handed out."""
    return json.dumps(given, indent=1, sort_keys=True) + "\n"
