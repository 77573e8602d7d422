"""Master keys: what is refused, what is derived, and that nothing shows."""

import os
from base64 import b64encode

import pytest
from pydantic import SecretStr

from bot.errors import Misconfigured
from bot.keys import Keyring, Purpose, UnknownKey, generate, keyring_from
from bot.settings import Settings

OLD, NEW = bytes(range(32)), bytes(range(100, 132))


def entry(key_id: str, key: bytes) -> str:
    return f"{key_id}:{b64encode(key).decode()}"


BOTH = f"{entry('new', NEW)},{entry('old', OLD)}"


class TestKeyring:
    def test_holds_several_keys_the_first_of_them_current(self):
        ring = Keyring(BOTH)
        assert ring.ids == ("new", "old")
        assert ring.current_id == "new"
        assert ring.derive(Purpose.CHALLENGE_CODE) == ring.derive(Purpose.CHALLENGE_CODE, "new")

    def test_derives_another_key_for_every_purpose_and_every_master(self):
        ring = Keyring(BOTH)
        derived = {ring.derive(purpose, key_id) for purpose in Purpose for key_id in ring.ids}
        assert len(derived) == 2 * len(Purpose)
        assert all(len(key) == 32 for key in derived)
        assert not derived & {OLD, NEW}

    def test_derives_the_same_for_ever(self):
        """What was made with a key must verify after every upgrade: a change here orphans stored data."""
        assert (
            Keyring(entry("old", OLD)).derive(Purpose.CHALLENGE_CODE).hex()
            == "6024e3709efa1e5bacebf1f1567bee8d21d727b29202742d1f5a7e84011c1fcb"
        )
        assert (
            Keyring(entry("old", OLD)).derive(Purpose.COLUMN_ENCRYPTION).hex()
            == "97dd85d9a7244cc041544c9c1432735a6a7606c94ecd42d5098b190a4c387aaa"
        )

    def test_derives_the_same_under_another_id_or_in_another_order(self):
        assert Keyring(entry("other", OLD)).derive(Purpose.BLIND_INDEX) == Keyring(BOTH).derive(
            Purpose.BLIND_INDEX, "old"
        )

    def test_has_no_key_for_an_unknown_id(self):
        with pytest.raises(UnknownKey):
            Keyring(BOTH).derive(Purpose.CHALLENGE_CODE, "older")

    def test_tells_two_keys_of_one_id_apart_by_fingerprint(self):
        assert Keyring(entry("a", OLD)).fingerprint() != Keyring(entry("a", NEW)).fingerprint()
        assert Keyring(BOTH).fingerprint("old") == Keyring(entry("old", OLD)).fingerprint()

    def test_reads_one_key_a_line_with_comments(self):
        assert Keyring(f"# ours\n{entry('new', NEW)}  # since May\n\n{entry('old', OLD)}\n").ids == (
            "new",
            "old",
        )

    def test_shows_ids_only(self):
        ring = Keyring(BOTH)
        assert repr(ring) == str(ring) == "Keyring(new, old)"


class TestABadKey:
    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("", "holds no key"),
            (" , \n# nothing", "holds no key"),
            ("c2VjcmV0", "has an entry that is not ID:BASE64"),
            (entry("Not An Id", OLD), "has an entry that is not ID:BASE64"),
            (entry("seventeen-letters", OLD), "has an entry that is not ID:BASE64"),
            ("a:*not base64*", "the key a is not base64"),
            ("a:" + b64encode(OLD).decode()[:-1], "the key a is not base64"),
            ("a:é", "the key a is not base64"),
            (entry("a", OLD[:31]), "the key a has 31 bytes, not 32"),
            (entry("a", OLD + b"x"), "the key a has 33 bytes, not 32"),
            ("a:", "the key a has 0 bytes, not 32"),
            (entry("a", bytes(32)), "the key a is not random"),
            (f"{entry('a', OLD)},{entry('a', NEW)}", "the key a is there twice"),
            (f"{entry('a', OLD)},{entry('b', OLD)}", "the key b is there twice"),
        ],
    )
    def test_is_named_with_what_is_wrong(self, text, problem):
        with pytest.raises(Misconfigured) as caught:
            Keyring(text)
        assert str(caught.value).startswith(f"SMONEY_KEYS: {problem}")
        assert "A right one: SMONEY_KEYS=" in str(caught.value)
        assert caught.value.__context__ is None

    def test_is_not_shown(self):
        with pytest.raises(Misconfigured) as caught:
            Keyring("a:hunter2hunter2")
        assert "hunter2" not in str(caught.value)


class TestKeyringFromSettings:
    def test_takes_the_keys_of_the_settings(self):
        assert keyring_from(Settings(keys=SecretStr(BOTH))).ids == ("new", "old")

    def test_takes_the_keys_of_a_file(self, tmp_path):
        file = tmp_path / "keys"
        file.write_text(entry("filed", OLD))
        assert keyring_from(Settings(keys_file=file)).ids == ("filed",)

    def test_says_when_there_are_none(self):
        with pytest.raises(Misconfigured, match="SMONEY_KEYS: is needed here and not set"):
            keyring_from(Settings())

    @pytest.mark.parametrize("content", [None, b"\xff\xff", b"a:short"])
    def test_names_the_file_setting_when_the_file_is_wrong(self, tmp_path, content):
        file = tmp_path / "keys"
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(Misconfigured, match=r"^SMONEY_KEYS_FILE: "):
            keyring_from(Settings(keys_file=file))


class TestGenerate:
    def test_makes_a_key_that_is_accepted(self):
        assert Keyring(generate(os.urandom)).current_id.startswith("k-")

    def test_makes_another_each_time(self):
        assert len(Keyring(f"{generate(os.urandom)},{generate(os.urandom)}").ids) == 2
