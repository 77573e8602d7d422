"""What admins do: they pause and let go on, freeze and thaw, give back, put in and pay out. Two of them, since it takes two.

Each act is a command's own transaction beside the running workers, and meets the same disk.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from sqlmodel import Session

from bot.admin.acts import NotAllowed, Part, Role
from bot.admin.log import Actor
from bot.admin.office import Office, open_office
from bot.admin.proposals import Proposal
from bot.errors import Misconfigured
from bot.payments.refunding import CannotRefund
from bot.store.admin_tables import AdminRow
from bot.wiring import World
from bot.work import THE_DATABASE
from ledger.money import EUR, Money
from tests.simulation.model import Broken, Paid

if TYPE_CHECKING:
    from tests.simulation.run import Run

ADA = Actor("ada", Role.OWNER)
BOB = Actor("bob", Role.TREASURER)
REASON = "asked for by letter"
NO = (Misconfigured, CannotRefund, NotAllowed)
"""How an act is refused: then nothing has moved."""
SMALL, LARGE = (2_50, 10_00), (40_00, 75_00)


def move_in(session: Session, at: datetime) -> None:
    for number, actor in enumerate((ADA, BOB), 1):
        row = AdminRow(id=number, name=actor.name, role=actor.role.value, login=actor.name, added_at=at)
        session.add(row)


@dataclass(slots=True)
class Proposed:
    """What waits for the other one: who proposed it, and what moves if they say yes."""

    id: int
    by: Actor
    expected: tuple[str, str | int, int]


@dataclass(slots=True)
class Operators:
    run: "Run"
    office: Office
    proposed: list[Proposed] = field(default_factory=list)
    sends_paused_in: int | None = None
    """The tick in which sends were paused."""
    letters: int = 0

    @classmethod
    def of(cls, run: "Run") -> "Operators":
        return cls(run, open_office(run.settings, World(clock=run.clock, entropy=run.entropy)))

    # How an act is done

    def _do(
        self, work: Callable[[Session], Proposal | None], expected: tuple[str, str | int, int] | None = None
    ) -> Proposal | None:
        """In a transaction of its own. What it was to move has moved exactly once if it was done, and not at all if it was
        refused; where the disk failed either may be so. Raises what refuses it, and the disk's faults."""
        self.run.books.look()
        model, known = self.run.model, False
        if expected is not None:
            model.by_admins[expected] += 1
        try:
            done = self.run.database.write(work)
            known = True
        finally:
            if expected is not None:
                if not self.run.disk.dead:
                    self.run.books.look()
                left, model.by_admins[expected] = model.by_admins[expected], 0
        if known and expected is not None and left != (1 if _waits(done) else 0):
            raise Broken("what admins decide is done, once", f"{expected}, {done}")
        return done

    def reference(self) -> str:
        self.letters += 1
        return f"SEPA {max(self.run.index, 0)} {self.letters}"

    # The acts

    def pauses_payments(self) -> str | None:
        if self.run.model.paused_at is not None:
            return None
        self._do(lambda s: self.office.switching.pause(s, BOB, Part.PAYMENTS, reason=REASON))
        self.run.model.admins_pause(self.run.clock())
        return "pauses payments"

    def lets_payments_go_on(self) -> str | None:
        if self.run.model.paused_at is None:
            return None
        self.run.books.look()
        paused_at, self.run.model.paused_at = self.run.model.paused_at, None
        try:
            self._do(lambda s: self.office.switching.resume(s, ADA, Part.PAYMENTS, reason=REASON))
        except BaseException:
            self.run.model.paused_at = paused_at if self._is_on("payments_paused") else None
            raise
        finally:
            if self.run.model.paused_at is None:
                self.run.model.not_listening += self.run.clock() - paused_at
        return "lets payments go on"

    def pauses_sends(self) -> str | None:
        if self.sends_paused_in is not None:
            return None
        self._do(lambda s: self.office.switching.pause(s, BOB, Part.SENDS, reason=REASON))
        self.sends_paused_in = self.run.ticks
        return "pauses what is sent"

    def lets_sends_go_on(self) -> str | None:
        if self.sends_paused_in is None:
            return None
        self.sends_paused_in = None
        self._do(lambda s: self.office.switching.resume(s, BOB, Part.SENDS, reason=REASON))
        return "lets what is sent go on"

    def freezes(self) -> str | None:
        player = self.run.somebody(wanted=False)
        if player is None or self.run.model.people[player.id].wishes.frozen_by_operator:
            return None
        if not self.run.model.people[player.id].said:
            return None  # X lets the bot write to nobody who never wrote to it
        self._do(lambda s: self.office.helping.freeze(s, BOB, str(player.id), reason=REASON))
        self.run.model.admin_freezes(player.id, frozen=True)
        return f"freezes {player.name}"

    def thaws(self) -> str | None:
        frozen = [person for person, who in self.run.model.people.items() if who.wishes.frozen_by_operator]
        if not frozen:
            return None
        person = self.run.chance.choice(frozen)
        self.run.model.admin_freezes(person, frozen=False)
        self._do(lambda s: self.office.helping.thaw(s, ADA, str(person), reason=REASON))
        return f"thaws {self.run.name_of(person)}"

    def refunds_alone(self) -> str | None:
        """Small, or still set aside: at the word of one."""
        return self._refund(lambda line: line.amount <= self.run.settings.refund_alone_minor)

    def proposes_a_refund(self) -> str | None:
        return self._refund(lambda line: line.amount > self.run.settings.refund_alone_minor)

    def _refund(self, fits: Callable[[Paid], bool]) -> str | None:
        lines = [
            line
            for lines in self.run.model.paid.values()
            for line in lines
            if line.state in {"paid", "held", "claimed"} and not line.refunded and fits(line)
        ]
        if not lines:
            return None
        line = self.run.chance.choice(lines[-8:])
        whole = line.state == "held" or self.run.chance.happens(0.6)
        amount = line.amount if whole else max(1, line.amount // 2)
        expected = ("refund", line.reference, amount)
        done = self._do(
            lambda s: self.office.treasury.refund(
                s,
                BOB,
                line.reference,
                None if whole else Money(amount, EUR),
                payee=str(line.payee),
                from_loss=False,
                reason=REASON,
            ),
            expected,
        )
        if done is not None and done.state == "open":
            self.proposed.append(Proposed(done.id, BOB, expected))
            return f"proposes to give {amount} of {line.reference} back"
        return f"gives {amount} of {line.reference} back"

    def proposes_money_in(self) -> str | None:
        return self._propose("fund", self.office.treasury.propose_fund)

    def proposes_a_payout(self) -> str | None:
        return self._propose("payout", self.office.treasury.propose_payout)

    def _propose(self, kind: str, propose: Callable[..., Proposal]) -> str | None:
        player = self.run.somebody(wanted=False)
        if player is None:
            return None
        amount = self.run.chance.choice(SMALL + LARGE)
        who, money, reference = str(player.id), Money(amount, EUR), self.reference()
        done = self._do(lambda s: propose(s, BOB, who, money, reference=reference, reason=REASON))
        if done is not None:
            self.proposed.append(Proposed(done.id, BOB, (kind, player.id, amount)))
        return f"proposes a {kind} of {amount} for {player.name}"

    def approves(self) -> str | None:
        if not self.proposed:
            return None
        one = self.proposed.pop(self.run.chance.randrange(len(self.proposed)))
        done = self._do(lambda s: self.office.treasury.approve(s, ADA, one.id, reason=REASON), one.expected)
        state = "nothing" if done is None else done.state
        self.run.happened[f"a second admin decides: {state}"] += 1
        return f"approves {one.expected}: {state}"

    def approves_their_own(self) -> str | None:
        """Which must be refused."""
        if not self.proposed:
            return None
        one = self.run.chance.choice(self.proposed)
        try:
            self._do(lambda s: self.office.treasury.approve(s, one.by, one.id, reason=REASON))
        except NotAllowed:
            return f"may not approve their own {one.expected}"
        if not self._is_open(one.id):
            return "comes too late for a proposal"  # it had stood open for too long
        raise Broken("it takes two", f"{one.by.name} approved {one.expected} alone")

    def refuses(self) -> str | None:
        if not self.proposed:
            return None
        one = self.proposed.pop()
        self._do(lambda s: self.office.treasury.refuse(s, ADA, one.id, reason=REASON))
        return f"refuses {one.expected}"

    # What stands in the file, where an act's fate is unknown

    def _is_on(self, switch: str) -> bool:
        return bool(self.run.books.all("SELECT 1 FROM switches WHERE name = ?", switch))

    def _is_open(self, proposal: int) -> bool:
        return bool(self.run.books.all("SELECT 1 FROM proposals WHERE id = ? AND state = 'done'", proposal))

    def learn(self) -> None:
        """After an act whose end nobody knows: what is switched, and who is frozen by them."""
        model = self.run.model
        if not self._is_on("payments_paused"):
            model.admins_resume(self.run.clock())
        elif model.paused_at is None:
            model.admins_pause(self.run.clock())
        if not self._is_on("sends_paused"):
            self.sends_paused_in = None
        elif self.sends_paused_in is None:
            self.sends_paused_in = self.run.ticks
        rows = self.run.books.all("SELECT user_id FROM people WHERE frozen_by = 'operator'")
        frozen = {int(str(row[0])) for row in rows}
        for person in {
            person for person, who in model.people.items() if who.wishes.frozen_by_operator
        } ^ frozen:
            model.admin_freezes(person, frozen=person in frozen)


def _waits(done: Proposal | None) -> bool:
    """Whether nothing was to move yet."""
    return done is not None and done.state != "done"


Act = Callable[[Operators], str | None]
ACTS: dict[Act, float] = {
    Operators.pauses_payments: 2,
    Operators.lets_payments_go_on: 8,
    Operators.pauses_sends: 1.5,
    Operators.lets_sends_go_on: 8,
    Operators.freezes: 3,
    Operators.thaws: 3,
    Operators.refunds_alone: 5,
    Operators.proposes_a_refund: 5,
    Operators.proposes_money_in: 2,
    Operators.proposes_a_payout: 2,
    Operators.approves: 8,
    Operators.approves_their_own: 2,
    Operators.refuses: 1,
}


def act(run: "Run") -> str | None:
    """One act, in words; None where there is nothing for it to be done, or it was refused."""
    chosen = run.chance.choices(list(ACTS), list(ACTS.values()))[0]
    try:
        line = chosen(run.operators)
    except NO as refused:
        run.happened[f"an admin is refused: {type(refused).__name__}"] += 1
        run.operators.learn()
        return None
    except THE_DATABASE as fault:
        run.happened[f"{type(fault).__name__} to an admin"] += 1
        run.operators.learn()
        line = f"tries: {chosen.__name__}"
    if line is None:
        return None
    run.habits[f"an admin {chosen.__name__}"] += 1
    return f"an admin {line}"
