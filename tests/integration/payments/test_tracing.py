"""One payment's lines in the log, from the tweet to the receipts, are found by one id; and by no other payment's."""

import io
import json
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest
import structlog

from bot.telemetry import configure
from bot.tracing import follow, following, trace_of
from tests.integration.payments.conftest import Street


@pytest.fixture
def lines(monkeypatch) -> Iterator:
    """What was logged since it was asked last, a line each."""
    heard = io.StringIO()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", heard)
        configure(log_format="json", level="info")

    def taken():
        said = heard.getvalue()
        heard.seek(0)
        heard.truncate()
        return [json.loads(line) for line in said.splitlines()]

    yield taken
    structlog.reset_defaults()


def events(found):
    return sorted((line["event"], line["kind"]) for line in found)


def of(found, trace):
    return [line for line in found if line["trace"] == trace]


class TestOnePayment:
    def test_is_found_from_the_tweet_to_the_receipts(self, street: Street, lines):
        lines()
        post = street.tweets("bob", "@smoney send 10€ @alice")
        street.tweets("carol", "@smoney send 1€ @alice")
        street.answers("carol")
        street.answers("bob")
        found = lines()
        trace = trace_of(post.id)
        assert events(of(found, trace)) == [
            ("courier.sent", "message"),  # the question
            ("courier.sent", "message"),  # the payer's receipt
            ("courier.sent", "message"),  # the payee's
            ("listen.stored", "post"),
            ("work.done", "message"),  # the answer
            ("work.done", "post"),
        ]
        (said,) = {line["said"] for line in of(found, trace) if "said" in line}
        assert events(of(found, said)) == [("listen.stored", "message")]

    def test_bears_no_word_of_anybody(self, street: Street, lines):
        lines()
        street.tweets("bob", "@smoney send 10€ @alice for pizza")
        street.answers("bob")
        text = json.dumps(lines())
        assert "courier.sent" in text
        for word in ("bob", "alice", "pizza", "10", street.code("bob")):
            assert f'"{word}' not in text

    def test_is_found_through_an_edit_and_a_payee_who_joins(self, street: Street, lines):
        post = street.tweets("bob", "@smoney send 3€ @zoe")
        street.answers("bob")
        lines()
        street.says("zoe", "start")
        assert ("courier.sent", "message") in events(of(lines(), trace_of(post.id)))
        street.says("zoe", "return")
        assert ("work.done", "message") in events(of(lines(), trace_of(post.id)))
        other = street.tweets("bob", "@smoney send 4€ @alice")
        street.edits(other, "@smoney send 5€ @alice")
        assert events(of(lines(), trace_of(other.id))).count(("courier.sent", "message")) == 2
        street.says("bob", "cancel")
        assert ("work.done", "message") in events(of(lines(), trace_of(other.id)))

    def test_is_found_when_a_handle_has_to_be_looked_up(self, street: Street, lines):
        bot = street.town.bot
        post = street.tweets("bob", "@smoney send 10€ @alice", settle=False)
        (seen,) = bot.listening.gateway.mentions().items
        nameless = replace(seen, mentions=tuple(replace(each, user_id=None) for each in seen.mentions))
        bot.database.write(lambda session: bot.inbox.store_posts(session, [nameless]))
        lines()
        street.town.settle()
        found = events(of(lines(), trace_of(post.id)))
        for kind in ("courier.sent", "listen.stored", "work.done"):
            assert (kind, "lookup") in found
        assert ("courier.sent", "message") in found

    def test_is_found_where_it_is_answered_under_the_tweet(self, street: Street, lines):
        street.world.create_person("ghost", "Ghost")
        post = street.tweets("ghost", "@smoney send 3€ @alice")
        assert ("courier.sent", "reply") in events(of(lines(), trace_of(post.id)))

    def test_that_cannot_be_worked_is_found_too(self, street: Street, lines):
        post = street.tweets("bob", "@smoney send 3€ @alice", settle=False)
        street.town.bot.listening.read_mentions()
        street.town.bot.database.write(
            lambda session: (
                session.connection().exec_driver_sql(
                    "UPDATE inbox SET payload_sealed = NULL WHERE state = 'waiting'"
                )
                and None
            )
        )
        lines()
        street.town.settle()
        assert [line["event"] for line in of(lines(), trace_of(post.id))] == ["work.set_aside"]
        street.town.bot.database.write(
            lambda session: (
                session.connection().exec_driver_sql(
                    "UPDATE inbox SET reason = 'on purpose' WHERE state = 'set_aside'"
                )
                and None
            )
        )


class TestFollowing:
    def test_changes_nothing_where_nothing_is_followed(self):
        follow(7)
        assert structlog.contextvars.get_contextvars() == {}

    def test_ends_with_its_block(self):
        with following(7):
            follow(8)
            assert structlog.contextvars.get_contextvars() == {"trace": trace_of(8), "said": trace_of(7)}
        assert structlog.contextvars.get_contextvars() == {}

    def test_has_no_second_id_where_it_is_the_same_order(self):
        with following(7):
            follow(7)
            assert structlog.contextvars.get_contextvars() == {"trace": trace_of(7)}

    def test_names_ids_apart_and_stand_ins_too(self):
        assert len({trace_of(number) for number in (-1, 0, 1, 2**63 - 1, -(2**63))}) == 5
        assert all(len(trace_of(number)) == 8 for number in (-1, 2**63 - 1))
