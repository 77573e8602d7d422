"""The bank's side: statements taken in as the command takes them, whose each line is, and the bank's balance held against the
book's."""

import threading
from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import Query, Request
from sqlmodel import Session
from starlette.responses import RedirectResponse, Response

from bot.admin.amounts import balance_of
from bot.admin.bank_files import BankFile, Imported
from bot.admin.bank_lines import UNDECIDED
from bot.admin.bank_reconciling import Reconciled, closing_of
from bot.admin.pages import LARGEST_ID, LONG
from bot.errors import Misconfigured
from bot.funding.csv_values import ORDERS
from bot.funding.statements import MOST_BYTES, BankBalance, BankStatement, WrongStatement, nothing_told
from bot.ledger_views import money_text
from bot.web.admin.house import House, done, words_of
from bot.web.admin.routes import Does, Looks
from bot.web.admin.seats import Before, Form, Here, Id, Seat, Uploaded, asked

STATES: Final = ("open", "proposed", "matched", "ignored")
MOST_SHOWN: Final = 500
State = Annotated[str, Query(pattern="^(|open|proposed|matched|ignored)$")]


class BankPages:
    def __init__(self, house: House) -> None:
        self.house, self.bank = house, house.office.bank
        self.importing = threading.Lock()

    def routes(self) -> "Sequence[Looks | Does]":
        return (
            Looks("/bank", self.lines),
            Looks("/bank/import", self.offered),
            Does("/bank/import", "bank.import", self.take),
            Looks("/bank/balance", self.balance),
            Does("/bank/{line_id}/match", "bank.match", self.match),
            Does("/bank/{line_id}/ignore", "bank.ignore", self.ignore),
        )

    def lines(self, request: Request, seat: Here, state: State = "", before: Before = LARGEST_ID) -> Response:
        def read(session: Session) -> dict[str, Any]:
            states = (state,) if state else UNDECIDED
            found = self.bank.lines.newest(session, states=states, limit=LONG + 1, before=before)
            first = not state and before == LARGEST_ID
            return {
                "lines": found[:LONG],
                "older": found[LONG - 1].id if len(found) > LONG else None,
                "unseen": self.house.office.bank_reconciling.unseen(session) if first else [],
            }

        return self._shown(request, seat, "admin/bank.html", state=state, states=STATES, **seat.reads(read))

    def _shown(
        self, request: Request, seat: Seat, template: str, status: int = 200, **values: Any
    ) -> Response:
        return self.house.show(
            request,
            template,
            actor=seat.actor,
            status=status,
            money=money_text,
            orders=ORDERS,
            most_mb=MOST_BYTES // 1024**2,
            **values,
        )

    # Statements

    def offered(self, request: Request, seat: Here) -> Response:
        return self._told(request, seat)

    def _told(
        self,
        request: Request,
        seat: Seat,
        *,
        problem: str = "",
        name: str = "",
        imported: Imported | None = None,
        closing: BankBalance | None = None,
        reconciled: Reconciled | None = None,
    ) -> Response:
        new = [each for each in imported.lines if each.state != "known"] if imported else []
        return self._shown(
            request,
            seat,
            "admin/bank_import.html",
            400 if problem else 200,
            problem=problem,
            name=name,
            imported=imported,
            new=new[:MOST_SHOWN],
            more=max(0, len(new) - MOST_SHOWN),
            closing=closing,
            reconciled=reconciled,
        )

    def take(self, request: Request, seat: Here, upload: Uploaded) -> Response:
        """Says what became of each line, or the one sentence that says why nothing of the file was taken."""
        fields = upload.fields
        given = BankFile(
            upload.file.name, upload.file.data, fields.get("columns", "").strip(), fields.get("dates") or None
        )
        if not self.importing.acquire(blocking=False):
            return self._told(
                request, seat, problem="Another statement is being taken in. Wait for it, and try again."
            )
        try:
            return self._taken(request, seat, given, dry_run=fields.get("dry_run") == "yes")
        except WrongStatement as wrong:
            return self._told(request, seat, problem=str(wrong), name=given.name)
        except Misconfigured as wrong:
            return self._told(request, seat, problem=words_of(wrong), name=given.name)
        finally:
            self.importing.release()

    def _taken(self, request: Request, seat: Seat, given: BankFile, *, dry_run: bool) -> Response:
        if not given.name:
            raise Misconfigured("file", "none was chosen. Nothing was imported.")
        statement = given.read()
        imported = self.bank.import_statement(
            self.house.bot.database,
            seat.at,
            statement,
            reason=given.reason,
            told=nothing_told,
            dry_run=dry_run,
        )
        closing = None if dry_run else self._closing(statement)
        return self._told(
            request,
            seat,
            name=given.name,
            imported=imported,
            closing=closing,
            reconciled=self._reconciled(seat, closing) if closing else None,
        )

    def _closing(self, statement: BankStatement) -> BankBalance | None:
        try:
            return closing_of(statement, self.bank.account)
        except Misconfigured:  # it has none, or of several accounts: the balance can be typed
            return None

    def _reconciled(self, seat: Seat, closing: BankBalance) -> Reconciled:
        room = self.house.office.bank_reconciling
        return seat.reads(lambda session: room.reconcile(session, closing.amount, on=closing.on))

    def balance(self, request: Request, seat: Here, balance: str = "") -> Response:
        """What the bank holds now, held against the book."""
        room, wanted = self.house.office.bank_reconciling, asked(balance)
        found = None
        if wanted:
            held = balance_of(wanted)
            found = seat.reads(lambda session: room.reconcile(session, held, on=None))
        return self._shown(
            request, seat, "admin/bank_balance.html", wanted=wanted, reconciled=found, closing=None
        )

    # By hand

    def match(self, seat: Here, form: Form, line_id: Id) -> Response:
        who, reason = asked(form.get("who", "")), form.get("reason", "")
        proposal = _number(form.get("proposal", ""))
        if bool(who) == (proposal is not None):
            raise Misconfigured("who", "name somebody, or a proposal, and not both. Nothing was done.")
        if proposal is not None:
            made = seat.acts(
                lambda session, actor: self.bank.match_proposal(
                    session, actor, line_id, proposal, reason=reason
                )
            )
        else:
            made = seat.acts(
                lambda session, actor: self.bank.match(session, actor, line_id, who, reason=reason)
            )
        return RedirectResponse(f"/admin/proposals/{made.id}?said=proposal_{made.state}", 303)

    def ignore(self, seat: Here, form: Form, line_id: Id) -> Response:
        reason = form.get("reason", "")
        seat.acts(lambda session, actor: self.bank.ignore(session, actor, line_id, reason=reason))
        return done("/admin/bank")


def _number(written: str) -> int | None:
    """A proposal's number as typed. Raises `Misconfigured`."""
    bare = written.strip()
    if not bare:
        return None
    if not bare.isdecimal() or len(bare) > len(str(LARGEST_ID)) or int(bare) > LARGEST_ID:
        raise Misconfigured("proposal", "is no number of a proposal. Nothing was done.")
    return int(bare)
