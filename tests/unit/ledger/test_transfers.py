"""What can be asked for at all, and what a booked transfer is."""

import copy
from dataclasses import FrozenInstanceError, fields
from datetime import UTC, date, datetime
from typing import Any

import pytest

from ledger.accounts import AccountId, Balances
from ledger.errors import AmountOutOfRange, Invalid
from ledger.money import EUR, MAX_MINOR, Money
from ledger.transfers import (
    Expected,
    Kind,
    Line,
    NewTransfer,
    Transfer,
    TransferId,
    metadata_of,
    metadata_text,
)


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
            {"small": -(2**63) - 1},
            {"none": None},
            {f"name{number}": number for number in range(9)},
        ],
    )
    def test_metadata_is_ids_and_codes(self, metadata):
        with pytest.raises(Invalid, match="metadata"):
            new(metadata=metadata)

    def test_metadata_has_up_to_eight_entries(self):
        assert len(new(metadata={f"name{number}": number for number in range(8)}).metadata) == 8

    def test_metadata_is_stored_in_one_way(self):
        assert metadata_text({"b": 1, "a": "x"}) == metadata_text({"a": "x", "b": 1}) == '{"a":"x","b":1}'
        assert metadata_of('{"a":"x","b":1}') == {"a": "x", "b": 1}
        assert metadata_text({}) is None
        assert metadata_of(None) == {}
        assert new(metadata={"a": -(2**63), "b": 2**63 - 1}).metadata["a"] == -(2**63)

    def test_is_a_value_that_never_changes(self):
        one = new(metadata={"a": 1}, expected=Expected(debit_version=3), effective_on=date(2026, 3, 1))
        same = new(metadata={"a": 1}, expected=Expected(debit_version=3), effective_on=date(2026, 3, 1))
        assert one == same
        assert hash(one) == hash(same)
        assert len({one, same, new()}) == 2
        assert one != new()
        for name in (field.name for field in fields(one)):
            with pytest.raises(FrozenInstanceError):
                setattr(one, name, getattr(one, name))
            with pytest.raises(FrozenInstanceError):
                delattr(one, name)
        with pytest.raises((FrozenInstanceError, AttributeError, TypeError)):
            one.note = "x"
        assert repr(new(authorisation_id=4)) == (
            "NewTransfer(debit_account_id=1, credit_account_id=2, amount=Money(amount_minor=1, "
            "currency=Currency(code='EUR', exponent=2)), code='payment', idempotency_key='k', due_at=None, "
            "authorisation_id=4, effective_on=None, metadata=mappingproxy({}), expected=None)"
        )
        assert copy.copy(one) == one

    def test_is_told_by_names_and_needs_five_of_them(self):
        with pytest.raises(TypeError):
            NewTransfer(1, 2, Money(1, EUR), "payment", "k")  # type: ignore[call-arg, arg-type]
        with pytest.raises(TypeError, match="idempotency_key"):
            NewTransfer(debit_account_id=1, credit_account_id=2, amount=Money(1, EUR), code="c")  # type: ignore[call-arg, arg-type]


NUMBERS = (1_772_366_400_000_001, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
LINE = Line(
    id=12, journal_id=11, kind=Kind.POST, debit_account_id=AccountId(1), credit_account_id=AccountId(2),
    amount=Money(3, EUR), code="payment", pending_id=TransferId(4), pending_minor=5, reverses_id=TransferId(6),
    authorisation_id=7, idempotency_key="k", booked_at=8, due_at=datetime(2026, 4, 1, tzinfo=UTC),
    effective_on=date(2026, 3, 2), metadata={"a": 1}, expected=Expected(debit_version=9),
)  # fmt: skip


def plain():
    """The same, field by field."""
    return Transfer(
        id=TransferId(12), journal_id=11, kind=Kind.POST, debit_account_id=AccountId(1),
        credit_account_id=AccountId(2), amount=Money(3, EUR), code="payment", pending_id=TransferId(4),
        reverses_id=TransferId(6), authorisation_id=7, idempotency_key="k",
        due_at=datetime(2026, 4, 1, tzinfo=UTC), effective_on=date(2026, 3, 2), metadata={"a": 1}, numbers=NUMBERS,
    )  # fmt: skip


class TestTransfer:
    def test_is_made_of_the_line_and_of_what_the_database_says(self):
        one = Transfer.booked(LINE, NUMBERS)
        assert one == plain()
        assert one.booked_at == datetime(2026, 3, 1, 12, 0, 0, 1, tzinfo=UTC)

    def test_knows_the_balances_of_its_two_accounts_only(self):
        one = Transfer.booked(LINE, NUMBERS)
        assert one.after(AccountId(1)) == Balances(1, 2, 3, 4, 5)
        assert one.after(AccountId(2)) == Balances(6, 7, 8, 9, 10)
        with pytest.raises(ValueError, match="does not touch account 3"):
            one.after(AccountId(3))

    @pytest.mark.parametrize("name", [*Transfer._fields, "booked_at", "note"])
    def test_never_changes(self, name):
        with pytest.raises(AttributeError):
            setattr(Transfer.booked(LINE, NUMBERS), name, 1)
