"""Seals of the ledger: whose key signs them, and the tick that makes them.

The signing key is derived from the current master key for this purpose alone, so it never stands in the database. Who
checks a seal needs only its public key. A key that has left the ring keeps its public half in a setting: what it has
signed must stay checkable for as long as the books are kept.
"""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from bot.errors import Misconfigured
from bot.keys import Keyring, Purpose, keyring_from
from bot.settings import Settings, variable
from ledger import seals
from ledger.clock import Clock
from ledger.database import Database

PUBLIC_KEY_HEX_DIGITS = 64


def signing_key(keyring: Keyring, key_id: str | None = None) -> Ed25519PrivateKey:
    """The key that signs seals, of the current master key or an older one."""
    return Ed25519PrivateKey.from_private_bytes(keyring.derive(Purpose.SEAL_SIGNING, key_id))


def public_keys(settings: Settings) -> tuple[Ed25519PublicKey, ...]:
    """Every key a seal of this book may be signed with: those of the ring, the current one first, and retired ones.

    Raises `Misconfigured`.
    """
    keyring = keyring_from(settings)
    ours = [signing_key(keyring, key_id).public_key() for key_id in keyring.ids]
    retired = [entry for entry in settings.retired_seal_keys.replace(",", " ").split() if entry]
    return (*ours, *(public_key_of(entry, setting=variable("retired_seal_keys")) for entry in retired))


def public_key_of(text: str, *, setting: str) -> Ed25519PublicKey:
    """A public key from its 64 hex digits. Raises `Misconfigured` naming what they were given for."""
    try:
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(text.strip()))
    except ValueError:
        raise Misconfigured(
            setting,
            f"{text[:20]!r} is no public key.",
            example=f"the {PUBLIC_KEY_HEX_DIGITS} hex digits that `smoney keys public` prints",
        ) from None


def seal(database: Database, settings: Settings, clock: Clock) -> tuple[seals.Seal, ...]:
    """Seals every transfer that is old enough and not sealed yet; often none. Posting never waits for it."""
    return seals.seal(database, key=signing_key(keyring_from(settings)), clock=clock)
