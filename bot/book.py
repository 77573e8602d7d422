"""What this database is: whose bot it belongs to, and whether it is a demo's.

A demo's book is marked when it is made and stays one: test money can never meet real money.
"""

from sqlmodel import Session

from bot.errors import Misconfigured
from bot.store.tables import BookRow
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
