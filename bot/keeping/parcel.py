"""A backup as one file, encrypted to a public key: the machine that makes it cannot open it.

The encryption is age's (X25519, ChaCha20-Poly1305 in pieces of 64 KiB whose order and end are authenticated). Inside
stands one line, the header, and then the content, compressed by gzip. So the private key opens it without this program
too: `age -d -i KEY FILE | tail -n +2 | gunzip`.
"""

import zlib
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import BinaryIO

import pyrage
from pyrage import x25519

from bot.errors import BackupUnusable, Misconfigured

PIECE_BYTES = 1 << 20
MOST_HEADER_BYTES = 1 << 20
FAST = 1
"""Measured on a book: a tenth larger than with the usual 6, in a third of the time."""
_GZIP = 31


def new_key() -> tuple[str, str]:
    """A private key, which opens backups, and its public one, which makes them."""
    identity = x25519.Identity.generate()
    return str(identity), str(identity.to_public())


def recipient_of(text: str, *, setting: str) -> x25519.Recipient:
    """The public key written so. Raises `Misconfigured` naming `setting`."""
    try:
        return x25519.Recipient.from_str(text.strip())
    except pyrage.RecipientError:
        raise Misconfigured(
            setting,
            "is no public key for backups.",
            example="the line with age1... from `smoney keys backup`",
        ) from None


def identity_of(text: str, *, setting: str) -> x25519.Identity:
    """The private key in a key file, comments left out. Raises `Misconfigured` naming `setting`, never the key."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    try:
        return x25519.Identity.from_str(lines[0] if lines else "")
    except pyrage.IdentityError:
        raise Misconfigured(
            setting,
            "holds no private key for backups.",
            example="the file with AGE-SECRET-KEY-1... from `smoney keys backup`",
        ) from None


def pack(header: bytes, content: BinaryIO, out: BinaryIO, recipient: x25519.Recipient) -> None:
    """Writes the parcel. The header is one line. Whatever reading or writing raised comes out as it is."""
    source, sink = _Source(header, content), _Sink(out.write)
    failed: Exception | None = None
    try:
        pyrage.encrypt_io(source, sink, [recipient])
    except Exception as error:  # noqa: BLE001 (raised below, as itself where it was ours)
        failed = error
    if (
        real := source.error or sink.error or failed
    ) is not None:  # pyrage is silent about its very last write
        raise real


def unpack(
    parcel: BinaryIO, out: BinaryIO, identity: x25519.Identity, *, accept: Callable[[bytes], int]
) -> str:
    """Writes the content to `out` and returns its SHA-256, in hex.

    `accept` is given the header before anything is written, and tells how many bytes may follow. What was written is to
    be used only once this has returned: the end of a parcel that was cut off is missed at the end. Raises
    `BackupUnusable`, and what `accept` raised.
    """
    opened = _Opened(out, accept)
    sink = _Sink(opened.take)
    failed: Exception | None = None
    try:
        pyrage.decrypt_io(parcel, sink, [identity])
    except Exception as error:  # noqa: BLE001 (raised below, as itself where it was ours)
        failed = error
    if sink.error is not None:
        raise sink.error
    if failed is not None:
        raise BackupUnusable("it was not encrypted to this key, or is damaged or cut off") from failed
    opened.end()
    return opened.digest.hexdigest()


class _Source:
    """What age reads: the header, then the content compressed."""

    def __init__(self, header: bytes, content: BinaryIO) -> None:
        self._pieces = _compressed(header, content)
        self._left = memoryview(b"")
        self.error: Exception | None = None

    def read(self, size: int) -> bytes:
        try:
            while not self._left and (piece := next(self._pieces, None)) is not None:
                self._left = memoryview(piece)
        except Exception as error:
            self.error = error
            raise
        given, self._left = self._left[:size], self._left[size:]
        return bytes(given)


def _compressed(header: bytes, content: BinaryIO) -> Iterator[bytes]:
    yield header + b"\n"
    packer = zlib.compressobj(FAST, wbits=_GZIP)
    while piece := content.read(PIECE_BYTES):
        yield packer.compress(piece)
    yield packer.flush()


class _Sink:
    """Where age writes: keeps the first error, whatever age makes of it."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self.error: Exception | None = None

    def write(self, data: bytes) -> int:
        try:
            if self.error is None:
                self._write(data)
        except Exception as error:
            self.error = error
            raise
        return len(data)

    def flush(self) -> None:
        """Whoever owns the file flushes it."""


class _Opened:
    """Takes the header off, and decompresses the rest."""

    def __init__(self, out: BinaryIO, accept: Callable[[bytes], int]) -> None:
        self._out = out
        self._accept = accept
        self._header = bytearray()
        self._may_follow: int | None = None
        self._unpacker = zlib.decompressobj(wbits=_GZIP)
        self.digest = sha256()

    def take(self, data: bytes) -> None:
        if self._may_follow is None:
            data = self._taken_from_header(data)
        if data:
            self._write(data)

    def _taken_from_header(self, data: bytes) -> bytes:
        """Adds to the header; what stands behind its end."""
        first, end, rest = data.partition(b"\n")
        self._header += first
        if len(self._header) > MOST_HEADER_BYTES:
            raise BackupUnusable("it is no backup of this program")
        if end:
            self._may_follow = self._accept(bytes(self._header))
        return rest

    def _write(self, data: bytes) -> None:
        try:
            content = self._unpacker.decompress(data, (self._may_follow or 0) + 1)
        except zlib.error:
            raise BackupUnusable("its content cannot be decompressed") from None
        self._may_follow = (self._may_follow or 0) - len(content)
        if self._may_follow < 0:
            raise BackupUnusable("it holds more than it says")
        self.digest.update(content)
        self._out.write(content)

    def end(self) -> None:
        if self._may_follow != 0 or not self._unpacker.eof:
            raise BackupUnusable("it holds less than it says")
