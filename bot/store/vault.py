"""Personal texts and secrets, encrypted before they reach a row (AES-256-GCM).

A value is bound to its table, row and column: moved to another place it does not open. The id of its key stands inside
it, so that keys can be changed while old values still open. A value that does not open is one unreadable row, never a
wrong text. Nothing here says what was in a value, or which key it was.
"""

import hmac
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bot.encoding import encode
from bot.errors import UnreadableRow
from bot.keys import Keyring, Purpose, UnknownKey
from ledger.clock import Entropy

VERSION = 1
NONCE_BYTES = 12


class Vault:
    """Seals texts into bytes for a column, and opens them again.

    A sealed value is: version (1 byte), length of the key id (1 byte), key id, nonce (12 bytes), ciphertext and tag.
    """

    def __init__(self, keyring: Keyring, entropy: Entropy) -> None:
        self._keyring = keyring
        self._entropy = entropy

    def seal(self, text: str, *, table: str, row_id: int | str, column: str) -> bytes:
        """The text as a value for this place, under the current key."""
        key_id = self._keyring.current_id
        nonce = self._entropy(NONCE_BYTES)
        place = encode("smoney vault", VERSION, key_id, table, str(row_id), column)
        # A lone surrogate is no text UTF-8 knows; it is kept rather than refused.
        sealed = self._cipher(key_id).encrypt(nonce, text.encode("utf-8", "surrogatepass"), place)
        return self.prefix + nonce + sealed

    def open(self, value: bytes, *, table: str, row_id: int | str, column: str) -> str:
        """The text of a value found in this place, or `UnreadableRow`."""
        where = f"{table} {row_id}, {column}"
        try:
            key_id, nonce, sealed = _parts(value)
            place = encode("smoney vault", VERSION, key_id, table, str(row_id), column)
            return self._cipher(key_id).decrypt(nonce, sealed, place).decode("utf-8", "surrogatepass")
        except UnknownKey as error:
            raise UnreadableRow(f"{where}: it was sealed with a key that is not among ours") from error
        except (InvalidTag, ValueError, IndexError) as error:
            raise UnreadableRow(
                f"{where}: it does not open; changed, moved, or another key of this id"
            ) from error

    @property
    def prefix(self) -> bytes:
        """How every value under the current key begins."""
        key_id = self._keyring.current_id
        return bytes([VERSION, len(key_id)]) + key_id.encode()

    def key_id(self, value: bytes) -> str:
        """Which key a value was sealed with, for those who seal it anew under the current one."""
        try:
            return _parts(value)[0]
        except (ValueError, IndexError) as error:
            raise UnreadableRow("a sealed value without a key id") from error

    def blind_index(self, text: str, purpose: str, *, key_id: str | None = None) -> bytes:
        """32 bytes by which a row with this text can be found without keeping the text; equal only for equal purposes.

        It depends on the key: look for a text under each of `blind_indexes`.
        """
        key = self._keyring.derive(Purpose.BLIND_INDEX, key_id)
        return hmac.digest(key, encode(purpose, text.encode("utf-8", "surrogatepass")), sha256)

    def blind_indexes(self, text: str, purpose: str) -> tuple[bytes, ...]:
        """The index under every key there is, the current one first."""
        return tuple(self.blind_index(text, purpose, key_id=key_id) for key_id in self._keyring.ids)

    def _cipher(self, key_id: str) -> AESGCM:
        return AESGCM(self._keyring.derive(Purpose.COLUMN_ENCRYPTION, key_id))


def _parts(value: bytes) -> tuple[str, bytes, bytes]:
    if value[0] != VERSION:
        raise ValueError
    end = 2 + value[1]
    return value[2:end].decode("ascii"), value[end : end + NONCE_BYTES], value[end + NONCE_BYTES :]
