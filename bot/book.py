"""What this database is: whose bot it belongs to, whether it is a demo's, which keys it was written with, and whether it
came out of a backup.

A demo's book is marked when it is made and stays one: test money can never meet real money.
"""

from sqlmodel import Session, col, select

from bot.errors import Misconfigured
from bot.keys import Keyring
from bot.store.guard_tables import KnownKeyRow
from bot.store.tables import BookRow, RestoreRow
from bot.x.gateway import XUser
from ledger.clock import Clock


def open_book(session: Session, *, is_demo: bool, clock: Clock) -> BookRow:
    """The book's row, made if the database is new. Raises `Misconfigured` where the two kinds would mix."""
    book = session.get(BookRow, 1)
    if book is None:
        book = BookRow(is_demo=is_demo, created_at=clock())
        session.add(book)
        session.flush()
    if book.is_demo != is_demo:
        kind = "a demo's book with test money" if book.is_demo else "a real book"
        raise Misconfigured(
            "SMONEY_DATABASE_URL", f"this database is {kind}.", example="sqlite:///another.sqlite"
        )
    return book


def admit_keys(session: Session, keyring: Keyring, clock: Clock) -> None:
    """Every key this database was written with must be on the ring, and be the same. Raises `Misconfigured` before
    anything is written. A key is known from its first start on."""
    known = {row.key_id: row.fingerprint for row in session.exec(select(KnownKeyRow))}
    for key_id, fingerprint in known.items():
        if key_id not in keyring.ids:
            raise _wrong_key(
                f"the key {key_id}, with which this database was written, is not among those given."
            )
        if keyring.fingerprint(key_id) != fingerprint:
            raise _wrong_key(
                f"the key {key_id} is not the one of this name that this database was written with."
            )
    for key_id in keyring.ids:
        if key_id not in known:
            session.add(KnownKeyRow(key_id=key_id, fingerprint=keyring.fingerprint(key_id), seen_at=clock()))
    session.flush()


def _wrong_key(problem: str) -> Misconfigured:
    return Misconfigured(
        "SMONEY_KEYS", f"{problem} Nothing was touched.", example="SMONEY_KEYS=the new key,every older key"
    )


def bind(session: Session, bot: XUser) -> None:
    """Binds the book to the bot's account at the first start. Raises `Misconfigured` for another account's keys."""
    book = session.get_one(BookRow, 1)
    if book.bot_user_id not in {None, bot.id}:
        raise Misconfigured(
            "SMONEY_X_ACCESS_TOKEN",
            f"it belongs to @{bot.username}, but this database is another bot account's.",
            example="the access token of the account this database was made with",
        )
    book.bot_user_id = bot.id
    session.add(book)


def unreconciled(session: Session) -> RestoreRow | None:
    """The restore this book came out of, until it was reconciled with X."""
    rows = select(RestoreRow).where(col(RestoreRow.reconciled_at).is_(None))
    return session.exec(rows.order_by(col(RestoreRow.id).desc()).limit(1)).first()


def is_paused(session: Session) -> bool:
    """Whether nothing may be worked, said or swept now: what happened since the backup is not known yet.

    Asked in the very transaction that would do it, so that no worker is too quick.
    """
    return session.connection().execute(_UNRECONCILED).first() is not None


_UNRECONCILED = select(RestoreRow.id).where(col(RestoreRow.reconciled_at).is_(None)).limit(1)
