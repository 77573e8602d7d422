"""The book on both engines: what it books, and what it refuses without a trace."""

import random
from datetime import UTC, date, datetime, timedelta

import pytest

from ledger.accounts import AccountState, Balances, NormalSide
from ledger.audit import verify
from ledger.book import Ledger
from ledger.clock import IdSource
from ledger.database import Database
from ledger.errors import (
    AccountExists,
    AccountNotOpen,
    AlreadyResolved,
    AlreadyReversed,
    AmountOutOfRange,
    AuthorisationMissing,
    CurrencyMismatch,
    ExpectationFailed,
    IdempotencyConflict,
    InsufficientFunds,
    Invalid,
    InvariantBroken,
    NestedWrite,
    NotDue,
    NotPending,
    NotReversible,
    Refused,
    UnknownAccount,
    UnknownTransfer,
    UpperBoundExceeded,
)
from ledger.money import MAX_MINOR, Currency, Money, currency_of
from ledger.transfers import Expected, Kind
from tests.integration.ledger.world import World, euros


@pytest.fixture
def world(database):
    world = World(database)
    yield world
    assert verify(database).findings == ()


class TestAccount:
    def test_is_opened_empty(self, world):
        account = world.account(world.wallet(upper_bound_minor=500, debits_need_authorisation=True))
        assert (account.balances, account.state) == (Balances(0, 0, 0, 0, 0), AccountState.OPEN)
        assert (account.guarded, account.upper_bound_minor, account.debits_need_authorisation) == (
            True,
            500,
            True,
        )

    def test_opened_again_the_same_is_the_one_that_is_there(self, world):
        alice = world.wallet(100)
        assert world.open(id=alice, guarded=True) == alice
        assert world.available(alice) == 100

    @pytest.mark.parametrize(
        "changed",
        [{"code": "other"}, {"currency": Currency("DROP", 0)}, {"guarded": False}, {"upper_bound_minor": 1},
         {"normal_side": NormalSide.DEBIT}, {"debits_need_authorisation": True}],
    )  # fmt: skip
    def test_opened_again_as_another_is_refused(self, world, changed):
        alice = world.wallet()
        with pytest.raises(AccountExists):
            world.open(**{"id": alice, "guarded": True} | changed)

    def test_that_is_not_there_is_unknown(self, world):
        with pytest.raises(UnknownAccount):
            world.account(99)
        with pytest.raises(UnknownAccount):
            world.set_state(99, AccountState.FROZEN)


class TestTransfer:
    def test_moves_the_amount_from_the_debited_to_the_credited_account(self, world):
        bank, alice, bob = world.bank(), world.wallet(1000), world.wallet()
        booked = world.pay(alice, bob, 250)
        assert (world.available(alice), world.available(bob)) == (750, 250)
        assert booked.debit_after == Balances(2, 250, 1000, 0, 0)
        assert booked.credit_after == Balances(1, 0, 250, 0, 0)
        assert world.account(bank).posted_minor == 1000

    def test_is_read_back_as_it_was_returned(self, world):
        alice, bob = world.wallet(1000), world.wallet()
        booked = world.pay(
            alice,
            bob,
            250,
            authorisation_id=7,
            effective_on=date(2026, 2, 28),
            metadata={"intent": 5, "rule": "small"},
        )
        assert world.find(booked.id) == booked
        assert world.read("by_idempotency_key", booked.idempotency_key) == booked
        assert booked.effective_on == date(2026, 2, 28)
        assert booked.metadata == {"intent": 5, "rule": "small"}
        assert booked.booked_at == world.clock()
        assert booked.journal_id == booked.id
        assert booked.kind is Kind.POSTED

    def test_that_is_not_there_is_none(self, world):
        assert world.find(5) is None
        assert world.read("by_idempotency_key", "no") is None

    def test_takes_all_there_is(self, world):
        alice, bob = world.wallet(100), world.wallet()
        world.pay(alice, bob, 100)
        assert world.available(alice) == 0

    def test_is_refused_with_the_numbers_when_the_wallet_has_less(self, world):
        alice, bob = world.wallet(100), world.wallet()
        with pytest.raises(InsufficientFunds) as refused:
            world.pay(alice, bob, 101)
        assert refused.value.account_id == alice
        assert (refused.value.available_minor, refused.value.needed_minor) == (100, 101)

    def test_held_money_counts_as_spent(self, world):
        alice, bob = world.wallet(100), world.wallet()
        world.hold(alice, bob, 60)
        with pytest.raises(InsufficientFunds) as refused:
            world.pay(alice, bob, 41)
        assert (refused.value.available_minor, refused.value.needed_minor) == (40, 41)
        assert world.account(alice).posted_minor == 100

    def test_money_on_its_way_in_cannot_be_spent(self, world):
        alice, bob = world.wallet(100), world.wallet()
        world.hold(alice, bob, 60)
        assert (world.account(bob).pending_in_minor, world.available(bob)) == (60, 0)
        with pytest.raises(InsufficientFunds):
            world.pay(bob, alice, 1)

    def test_an_asset_account_is_guarded_on_its_own_side(self, world):
        till, alice = world.open(normal_side=NormalSide.DEBIT, guarded=True), world.open()
        world.pay(till, alice, 50)
        with pytest.raises(InsufficientFunds) as refused:
            world.pay(alice, till, 51)
        assert (refused.value.available_minor, refused.value.needed_minor) == (50, 51)
        world.hold(alice, till, 30)
        assert (world.available(till), world.account(till).pending_out_minor) == (20, 30)
        with pytest.raises(InsufficientFunds):
            world.pay(alice, till, 21)
        world.pay(alice, till, 20)
        assert world.available(till) == 0

    def test_an_unguarded_account_may_go_below_zero(self, world):
        world.wallet(100)
        equity, bob = world.open(), world.wallet()
        world.pay(equity, bob, 70)
        assert world.available(equity) == -70

    @pytest.mark.parametrize("side", list(NormalSide))
    def test_is_refused_above_the_upper_bound_with_what_is_on_its_way_counted(self, world, side):
        full, other = world.open(upper_bound_minor=100, normal_side=side), world.open()

        def fill(amount, **more):
            pair = (full, other) if side is NormalSide.DEBIT else (other, full)
            return world.hold(*pair, amount) if more else world.pay(*pair, amount)

        fill(40)
        fill(50, pending=True)
        with pytest.raises(UpperBoundExceeded) as refused:
            fill(11)
        assert (refused.value.upper_bound_minor, refused.value.would_hold_minor) == (100, 101)
        fill(10)

    def test_needs_both_accounts(self, world):
        alice = world.wallet(10)
        for pair in ((alice, 99), (99, alice)):
            with pytest.raises(UnknownAccount) as unknown:
                world.pay(*pair, 1)
            assert unknown.value.account_id == 99

    def test_never_mixes_currencies(self, world):
        alice, yen = world.wallet(10), world.wallet(currency=currency_of("JPY"))
        drops, drips = world.open(currency=Currency("DROP", 0)), world.open(currency=Currency("DROP", 1))
        for debit, credit, money in (
            (alice, yen, euros(1)),
            (alice, yen, Money(1, currency_of("JPY"))),
            (drops, drips, Money(1, Currency("DROP", 0))),
        ):
            with pytest.raises(CurrencyMismatch):
                world.pay(debit, credit, 1, amount=money)

    def test_needs_an_authorisation_where_the_account_says_so(self, world):
        alice, bob = world.wallet(10, debits_need_authorisation=True), world.wallet()
        for kind in (world.pay, world.hold):
            with pytest.raises(AuthorisationMissing) as missing:
                kind(alice, bob, 1)
            assert missing.value.account_id == alice
            assert kind(alice, bob, 1, authorisation_id=5).authorisation_id == 5

    @pytest.mark.prove
    def test_total_stays_within_its_bound(self, world):
        one, other = world.open(), world.open()
        with pytest.raises(AmountOutOfRange):
            world.journal([world.new(one, other, MAX_MINOR) for _ in range(4001)])
        assert world.account(one).version == 0

    def test_booking_time_never_runs_backwards_within_an_account(self, world):
        alice, bob = world.wallet(10), world.wallet()
        first = world.pay(alice, bob, 1)
        world.clock.move(hours=-3)
        assert world.pay(alice, bob, 1).booked_at == first.booked_at


class TestTransferAlone:
    def test_books_and_refuses_as_any_other(self, world):
        alice, bob = world.wallet(100), world.wallet()
        new = world.new(alice, bob, 60)
        booked = world.ledger.transfer_alone(world.database, new)
        assert world.find(booked.id) == booked
        assert world.ledger.transfer_alone(world.database, new) == booked
        with pytest.raises(InsufficientFunds) as refused:
            world.ledger.transfer_alone(world.database, world.new(alice, bob, 60))
        assert (refused.value.available_minor, refused.value.needed_minor) == (40, 60)
        with pytest.raises(NestedWrite):
            world.database.write(
                lambda _: world.ledger.transfer_alone(world.database, world.new(alice, bob, 1))
            )
        assert world.available(bob) == 60


class TestAccountState:
    @pytest.mark.parametrize(
        ("state", "debits", "credits"),
        [
            (AccountState.OPEN, True, True),
            (AccountState.DEBITS_FROZEN, False, True),
            (AccountState.FROZEN, False, False),
            (AccountState.CLOSED, False, False),
        ],
    )
    def test_decides_which_new_transfers_it_takes(self, world, state, debits, credits):  # noqa: A002
        alice, bob = world.wallet(100), world.wallet(100)
        world.set_state(alice, state)
        for pair, allowed in (((alice, bob), debits), ((bob, alice), credits)):
            for kind in (world.pay, world.hold):
                if allowed:
                    kind(*pair, 1)
                else:
                    with pytest.raises(AccountNotOpen) as refused:
                        kind(*pair, 1)
                    assert (refused.value.account_id, refused.value.state) == (alice, state)

    @pytest.mark.parametrize("state", list(AccountState))
    @pytest.mark.parametrize("whose", ["debit", "credit"])
    def test_void_and_expiry_always_work(self, world, state, whose):
        alice, bob = world.wallet(100, debits_need_authorisation=True), world.wallet()
        one, two = (world.hold(alice, bob, 10, authorisation_id=1) for _ in range(2))
        world.set_state(alice if whose == "debit" else bob, state)
        world.void(one.id)
        world.clock.move(days=7)
        world.expire(two.id)
        assert world.available(alice) == 100

    @pytest.mark.parametrize("state", list(AccountState))
    @pytest.mark.parametrize("whose", ["debit", "credit"])
    def test_posting_what_was_set_aside_is_refused_only_when_frozen_or_closed(self, world, state, whose):
        alice, bob = world.wallet(100), world.wallet()
        held = world.hold(alice, bob, 10)
        world.set_state(alice if whose == "debit" else bob, state)
        if state in {AccountState.FROZEN, AccountState.CLOSED}:
            with pytest.raises(AccountNotOpen):
                world.post(held.id)
        else:
            world.post(held.id)

    def test_can_be_opened_again(self, world):
        alice, bob = world.wallet(100), world.wallet()
        world.set_state(alice, AccountState.FROZEN)
        world.set_state(alice, AccountState.OPEN)
        world.pay(alice, bob, 1)


class TestPendingTransfer:
    def test_sets_aside_and_posts(self, world):
        alice, bob = world.wallet(100), world.wallet()
        held = world.hold(alice, bob, 60, authorisation_id=9)
        assert (held.kind, held.debit_after, held.credit_after) == (
            Kind.PENDING, Balances(2, 0, 100, 60, 0), Balances(1, 0, 0, 0, 60)
        )  # fmt: skip
        posted = world.post(held.id)
        assert (posted.kind, posted.pending_id, posted.amount) == (Kind.POST, held.id, euros(60))
        assert (posted.debit_after, posted.credit_after) == (
            Balances(3, 60, 100, 0, 0),
            Balances(2, 0, 60, 0, 0),
        )
        assert posted.authorisation_id == 9
        assert world.read("resolution_of", held.id) == posted

    def test_posts_in_part_and_sets_the_rest_free(self, world):
        alice, bob = world.wallet(100), world.wallet()
        posted = world.post(world.hold(alice, bob, 60).id, amount_minor=25)
        assert posted.amount == euros(25)
        assert (world.available(alice), world.available(bob)) == (75, 25)
        assert world.account(alice).pending_out_minor == world.account(bob).pending_in_minor == 0

    @pytest.mark.parametrize("amount", [0, -1, 61])
    def test_posts_no_more_than_was_set_aside_and_no_less_than_one(self, world, amount):
        held = world.hold(world.wallet(100), world.wallet(), 60)
        with pytest.raises(AmountOutOfRange, match=f"{amount} is not within 1..60"):
            world.post(held.id, amount_minor=amount)

    @pytest.mark.parametrize("amount", [1, 60])
    def test_posts_as_little_as_one_and_as_much_as_was_set_aside(self, world, amount):
        alice, bob = world.wallet(100), world.wallet()
        posted = world.post(world.hold(alice, bob, 60).id, amount_minor=amount)
        assert posted.amount == euros(amount)
        assert (world.available(alice), world.available(bob)) == (100 - amount, amount)

    def test_voids(self, world):
        alice, bob = world.wallet(100), world.wallet()
        voided = world.void(world.hold(alice, bob, 60).id)
        assert (voided.kind, voided.amount) == (Kind.VOID, euros(60))
        assert (world.available(alice), world.account(bob).pending_in_minor) == (100, 0)

    def test_expires_at_its_time_and_not_before(self, world):
        alice, bob = world.wallet(100), world.wallet()
        held = world.hold(alice, bob, 60)
        world.clock.move(days=7, microseconds=-1)
        with pytest.raises(NotDue) as early:
            world.expire(held.id)
        assert (early.value.due_at, early.value.now) == (held.due_at, world.clock())
        world.clock.move(microseconds=1)
        assert world.expire(held.id).kind is Kind.EXPIRE
        assert world.available(alice) == 100

    def test_can_be_posted_after_its_time_until_it_has_expired(self, world):
        held = world.hold(world.wallet(100), world.wallet(), 60)
        world.clock.move(days=30)
        assert world.post(held.id).kind is Kind.POST

    @pytest.mark.parametrize("first", ["post", "void", "expire"])
    @pytest.mark.parametrize("second", ["post", "void", "expire"])
    def test_is_resolved_once_and_the_second_is_told_which_came_first(self, world, first, second):
        held = world.hold(world.wallet(100), world.wallet(), 60)
        world.clock.move(days=7)
        by = getattr(world, first)(held.id)
        with pytest.raises(AlreadyResolved) as refused:
            getattr(world, second)(held.id)
        assert refused.value.by == by
        assert first in str(refused.value)

    def test_posts_with_an_authorisation_of_its_own(self, world):
        alice, bob = world.wallet(100, debits_need_authorisation=True), world.wallet()
        held = world.hold(alice, bob, 60, authorisation_id=9)
        assert world.post(held.id, authorisation_id=10).authorisation_id == 10

    def test_only_a_pending_one_is_resolved(self, world):
        alice, bob = world.wallet(100), world.wallet()
        paid = world.pay(alice, bob, 1)
        for resolve in (world.post, world.void, world.expire):
            with pytest.raises(NotPending):
                resolve(paid.id)
            with pytest.raises(UnknownTransfer):
                resolve(5)


class TestReversal:
    def test_takes_back_the_whole(self, world):
        alice, bob = world.wallet(100), world.wallet()
        paid = world.pay(alice, bob, 60)
        back = world.reverse(paid.id, authorisation_id=3)
        assert (back.debit_account_id, back.credit_account_id, back.amount) == (bob, alice, euros(60))
        assert (back.reverses_id, back.code, back.authorisation_id, back.kind) == (
            paid.id,
            "reversal",
            3,
            Kind.POSTED,
        )
        assert (world.available(alice), world.available(bob)) == (100, 0)
        assert world.read("reversal_of", paid.id) == back

    def test_takes_back_a_part_once(self, world):
        alice, bob = world.wallet(100), world.wallet()
        paid = world.pay(alice, bob, 60)
        back = world.reverse(paid.id, amount_minor=20, code="refund")
        assert (world.available(alice), back.code) == (60, "refund")
        with pytest.raises(AlreadyReversed) as refused:
            world.reverse(paid.id, amount_minor=20)
        assert refused.value.by == back

    @pytest.mark.parametrize("amount", [0, 61])
    def test_never_goes_beyond_the_original(self, world, amount):
        paid = world.pay(world.wallet(100), world.wallet(100), 60)
        with pytest.raises(AmountOutOfRange):
            world.reverse(paid.id, amount_minor=amount)

    def test_of_a_posted_pending_transfer_goes_by_what_was_posted(self, world):
        alice, bob = world.wallet(100), world.wallet()
        held = world.hold(alice, bob, 60)
        posted = world.post(held.id, amount_minor=40)
        with pytest.raises(NotReversible, match="pending"):
            world.reverse(held.id)
        with pytest.raises(AmountOutOfRange):
            world.reverse(posted.id, amount_minor=41)
        world.reverse(posted.id)
        assert world.available(alice) == 100

    def test_is_not_reversed_itself(self, world):
        paid = world.pay(world.wallet(100), world.wallet(), 60)
        back = world.reverse(paid.id)
        with pytest.raises(NotReversible, match="it is the reversal"):
            world.reverse(back.id)

    def test_of_a_void_is_none(self, world):
        void = world.void(world.hold(world.wallet(100), world.wallet(), 60).id)
        with pytest.raises(NotReversible):
            world.reverse(void.id)
        with pytest.raises(UnknownTransfer):
            world.reverse(5)

    def test_needs_the_money_and_the_authorisation(self, world):
        alice, bob = world.wallet(100), world.wallet(debits_need_authorisation=True)
        paid = world.pay(alice, bob, 60)
        with pytest.raises(AuthorisationMissing):
            world.reverse(paid.id)
        world.pay(bob, alice, 1, authorisation_id=1)
        with pytest.raises(InsufficientFunds):
            world.reverse(paid.id, authorisation_id=2)


class TestJournal:
    def test_books_all_lines_under_one_id_in_their_order(self, world):
        alice, bob, carol = world.wallet(100), world.wallet(), world.wallet()
        due = world.clock() + timedelta(days=1)
        lines = world.journal(
            [world.new(alice, bob, 30), world.new(alice, carol, 20, due_at=due), world.new(bob, carol, 30)]
        )
        assert {line.journal_id for line in lines} == {lines[0].id}
        assert [line.kind for line in lines] == [Kind.POSTED, Kind.PENDING, Kind.POSTED]
        assert world.read("journal_of", lines[0].id) == lines
        assert (world.available(alice), world.available(bob), world.available(carol)) == (50, 0, 30)

    def test_of_one_line_has_that_line(self, world):
        alice, bob = world.wallet(100), world.wallet()
        paid = world.pay(alice, bob, 1)
        assert world.read("journal_of", paid.id) == (paid,)
        assert world.read("journal_of", 5) == ()
        lines = world.journal([world.new(alice, bob, 1), world.new(alice, bob, 2)])
        assert world.read("journal_of", lines[1].id) == ()

    def test_is_booked_whole_or_not_at_all(self, world):
        alice, bob, carol = world.wallet(100), world.wallet(), world.wallet()
        with pytest.raises(InsufficientFunds) as refused:
            world.journal([world.new(alice, bob, 60), world.new(alice, carol, 60)])
        assert (refused.value.available_minor, refused.value.needed_minor) == (40, 60)
        assert (world.available(alice), world.available(bob)) == (100, 0)

    def test_refuses_a_key_that_stands_in_it_twice(self, world):
        alice, bob = world.wallet(100), world.wallet()
        with pytest.raises(Invalid, match="twice"):
            world.journal([world.new(alice, bob, 1, idempotency_key="k") for _ in range(2)])

    def test_has_at_least_one_line(self, world):
        with pytest.raises(Invalid):
            world.journal([])

    def test_has_ten_thousand_lines_at_most(self, sqlite_url):
        with Database(sqlite_url) as database:
            world = World(database)
            alice, bob = world.wallet(10_000), world.wallet()
            news = [world.new(alice, bob, 1) for _ in range(10_001)]
            with pytest.raises(Invalid, match="10001"):
                world.journal(news)
            assert len(world.journal(news[:-1])) == 10_000
            assert (world.available(alice), world.available(bob)) == (0, 10_000)

    def test_needs_the_accounts_of_every_line(self, world):
        alice, bob = world.wallet(100), world.wallet()
        with pytest.raises(UnknownAccount) as unknown:
            world.journal([world.new(alice, bob, 1), world.new(alice, 99, 1), world.new(alice, bob, 1)])
        assert unknown.value.account_id == 99
        assert world.available(alice) == 100

    def test_again_is_the_first_result(self, world):
        alice, bob = world.wallet(100), world.wallet()
        news = [world.new(alice, bob, 30), world.new(alice, bob, 20)]
        assert world.journal(news) == world.journal(news)
        assert world.available(alice) == 50

    def test_again_with_another_line_is_a_conflict(self, world):
        alice, bob = world.wallet(100), world.wallet()
        news = [world.new(alice, bob, 30), world.new(alice, bob, 20)]
        world.journal(news)
        with pytest.raises(IdempotencyConflict, match="journal"):
            world.journal([*news, world.new(alice, bob, 1)])
        with pytest.raises(IdempotencyConflict, match="journal"):
            world.journal(news[1:])

    def test_of_lines_booked_one_by_one_before_is_a_conflict(self, world):
        alice, bob = world.wallet(100), world.wallet()
        news = [world.new(alice, bob, 30), world.new(alice, bob, 20)]
        for new in news:
            world.journal([new])
        with pytest.raises(IdempotencyConflict, match="journal"):
            world.journal(news)


class TestIdempotencyKey:
    def test_with_the_same_content_is_the_first_result_again(self, world):
        alice, bob = world.wallet(100), world.wallet()
        first = world.pay(alice, bob, 60, idempotency_key="once")
        world.clock.move(days=1)
        assert world.pay(alice, bob, 60, idempotency_key="once") == first
        assert world.available(alice) == 40

    def test_holds_whatever_has_happened_since(self, world):
        alice, bob = world.wallet(100), world.wallet()
        first = world.pay(alice, bob, 60, idempotency_key="once", expected=Expected(debit_version=1))
        world.set_state(alice, AccountState.CLOSED)
        assert world.pay(alice, bob, 60, idempotency_key="once", expected=Expected(debit_version=1)) == first

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("amount", Money(61, Currency("EUR", 2))),
            ("code", "gift"),
            ("debit_account_id", 90),
            ("credit_account_id", 91),
            ("authorisation_id", 4),
            ("effective_on", date(2026, 1, 1)),
            ("metadata", {"intent": 1}),
        ],
    )
    def test_with_other_content_is_a_conflict_that_names_the_difference(self, world, field, value):
        alice, bob = world.wallet(200), world.wallet()
        world.open(id=90)
        world.open(id=91)
        first = world.pay(alice, bob, 60, idempotency_key="once")
        named = {"debit_account_id": alice, "credit_account_id": bob, "idempotency_key": "once"} | {
            field: value
        }
        pair = (named.pop("debit_account_id"), named.pop("credit_account_id"))
        with pytest.raises(IdempotencyConflict) as conflict:
            world.pay(*pair, 60, **named)
        assert conflict.value.differences == {field: (getattr(first, field), value)}
        assert conflict.value.idempotency_key == "once"

    def test_of_a_transfer_at_once_is_not_that_of_a_pending_one(self, world):
        alice, bob = world.wallet(200), world.wallet()
        world.pay(alice, bob, 60, idempotency_key="once")
        with pytest.raises(IdempotencyConflict) as conflict:
            world.hold(alice, bob, 60, idempotency_key="once")
        assert set(conflict.value.differences) == {"kind", "due_at"}

    @pytest.mark.parametrize("resolve", ["post", "void", "expire"])
    def test_of_a_resolution_is_the_first_result_again(self, world, resolve):
        held = world.hold(world.wallet(100), world.wallet(), 60)
        world.clock.move(days=7)
        first = getattr(world, resolve)(held.id, idempotency_key="once")
        assert getattr(world, resolve)(held.id, idempotency_key="once") == first

    def test_of_a_resolution_with_another_amount_is_a_conflict(self, world):
        held = world.hold(world.wallet(100), world.wallet(), 60)
        world.post(held.id, idempotency_key="once", amount_minor=10)
        with pytest.raises(IdempotencyConflict):
            world.post(held.id, idempotency_key="once")
        with pytest.raises(IdempotencyConflict):
            world.void(held.id, idempotency_key="once")

    def test_of_a_reversal_is_the_first_result_again(self, world):
        paid = world.pay(world.wallet(100), world.wallet(), 60)
        assert world.reverse(paid.id, idempotency_key="r") == world.reverse(paid.id, idempotency_key="r")


class TestExpected:
    def test_posts_on_the_state_that_was_seen(self, world):
        alice, bob = world.wallet(100), world.wallet()
        expected = Expected(
            debit_version=1, credit_version=0, debit_available_minor=100, credit_available_minor=0
        )
        world.pay(alice, bob, 10, expected=expected)
        world.pay(bob, alice, 10, expected=Expected(debit_available_minor=10))

    @pytest.mark.parametrize(
        ("name", "expected", "actual"),
        [
            ("debit_version", 2, 1),
            ("credit_version", 1, 0),
            ("debit_available_minor", 99, 100),
            ("credit_available_minor", 1, 0),
        ],
    )
    def test_refuses_any_other_and_says_what_it_is(self, world, name, expected, actual):
        alice, bob = world.wallet(100), world.wallet()
        with pytest.raises(ExpectationFailed) as refused:
            world.pay(alice, bob, 10, expected=Expected(**{name: expected}))
        assert (refused.value.expected, refused.value.actual) == (expected, actual)
        assert refused.value.what == name.split("_", 1)[1]

    @pytest.mark.parametrize(("name", "before", "after"), [("debit_version", 1, 2), ("credit_version", 0, 1)])
    def test_holds_for_a_line_of_a_journal_after_the_lines_before_it(self, world, name, before, after):
        alice, bob = world.wallet(100), world.wallet()

        def news(version):
            expected = Expected(**{name: version}, credit_available_minor=10)
            return [world.new(alice, bob, 10), world.new(alice, bob, 10, expected=expected)]

        with pytest.raises(ExpectationFailed) as refused:
            world.journal(news(before))
        told = refused.value
        assert (told.what, told.expected, told.actual) == ("version", before, after)
        assert world.available(bob) == 0
        world.journal(news(after))
        assert world.available(bob) == 20

    def test_reads_an_asset_on_its_own_side(self, world):
        bank, alice = world.bank(), world.wallet(100)
        world.pay(bank, alice, 1, expected=Expected(debit_available_minor=100))


class TestHistory:
    def test_is_newest_first_from_both_sides_and_pages(self, world):
        alice, bob = world.wallet(100), world.wallet(100)
        paid = [world.pay(*pair, 1) for pair in ((alice, bob), (bob, alice), (alice, bob), (alice, bob))]
        page = world.read("history", alice, limit=3)
        assert page == tuple(reversed(paid[1:]))
        rest = world.read("history", alice, before_version=page[-1].after(alice).version)
        assert rest[0] == paid[0]
        assert len(rest) == 2
        assert world.read("history", world.wallet()) == ()

    def test_has_twenty_transfers_unless_it_is_said(self, world):
        alice, bob = world.wallet(100), world.wallet()
        booked = world.journal([world.new(alice, bob, 1) for _ in range(21)])
        assert world.read("history", bob) == tuple(reversed(booked[1:]))

    def test_shows_the_running_balance(self, world):
        alice, bob = world.wallet(100), world.wallet()
        for amount in (10, 20, 30):
            world.pay(alice, bob, amount)
        balances = [
            one.after(alice).available_minor(NormalSide.CREDIT) for one in world.read("history", alice)
        ]
        assert balances == [40, 70, 90, 100]
        with pytest.raises(ValueError, match="does not touch"):
            world.read("history", alice)[0].after(99)

    def test_balance_at_any_time_is_what_it_was_then(self, world):
        alice, bob = world.wallet(1000), world.wallet()
        start = world.clock()
        for _ in range(20):
            world.clock.move(minutes=10)
            world.pay(alice, bob, 10)
            world.pay(alice, bob, 1)
        for minutes, left in (
            (-1, None),
            (0, 1000),
            (9, 1000),
            (10, 989),
            (15, 989),
            (100, 890),
            (200, 780),
            (999, 780),
        ):
            then = world.read("balance_at", alice, start + timedelta(minutes=minutes))
            assert then == (Balances(0, 0, 0, 0, 0) if left is None else then)
            assert left is None or then.available_minor(NormalSide.CREDIT) == left
        with pytest.raises(UnknownAccount):
            world.read("balance_at", 99, datetime(2026, 1, 1, tzinfo=UTC))


class TestBrokenBook:
    """What the rules do not know is said, with the number that is to be looked for, and moves nothing."""

    def test_refusal_for_no_known_reason_names_the_transfer(self, world):
        alice, bob = world.wallet(100), world.wallet()
        first = world.read("history", alice)[0].id
        again = Ledger(clock=world.clock, ids=IdSource(world.clock, random.Random(1).randbytes))
        with pytest.raises(InvariantBroken, match=f"refused transfer {first}: ledger: "):
            world.database.write(lambda session: again.transfer(session, world.new(alice, bob, 1)))
        assert world.available(alice) == 100


def test_balance_at_a_time_behind_a_gap_is_told_as_broken(database, intruder):
    world = World(database)
    alice, bob = world.wallet(100), world.wallet()
    world.pay(alice, bob, 1)
    gone = world.pay(alice, bob, 1)
    intruder()(f"DELETE FROM ledger_transfer WHERE id = {gone.id}")
    with pytest.raises(InvariantBroken, match=f"account {bob} has no transfer of version 2"):
        world.read("balance_at", bob, world.clock())


REFUSED = {
    "insufficient": lambda w, s: w.ledger.transfer(s, w.new(w.alice, w.bob, 10_000)),
    "unknown account": lambda w, s: w.ledger.transfer(s, w.new(w.alice, 99, 1)),
    "frozen": lambda w, s: w.ledger.transfer(s, w.new(w.bob, w.frozen, 1)),
    "currency": lambda w, s: w.ledger.transfer(
        s, w.new(w.alice, w.bob, 1, amount=Money(1, currency_of("JPY")))
    ),
    "authorisation": lambda w, s: w.ledger.transfer(s, w.new(w.shy, w.bob, 1)),
    "bound": lambda w, s: w.ledger.transfer(s, w.new(w.alice, w.small, 11)),
    "conflict": lambda w, s: w.ledger.transfer(s, w.new(w.alice, w.bob, 2, idempotency_key="used")),
    "expected": lambda w, s: w.ledger.transfer(
        s, w.new(w.alice, w.bob, 1, expected=Expected(debit_version=77))
    ),
    "journal": lambda w, s: w.ledger.journal(s, [w.new(w.alice, w.bob, 1), w.new(w.alice, w.bob, 10_000)]),
    "resolved": lambda w, s: w.ledger.void_pending(s, w.resolved.id, idempotency_key=w.key()),
    "not due": lambda w, s: w.ledger.expire_pending(s, w.held.id, idempotency_key=w.key()),
    "not pending": lambda w, s: w.ledger.post_pending(s, w.paid.id, idempotency_key=w.key()),
    "post frozen": lambda w, s: w.ledger.post_pending(s, w.to_frozen.id, idempotency_key=w.key()),
    "reversed": lambda w, s: w.ledger.reverse(s, w.reversed.id, idempotency_key=w.key()),
    "reverse beyond": lambda w, s: w.ledger.reverse(s, w.paid.id, idempotency_key=w.key(), amount_minor=2),
    "account exists": lambda w, s: w.ledger.open_account(s, w.new_account(id=w.alice, code="other")),
}


class TestRefusal:
    @pytest.fixture
    def busy_world(self, world):
        world.alice, world.bob = world.wallet(1000), world.wallet(10)
        world.frozen, world.small = world.wallet(), world.wallet(upper_bound_minor=10)
        world.shy = world.wallet(5, debits_need_authorisation=True)
        world.paid = world.pay(world.alice, world.bob, 1, idempotency_key="used")
        world.held, world.resolved = (
            world.hold(world.alice, world.bob, 5),
            world.hold(world.alice, world.bob, 5),
        )
        world.to_frozen = world.hold(world.alice, world.frozen, 5)
        world.post(world.resolved.id)
        world.reversed = world.pay(world.alice, world.bob, 1)
        world.reverse(world.reversed.id)
        world.set_state(world.frozen, AccountState.FROZEN)
        return world

    @pytest.mark.parametrize("name", REFUSED)
    def test_leaves_every_table_as_it_was_even_if_the_work_swallows_it_and_goes_on(self, busy_world, name):
        world = busy_world
        before = world.everything()

        def work(session):
            with pytest.raises((Refused, IdempotencyConflict, UnknownAccount, AccountExists)):
                REFUSED[name](world, session)
            assert world.everything(session) == before
            return world.ledger.transfer(session, world.new(world.alice, world.bob, 1))

        booked = world.database.write(work)
        after = world.everything()
        assert len(after["ledger_transfer"]) == len(before["ledger_transfer"]) + 1
        assert booked.debit_after.version == world.account(world.alice).version
