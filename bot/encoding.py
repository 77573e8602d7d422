"""One canonical way to write facts down as bytes before a MAC or code is computed over them.

Every field carries its type and length, so two different lists of facts can never give the same bytes.
"""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def encode(*fields: int | str | bytes | datetime | None) -> bytes:
    """The fields in order, each as type, length (four bytes, big-endian) and content. Instants count microseconds."""
    return b"".join(_field(field) for field in fields)


def _field(value: int | str | bytes | datetime | None) -> bytes:
    tag, content = _content(value)
    return tag + len(content).to_bytes(4, "big") + content


def _content(value: int | str | bytes | datetime | None) -> tuple[bytes, bytes]:
    match value:
        case None:
            return b"0", b""
        case bool():
            raise TypeError("a truth value has no canonical form here")
        case int():
            return b"i", value.to_bytes(8, "big", signed=True)
        case str():
            return b"s", value.encode()
        case bytes():
            return b"b", value
        case datetime():
            return b"t", ((value - _EPOCH) // timedelta(microseconds=1)).to_bytes(8, "big", signed=True)
