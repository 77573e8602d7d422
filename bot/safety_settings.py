"""Settings of the guards of a payment: limits, wrong answers, exemptions from a code, the undo window, reviews."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field
from pydantic_settings import BaseSettings


def setting(default: Any, description: str, *, unit: str, example: str = "", **bounds: Any) -> Any:
    """One setting. `example` is a right value, needed where the default is not one."""
    return Field(
        default,
        description=description,
        json_schema_extra={"unit": unit, "example": example},
        validate_default=False,
        **bounds,
    )


class SafetySettings(BaseSettings):
    """What may be paid, and how much must be shown for it."""

    # How much
    limits_file: Path | None = setting(
        None,
        "a TOML file with the limits of each tier, where the built-in ones do not fit; see docs/limits.md",
        unit="path",
        example="/etc/smoney/limits.toml",
    )
    allowance_per_payment_minor: int = setting(
        3000,
        "the most one payment can move without a code of an active second factor (3000 is 30.00 €)",
        unit="minor units",
        ge=0,
        le=10**12,
    )
    allowance_per_day_minor: int = setting(
        10_000,
        "the most one person can pay in 24 hours without codes of an active second factor (10000 is 100.00 €)",
        unit="minor units",
        ge=0,
        le=10**12,
    )

    # Wrong answers
    wrong_answers_before_lock: int = setting(
        5, "wrong codes in a row that lock a person", unit="answers", ge=1, le=10
    )
    lock_minutes: int = setting(
        15, "how long the first lock lasts; each further one doubles", unit="minutes", ge=1
    )
    lock_max_minutes: int = setting(1440, "the longest lock", unit="minutes", ge=1)
    wrong_answers_in_30_days: int = setting(
        20,
        "wrong codes in 30 days after which only the second factor or an admin unlocks a person",
        unit="answers",
        ge=1,
        le=10_000,
    )

    # Paying without a code, and taking back
    trusted_payees: bool = setting(
        False, "whether payees that a payer trusts are paid without a code", unit="true or false"
    )
    low_value_payments: bool = setting(
        False, "whether small payments are made without a code", unit="true or false"
    )
    low_value_counter: Literal["amount", "payments"] = setting(
        "amount", "what is counted since the last code: amount or payments", unit="name"
    )
    low_value_most_minor: int = setting(
        3000, "the most one payment without a code can move", unit="minor units", ge=1, le=10**12
    )
    low_value_sum_minor: int = setting(
        10_000,
        "the most payments without a code can move in all since the last code",
        unit="minor units",
        ge=1,
    )
    low_value_payments_in_a_row: int = setting(
        5, "how many payments without a code there may be since the last code", unit="payments", ge=1
    )
    undo_seconds: int = setting(
        0,
        "how long a payer can take back what was just paid; 0 is not at all",
        unit="seconds",
        ge=0,
        le=7 * 86_400,
    )

    # Payments somebody is to look at first; 0 is never
    review_new_payees: int = setting(
        10,
        "payees paid for the first time in 24 hours from which on a payment is reviewed",
        unit="payees",
        ge=0,
    )
    review_refusals: int = setting(
        10, "refused orders in 24 hours from which on a payment is reviewed", unit="orders", ge=0
    )
    review_reissued_handles: bool = setting(
        True,
        "whether the first payment to an account is reviewed whose handle was another account when its payer last paid it",
        unit="true or false",
    )
    review_changed_handles: bool = setting(
        True,
        "whether a payer's first payment to an account is reviewed after it changed its handle, while payers are told",
        unit="true or false",
    )
    handle_change_days: int = setting(
        30,
        "how long payers are told that a payee's account has changed its handle; 0 is not at all",
        unit="days",
        ge=0,
        le=365,
    )
    review_days: int = setting(
        7, "how long a payment waits for its review before it goes back", unit="days", ge=1, le=90
    )

    # Money moved by admins
    bank_account: str = setting(
        "",
        "the safeguarding account's IBAN: statements of another one are refused; empty takes any",
        unit="text",
        example="DE89370400440532013000",
    )
    refund_alone_minor: int = setting(
        5000,
        "the most one admin gives back alone; more takes a second one (5000 is 50.00 €)",
        unit="minor units",
        ge=0,
        le=10**12,
    )
