"""Why a transfer is refused, in words and numbers; each rule by itself, at its very edge."""

from dataclasses import replace
from typing import Any

import pytest

from ledger.accounts import Account, AccountId, AccountState, NormalSide
from ledger.errors import (
    AccountNotOpen,
    AmountOutOfRange,
    AuthorisationMissing,
    CurrencyMismatch,
    ExpectationFailed,
    InsufficientFunds,
    UpperBoundExceeded,
)
from ledger.money import EUR, MAX_MINOR, Currency, Money
from ledger.rules import MAX_TOTAL, moved, refusal_of
from ledger.transfers import NO_METADATA, Expected, Kind, Line, TransferId

ALICE = Account(
    id=AccountId(1), code="wallet", currency=EUR, normal_side=NormalSide.CREDIT, version=4, debits_posted=20,
    credits_posted=100, debits_pending=30, credits_pending=5,
)  # fmt: skip
TILL = Account(
    id=AccountId(2), code="till", currency=EUR, normal_side=NormalSide.DEBIT, version=7, debits_posted=60,
    credits_posted=10, debits_pending=2, credits_pending=3,
)  # fmt: skip
NEW = (Kind.POSTED, Kind.PENDING)
RELEASES = (Kind.VOID, Kind.EXPIRE)


def line(kind=Kind.POSTED, amount_minor=10, **changed: Any) -> Line:
    resolves = kind not in NEW
    return Line(
        id=9, journal_id=9, kind=kind, debit_account_id=ALICE.id, credit_account_id=TILL.id,
        amount=Money(amount_minor, EUR), code="payment", pending_id=TransferId(8) if resolves else None,
        pending_minor=amount_minor if resolves else 0, reverses_id=None, authorisation_id=None,
        idempotency_key="k", booked_at=0, due_at=None, effective_on=None, metadata=NO_METADATA, expected=None,
    )._replace(**changed)  # fmt: skip


class TestMoved:
    @pytest.mark.parametrize(
        ("kind", "posted", "pending"),
        [(Kind.POSTED, 10, 0), (Kind.PENDING, 0, 10), (Kind.POST, 10, -10), (Kind.VOID, 0, -10), (Kind.EXPIRE, 0, -10)],
    )  # fmt: skip
    def test_adds_to_the_side_it_is_booked_on_and_counts_it(self, kind, posted, pending):
        debited, credited = (moved(ALICE, line(kind), side) for side in NormalSide)
        assert debited.balances == (5, 20 + posted, 100, 30 + pending, 5)
        assert credited.balances == (5, 20, 100 + posted, 30, 5 + pending)
        assert replace(debited, **ALICE.balances._asdict()) == ALICE


class TestRefusal:
    def test_is_none_where_no_rule_is_broken(self):
        assert refusal_of(line(), ALICE, TILL) is None

    @pytest.mark.parametrize("which", ["debit", "credit", "amount"])
    def test_for_two_currencies_names_both(self, which):
        yen = Currency("JPY", 0)
        debit = replace(ALICE, currency=yen) if which == "debit" else ALICE
        credit = replace(TILL, currency=yen) if which == "credit" else TILL
        money = Money(10, yen) if which == "amount" else Money(10, EUR)
        refused = refusal_of(line(amount=money), debit, credit)
        assert isinstance(refused, CurrencyMismatch)
        assert {refused.left, refused.right} == {"EUR/2", "JPY/0"}

    @pytest.mark.parametrize(
        ("name", "whose", "actual"),
        [("debit_version", ALICE.id, 4), ("credit_version", TILL.id, 7), ("debit_available_minor", ALICE.id, 50),
         ("credit_available_minor", TILL.id, 47)],
    )  # fmt: skip
    def test_for_another_state_than_expected_says_what_it_is(self, name, whose, actual):
        assert refusal_of(line(expected=Expected(**{name: actual})), ALICE, TILL) is None
        refused = refusal_of(line(expected=Expected(**{name: actual + 1})), ALICE, TILL)
        assert isinstance(refused, ExpectationFailed)
        assert (refused.account_id, refused.expected, refused.actual) == (whose, actual + 1, actual)

    @pytest.mark.parametrize("kind", list(Kind))
    @pytest.mark.parametrize("state", list(AccountState))
    @pytest.mark.parametrize("whose", ["debit", "credit"])
    def test_for_a_state_is_by_direction_and_kind_and_never_of_a_release(self, kind, state, whose):
        takes = {AccountState.OPEN, AccountState.DEBITS_FROZEN}
        if whose == "debit" and kind in NEW:
            takes = {AccountState.OPEN}
        debit, credit = (
            replace(one, state=state if one.normal_side is side else AccountState.OPEN)
            for one, side in ((ALICE, NormalSide.CREDIT if whose == "debit" else None),
                              (TILL, NormalSide.DEBIT if whose == "credit" else None))
        )  # fmt: skip
        refused = refusal_of(line(kind), debit, credit)
        if kind in RELEASES or state in takes:
            assert refused is None
        else:
            assert isinstance(refused, AccountNotOpen)
            assert (refused.account_id, refused.state) == ((debit if whose == "debit" else credit).id, state)

    @pytest.mark.parametrize("kind", list(Kind))
    def test_for_want_of_an_authorisation_is_of_the_debited_and_never_of_a_release(self, kind):
        shy = replace(ALICE, debits_need_authorisation=True)
        refused = refusal_of(line(kind), shy, TILL)
        assert refused is None if kind in RELEASES else isinstance(refused, AuthorisationMissing)
        assert refusal_of(line(kind, authorisation_id=0), shy, TILL) is None
        assert refusal_of(line(kind), ALICE, replace(TILL, debits_need_authorisation=True)) is None

    @pytest.mark.parametrize("kind", NEW)
    def test_for_too_little_has_both_numbers(self, kind):
        guarded = (replace(ALICE, guarded=True), replace(TILL, guarded=True))
        assert refusal_of(line(kind, 47), *guarded) is None
        refused = refusal_of(line(kind, 48), *guarded)
        assert isinstance(refused, InsufficientFunds)
        assert (refused.account_id, refused.available_minor, refused.needed_minor) == (TILL.id, 47, 48)
        assert refusal_of(line(kind, 50), guarded[0], TILL) is None
        refused = refusal_of(line(kind, 51), guarded[0], TILL)
        assert isinstance(refused, InsufficientFunds)
        assert (refused.account_id, refused.available_minor, refused.needed_minor) == (ALICE.id, 50, 51)

    @pytest.mark.parametrize("kind", NEW)
    def test_for_too_much_counts_what_is_on_its_way(self, kind):
        """Booked the other way, so that both grow."""
        other = line(kind, debit_account_id=TILL.id, credit_account_id=ALICE.id)
        bound = (replace(TILL, upper_bound_minor=62), replace(ALICE, upper_bound_minor=95))
        assert refusal_of(other, *bound) is None
        refused = refusal_of(other, replace(TILL, upper_bound_minor=61), bound[1])
        assert isinstance(refused, UpperBoundExceeded)
        assert (refused.account_id, refused.upper_bound_minor, refused.would_hold_minor) == (TILL.id, 61, 62)
        refused = refusal_of(other, bound[0], replace(ALICE, upper_bound_minor=94))
        assert isinstance(refused, UpperBoundExceeded)
        assert (refused.account_id, refused.upper_bound_minor, refused.would_hold_minor) == (ALICE.id, 94, 95)

    @pytest.mark.parametrize("total", ["debits_posted", "debits_pending"])
    def test_for_a_total_that_leaves_its_range_names_the_largest(self, total):
        kind = Kind.POSTED if total == "debits_posted" else Kind.PENDING
        full: dict[str, Any] = {total: MAX_TOTAL - MAX_MINOR}
        assert refusal_of(line(kind, MAX_MINOR), replace(ALICE, **full), TILL) is None
        full[total] += 1
        refused = refusal_of(line(kind, MAX_MINOR), replace(ALICE, **full), TILL)
        assert isinstance(refused, AmountOutOfRange)
        told = (refused.amount_minor, refused.low_minor, refused.high_minor)
        assert told == (MAX_TOTAL + 1, 0, 4_000 * 10**15)
