"""Money that admins move: asked for by one, approved or refused by another, and what became of it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final

from fastapi import Query, Request
from sqlmodel import Session
from starlette.responses import RedirectResponse, Response

from bot.admin.amounts import amount_of
from bot.admin.log import Actor
from bot.admin.pages import LARGEST_ID, LONG
from bot.admin.proposals import Proposal
from bot.ledger_views import money_text
from bot.store.tables import IntentLineRow, IntentRow
from bot.web.admin.house import House
from bot.web.admin.routes import Does, Looks
from bot.web.admin.seats import Before, Form, Here, Id, asked

STATES: Final = ("open", "done", "refused", "expired")
State = Annotated[str, Query(pattern="^(|open|done|refused|expired)$")]


class ProposalPages:
    def __init__(self, house: House) -> None:
        self.house, self.treasury = house, house.office.treasury

    def routes(self) -> "Sequence[Looks | Does]":
        return (
            Looks("/proposals", self.all),
            Looks("/proposals/{proposal_id}", self.one),
            Does("/proposals/fund", "fund.propose", self.fund),
            Does("/proposals/payout", "payout.propose", self.payout),
            Does("/proposals/operator-fund", "operator_fund.propose", self.operator_fund),
            Does("/payments/{reference}/refund", "refund.propose", self.refund),
            # The least any kind asks for; the room asks for the kind's own.
            Does("/proposals/{proposal_id}/approve", "refund.approve", self.approve),
            Does("/proposals/{proposal_id}/refuse", "refund.refuse", self.refuse),
        )

    def all(
        self, request: Request, seat: Here, state: State = "open", before: Before = LARGEST_ID
    ) -> Response:
        def read(session: Session) -> tuple[Sequence[Proposal], Mapping[int, str]]:
            proposals = self.treasury.proposals.newest(
                session, state=state or None, limit=LONG + 1, before=before
            )
            people = {one.person_id for one in proposals if one.person_id is not None}
            return proposals, self.house.office.listing.names(session, people)

        found, names = seat.reads(read)
        return self._shown(
            request,
            seat,
            "admin/proposals.html",
            proposals=found[:LONG],
            names=names,
            older=found[LONG - 1].id if len(found) > LONG else None,
            state=state,
            states=STATES,
        )

    def one(self, request: Request, seat: Here, proposal_id: Id) -> Response:
        log, subject = self.house.office.log, f"proposal {proposal_id}"

        def read(session: Session) -> dict[str, Any]:
            proposal = self.treasury.proposals.one(session, proposal_id)
            line = session.get(IntentLineRow, proposal.line_id) if proposal.line_id else None
            people = (proposal.person_id, line.payee_id if line else None)
            return {
                "one": proposal,
                "names": self.house.office.listing.names(
                    session, {each for each in people if each is not None}
                ),
                "payment": session.get_one(IntentRow, line.intent_id).reference if line else None,
                "payee_id": line.payee_id if line else None,
                "actions": log.newest(session, subject=subject),
            }

        return self._shown(request, seat, "admin/proposal.html", **seat.reads(read))

    def _shown(self, request: Request, seat: Here, template: str, **values: Any) -> Response:
        return self.house.show(request, template, actor=seat.actor, money=money_text, **values)

    def fund(self, seat: Here, form: Form) -> Response:
        return self._moves(
            seat,
            lambda session, actor: self.treasury.propose_fund(
                session, actor, asked(form.get("who", "")), amount_of(form.get("amount", "")), **_named(form)
            ),
        )

    def payout(self, seat: Here, form: Form) -> Response:
        return self._moves(
            seat,
            lambda session, actor: self.treasury.propose_payout(
                session, actor, asked(form.get("who", "")), amount_of(form.get("amount", "")), **_named(form)
            ),
        )

    def operator_fund(self, seat: Here, form: Form) -> Response:
        return self._moves(
            seat,
            lambda session, actor: self.treasury.propose_operator_fund(
                session, actor, amount_of(form.get("amount", "")), **_named(form)
            ),
        )

    def refund(self, seat: Here, form: Form, reference: str) -> Response:
        """At once where it is small."""
        amount, payee = form.get("amount", "").strip(), asked(form.get("payee", ""))
        return self._moves(
            seat,
            lambda session, actor: self.treasury.refund(
                session,
                actor,
                asked(reference),
                amount_of(amount) if amount else None,
                payee=payee or None,
                from_loss=form.get("from_loss", "") == "yes",
                reason=form.get("reason", ""),
            ),
        )

    def approve(self, seat: Here, form: Form, proposal_id: Id) -> Response:
        reason = form.get("reason", "")
        return self._moves(
            seat, lambda session, actor: self.treasury.approve(session, actor, proposal_id, reason=reason)
        )

    def refuse(self, seat: Here, form: Form, proposal_id: Id) -> Response:
        reason = form.get("reason", "")
        return self._moves(
            seat, lambda session, actor: self.treasury.refuse(session, actor, proposal_id, reason=reason)
        )

    @staticmethod
    def _moves(seat: Here, act: Callable[[Session, Actor], Proposal]) -> Response:
        """To the proposal's own page, which says what became of it."""
        made = seat.acts(act)
        return RedirectResponse(f"/admin/proposals/{made.id}?said=proposal_{made.state}", 303)


def _named(form: Form) -> dict[str, str]:
    return {"reference": form.get("reference", ""), "reason": form.get("reason", "")}
