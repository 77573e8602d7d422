"""A backup's file: what goes in comes out, and nothing that was touched or cut off ever passes for whole."""

import os
from hashlib import sha256
from io import BytesIO

import pyrage
import pytest

from bot.errors import BackupUnusable, Misconfigured
from bot.keeping.parcel import MOST_HEADER_BYTES, identity_of, new_key, pack, recipient_of, unpack

PRIVATE, PUBLIC = new_key()
RECIPIENT = recipient_of(PUBLIC, setting="x")
IDENTITY = identity_of(PRIVATE, setting="x")


def packed(content: bytes, header: bytes = b"header") -> bytes:
    out = BytesIO()
    pack(header, BytesIO(content), out, RECIPIENT)
    return out.getvalue()


def unpacked(parcel: bytes, *, says: int | None = None, content_bytes: int = 0) -> tuple[bytes, bytes, str]:
    out, headers = BytesIO(), []

    def accept(header: bytes) -> int:
        assert not out.getvalue()
        headers.append(header)
        return content_bytes if says is None else says

    digest = unpack(BytesIO(parcel), out, IDENTITY, accept=accept)
    return headers[0], out.getvalue(), digest


class TestParcel:
    @pytest.mark.parametrize("size", [0, 1, 8191, 65535, 65536, 65537, 3_000_001])
    def test_gives_back_what_went_in(self, size):
        content = os.urandom(size)
        header, came, digest = unpacked(packed(content), content_bytes=size)
        assert (header, came, digest) == (b"header", content, sha256(content).hexdigest())

    def test_of_a_header_longer_than_a_piece_gives_it_back(self):
        header = b"h" * 200_000
        assert unpacked(packed(b"content", header), content_bytes=7)[:2] == (header, b"content")

    def test_cut_off_anywhere_is_refused(self):
        parcel = packed(os.urandom(150_000))
        for length in [*range(0, 400, 7), *range(400, len(parcel), 3571), len(parcel) - 17, len(parcel) - 1]:
            with pytest.raises(BackupUnusable):
                unpacked(parcel[:length], content_bytes=150_000)

    def test_cut_off_between_two_pieces_is_refused(self):
        """The end of the last piece is marked: a whole piece cannot go unmissed."""
        parcel = packed(os.urandom(300_000))
        head = parcel.index(b"\n---") + len(b"\n--- ") + 43 + 1 + 16
        for pieces in range(4):
            with pytest.raises(BackupUnusable):
                unpacked(parcel[: head + pieces * (65536 + 16)], content_bytes=300_000)

    def test_with_any_byte_changed_is_refused(self):
        parcel = packed(os.urandom(500))
        for place in range(len(parcel)):
            changed = bytearray(parcel)
            changed[place] ^= 1
            with pytest.raises(BackupUnusable):
                unpacked(bytes(changed), content_bytes=500)

    def test_with_pieces_exchanged_is_refused(self):
        parcel = packed(os.urandom(300_000))
        head, piece = parcel.index(b"\n---") + 5 + 43 + 1 + 16, 65536 + 16
        first, second = parcel[head : head + piece], parcel[head + piece : head + 2 * piece]
        with pytest.raises(BackupUnusable):
            unpacked(parcel[:head] + second + first + parcel[head + 2 * piece :], content_bytes=300_000)

    def test_for_another_key_does_not_open(self):
        out = BytesIO()
        pack(b"header", BytesIO(b"x"), out, recipient_of(new_key()[1], setting="x"))
        with pytest.raises(BackupUnusable, match="not encrypted to this key"):
            unpacked(out.getvalue(), content_bytes=1)

    @pytest.mark.parametrize(("says", "word"), [(99, "more"), (101, "less")])
    def test_that_holds_another_amount_than_it_says_is_refused(self, says, word):
        with pytest.raises(BackupUnusable, match=word):
            unpacked(packed(b"c" * 100), says=says)

    @pytest.mark.parametrize(
        "inside", [b"", b"no end of a line", b"h" * (MOST_HEADER_BYTES + 2), b"header\nno gzip"]
    )
    def test_of_something_else_is_refused(self, inside):
        with pytest.raises(BackupUnusable):
            unpacked(pyrage.encrypt(inside, [RECIPIENT]), content_bytes=10)

    def test_refused_by_its_header_writes_nothing(self):
        class NotThisOne(Exception):
            pass

        def accept(_: bytes) -> int:
            raise NotThisOne

        out = BytesIO()
        with pytest.raises(NotThisOne):
            unpack(BytesIO(packed(b"x" * 100_000)), out, IDENTITY, accept=accept)
        assert not out.getvalue()

    @pytest.mark.parametrize("size", [1, 50_000, 300_000])
    def test_on_a_full_disk_is_never_taken_for_written(self, size):
        """age's library keeps quiet where the last of its writes fails."""

        class Disk:
            def __init__(self, good_writes: int) -> None:
                self.good_writes, self.writes = good_writes, 0

            def write(self, data: bytes) -> int:
                self.writes += 1
                if self.writes > self.good_writes:
                    raise OSError(28, "No space left on device")
                return len(data)

        content = os.urandom(size)
        roomy = Disk(1000)
        pack(b"header", BytesIO(content), roomy, RECIPIENT)  # type: ignore[arg-type]
        for good_writes in range(roomy.writes):
            with pytest.raises(OSError, match="No space"):
                pack(b"header", BytesIO(content), Disk(good_writes), RECIPIENT)  # type: ignore[arg-type]

    def test_of_content_that_cannot_be_read_says_so_in_its_own_words(self):
        class Broken(BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                raise OSError(5, "Input/output error")

        with pytest.raises(OSError, match="Input/output"):
            pack(b"header", Broken(), BytesIO(), RECIPIENT)


class TestKeys:
    def test_are_read_from_a_file_with_comments(self):
        assert identity_of(f"# mine\n\n{PRIVATE}\n# {PUBLIC}\n", setting="x").to_public() is not None

    @pytest.mark.parametrize(
        "text", ["", "nonsense", PUBLIC, "# only a comment"], ids=["empty", "nonsense", "public", "comment"]
    )
    def test_that_are_none_are_named_and_not_shown(self, text):
        with pytest.raises(Misconfigured, match=r"backup\.key") as caught:
            identity_of(text, setting="backup.key")
        assert not text or text not in str(caught.value)

    @pytest.mark.parametrize("text", ["nonsense", PRIVATE], ids=["nonsense", "private"])
    def test_private_where_a_public_one_belongs_is_not_shown(self, text):
        with pytest.raises(Misconfigured) as caught:
            recipient_of(text, setting="SMONEY_BACKUP_RECIPIENT")
        assert text not in str(caught.value)
