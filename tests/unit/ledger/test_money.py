"""Money is whole minor units of one currency."""

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ledger
from ledger.errors import AmountOutOfRange, CurrencyMismatch, Invalid
from ledger.money import (
    _EXPONENT_0,
    _EXPONENT_2,
    _EXPONENT_3,
    _EXPONENT_4,
    EUR,
    ISO_EXPONENTS,
    MAX_MINOR,
    Currency,
    Money,
    currency_of,
    decimal_text,
)

amounts = st.integers(-MAX_MINOR, MAX_MINOR)
shares = st.lists(st.integers(0, 10**6), min_size=1, max_size=40).filter(any)
YEN = currency_of("JPY")


class TestCurrency:
    @pytest.mark.parametrize(
        ("code", "exponent"), [("EUR", 2), ("JPY", 0), ("BHD", 3), ("CLF", 4), ("MRU", 2)]
    )
    def test_knows_the_digits_of_iso_4217(self, code, exponent):
        assert currency_of(code) == Currency(code, exponent)

    def test_of_the_operators_own_is_made_with_its_digits(self):
        assert Currency("DROP", 0).exponent == 0
        assert Currency("DROP", 8).exponent == 8

    def test_no_code_stands_twice_in_the_table(self):
        table = f"{_EXPONENT_0} {_EXPONENT_2} {_EXPONENT_3} {_EXPONENT_4}".split()
        assert len(set(table)) == len(table) == len(ISO_EXPONENTS)

    @pytest.mark.parametrize(
        ("code", "exponent"),
        [("EUR", 3), ("eur", 2), ("E", 2), ("", 2), ("DROP", 9), ("DROP", -1), ("A" * 13, 0)],
    )
    def test_that_could_not_be_right_is_refused(self, code, exponent):
        with pytest.raises(Invalid):
            Currency(code, exponent)

    @pytest.mark.parametrize("code", ["XXX", "DROP", "eur", ""])
    def test_is_not_guessed(self, code):
        with pytest.raises(Invalid):
            currency_of(code)

    @pytest.mark.parametrize("exponent", [True, "2", 2.0])
    def test_digits_are_a_whole_number(self, exponent):
        with pytest.raises(Invalid):
            Currency("DROP", exponent)


class TestMoney:
    def test_adds_and_subtracts(self):
        assert Money(150, EUR) + Money(50, EUR) == Money(200, EUR)
        assert Money(50, EUR) - Money(150, EUR) == Money(-100, EUR)
        assert -Money(50, EUR) == Money(-50, EUR)

    @pytest.mark.parametrize("operation", ["__add__", "__sub__", "__lt__", "__le__", "__gt__", "__ge__"])
    def test_refuses_to_mix_currencies(self, operation):
        with pytest.raises(CurrencyMismatch, match="EUR/2 and JPY/0"):
            getattr(Money(1, EUR), operation)(Money(1, YEN))

    def test_of_two_currencies_is_never_equal(self):
        assert Money(1, EUR) != Money(1, YEN)

    def test_is_ordered_within_a_currency(self):
        one, two = Money(1, EUR), Money(2, EUR)
        assert one < two
        assert one <= two
        assert two > one
        assert two >= one
        assert one <= Money(1, EUR)
        assert one >= Money(1, EUR)
        assert not one < Money(1, EUR)
        assert not one > Money(1, EUR)

    def test_is_true_unless_nothing(self):
        assert Money(-1, EUR)
        assert not Money(0, EUR)

    @pytest.mark.parametrize("amount", [MAX_MINOR + 1, -MAX_MINOR - 1])
    def test_stays_within_its_bound(self, amount):
        with pytest.raises(AmountOutOfRange):
            Money(amount, EUR)

    def test_at_its_bound_is_fine(self):
        assert MAX_MINOR == 10**15
        assert Money(MAX_MINOR, EUR) > Money(-MAX_MINOR, EUR)

    @pytest.mark.parametrize("amount", [1.0, "1", True, None])
    def test_is_whole_minor_units_and_nothing_else(self, amount):
        with pytest.raises(Invalid):
            Money(amount, EUR)

    @pytest.mark.parametrize(
        ("money", "text"),
        [
            (Money(1250, EUR), "12.50 EUR"),
            (Money(-5, EUR), "-0.05 EUR"),
            (Money(7, YEN), "7 JPY"),
            (Money(-7, YEN), "-7 JPY"),
            (Money(5, currency_of("BHD")), "0.005 BHD"),
            (Money(0, EUR), "0.00 EUR"),
        ],
    )
    def test_reads_as_a_plain_decimal(self, money, text):
        assert str(money) == text

    @given(amounts, st.integers(0, 8))
    def test_text_has_all_its_digits(self, amount, exponent):
        assert int(decimal_text(amount, exponent).replace(".", "")) == amount


class TestSplit:
    def test_gives_what_does_not_divide_to_the_largest_remainders(self):
        assert [part.amount_minor for part in Money(100, EUR).split([1, 1, 1])] == [34, 33, 33]
        assert [part.amount_minor for part in Money(7, EUR).split([3, 2, 1])] == [4, 2, 1]
        assert [part.amount_minor for part in Money(10, EUR).split([1, 5, 1])] == [2, 7, 1]
        assert [part.amount_minor for part in Money(-100, EUR).split([1, 1, 1])] == [-34, -33, -33]

    def test_gives_nothing_to_a_share_of_nothing(self):
        assert [part.amount_minor for part in Money(5, EUR).split([0, 1, 0])] == [0, 5, 0]

    @pytest.mark.parametrize("shares", [[], [0], [0, 0], [2, -1], [-1]])
    def test_refuses_shares_that_make_no_sense(self, shares):
        with pytest.raises(Invalid):
            Money(1, EUR).split(shares)

    @given(amounts, shares)
    def test_parts_always_sum_to_the_whole(self, amount, shares):
        parts = Money(amount, EUR).split(shares)
        assert sum(part.amount_minor for part in parts) == amount

    @given(amounts, shares)
    def test_each_part_is_within_one_unit_of_its_share(self, amount, shares):
        for part, share in zip(Money(amount, EUR).split(shares), shares, strict=True):
            assert abs(part.amount_minor * sum(shares) - amount * share) < sum(shares)


class TestNoFloat:
    def test_stands_anywhere_in_the_ledger_but_in_how_long_to_wait(self):
        """Seconds to wait may be fractions; everything else is whole numbers."""
        for path in Path(ledger.__file__).parent.rglob("*.py"):
            if path.name in {"retries.py", "sqlite.py", "database.py", "postgresql.py"}:
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), path
                assert not (isinstance(node, ast.Name) and node.id in {"float", "Decimal"}), path
                assert not (
                    isinstance(node, ast.BinOp)
                    and isinstance(node.op, ast.Div)
                    and path.name != "__init__.py"
                ), path
