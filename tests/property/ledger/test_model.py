"""Any sequence of operations, on both engines, does what a plain model says, and leaves a book that holds."""

import os
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ledger.accounts import AccountState, NormalSide
from ledger.audit import verify
from ledger.database import Database
from ledger.errors import LedgerError
from tests.integration.ledger.world import World

LONG = os.environ.get("SMONEY_PROVE") == "long"
PEOPLE = ("bank", "equity", "alice", "bob", "till", "shy")
people = st.sampled_from(PEOPLE)
amounts = st.integers(1, 80)


class Box:
    """An account in the model: three plain numbers."""

    def __init__(self, *, asset=False, guarded=True, bound=None, authorised=False):
        self.asset, self.guarded, self.bound, self.authorised = asset, guarded, bound, authorised
        self.posted = self.outgoing = self.incoming = 0
        self.state = "open"


class Model:
    """The rules once more, written as plainly as possible and apart from the ledger's."""

    def __init__(self):
        self.boxes = {
            "bank": Box(asset=True, guarded=False),
            "equity": Box(guarded=False),
            "alice": Box(),
            "bob": Box(bound=300),
            "till": Box(asset=True, bound=250),
            "shy": Box(authorised=True),
        }

    def grows(self, name, side):
        return self.boxes[name].asset == (side == "debit")

    def move(self, payer, payee, amount, *, pending=False):
        """Apply to both boxes, or return the errors that forbid it."""
        errors = set()
        for name, side in ((payer, "debit"), (payee, "credit")):
            box = self.boxes[name]
            if self.grows(name, side):
                if box.bound is not None and box.posted + box.incoming + amount > box.bound:
                    errors.add("UpperBoundExceeded")
            elif box.guarded and box.posted - box.outgoing < amount:
                errors.add("InsufficientFunds")
        if errors:
            return errors
        for name, side in ((payer, "debit"), (payee, "credit")):
            box, grows = self.boxes[name], self.grows(name, side)
            if pending:
                box.incoming += amount if grows else 0
                box.outgoing += 0 if grows else amount
            else:
                box.posted += amount if grows else -amount
        return set()

    def release(self, payer, payee, amount):
        for name, side in ((payer, "debit"), (payee, "credit")):
            if self.grows(name, side):
                self.boxes[name].incoming -= amount
            else:
                self.boxes[name].outgoing -= amount

    def forbidden(self, payer, payee, authorised):
        """Errors of a new transfer that have nothing to do with amounts."""
        errors = set()
        if self.boxes[payer].state != "open" or self.boxes[payee].state in {"frozen", "closed"}:
            errors.add("AccountNotOpen")
        if self.boxes[payer].authorised and not authorised:
            errors.add("AuthorisationMissing")
        return errors

    def copy(self):
        return {name: dict(vars(box)) for name, box in self.boxes.items()}

    def restore(self, copied):
        for name, values in copied.items():
            vars(self.boxes[name]).update(values)


class BookMachine(RuleBasedStateMachine):
    take: staticmethod
    give_back: staticmethod

    def __init__(self):
        super().__init__()
        self.database = Database(type(self).take())
        self.world, self.model = World(self.database), Model()
        self.ids = {
            name: self.world.open(
                code=name,
                normal_side=NormalSide.DEBIT if box.asset else NormalSide.CREDIT,
                guarded=box.guarded,
                upper_bound_minor=box.bound,
                debits_need_authorisation=box.authorised,
            )
            for name, box in self.model.boxes.items()
        }
        self.held, self.resolved, self.posted, self.reversed, self.calls = {}, set(), {}, set(), []
        for name in ("alice", "bob", "shy", "till"):
            payer, payee = (name, "equity") if name == "till" else ("bank", name)
            self.pay(payer=payer, payee=payee, amount=150, pending=False, authorised=True)

    def attempt(self, expected, call):
        """Run the call; it must succeed if no error is expected, and else raise one of those expected."""
        result, outcome = None, set()
        try:
            result = call()
        except LedgerError as error:
            outcome = {type(error).__name__}
        assert outcome <= expected, f"{outcome}, expected {expected}"
        assert outcome or not expected, f"it went through, expected {expected}"
        if not outcome:
            self.calls.append((call, result))
        return result

    @rule(payer=people, payee=people, amount=amounts, pending=st.booleans(), authorised=st.booleans())
    def pay(self, payer, payee, amount, pending, authorised):
        if payer == payee:
            return
        new = self.new(payer, payee, amount, pending, authorised=authorised)
        expected = self.model.forbidden(payer, payee, authorised)
        if not expected:
            expected = self.model.move(payer, payee, amount, pending=pending)
        if booked := self.attempt(expected, lambda: self.world.journal([new])):
            self.remember(booked[0], payer, payee, amount, pending)

    @rule(lines=st.lists(st.tuples(people, people, amounts, st.booleans()), min_size=2, max_size=4))
    def journal(self, lines):
        lines = [line for line in lines if line[0] != line[1]]
        if not lines:
            return
        news = [self.new(*line, authorised=True) for line in lines]
        before, expected = self.model.copy(), set()
        for payer, payee, amount, pending in lines:
            expected |= self.model.forbidden(payer, payee, True)
            if not expected:
                expected |= self.model.move(payer, payee, amount, pending=pending)
        if booked := self.attempt(expected, lambda: self.world.journal(news)):
            for one, line in zip(booked, lines, strict=True):
                self.remember(one, *line)
        else:
            self.model.restore(before)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), how=st.sampled_from(["post", "void", "expire"]), part=amounts)
    def resolve(self, data, how, part):
        pending_id = data.draw(st.sampled_from(sorted(self.held)))
        payer, payee, amount, due_at = self.held[pending_id]
        named = {"idempotency_key": self.world.key()}
        expected = set()
        if how == "post":
            named["amount_minor"] = part
            if part > amount:
                expected = {"AmountOutOfRange"}
            elif {self.model.boxes[payer].state, self.model.boxes[payee].state} & {"frozen", "closed"}:
                expected = {"AccountNotOpen"}
        if how == "expire" and self.world.clock() < due_at:
            expected = {"NotDue"}
        if pending_id in self.resolved:
            expected |= {"AlreadyResolved"}
        done = self.attempt(expected, lambda: getattr(self.world, how)(pending_id, **named))
        if done is not None:
            self.resolved.add(pending_id)
            self.model.release(payer, payee, amount)
            if how == "post":
                assert not self.model.move(payer, payee, part)
                self.posted[done.id] = (payer, payee, part)

    @rule(data=st.data(), part=amounts, authorised=st.booleans())
    def reverse(self, data, part, authorised):
        transfer_id = data.draw(st.sampled_from(sorted(self.posted)))
        payee, payer, amount = self.posted[transfer_id]
        key = self.world.key()
        expected = {"AmountOutOfRange"} if part > amount else self.model.forbidden(payer, payee, authorised)
        if transfer_id in self.reversed:
            expected |= {"AlreadyReversed"}
        if not expected:
            expected = self.model.move(payer, payee, part)
        authorisation_id = 1 if authorised else None
        named = {"idempotency_key": key, "amount_minor": part, "authorisation_id": authorisation_id}
        if self.attempt(expected, lambda: self.world.reverse(transfer_id, **named)):
            self.reversed.add(transfer_id)

    @rule(name=people, state=st.sampled_from([AccountState.OPEN, *AccountState]))
    def change_state(self, name, state):
        self.world.set_state(self.ids[name], state)
        self.model.boxes[name].state = state.value

    @rule()
    def open_all(self):
        for name in PEOPLE:
            self.change_state(name, AccountState.OPEN)

    @rule(days=st.integers(0, 9))
    def wait(self, days):
        self.world.clock.move(days=days)

    @rule(data=st.data())
    def ask_again(self, data):
        """Whatever went through once gives its first result again, and moves nothing."""
        call, first = data.draw(st.sampled_from(self.calls))
        assert call() == first

    @invariant()
    def accounts_are_as_the_model_says(self):
        for name, box in self.model.boxes.items():
            account = self.world.account(self.ids[name])
            now = (
                account.posted_minor,
                account.pending_out_minor,
                account.pending_in_minor,
                account.state.value,
            )
            assert now == (box.posted, box.outgoing, box.incoming, box.state), name

    def teardown(self):
        findings = verify(self.database).findings
        self.database.close()
        type(self).give_back()
        assert findings == ()

    def new(self, payer, payee, amount, pending, *, authorised):
        due_at = self.world.clock() + timedelta(days=7) if pending else None
        return self.world.new(
            self.ids[payer],
            self.ids[payee],
            amount,
            due_at=due_at,
            authorisation_id=1 if authorised else None,
        )

    def remember(self, booked, payer, payee, amount, pending):
        if pending:
            self.held[booked.id] = (payer, payee, amount, booked.due_at)
        else:
            self.posted[booked.id] = (payer, payee, amount)


def check(databases, examples):
    take, give_back = databases
    machine = type(
        "Machine", (BookMachine,), {"take": staticmethod(take), "give_back": staticmethod(give_back)}
    )
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
        ),
    )


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def databases(request, sqlite_templates, tmp_path):
    """How to take an empty database, and to give it back."""
    if request.param == "postgresql":
        pool = request.getfixturevalue("postgresql_databases")("ledger")
        return pool.take, pool.give_back

    def take():
        for old in tmp_path.glob("model.db*"):
            old.unlink()
        (tmp_path / "model.db").write_bytes(sqlite_templates("ledger").read_bytes())
        return f"sqlite:///{tmp_path / 'model.db'}"

    return take, lambda: None


class TestBook:
    def test_does_what_the_model_says(self, databases):
        check(databases, 25)

    @pytest.mark.prove
    @pytest.mark.timeout(0)
    def test_does_what_the_model_says_for_long(self, databases):
        check(databases, 2000 if LONG else 150)
