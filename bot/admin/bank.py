"""The bank's statements: imported line by line, and matched with what admins propose. A line is never money by itself.

Money in whose text names one member becomes a proposal, which another admin approves; money out is held against the payouts.
What fits nothing, or twice, stays open until somebody says what it is. Each act is in the audit log.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from sqlmodel import Session, col, select

from bot.admin.acts import check
from bot.admin.bank_files import Imported, Taken
from bot.admin.bank_lines import BankLines
from bot.admin.bank_matching import Matching
from bot.admin.log import Actor, AuditLog
from bot.admin.proposals import Proposal
from bot.admin.treasury import Treasury
from bot.errors import Misconfigured
from bot.funding.statements import BankLine, BankStatement, Form, Told
from bot.store.admin_tables import BankLineRow, ProposalRow
from ledger.database import Database

OPERATOR: Final = "operator"
"""Whose money it is where it is nobody's here."""
BATCH: Final = 100
"""So many lines in one transaction: the daemon goes on between them. What was imported is known, so an import that was
broken off is done again."""
Numbered: TypeAlias = tuple[BankLine, int]


class _TakenBack(Exception):
    """Ends a rehearsal, and no error."""

    def __init__(self, taken: list[Taken]) -> None:
        super().__init__()
        self.taken = taken


@dataclass(frozen=True, slots=True)
class Bank:
    lines: BankLines
    matching: Matching
    treasury: Treasury
    log: AuditLog
    account: str
    """The only one whose statements are taken; any where it is empty."""

    # Importing

    def import_statement(
        self,
        database: Database,
        who: Callable[[Session], Actor],
        statement: BankStatement,
        *,
        reason: str,
        told: Told,
        dry_run: bool = False,
    ) -> Imported:
        """What became of each line. `who` is asked in each transaction, so that who loses their role meanwhile goes no further.
        A dry run does the same and takes it back. Raises `Misconfigured` for another account or form, and `NotAllowed`."""
        database.read(lambda session: self._check(session, who(session), statement))
        taken: list[Taken] = []
        numbered = list(_numbered(statement.lines))
        for start in range(0, len(numbered), BATCH):
            batch = numbered[start : start + BATCH]

            def work(session: Session, batch: Sequence[Numbered] = batch) -> list[Taken]:
                done = self._take(session, who(session), statement, batch, reason=reason)
                if dry_run:
                    raise _TakenBack(done)
                return done

            try:
                taken += database.write(work)
            except _TakenBack as rehearsed:
                taken += [Taken(each.said, each.state) for each in rehearsed.taken]
            told(start + len(batch), len(numbered))
        return Imported(taken, dry_run)

    def _check(self, session: Session, actor: Actor, statement: BankStatement) -> None:
        check(actor.role, "bank.import")
        accounts = {line.account for line in statement.lines if line.account}
        if self.account and (foreign := accounts - {self.account}):
            raise Misconfigured(
                ", ".join(sorted(foreign)),
                f"is not the account that is set, {self.account}. Nothing was imported.",
                example="a statement of that account, or SMONEY_BANK_ACCOUNT as it is now",
            )
        if not statement.lines:
            return
        days = sorted(line.booked_on.isoformat() for line in statement.lines)
        other = select(BankLineRow).where(
            col(BankLineRow.booked_on).between(days[0], days[-1]), BankLineRow.form != statement.form
        )
        if (row := session.exec(other.limit(1)).first()) is not None:
            raise Misconfigured(
                statement.form,
                f"tells of days, such as {row.booked_on}, that came as {row.form} before: all of it would be there twice."
                " Nothing was imported.",
                example=f"a statement as {row.form}, or one that begins later",
            )

    def _take(
        self,
        session: Session,
        actor: Actor,
        statement: BankStatement,
        batch: Sequence[Numbered],
        *,
        reason: str,
    ) -> list[Taken]:
        check(actor.role, "bank.import")
        taken = [
            self._taken(session, actor, line, statement.form, occurrence=occurrence)
            for line, occurrence in batch
        ]
        facts = dict(Counter(each.state for each in taken))
        self.log.record(session, actor, "bank.import", "bank statement", reason=reason, facts=facts)
        return taken

    def _taken(self, session: Session, actor: Actor, line: BankLine, form: Form, *, occurrence: int) -> Taken:
        row = self.lines.add(session, line, form, occurrence=occurrence)
        if row is None:
            return Taken(line, "known")
        self._settle(session, actor, row, line)
        return Taken(line, row.state, row.id, row.proposal_id)

    def _settle(self, session: Session, actor: Actor, row: BankLineRow, line: BankLine) -> None:
        """A line that takes an earlier one back is for a person to look at."""
        if line.is_reversal:
            return
        if (fitting := self.matching.proposal_of(session, line)) is not None:
            self.lines.tie(session, row, fitting)
        elif line.amount.amount_minor > 0:
            named = self.matching.member_named(session, line.text)
            if named is not None:
                self._propose_if_it_may_be(session, actor, row, line, str(named.user_id))

    def _propose_if_it_may_be(
        self, session: Session, actor: Actor, row: BankLineRow, line: BankLine, who: str
    ) -> None:
        """What cannot be proposed (more than they may hold, a reference that was booked before) stays open."""
        try:
            self.treasury.check_may_be_funded(session, self.treasury.members.taken(session, who), line.amount)
            self._propose(
                session, actor, row, line, who, reason=f"on the bank's statement of {line.booked_on}"
            )
        except Misconfigured:
            pass

    def _propose(
        self, session: Session, actor: Actor, row: BankLineRow, line: BankLine, who: str, *, reason: str
    ) -> Proposal:
        reference = line.bank_reference or f"bank line {row.id}"
        if who == OPERATOR:
            made = self.treasury.propose_operator_fund(
                session, actor, line.amount, reference=reference, reason=reason
            )
        else:
            made = self.treasury.propose_fund(
                session, actor, who, line.amount, reference=reference, reason=reason
            )
        self.lines.tie(session, row, session.get_one(ProposalRow, made.id))
        return made

    # By hand

    def match(self, session: Session, actor: Actor, line_id: int, who: str, *, reason: str) -> Proposal:
        """Says whose line it is: money in becomes a proposal for them (or for the `operator`), money out belongs to their
        one payout of this amount. Raises `Misconfigured`."""
        row, line = self._looked_at(session, actor, line_id, "bank.match", reason=reason)
        if line.amount.amount_minor > 0:
            return self._propose(session, actor, row, line, who, reason=reason)
        person = self.treasury.members.one(session, who)
        payouts = self.matching.untied(session, line, person_id=person.user_id)
        if len(payouts) != 1:
            raise Misconfigured(
                str(line_id),
                f"fits {len(payouts)} payouts to {person.user_id}, of {-line.amount} and without a line of the bank's.",
                example="smoney bank match LINE --proposal ID",
            )
        self.lines.tie(session, row, payouts[0])
        return self.treasury.proposals.opened(payouts[0])

    def match_proposal(
        self, session: Session, actor: Actor, line_id: int, proposal_id: int, *, reason: str
    ) -> Proposal:
        """Says which proposal it is, whatever the bank's words. Raises `Misconfigured` where amounts or directions differ."""
        row, line = self._looked_at(session, actor, line_id, "bank.match", reason=reason)
        fitting = self.matching.untied(session, line, proposal_id=proposal_id)
        if not fitting:
            raise Misconfigured(
                str(proposal_id),
                f"is no proposal of {line.amount} that is open or done and has no line of the bank's yet.",
                example="an id from `smoney proposals list --all`",
            )
        self.lines.tie(session, row, fitting[0])
        return self.treasury.proposals.opened(fitting[0])

    def ignore(self, session: Session, actor: Actor, line_id: int, *, reason: str) -> None:
        """It is nobody's here: the bank's own fees, a transfer between the operator's accounts."""
        row, _ = self._looked_at(session, actor, line_id, "bank.ignore", reason=reason, states=("open",))
        self.lines.ignore(session, row)

    def _looked_at(
        self,
        session: Session,
        actor: Actor,
        line_id: int,
        act: str,
        *,
        reason: str,
        states: Sequence[str] = ("open", "ignored"),
    ) -> tuple[BankLineRow, BankLine]:
        self.log.record(session, actor, act, f"bank line {line_id}", reason=reason)
        self._let_go(session, line_id)
        row = self.lines.taken(session, line_id, states=states)
        return row, self.lines.opened(row).said

    def _let_go(self, session: Session, line_id: int) -> None:
        """A line whose proposal is over is open again, also before the daemon has written that down."""
        row = session.get(BankLineRow, line_id)
        if row is not None and row.state == "proposed" and row.proposal_id is not None:
            self.treasury.proposals.lapse(session, row.proposal_id)


def _numbered(lines: Sequence[BankLine]) -> Iterator[Numbered]:
    """Two of the very same words are two; each with how many of them came so far."""
    seen: Counter[BankLine] = Counter()
    for line in lines:
        seen[line] += 1
        yield line, seen[line]
