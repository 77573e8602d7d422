"""The line to the processor: bounded in time and size, and led nowhere else by anything it is told."""

import socket
import threading
import time
from contextlib import closing, contextmanager

import pytest

from bot.funding.cards_wire import LARGEST_ANSWER_BYTES, NoAnswer, over_http


@contextmanager
def saying(*pieces: bytes, pause_seconds: float = 0, times: int = 1):
    """A server that answers each connection with these bytes; its address, and the requests' heads."""
    listener = socket.create_server(("127.0.0.1", 0))
    asked: list[bytes] = []

    def answer() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with closing(connection):
                asked.append(connection.recv(65536))
                try:
                    for piece in pieces * times:
                        connection.sendall(piece)
                        time.sleep(pause_seconds)
                except OSError:
                    continue

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def ask(address: str, timeout_seconds: float = 2):
    return over_http(timeout_seconds)("GET", address + "/v1/x", {"Authorization": "Bearer sk_test_1"}, b"")


class TestLine:
    def test_brings_the_answer_whole(self):
        with saying(b"HTTP/1.1 402 No\r\nRetry-After: 3\r\nContent-Length: 2\r\n\r\nhi") as (address, asked):
            assert ask(address) == (b"hi", 402, {"retry-after": "3", "content-length": "2"})
        assert b"connection: close" in asked[0].lower()

    @pytest.mark.parametrize(
        "piece",
        [
            b"",
            b"nonsense\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        ],
    )
    def test_takes_no_half_answer(self, piece):
        with saying(piece) as (address, _), pytest.raises(NoAnswer) as lost:
            ask(address)
        assert "sk_test" not in repr(lost.value)
        assert lost.value.__context__ is None

    def test_does_not_wait_for_an_answer_that_comes_in_drops(self):
        head = b"HTTP/1.1 200 OK\r\n\r\n"
        with saying(head + b" ", b" ", pause_seconds=0.05, times=12) as (address, _):
            began = time.monotonic()
            with pytest.raises(NoAnswer, match="too long"):
                ask(address, timeout_seconds=0.2)
            assert time.monotonic() - began < 1.5

    def test_reads_no_endless_answer(self):
        piece = b" " * 1024 * 1024
        with (
            saying(b"HTTP/1.1 200 OK\r\n\r\n", piece * (LARGEST_ANSWER_BYTES // len(piece) + 2)) as (
                address,
                _,
            ),
            pytest.raises(NoAnswer, match="too large"),
        ):
            ask(address)

    def test_follows_no_redirect(self):
        with saying(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as (elsewhere, asked):
            led = f"HTTP/1.1 302 Found\r\nLocation: {elsewhere}\r\nContent-Length: 0\r\n\r\n".encode()
            with saying(led) as (address, _):
                assert ask(address)[1] == 302
        assert asked == []

    def test_heeds_no_proxy_and_no_netrc(self, monkeypatch, tmp_path):
        netrc = tmp_path / "netrc"
        netrc.write_text("machine 127.0.0.1 login somebody password else\n")
        netrc.chmod(0o600)
        monkeypatch.setenv("NETRC", str(netrc))
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        with saying(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as (address, asked):
            assert ask(address)[1] == 200
        assert b"Bearer sk_test_1" in asked[0]
