"""What may be paid: each limit exactly at its edge; and the file that changes them."""

from dataclasses import fields, replace
from pathlib import Path

import pytest

from bot.errors import Misconfigured
from bot.limits_file import limits_of
from bot.payments.limits import (
    Amounts,
    Caps,
    Limits,
    OverDayLimit,
    OverMonthLimit,
    OverPaymentLimit,
    Spent,
    TooManyPayments,
    check_amount,
)
from bot.people.tiers import Tier
from bot.settings import Settings
from ledger.money import EUR, Money

IDENTIFIED = Limits().of(Tier.IDENTIFIED, factor_active=True)
DOCS = Path(__file__).parents[3] / "docs" / "limits.md"


def to_people(minor: int) -> Amounts:
    return Amounts(minor, 0, EUR)


def to_business(minor: int) -> Amounts:
    return Amounts(0, minor, EUR)


class TestOnePayment:
    def test_may_be_exactly_the_limit_and_not_a_cent_more(self):
        check_amount(to_people(250_00), IDENTIFIED, Spent())
        with pytest.raises(OverPaymentLimit) as refused:
            check_amount(to_people(250_01), IDENTIFIED, Spent())
        assert refused.value.parameters["limit"] == Money(250_00, EUR)

    def test_to_a_merchant_or_association_may_be_twice_that(self):
        check_amount(to_business(500_00), IDENTIFIED, Spent())
        with pytest.raises(OverPaymentLimit) as refused:
            check_amount(to_business(500_01), IDENTIFIED, Spent())
        assert refused.value.parameters["limit"] == Money(500_00, EUR)

    def test_to_both_gives_people_no_more_than_theirs(self):
        check_amount(Amounts(250_00, 250_00, EUR), IDENTIFIED, Spent())
        with pytest.raises(OverPaymentLimit):
            check_amount(Amounts(250_01, 1, EUR), IDENTIFIED, Spent())
        with pytest.raises(OverPaymentLimit):
            check_amount(Amounts(250_00, 250_01, EUR), IDENTIFIED, Spent())


class TestADayAndAMonth:
    def test_allow_exactly_what_is_left(self):
        check_amount(to_people(1_00), IDENTIFIED, Spent(499_00, 499_00, 1))
        with pytest.raises(OverDayLimit) as refused:
            check_amount(to_people(1_01), IDENTIFIED, Spent(499_00, 499_00, 1))
        assert refused.value.parameters["left"] == Money(1_00, EUR)

    def test_leave_nothing_where_more_was_spent_than_is_allowed_now(self):
        with pytest.raises(OverDayLimit) as refused:
            check_amount(to_people(1), IDENTIFIED, Spent(600_00, 600_00, 1))
        assert refused.value.parameters["left"] == Money(0, EUR)

    def test_a_month_is_counted_apart(self):
        check_amount(to_people(1_00), IDENTIFIED, Spent(0, 1999_00, 0))
        with pytest.raises(OverMonthLimit):
            check_amount(to_people(1_01), IDENTIFIED, Spent(0, 1999_00, 0))

    def test_payments_are_counted(self):
        check_amount(to_people(1), IDENTIFIED, Spent(0, 0, 49))
        with pytest.raises(TooManyPayments):
            check_amount(to_people(1), IDENTIFIED, Spent(0, 0, 50))


class TestTheLowerOfTierAndFactor:
    def test_without_a_factor_nobody_pays_more_than_the_allowance(self):
        for tier in Tier:
            caps = Limits().of(tier, factor_active=False)
            assert (caps.per_payment_minor, caps.to_business_minor, caps.per_day_minor) == (
                30_00,
                30_00,
                100_00,
            )

    def test_with_one_the_tier_counts(self):
        assert Limits().of(Tier.NEW, factor_active=True).per_payment_minor == 50_00
        assert Limits().of(Tier.IDENTIFIED, factor_active=True).per_payment_minor == 250_00

    def test_a_stricter_tier_stays_stricter(self):
        strict = Limits(without_factor=Caps(per_payment_minor=10**6))
        assert strict.of(Tier.NEW, factor_active=False).per_payment_minor == 50_00

    def test_is_taken_in_each_amount_by_itself(self):
        low, high = Caps(*range(1, 8)), Caps(*range(7, 0, -1))
        assert low.lower(high) == Caps(1, 2, 3, 4, 3, 2, 1)


def load(tmp_path: Path, text: str) -> Limits:
    file = tmp_path / "limits.toml"
    file.write_text(text, encoding="utf-8")
    return limits_of(Settings.model_construct(limits_file=file))


class TestTheFile:
    def test_absent_leaves_what_is_built_in(self):
        assert limits_of(Settings.model_construct()) == Limits()

    def test_shown_in_the_documentation_is_what_is_built_in(self, tmp_path):
        text = DOCS.read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
        assert load(tmp_path, text) == Limits()
        for tier in Tier:
            for each in fields(Caps):
                assert each.name in text.split(f"[{tier}]")[1].split("\n[")[0]

    def test_changes_what_it_names_and_no_more(self, tmp_path):
        changed = load(tmp_path, "[new]\nper_payment_minor = 100\n[second_factor]\nper_day_minor = 5000000\n")
        assert changed.tiers[Tier.NEW] == replace(Limits().tiers[Tier.NEW], per_payment_minor=100)
        assert changed.tiers[Tier.IDENTIFIED] == Limits().tiers[Tier.IDENTIFIED]
        assert changed.with_factor == Caps(per_day_minor=5_000_000)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("[identifed]\nper_payment_minor = 1\n", "identifed"),
            ("new = 3\n", "none of the tables"),
            ("[new]\nper_payment = 1\n", "per_payment in [new]"),
            ("[new]\nper_payment_minor = '1'\n", "not a whole number"),
            ("[new]\nper_payment_minor = 1.5\n", "not a whole number"),
            ("[new]\nper_payment_minor = true\n", "not a whole number"),
            ("[new]\nper_payment_minor = -1\n", "not a whole number"),
            ("[new]\nper_payment_minor = 10001\n", "more at once than in a day"),
            ("[new\n", "is not TOML"),
        ],
    )
    def test_that_is_wrong_is_one_sentence(self, tmp_path, text, said):
        with pytest.raises(Misconfigured) as wrong:
            load(tmp_path, text)
        assert "SMONEY_LIMITS_FILE" in str(wrong.value)
        assert said in str(wrong.value)
        assert "\n" not in str(wrong.value)

    def test_that_is_not_there_is_one_sentence(self, tmp_path):
        with pytest.raises(Misconfigured, match="cannot be read"):
            limits_of(Settings.model_construct(limits_file=tmp_path / "none.toml"))
