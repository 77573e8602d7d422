"""X's webhook over HTTP: only what X has signed is stored, and 200 means that it is."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.integration.web.conftest import Served, Visitor, serving_town
from tests.integration.x.test_push import SECRET, bodies, signed

PATH = "/webhooks/x"


@pytest.fixture
def pushed_to(sqlite_url: str, tmp_path: Path) -> Iterator[Served]:
    with serving_town(sqlite_url, tmp_path, x_api_secret=SecretStr(SECRET)) as made:
        yield made


def sends(visitor: Visitor, body: bytes, signature: str) -> int:
    headers = {"x-twitter-webhooks-signature": signature}
    return visitor.session.post(visitor.address + PATH, data=body, headers=headers, timeout=20).status_code


class TestTheWebhook:
    def test_brings_an_order_which_is_stored_once(self, pushed_to: Served):
        street, visitor = pushed_to.street, pushed_to.visitor()
        mark = len(street.world.happened)
        street.tweets("bob", "@smoney send 2€ @alice", settle=False)
        (body,) = bodies(street, mark)
        assert [sends(visitor, body, signed(body)) for _ in range(3)] == [200, 200, 200]
        assert street.count("SELECT count(*) FROM inbox WHERE kind = 'post'") == 1

    def test_takes_nothing_without_the_signature_over_its_very_bytes(self, pushed_to: Served):
        street, visitor = pushed_to.street, pushed_to.visitor()
        mark = len(street.world.happened)
        street.tweets("bob", "@smoney send 2€ @alice", settle=False)
        (body,) = bodies(street, mark)
        for wrong in ("", signed(body, "another"), signed(body + b" ")):
            assert sends(visitor, body, wrong) == 403
        assert sends(visitor, body.replace(b"2\\u20ac", b"9\\u20ac"), signed(body)) == 403
        assert street.count("SELECT count(*) FROM inbox WHERE kind = 'post'") == 0

    def test_answers_x_s_challenge_and_signs_no_body(self, pushed_to: Served):
        visitor = pushed_to.visitor()
        assert visitor.gets(PATH + "?crc_token=abc123").json() == {"response_token": signed(b"abc123")}
        for token in ("", "%7B%22data%22%3A1%7D", "a" * 200, "a%20b"):
            assert visitor.gets(f"{PATH}?crc_token={token}").status_code == 400
