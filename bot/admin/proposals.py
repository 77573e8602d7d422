"""What two people decide: one proposes, another one approves or refuses, and neither can be both. Rows and rules only.

What was proposed is not changed any more, is decided once, and stands open for three days. Then it lapses by itself: whoever
looks sees it so from that moment, the daemon writes it down soon after, and the bank's own reference is free again. While it
is open or done that reference counts once: the same transfer cannot be booked twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from bot.admin.acts import NotAllowed, Role
from bot.admin.bank_lines import BankLines
from bot.admin.log import SELF_CHECK, Actor, AuditLog
from bot.admin.pages import LARGEST_ID, LONG
from bot.errors import Misconfigured
from bot.store.admin_tables import AdminRow, ProposalRow
from bot.store.vault import Vault
from ledger.clock import Clock, IdSource
from ledger.money import Money, currency_of
from ledger.transfers import Transfer

Kind: TypeAlias = Literal["fund", "payout", "refund", "operator_fund"]
STAYS_OPEN: Final = timedelta(days=3)
MOST_REFERENCE: Final = 140
"""A bank transfer's remittance text has as many signs (ISO 20022, Max140Text)."""
TABLE: Final = "proposals"
LAPSED_AT_ONCE: Final = 100
"""So many in one transaction of the daemon's: it stays short."""
NOBODY_DECIDED: Final = "nobody decided it within three days"
_BY_ITSELF: Final = Actor(SELF_CHECK, Role.SUPPORT)


@dataclass(frozen=True, slots=True)
class Proposal:
    """One row, opened."""

    id: int
    kind: str
    person_id: int | None
    line_id: int | None
    amount: Money
    from_loss: bool
    reference: str
    why: str
    proposed_by: str
    proposed_at: datetime
    state: str
    decided_by: str
    decided_at: datetime | None
    needs_second: bool


@dataclass(frozen=True, slots=True)
class Proposals:
    """What is over is ended by the first who holds its row: the daemon, who wants to decide it, or who needs its reference."""

    vault: Vault
    clock: Clock
    ids: IdSource
    log: AuditLog
    bank_lines: BankLines

    def add(
        self,
        session: Session,
        actor: Actor,
        kind: Kind,
        amount: Money,
        *,
        why: str,
        reference: str = "",
        person_id: int | None = None,
        line_id: int | None = None,
        from_loss: bool = False,
        needs_second: bool = True,
    ) -> ProposalRow:
        """Raises `Misconfigured` for a reference or a line that was taken before, and `NotAllowed` for who cannot be
        told from another one."""
        if needs_second:
            _check_is_somebody(session, actor)
        row = ProposalRow(
            id=self.ids(),
            kind=kind,
            person_id=person_id,
            line_id=line_id,
            amount_minor=amount.amount_minor,
            currency=amount.currency.code,
            from_loss=from_loss,
            needs_second=needs_second,
            proposed_by=actor.name,
            proposed_at=self.clock(),
        )
        row.why_sealed = self.vault.seal(why, table=TABLE, row_id=row.id, column="why")
        if kind != "refund":
            self._name_the_transfer(session, row, reference)
        elif self._in_the_way(session, ProposalRow.line_id, line_id) is not None:
            raise Misconfigured(
                "this payment",
                "is given back, or is proposed to be, already.",
                example="see `smoney proposals list`",
            )
        session.add(row)
        session.flush()
        return row

    def _name_the_transfer(self, session: Session, row: ProposalRow, reference: str) -> None:
        bare = " ".join(reference.split())
        if not 0 < len(bare) <= MOST_REFERENCE:
            raise Misconfigured(
                "--reference",
                f"must name the bank's transfer, in at most {MOST_REFERENCE} signs.",
                example="--reference 'SEPA 2026-11-26 000123'",
            )
        for index in self.vault.blind_indexes(bare.lower(), "reference"):
            there = self._in_the_way(session, ProposalRow.reference_index, index, kind=row.kind)
            if there is not None:
                raise Misconfigured(
                    bare,
                    f"was booked or proposed before ({there.id}).",
                    example="the reference of another transfer",
                )
        row.reference_sealed = self.vault.seal(bare, table=TABLE, row_id=row.id, column="reference")
        row.reference_index = self.vault.blind_index(bare.lower(), "reference")

    def _in_the_way(
        self, session: Session, column: object, value: object, *, kind: str | None = None
    ) -> ProposalRow | None:
        """The one that is open or done with the same value. One that is over is ended first, so that it is in nobody's way."""
        there = self._standing(session, column, value, kind=kind)
        if there is not None and self.is_over(there):
            self.lapse(session, there.id)
            there = self._standing(session, column, value, kind=kind)
        return there

    @staticmethod
    def _standing(
        session: Session, column: object, value: object, *, kind: str | None = None
    ) -> ProposalRow | None:
        rows = select(ProposalRow).where(column == value, col(ProposalRow.state).in_(("open", "done")))
        return session.exec(rows if kind is None else rows.where(ProposalRow.kind == kind)).first()

    def taken(self, session: Session, proposal_id: int) -> ProposalRow:
        """The open one, locked; or `expired`, where it is over. Raises `Misconfigured` for one that was decided or never made."""
        rows = select(ProposalRow).where(ProposalRow.id == proposal_id).with_for_update()
        row = session.exec(rows.execution_options(populate_existing=True)).first()
        if row is not None and self.is_over(row):
            self._end(session, row)
        if row is None or row.state in {"done", "refused"}:
            problem = "is no proposal." if row is None else f"is {row.state} already."
            raise Misconfigured(str(proposal_id), problem, example="an id from `smoney proposals list`")
        return row

    def one(self, session: Session, proposal_id: int) -> Proposal:
        """Raises `Misconfigured` as `taken`; for looking only."""
        row = session.get(ProposalRow, proposal_id)
        if row is None:
            raise Misconfigured(
                str(proposal_id), "is no proposal.", example="an id from `smoney proposals list`"
            )
        return self.opened(row)

    def is_over(self, row: ProposalRow) -> bool:
        """Whether it has stood open for too long, written down or not."""
        return row.state == "open" and row.proposed_at < self.oldest_open()

    def oldest_open(self) -> datetime:
        """What was proposed before then is not open any more."""
        return self.clock() - STAYS_OPEN

    def lapse(self, session: Session, proposal_id: int) -> None:
        """Ends it if it is over, and still open once nobody else holds it."""
        rows = select(ProposalRow).where(ProposalRow.id == proposal_id).with_for_update()
        row = session.exec(rows.execution_options(populate_existing=True)).first()
        if row is not None and self.is_over(row):
            self._end(session, row)

    def has_overdue(self, session: Session) -> bool:
        return session.exec(self._overdue().limit(1)).first() is not None

    def lapse_overdue(self, session: Session) -> int:
        """For the daemon: ends what is over; how many. One that somebody is deciding just now is left to them."""
        rows = self._overdue().limit(LAPSED_AT_ONCE).with_for_update(skip_locked=True)
        ended = list(session.exec(rows.execution_options(populate_existing=True)))
        for row in ended:
            self._end(session, row)
        return len(ended)

    def _overdue(self) -> SelectOfScalar[ProposalRow]:
        rows = select(ProposalRow).where(
            ProposalRow.state == "open", col(ProposalRow.proposed_at) < self.oldest_open()
        )
        return rows.order_by(col(ProposalRow.proposed_at), col(ProposalRow.id))

    def _end(self, session: Session, row: ProposalRow) -> None:
        """The row says when it was over, the audit log when that was written down."""
        facts: dict[str, str | int] = {
            "amount_minor": row.amount_minor,
            "currency": row.currency,
            "kind": row.kind,
        }
        subject = f"proposal {row.id}"
        self.log.record(session, _BY_ITSELF, "proposal.lapse", subject, reason=NOBODY_DECIDED, facts=facts)
        self._decided(session, row, "expired", SELF_CHECK, row.proposed_at + STAYS_OPEN)

    @staticmethod
    def check_approves(session: Session, actor: Actor, row: ProposalRow) -> None:
        """Raises `NotAllowed` where it takes another person."""
        _check_is_somebody(session, actor)
        if row.needs_second and actor.name == row.proposed_by:
            raise NotAllowed(f"{actor.name} proposed it; somebody else has to approve it. Nothing has moved.")

    def decide(
        self, session: Session, actor: Actor, row: ProposalRow, state: str, moved: Transfer | None = None
    ) -> None:
        """Writes it down, and the bank's line goes its way. The table refuses that one person does both where it takes two."""
        row.transfer_id = None if moved is None else moved.id
        self._decided(session, row, state, actor.name, self.clock())

    def _decided(self, session: Session, row: ProposalRow, state: str, by: str, at: datetime) -> None:
        row.state, row.decided_by, row.decided_at = state, by, at
        session.add(row)
        session.flush()
        self.bank_lines.follow(session, row)

    def newest(
        self,
        session: Session,
        *,
        state: str | None = "open",
        person_id: int | None = None,
        limit: int = LONG,
        before: int = LARGEST_ID,
    ) -> Sequence[Proposal]:
        rows = select(ProposalRow).where(col(ProposalRow.id) < before)
        rows = rows.order_by(col(ProposalRow.id).desc()).limit(limit)
        if state is not None:
            rows = rows.where(self.in_state(state))
        if person_id is not None:
            rows = rows.where(ProposalRow.person_id == person_id)
        return [self.opened(row) for row in session.exec(rows)]

    def in_state(self, state: str) -> ColumnElement[bool]:
        """As whoever looks sees it: what is over is expired, whether or not that was written down yet."""
        written = col(ProposalRow.state) == state
        if state == "open":
            return and_(written, col(ProposalRow.proposed_at) >= self.oldest_open())
        if state == "expired":
            over = and_(col(ProposalRow.state) == "open", col(ProposalRow.proposed_at) < self.oldest_open())
            return or_(written, over)
        return written

    def opened(self, row: ProposalRow) -> Proposal:
        over = self.is_over(row)
        return Proposal(
            id=row.id,
            kind=row.kind,
            person_id=row.person_id,
            line_id=row.line_id,
            amount=Money(row.amount_minor, currency_of(row.currency)),
            from_loss=row.from_loss,
            reference=self._text(row.reference_sealed, row.id, "reference"),
            why=self._text(row.why_sealed, row.id, "why"),
            proposed_by=row.proposed_by,
            proposed_at=row.proposed_at,
            state="expired" if over else row.state,
            decided_by=SELF_CHECK if over else row.decided_by or "",
            decided_at=row.proposed_at + STAYS_OPEN if over else row.decided_at,
            needs_second=row.needs_second,
        )

    def _text(self, value: bytes | None, row_id: int, column: str) -> str:
        return "" if value is None else self.vault.open(value, table=TABLE, row_id=row_id, column=column)


def proposals_of(vault: Vault, clock: Clock, ids: IdSource) -> Proposals:
    log = AuditLog(vault=vault, clock=clock, ids=ids)
    return Proposals(vault, clock, ids, log, BankLines(vault, clock, ids))


def _check_is_somebody(session: Session, actor: Actor) -> None:
    """Two people are told apart by their names as admins: whoever has none could be anybody, also the other one."""
    known = select(AdminRow).where(AdminRow.name == actor.name, col(AdminRow.ended_at).is_(None))
    if session.exec(known).first() is None:
        raise NotAllowed(
            "Moving money takes two admins with names of their own. Add them: smoney admin add NAME --role ... --login ..."
        )
