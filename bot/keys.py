"""The master keys, and the keys for one purpose each that are derived from them.

There may be several, each with an id: the first is current, the others still verify and open what was made with them.
No two purposes share a key, so what one room does can never help against another. Keys come from the settings or a
file, never from the database, and no key is ever shown: a keyring shows its ids.
"""

import re
from base64 import b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Iterable
from enum import Enum
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bot.errors import Misconfigured
from bot.settings import Settings, variable
from ledger.clock import Entropy

KEY_BYTES = 32
EXAMPLE = "SMONEY_KEYS=the line printed by `smoney keys generate`"
_ID = re.compile(r"[a-z0-9-]{1,16}")
_SALT = b"smoney master key"


class Purpose(Enum):
    """What a derived key is for. A value is part of the derivation: to change one is to change the keys."""

    CHALLENGE_CODE = b"challenge code 1"
    COLUMN_ENCRYPTION = b"column encryption 1"
    AUTHORISATION_MAC = b"authorisation mac 1"
    BLIND_INDEX = b"blind index 1"
    FINGERPRINT = b"fingerprint 1"
    SEAL_SIGNING = b"seal signing 1"
    PAGE_FORM = b"page form 1"
    ADMIN_BROWSER = b"admin browser 1"
    BACKUP_MAC = b"backup mac 1"
    ALARM_WEBHOOK = b"alarm webhook 1"


class UnknownKey(KeyError):
    """There is no key with this id on the ring."""


class Keyring:
    """Master keys by id, the current one first."""

    def __init__(self, text: str, *, setting: str = "SMONEY_KEYS") -> None:
        """Reads `id:base64,id:base64`, or one key a line; raises `Misconfigured` naming `setting`."""
        self._keys: dict[str, bytes] = {}
        self._derived: dict[tuple[Purpose, str], bytes] = {}
        for entry in _entries(text):
            key_id, key = _read(entry, setting)
            if key_id in self._keys or key in self._keys.values():
                raise Misconfigured(setting, f"the key {key_id} is there twice.", example=EXAMPLE)
            self._keys[key_id] = key
        if not self._keys:
            raise Misconfigured(setting, "holds no key.", example=EXAMPLE)

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(self._keys)

    @property
    def current_id(self) -> str:
        return self.ids[0]

    def derive(self, purpose: Purpose, key_id: str | None = None) -> bytes:
        """32 bytes for this purpose alone, from the current key or an older one; raises `UnknownKey`."""
        wanted = (purpose, self.current_id if key_id is None else key_id)
        if wanted not in self._derived:
            if wanted[1] not in self._keys:
                raise UnknownKey(key_id)
            hkdf = HKDF(algorithm=SHA256(), length=32, salt=_SALT, info=purpose.value)
            self._derived[wanted] = hkdf.derive(self._keys[wanted[1]])
        return self._derived[wanted]

    def fingerprint(self, key_id: str | None = None) -> str:
        """16 hex digits that tell one key from another of the same id, and tell nothing about the key."""
        return self.derive(Purpose.FINGERPRINT, key_id)[:8].hex()

    def __repr__(self) -> str:
        return f"Keyring({', '.join(self.ids)})"


def keyring_from(settings: Settings) -> Keyring:
    """The keys the settings name, or `Misconfigured` saying which of the two settings to mend."""
    if settings.keys_file is not None:
        return Keyring(_text_of(settings.keys_file), setting=variable("keys_file"))
    return Keyring(settings.required("keys"))


def generate(entropy: Entropy) -> str:
    """A good new key as text, with an id of its own: `k-3f9a81c2:...`."""
    key = urlsafe_b64encode(entropy(KEY_BYTES)).decode()
    return f"k-{entropy(4).hex()}:{key}"


def _entries(text: str) -> Iterable[str]:
    lines = (line.partition("#")[0] for line in text.splitlines())
    return (entry.strip() for line in lines for entry in line.split(",") if entry.strip())


def _read(entry: str, setting: str) -> tuple[str, bytes]:
    key_id, colon, encoded = entry.partition(":")
    if not colon or not _ID.fullmatch(key_id):
        raise Misconfigured(
            setting, "has an entry that is not ID:BASE64 (an id is a-z, 0-9, -).", example=EXAMPLE
        )
    key = _decoded(encoded)
    if key is None:
        raise Misconfigured(setting, f"the key {key_id} is not base64.", example=EXAMPLE)
    if len(key) != KEY_BYTES:
        raise Misconfigured(
            setting, f"the key {key_id} has {len(key)} bytes, not {KEY_BYTES}.", example=EXAMPLE
        )
    if len(set(key)) < KEY_BYTES // 4:
        raise Misconfigured(setting, f"the key {key_id} is not random.", example=EXAMPLE)
    return key_id, key


def _decoded(encoded: str) -> bytes | None:
    try:
        return b64decode(encoded.translate(str.maketrans("-_", "+/")), validate=True)
    except (NotBase64, ValueError):
        return None


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problem = f"{file} cannot be read ({type(error).__name__})."
    raise Misconfigured(variable("keys_file"), problem, example=f"{variable('keys_file')}=/etc/smoney/keys")
