"""The second factor's arithmetic, held to RFC 6238 and to what it promises about codes seen twice."""

import os
from base64 import b32encode
from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from bot.people.locking import Locking
from bot.people.one_time_codes import (
    RECOVERY_CODES,
    digits_of,
    enrolment_uri,
    matching_step,
    new_recovery_codes,
    new_secret,
    recovery_code_of,
    recovery_hash,
)

RFC_SECRET = b32encode(b"12345678901234567890").decode()
RFC_CODES = [  # RFC 6238 appendix B, SHA-1, the last six of its eight digits
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
    (20000000000, "353130"),
]
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def code_at(secret: str, at: datetime) -> str:
    return pyotp.TOTP(secret).at(at)


class TestMatchingStep:
    @pytest.mark.parametrize(("seconds", "code"), RFC_CODES)
    def test_knows_the_codes_of_the_standard(self, seconds, code):
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
        assert matching_step(RFC_SECRET, code, at, after=None) == seconds // 30

    @pytest.mark.parametrize(
        ("off_by", "taken"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)]
    )
    def test_allows_a_clock_one_step_off_either_way(self, off_by, taken):
        secret = new_secret(os.urandom)
        code = code_at(secret, NOON + timedelta(seconds=off_by))
        assert (matching_step(secret, code, NOON, after=None) is not None) is taken

    def test_takes_no_step_twice_and_none_before_it(self):
        secret = new_secret(os.urandom)
        step = matching_step(secret, code_at(secret, NOON), NOON, after=None)
        earlier = code_at(secret, NOON - timedelta(seconds=30))
        assert matching_step(secret, code_at(secret, NOON), NOON, after=step) is None
        assert matching_step(secret, earlier, NOON, after=step) is None

    @pytest.mark.parametrize("text", ["482913", "482 913", "482-913", " 482913 "])
    def test_reads_six_digits_as_people_type_them(self, text):
        assert digits_of(text) == "482913"

    @pytest.mark.parametrize("text", ["", "48291", "4829133", "K 482913", "٤٨٢٩١٣", "482 913 1", "yes"])
    def test_reads_nothing_else(self, text):
        assert digits_of(text) is None

    def test_the_address_for_an_app_names_its_issuer_and_account(self):
        uri = enrolment_uri(RFC_SECRET, account="@alice", issuer="smoney")
        parsed = pyotp.parse_uri(uri)
        assert (parsed.secret, parsed.name, parsed.issuer) == (RFC_SECRET, "@alice", "smoney")


class TestRecoveryCodes:
    def test_are_ten_different_ones(self):
        assert len(set(new_recovery_codes(os.urandom))) == RECOVERY_CODES

    def test_are_read_as_they_are_typed(self):
        code = new_recovery_codes(os.urandom)[0]
        assert recovery_code_of(code.lower().replace("-", " ")) == code.replace("-", "")

    @pytest.mark.parametrize("text", ["482913", "", "7K3F-9Q2M-XW4", "7K3F-9Q2M-XW4O"])
    def test_nothing_else_is_one(self, text):
        assert recovery_code_of(text) is None

    def test_the_same_code_under_another_secret_has_another_hash(self):
        code = new_recovery_codes(os.urandom)[0]
        one, other = new_secret(os.urandom), new_secret(os.urandom)
        assert recovery_hash(one, code) == recovery_hash(one, code.lower())
        assert recovery_hash(one, code) != recovery_hash(other, code)


class TestLocking:
    def test_doubles_up_to_the_longest(self):
        locking = Locking(5, timedelta(minutes=15), timedelta(days=1))
        minutes = [locking.lasts(locks) // timedelta(minutes=1) for locks in range(9)]
        assert minutes == [15, 30, 60, 120, 240, 480, 960, 1440, 1440]
        assert locking.lasts(10**9) == timedelta(days=1)
