"""The ledger to look through: accounts and transfers page by page, an account's statement to take away, and the totals."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from io import TextIOWrapper
from tempfile import SpooledTemporaryFile
from typing import Annotated, Final

from fastapi import Query, Request
from sqlmodel import Session, col, select
from starlette.responses import Response, StreamingResponse

from bot.admin.pages import LARGEST_ID, LONG
from bot.errors import Misconfigured
from bot.ledger_files import write_statement
from bot.ledger_views import money_text, newest
from bot.payments.wallets import CLEARING
from bot.store.tables import HouseAccountRow, PersonRow
from bot.web.admin.house import House
from bot.web.admin.routes import Does, Looks
from bot.web.admin.seats import Before, Day, Here, Id, midnight
from ledger import reading
from ledger.accounts import Account, AccountId
from ledger.reports import open_clearing
from ledger.transfers import Transfer

FORMS: Final = {
    "csv": ("csv", "text/csv; charset=utf-8"),
    "text": ("txt", "text/plain; charset=utf-8"),
    "camt053": ("xml", "application/xml"),
}
IN_MEMORY: Final = 1 << 20
PIECE: Final = 1 << 16
After = Annotated[int, Query(ge=0, le=LARGEST_ID)]


class LedgerPages:
    def __init__(self, house: House) -> None:
        self.house, self.database = house, house.bot.database

    def routes(self) -> "Sequence[Looks | Does]":
        return (
            Looks("/ledger", self.accounts),
            Looks("/ledger/transfers", self.transfers),
            Looks("/ledger/totals", self.totals),
            Looks("/ledger/{account_id}", self.account),
            Looks("/ledger/{account_id}/statement", self.statement),
        )

    def accounts(self, request: Request, seat: Here, after: After = 0) -> Response:
        def read(session: Session) -> tuple[list[Account], list[Account], dict[int, int]]:
            house = [
                found
                for row in session.exec(select(HouseAccountRow).order_by(col(HouseAccountRow.code)))
                if (found := reading.account(session, AccountId(row.account_id))) is not None
            ]
            page = reading.accounts_after(session, after, LONG + 1)
            owners = select(PersonRow.wallet_id, PersonRow.user_id).where(
                col(PersonRow.wallet_id).in_([one.id for one in page])
            )
            return house, page, {int(wallet or 0): person for wallet, person in session.exec(owners)}

        house, page, owners = seat.reads(read)
        return self.house.show(
            request,
            "admin/accounts.html",
            actor=seat.actor,
            house=house if not after else [],
            accounts=page[:LONG],
            owners=owners,
            further=page[LONG - 1].id if len(page) > LONG else None,
            money=money_text,
        )

    def transfers(self, request: Request, seat: Here, before: Before = LARGEST_ID) -> Response:
        found = seat.reads(lambda session: newest(session, before=before, limit=LONG + 1))
        return self.house.show(
            request,
            "admin/transfers.html",
            actor=seat.actor,
            transfers=found[:LONG],
            older=found[LONG - 1]["transfer"] if len(found) > LONG else None,
        )

    def totals(self, request: Request, seat: Here) -> Response:
        """As `smoney ledger trial-balance`, `clearing` and `coverage` say them; at most a minute old."""
        gauges = self.house.site.gauges
        return self.house.show(
            request,
            "admin/totals.html",
            actor=seat.actor,
            lines=gauges.trial_balance(),
            clearing=seat.reads(lambda session: open_clearing(session, CLEARING)),
            coverage=gauges.coverage(),
            money=money_text,
        )

    def account(self, request: Request, seat: Here, account_id: Id, before: Before = LARGEST_ID) -> Response:
        def read(session: Session) -> tuple[Account, int | None, Sequence[Transfer]]:
            found = reading.account(session, AccountId(account_id))
            if found is None:
                raise Misconfigured(str(account_id), "is no account of this book.", example="one of the list")
            owner = session.exec(select(PersonRow.user_id).where(PersonRow.wallet_id == account_id)).first()
            history = reading.history(session, AccountId(account_id), limit=LONG + 1, before_version=before)
            return found, owner, history

        account, owner, history = seat.reads(read)
        if owner is not None:
            seat.notes("member.look", f"person {owner}")
        last = history[LONG - 1] if len(history) > LONG else None
        return self.house.show(
            request,
            "admin/account.html",
            actor=seat.actor,
            account=account,
            owner=owner,
            transfers=history[:LONG],
            older=_version(last, account_id) if last else None,
            forms=FORMS,
            money=money_text,
        )

    def statement(
        self,
        _seat: Here,
        account_id: Id,
        form: Annotated[str, Query(pattern="^(csv|text|camt053)$")] = "csv",
        since: Day = None,
        until: Day = None,
    ) -> Response:
        """From the first day to the last, both counted whole. Written to a file first: the book is not held open meanwhile."""
        ending, media_type = FORMS[form]
        file = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 (closed when it has been sent)
        text = TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        write_statement(
            self.database,
            account_id,
            form,
            text,
            since=midnight(since) - timedelta(microseconds=1) if since else None,
            until=midnight(until) + timedelta(days=1, microseconds=-1) if until else None,
            made_at=self.house.bot.clock(),
            counted=lambda _: None,
        )
        text.detach()
        name = f"account-{account_id}.{ending}"
        named = {"content-disposition": f'attachment; filename="{name}"'}
        return StreamingResponse(_pieces(file), media_type=media_type, headers=named)


def _pieces(file: "SpooledTemporaryFile[bytes]") -> Iterator[bytes]:
    with file:
        file.seek(0)
        while piece := file.read(PIECE):
            yield piece


def _version(transfer: Transfer, account_id: int) -> int:
    """Where the next page of this account begins."""
    after = transfer.debit_after if transfer.debit_account_id == account_id else transfer.credit_after
    return after.version
