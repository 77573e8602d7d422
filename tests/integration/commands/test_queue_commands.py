"""`smoney inbox ...` and `smoney outbox ...`: what could not be worked or said is seen, tried again, or given up."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.admin.office import open_office
from bot.x.gateway import Unreadable, UserId


def change(street, statement, **values):
    street.town.bot.database.write(
        lambda session: session.connection().execute(text(statement), values) and None
    )


def actions(street):
    office = open_office(street.town.settings)
    return street.town.bot.database.read(office.log.newest)


@pytest.fixture
def aside(street):
    """bob's order of 5 €, set aside as if by a fault; its row's id."""
    street.tweets("bob", "@smoney send 5€ @carol", settle=False)
    street.town.bot.listening.read_mentions()
    change(street, "UPDATE inbox SET state = 'set_aside', reason = 'on purpose' WHERE state = 'waiting'")
    return street.count("SELECT id FROM inbox WHERE state = 'set_aside'")


class TestARowSetAside:
    def test_is_listed_with_its_reason(self, smoney, aside):
        (row,) = smoney("inbox", "list", "--json").rows
        assert (row["id"], row["kind"], row["reason"]) == (aside, "post", "on purpose")

    def test_is_shown_with_what_it_holds(self, smoney, aside):
        assert "send 5€ @carol" in smoney("inbox", "show", str(aside)).out

    def test_tried_again_is_worked_and_can_be_paid(self, street, smoney, aside):
        assert smoney("inbox", "retry", str(aside), "--reason", "the fault is mended").code == 0
        street.town.settle()
        street.answers("bob")
        assert street.has("carol") == 25_00
        (action,) = actions(street)
        assert (action.action, action.subject) == ("inbox.retry", f"inbox {aside}")
        assert action.reason == "the fault is mended"
        assert action.channel == "command"
        assert action.by

    def test_given_up_stays_and_says_so(self, street, smoney, aside):
        assert smoney("inbox", "drop", str(aside), "--reason", "nonsense").code == 0
        street.town.settle()
        assert smoney("inbox", "list", "--json").rows == []
        assert street.count("SELECT count(*) FROM inbox WHERE reason = 'given up by an admin'") == 1
        assert street.payments == 1

    def test_is_tried_again_only_with_a_reason(self, street, smoney, aside):
        said = smoney("inbox", "retry", str(aside), "--reason", " ")
        assert said.code == 2
        assert "--reason" in said.err
        assert smoney("inbox", "list", "--json").rows[0]["id"] == aside
        assert actions(street) == []

    @pytest.mark.parametrize("act", ["retry", "drop"])
    def test_is_the_only_kind_that_is_touched(self, street, smoney, act):
        done = street.count("SELECT max(id) FROM inbox WHERE state = 'done'")
        said = smoney("inbox", act, str(done), "--reason", "why not")
        assert said.code == 2
        assert "done" in said.err
        assert smoney("inbox", act, "7", "--reason", "why not").code == 2
        assert actions(street) == []


class TestWhatXSentAndNobodyCouldRead:
    def test_is_kept_set_aside_for_an_admin(self, street, smoney):
        bot = street.town.bot
        item = Unreadable(x_id=77, reason="an id that is none", raw='{"id": "77", "text": 5}')
        store = bot.inbox.store_unreadable
        for _ in range(2):  # what is read twice is kept once
            bot.database.write(lambda session: store(session, "post", [item], UserId(bot.account.id)))
        (row,) = smoney("inbox", "list", "--json").rows
        assert row["x_id"] == 77
        assert "an id that is none" in row["reason"]
        assert '"text": 5' in smoney("inbox", "show", str(row["id"])).out

    def test_is_worked_when_x_sends_it_again_and_it_can_be_read(self, street, smoney):
        bot = street.town.bot
        post = street.tweets("bob", "@smoney send 5€ @carol", settle=False)
        item = Unreadable(x_id=post.id, reason="nonsense", raw="{}", person_id=UserId(post.author_id))
        store = bot.inbox.store_unreadable
        bot.database.write(lambda session: store(session, "post", [item], UserId(bot.account.id)))
        street.town.settle()
        street.answers("bob")
        assert street.has("carol") == 25_00
        assert smoney("inbox", "list", "--json").rows == []


class TestAMessageThatFailed:
    @pytest.fixture
    def failed(self, street):
        change(
            street, "UPDATE outbox SET state = 'failed', reason = 'on purpose' WHERE phrase = 'receipt_payee'"
        )
        return street.count("SELECT id FROM outbox WHERE state = 'failed'")

    def test_is_listed_and_shown_with_its_parameters(self, smoney, failed):
        (row,) = smoney("outbox", "list", "--state", "failed", "--json").rows
        assert (row["id"], row["phrase"], row["reason"]) == (failed, "receipt_payee", "on purpose")
        assert "10.00" in smoney("outbox", "show", str(failed)).out

    def test_tried_again_is_said(self, street, smoney, failed):
        before = len(street.heard("alice"))
        assert smoney("outbox", "retry", str(failed), "--reason", "X is back").code == 0
        street.town.settle()
        assert len(street.heard("alice")) == before + 1

    def test_is_dropped_while_it_waits_and_is_not_said(self, street, smoney, failed):
        before = len(street.heard("alice"))
        smoney("outbox", "retry", str(failed), "--reason", "X is back")
        assert smoney("outbox", "drop", str(failed), "--reason", "said by telephone").code == 0
        street.town.settle()
        assert len(street.heard("alice")) == before
        assert [action.action for action in actions(street)] == ["outbox.drop", "outbox.retry"]

    @pytest.mark.parametrize("state", ["sending", "unknown", "sent"])
    def test_is_left_alone_where_x_may_have_it(self, street, smoney, failed, state):
        change(street, "UPDATE outbox SET state = :state WHERE id = :id", state=state, id=failed)
        for act in ("retry", "drop"):
            assert smoney("outbox", act, str(failed), "--reason", "why not").code == 2

    def test_with_a_question_that_is_asked_no_more_stays_unsaid(self, street, smoney):
        street.tweets("bob", "@smoney send 5€ @carol")
        row = street.count("SELECT max(id) FROM outbox WHERE phrase = 'challenge'")
        street.says("bob", "no")
        change(street, "UPDATE outbox SET state = 'failed' WHERE id = :id", id=row)
        before = len(street.heard("bob"))
        smoney("outbox", "retry", str(row), "--reason", "once more")
        street.town.settle()
        assert len(street.heard("bob")) == before


class TestTheAuditLog:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE admin_actions SET actor = 'nobody'",
            "DELETE FROM admin_actions",
            "UPDATE admin_actions SET reason_sealed = NULL",
        ],
    )
    def test_is_never_changed(self, street, smoney, aside, statement):
        smoney("inbox", "drop", str(aside), "--reason", "nonsense")
        with pytest.raises(DBAPIError, match="what an admin did"):
            change(street, statement)
        assert len(actions(street)) == 1

    def test_keeps_its_reasons_sealed(self, street, smoney, aside):
        smoney("inbox", "drop", str(aside), "--reason", "a secret of bob's")
        kept = street.town.bot.database.read(
            lambda session: session.connection().execute(text("SELECT * FROM admin_actions")).one()
        )
        assert "secret" not in str(tuple(bytes(v) if isinstance(v, memoryview) else v for v in kept))
