"""What an account may be at all."""

from typing import Any

import pytest

from ledger.accounts import Account, AccountId, AccountState, Balances, NewAccount, NormalSide
from ledger.errors import Invalid
from ledger.money import EUR


def new(**changed: Any) -> NewAccount:
    usual: dict[str, Any] = {"id": 1, "code": "wallet", "currency": EUR, "normal_side": NormalSide.CREDIT}
    return NewAccount(**usual | changed)


class TestNewAccount:
    @pytest.mark.parametrize(
        "changed",
        [{"id": 0}, {"id": -1}, {"id": 2**63}, {"code": "Alice's wallet"}, {"code": ""}, {"upper_bound_minor": -1},
         {"upper_bound_minor": 10**15 + 1}],
    )  # fmt: skip
    def test_that_could_not_be_right_is_refused(self, changed):
        with pytest.raises(Invalid):
            new(**changed)

    @pytest.mark.parametrize(
        "changed", [{"id": 1}, {"id": 2**63 - 1}, {"upper_bound_minor": 0}, {"upper_bound_minor": 10**15}]
    )
    def test_may_be_at_its_bounds(self, changed):
        assert new(**changed)

    def test_is_unguarded_and_unbound_and_needs_no_authorisation_unless_it_is_said(self):
        one = new()
        assert (one.guarded, one.upper_bound_minor, one.debits_need_authorisation) == (False, None, False)


class TestAccount:
    def test_is_open_and_empty_unless_it_is_said(self):
        one = Account(id=AccountId(1), code="wallet", currency=EUR, normal_side=NormalSide.CREDIT)
        assert (one.state, one.balances) == (AccountState.OPEN, Balances(0, 0, 0, 0, 0))
