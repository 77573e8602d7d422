"""The vault: what is sealed opens only in its own place, unchanged, with its own key."""

import os
from base64 import b64encode
from typing import Any

import pytest

from bot.errors import UnreadableRow
from bot.keys import Keyring
from bot.store.vault import Vault

OLD = "old:" + b64encode(bytes(range(32))).decode()
NEW = "new:" + b64encode(bytes(range(100, 132))).decode()
PLACE: dict[str, Any] = {"table": "members", "row_id": 7, "column": "name"}


def vault(keys: str = OLD) -> Vault:
    return Vault(Keyring(keys), os.urandom)


class TestVault:
    @pytest.mark.parametrize("text", ["", "Zoë 🐘", "\x00\u202e", "a lone \ud800 surrogate", "x" * 25_000])
    def test_opens_what_it_sealed(self, text):
        assert vault().open(vault().seal(text, **PLACE), **PLACE) == text

    def test_never_shows_the_text_in_the_value(self):
        assert b"Alice" not in vault().seal("Alice", **PLACE)

    def test_seals_the_same_text_differently_each_time(self):
        assert vault().seal("Alice", **PLACE) != vault().seal("Alice", **PLACE)

    @pytest.mark.parametrize(
        "other",
        [{"table": "posts"}, {"row_id": 8}, {"column": "note"}, {"table": "member", "column": "sname"}],
    )
    def test_does_not_open_a_value_in_another_place(self, other):
        value = vault().seal("Alice", **PLACE)
        with pytest.raises(UnreadableRow, match="does not open"):
            vault().open(value, **(PLACE | other))

    def test_does_not_open_a_value_with_any_bit_changed(self):
        value = vault().seal("Al", **PLACE)
        for position in range(len(value) * 8):
            changed = bytearray(value)
            changed[position // 8] ^= 1 << position % 8
            with pytest.raises(UnreadableRow):
                vault().open(bytes(changed), **PLACE)

    def test_does_not_open_a_value_that_was_cut(self):
        value = vault().seal("Al", **PLACE)
        for length in range(len(value)):
            with pytest.raises(UnreadableRow):
                vault().open(value[:length], **PLACE)

    def test_still_opens_what_a_retired_key_sealed(self):
        value = vault(OLD).seal("Alice", **PLACE)
        rotated = vault(f"{NEW},{OLD}")
        assert rotated.open(value, **PLACE) == "Alice"
        assert rotated.key_id(value) == "old"
        assert rotated.key_id(rotated.seal("Alice", **PLACE)) == "new"

    def test_says_when_the_key_is_gone(self):
        with pytest.raises(
            UnreadableRow, match="members 7, name: it was sealed with a key that is not among ours"
        ):
            vault(NEW).open(vault(OLD).seal("Alice", **PLACE), **PLACE)

    def test_does_not_open_with_another_key_of_the_same_id(self):
        with pytest.raises(UnreadableRow):
            vault(NEW.replace("new", "old")).open(vault(OLD).seal("Alice", **PLACE), **PLACE)

    @pytest.mark.parametrize("value", [b"", b"\x01", b"\x01\xff", b"\x02\x03old", b"nonsense"])
    def test_reports_bytes_that_were_never_sealed(self, value):
        with pytest.raises(UnreadableRow):
            vault().open(value, **PLACE)

    @pytest.mark.parametrize("value", [b"", b"\x01", b"\x02\x03old"])
    def test_knows_no_key_of_bytes_that_were_never_sealed(self, value):
        with pytest.raises(UnreadableRow):
            vault().key_id(value)

    def test_opens_values_of_today_for_ever(self):
        """A change of the form orphans what is stored: it needs a new version, not a new expectation here."""
        value = bytes.fromhex("01036f6c64000102030405060708090a0bdbc892aadaf3b565d4dc0c636232085fe7a2b0064f")
        assert vault(OLD).open(value, **PLACE) == "Alice"


class TestBlindIndex:
    def test_is_equal_for_equal_texts_of_one_purpose(self):
        assert vault().blind_index("FR76", "iban") == vault().blind_index("FR76", "iban")

    def test_differs_by_text_purpose_and_key(self):
        found = {
            vault(keys).blind_index(text, purpose) for keys in (OLD, NEW) for text in "ab" for purpose in "xy"
        }
        assert len(found) == 8

    def test_does_not_let_text_run_into_purpose(self):
        assert vault().blind_index("bc", "a") != vault().blind_index("c", "ab")

    def test_is_found_under_each_key(self):
        assert vault(OLD).blind_index("FR76", "iban") in vault(f"{NEW},{OLD}").blind_indexes("FR76", "iban")
