"""Money moved by admins: put in, paid out, given back. Asked for by one, done at the word of another.

Each step is in the audit log with who and why, in the transaction in which it happens. Small refunds take one person.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sqlmodel import Session

from bot.admin.acts import check
from bot.admin.log import Actor, AuditLog
from bot.admin.members import Members
from bot.admin.proposals import Kind, Proposal, Proposals
from bot.errors import Misconfigured
from bot.language.catalogue import Parameters
from bot.payments.house import House
from bot.payments.intents import IntentState
from bot.payments.records import Records
from bot.payments.refunding import Refunding
from bot.payments.spending import Spending
from bot.people.people import People, Standing
from bot.people.tiers import Tier
from bot.store.admin_tables import ProposalRow
from bot.store.outbox import Outbox, Priority
from bot.store.tables import IntentLineRow, IntentRow, PersonRow
from bot.x.gateway import UserId
from ledger.money import Money, currency_of
from ledger.transfers import Transfer

Facts: TypeAlias = dict[str, str | int]


@dataclass(frozen=True, slots=True)
class Treasury:
    proposals: Proposals
    house: House
    refunding: Refunding
    spending: Spending
    members: Members
    people: People
    records: Records
    outbox: Outbox
    log: AuditLog
    refund_alone: Money
    """The most that goes back at the word of one person."""

    # Proposing

    def propose_fund(
        self, session: Session, actor: Actor, who: str, amount: Money, *, reference: str, reason: str
    ) -> Proposal:
        """What has arrived at the bank for somebody. Raises `Misconfigured`: nobody, no member, more than they may hold."""
        person = self.members.taken(session, who)
        row = self._propose(session, actor, "fund", amount, person, reference=reference, reason=reason)
        self.check_may_be_funded(session, person, amount)
        return self.proposals.opened(row)

    def propose_payout(
        self, session: Session, actor: Actor, who: str, amount: Money, *, reference: str, reason: str
    ) -> Proposal:
        """What the bank is to send, or has sent, to somebody who was identified. Raises `Misconfigured`."""
        person = self.members.taken(session, who)
        row = self._propose(session, actor, "payout", amount, person, reference=reference, reason=reason)
        self._check_may_be_paid_out(session, person, amount)
        return self.proposals.opened(row)

    def propose_operator_fund(
        self, session: Session, actor: Actor, amount: Money, *, reference: str, reason: str
    ) -> Proposal:
        """The operator's own money, from which losses are met."""
        return self.proposals.opened(
            self._propose(session, actor, "operator_fund", amount, None, reference=reference, reason=reason)
        )

    def refund(
        self,
        session: Session,
        actor: Actor,
        reference: str,
        amount: Money | None,
        *,
        payee: str | None,
        from_loss: bool,
        reason: str,
    ) -> Proposal:
        """Gives a payment back, or part of it: at once where it is small, else as a proposal. The payer is told the reason,
        and so is the payee from whom it is taken. Raises `Misconfigured`, `CannotRefund`."""
        line, intent = self._line(session, reference, payee)
        money = amount or Money(line.amount_minor, currency_of(intent.currency))
        self.refunding.check(line, money, from_loss=from_loss)
        alone = money.amount_minor <= self.refund_alone.amount_minor and not from_loss
        row = self.proposals.add(
            session,
            actor,
            "refund",
            money,
            why=reason,
            person_id=intent.payer_id,
            line_id=line.id,
            from_loss=from_loss,
            needs_second=not alone,
        )
        act = "refund.alone" if alone else "refund.propose"
        facts: Facts = {"amount_minor": money.amount_minor, "proposal": row.id, "from_loss": int(from_loss)}
        self.log.record(session, actor, act, f"payment {intent.reference}", reason=reason, facts=facts)
        if alone:
            self.proposals.decide(session, actor, row, "done", self._give_back(session, row))
        return self.proposals.opened(row)

    def _propose(
        self,
        session: Session,
        actor: Actor,
        kind: Kind,
        amount: Money,
        person: PersonRow | None,
        *,
        reference: str,
        reason: str,
    ) -> ProposalRow:
        person_id = None if person is None else person.user_id
        row = self.proposals.add(
            session, actor, kind, amount, why=reason, reference=reference, person_id=person_id
        )
        subject = f"proposal {row.id}" if person is None else f"person {person.user_id}"
        facts: Facts = {
            "amount_minor": amount.amount_minor,
            "currency": amount.currency.code,
            "proposal": row.id,
        }
        self.log.record(session, actor, f"{kind}.propose", subject, reason=reason, facts=facts)
        return row

    def _line(self, session: Session, reference: str, payee: str | None) -> tuple[IntentLineRow, IntentRow]:
        intent = self.records.by_reference(session, reference.upper())
        if intent is None or intent.state != IntentState.PAID:
            problem = (
                "is no payment's reference." if intent is None else f"paid nothing: it is {intent.state}."
            )
            raise Misconfigured(reference, problem, example="P-7K3F9Q, as in a receipt")
        lines = self.records.lines(session, intent)
        if payee is not None:
            wanted = self.members.one(session, payee).user_id
            lines = [line for line in lines if line.payee_id == wanted]
        if len(lines) != 1:
            ids = ", ".join(str(line.payee_id) for line in self.records.lines(session, intent))
            raise Misconfigured(reference, f"was paid to {ids}.", example="--payee with one of them")
        return lines[0], intent

    # Deciding

    def approve(self, session: Session, actor: Actor, proposal_id: int, *, reason: str) -> Proposal:
        """Does it. One that has stood open for too long ends instead, and nothing moves: look at its state.

        Raises `NotAllowed` for who proposed it, `Misconfigured`, `CannotRefund`.
        """
        row = self.proposals.taken(session, proposal_id)
        check(actor.role, f"{row.kind}.approve")
        if row.state == "expired":
            return self.proposals.opened(row)
        self._record(session, actor, row, "approve", reason)
        self.proposals.check_approves(session, actor, row)
        self.proposals.decide(session, actor, row, "done", self._do(session, row))
        return self.proposals.opened(row)

    def refuse(self, session: Session, actor: Actor, proposal_id: int, *, reason: str) -> Proposal:
        """Nothing comes of it; who proposed it may take it back so. One that is over already has ended by itself."""
        row = self.proposals.taken(session, proposal_id)
        check(actor.role, f"{row.kind}.refuse")
        if row.state == "expired":
            return self.proposals.opened(row)
        self._record(session, actor, row, "refuse", reason)
        self.proposals.decide(session, actor, row, "refused")
        return self.proposals.opened(row)

    def open(self, session: Session) -> Sequence[Proposal]:
        return self.proposals.newest(session)

    def _record(self, session: Session, actor: Actor, row: ProposalRow, what: str, reason: str) -> None:
        facts: Facts = {"amount_minor": row.amount_minor, "currency": row.currency}
        self.log.record(
            session, actor, f"{row.kind}.{what}", f"proposal {row.id}", reason=reason, facts=facts
        )

    # Doing

    def _do(self, session: Session, row: ProposalRow) -> Transfer:
        amount, key = Money(row.amount_minor, currency_of(row.currency)), _key(row)
        if row.kind == "refund":
            return self._give_back(session, row)
        if row.kind == "operator_fund":
            return self.house.fund_operator(session, amount, key=key)
        person = self._locked(session, session.get_one(PersonRow, row.person_id))
        if row.kind == "fund":
            self.check_may_be_funded(session, person, amount)
            moved, phrase = self.house.fund(session, person, amount, key=key), "funded"
        else:
            self._check_may_be_paid_out(session, person, amount)
            moved, phrase = self.house.pay_out(session, person, amount, key=key, evidence=row.id), "paid_out"
        facts: Parameters = {
            "amount": amount,
            "balance": self.house.wallets.balance(session, person).available,
            "bank_reference": self.proposals.opened(row).reference,
        }
        self.outbox.tell(session, person, phrase, facts, priority=Priority.RECEIPT)
        return moved

    def _give_back(self, session: Session, row: ProposalRow) -> Transfer:
        line = session.get_one(IntentLineRow, row.line_id)
        return self.refunding.give_back(
            session,
            line,
            session.get_one(IntentRow, line.intent_id),
            Money(row.amount_minor, currency_of(row.currency)),
            from_loss=row.from_loss,
            why=self.proposals.opened(row).why,
            key=_key(row),
            evidence=row.id,
        )

    def _locked(self, session: Session, person: PersonRow) -> PersonRow:
        return self.people.lock(session, [UserId(person.user_id)])[UserId(person.user_id)]

    def check_may_be_funded(self, session: Session, person: PersonRow, amount: Money) -> None:
        """Raises `Misconfigured` for no member, and for more than they may hold."""
        if person.standing != Standing.ENROLLED:
            raise Misconfigured(str(person.user_id), "is no member.", example="somebody who has sent START")
        if not self.spending.can_hold(session, person, amount, with_incoming=True):
            most = self.spending.most_held(person)
            raise Misconfigured(
                str(person.user_id),
                f"would hold more than the tier {person.tier} may: {most}.",
                example=f"smoney member tier {person.user_id} {Tier.IDENTIFIED.value}",
            )

    def _check_may_be_paid_out(self, session: Session, person: PersonRow, amount: Money) -> None:
        if person.tier == Tier.NEW:
            raise Misconfigured(
                str(person.user_id),
                "was identified by nobody; money leaves only to somebody you have made sure of.",
                example=f"smoney member tier {person.user_id} {Tier.IDENTIFIED.value}",
            )
        available = self.house.wallets.balance(session, person).available
        if available < amount:
            raise Misconfigured(
                str(person.user_id),
                f"has {available} that are free.",
                example="at most that",
            )


def _key(row: ProposalRow) -> str:
    return f"proposal:{row.id}"
