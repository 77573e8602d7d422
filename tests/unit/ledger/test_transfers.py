"""What can be asked for at all."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ledger.accounts import NewAccount, NormalSide
from ledger.errors import AmountOutOfRange, Invalid
from ledger.money import EUR, MAX_MINOR, Money
from ledger.transfers import NewTransfer, metadata_of, metadata_text


def new(**changed):
    usual: dict[str, Any] = {
        "debit_account_id": 1,
        "credit_account_id": 2,
        "amount": Money(1, EUR),
        "code": "payment",
        "idempotency_key": "k",
    }
    return NewTransfer(**usual | changed)


class TestNewTransfer:
    @pytest.mark.parametrize("amount", [0, -1])
    def test_moves_at_least_one_minor_unit(self, amount):
        with pytest.raises(AmountOutOfRange, match=r"1\.\.1000000000000000"):
            new(amount=Money(amount, EUR))

    def test_moves_at_most_the_bound(self):
        assert new(amount=Money(MAX_MINOR, EUR)).amount.amount_minor == MAX_MINOR

    def test_has_two_accounts(self):
        with pytest.raises(Invalid, match="cannot pay itself"):
            new(credit_account_id=1)

    @pytest.mark.parametrize("code", ["", "for the pizza", "é", "x" * 65, "-x"])
    def test_code_is_a_code_and_no_text(self, code):
        with pytest.raises(Invalid, match="transfer code"):
            new(code=code)

    @pytest.mark.parametrize("key", ["", "a b", "é", "x" * 129, "a\n"])
    def test_key_is_a_key_and_no_text(self, key):
        with pytest.raises(Invalid, match="idempotency key"):
            new(idempotency_key=key)

    def test_due_time_has_a_time_zone(self):
        with pytest.raises(Invalid, match="no time zone"):
            new(due_at=datetime(2026, 1, 1))  # noqa: DTZ001 (that is the point)
        assert new(due_at=datetime(2026, 1, 1, tzinfo=UTC)).due_at is not None

    @pytest.mark.parametrize(
        "metadata",
        [
            {"note": "for the pizza"},
            {"a b": 1},
            {"amount": 1.5},
            {"flag": True},
            {"big": 2**63},
            {"none": None},
            {f"name{number}": number for number in range(9)},
        ],
    )
    def test_metadata_is_ids_and_codes(self, metadata):
        with pytest.raises(Invalid, match="metadata"):
            new(metadata=metadata)

    def test_metadata_is_stored_in_one_way(self):
        assert metadata_text({"b": 1, "a": "x"}) == metadata_text({"a": "x", "b": 1}) == '{"a":"x","b":1}'
        assert metadata_of('{"a":"x","b":1}') == {"a": "x", "b": 1}
        assert metadata_text({}) is None
        assert metadata_of(None) == {}
        assert new(metadata={"a": -(2**63), "b": 2**63 - 1}).metadata["a"] == -(2**63)


class TestNewAccount:
    @pytest.mark.parametrize(
        "changed",
        [{"id": 0}, {"id": -1}, {"id": 2**63}, {"code": "Alice's wallet"}, {"code": ""}, {"upper_bound_minor": -1},
         {"upper_bound_minor": MAX_MINOR + 1}],
    )  # fmt: skip
    def test_that_could_not_be_right_is_refused(self, changed):
        usual: dict[str, Any] = {"id": 1, "code": "wallet", "currency": EUR, "normal_side": NormalSide.CREDIT}
        with pytest.raises(Invalid):
            NewAccount(**usual | changed)
