"""The day after: a restored book waits, listens, and comes to terms with what X still has."""

from contextlib import contextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.admin.acts import Role
from bot.admin.log import Actor
from bot.admin.office import open_office
from bot.auditing import verify
from bot.demo.town import open_town
from bot.errors import Misconfigured
from bot.keeping.reconciling import Reconciling
from bot.wiring import World
from tests.integration.payments.conftest import Street

ADMIN = Actor("root (system)", Role.OWNER)


@contextmanager
def disaster(street, keeper, file):
    """Nobody asks the old book any more; a minute later the bot runs on the restored one, in the same town."""
    street.sleeps(minutes=1)
    assert keeper.restores(file).findings == ()
    settings = street.town.settings.model_copy(update={"database_url": keeper.empty.database_url})
    with open_town(settings, street.world, entropy=World().entropy) as town:
        yield Street(town), reconciling(town)


def reconciling(town):
    office = open_office(town.settings, World(clock=town.world.now))
    return Reconciling(town.bot.database, town.bot.courier.gateway, office.outbox, office.log, town.world.now)


def lets_go_on(again, on):
    told = on.finish(ADMIN, on.look(), reason="looked through it")
    again.town.settle()
    return told


class TestRestoredBook:
    def test_listens_and_does_nothing_else_until_it_is_reconciled(self, street, keeper):
        file, _ = keeper.backs_up(street.town.bot.database)
        with disaster(street, keeper, file) as (again, on):
            heard = again.heard("bob")
            again.says("bob", "balance")
            again.passes(days=8)
            assert again.heard("bob") == heard
            assert again.count("SELECT count(*) FROM inbox WHERE state = 'waiting'") == 1
            assert lets_go_on(again, on) == 0
            assert len(again.heard("bob")) == len(heard) + 1

    def test_is_not_let_go_on_before_x_was_read_to_its_end(self, street, keeper):
        file, _ = keeper.backs_up(street.town.bot.database)
        with disaster(street, keeper, file) as (again, on):
            assert on.look().unread == ("mentions", "messages")
            with pytest.raises(Misconfigured, match="not read"):
                on.finish(ADMIN, on.look(), reason="too early")
            again.town.bot.listening.read_mentions()
            assert on.look().unread == ("messages",)
            again.town.settle()
            assert on.look().unread == ()

    def test_tells_both_sides_of_a_payment_that_was_lost_and_moves_nothing(self, street, keeper):
        file, _ = keeper.backs_up(street.town.bot.database)
        street.tweets("bob", "@smoney send 7€ @carol")
        street.answers("bob")
        lost = street.reference("bob")
        assert (street.has("bob"), street.has("carol")) == (83_00, 27_00)
        street.sleeps(hours=3)
        with disaster(street, keeper, file) as (again, on):
            assert (again.has("bob"), again.has("carol")) == (90_00, 20_00)
            again.town.settle()
            world = again.world
            assert {(one.reference, one.person_id) for one in on.look().lost} == {
                (lost, world.person("bob").id),
                (lost, world.person("carol").id),
            }
            assert lets_go_on(again, on) == 2
            for person in ("bob", "carol"):
                assert any(lost in words and "no longer" in words for words in again.heard(person)), person
            assert (again.has("bob"), again.has("carol")) == (90_00, 20_00)
            assert on.look() is None
            again.tweets("bob", "@smoney please send 7€ @carol")
            again.answers("bob")
            assert (again.has("bob"), again.has("carol")) == (83_00, 27_00)
            assert verify(again.town.bot.database, again.town.settings).findings == ()

    def test_pays_an_answer_that_came_after_the_backup_once(self, street, keeper):
        """The question was asked before the backup and answered after it: X still has the answer, and it counts."""
        street.tweets("bob", "@smoney send 7€ @carol")
        file, _ = keeper.backs_up(street.town.bot.database)
        street.answers("bob")
        street.sleeps(hours=3)
        with disaster(street, keeper, file) as (again, on):
            again.town.settle()
            assert on.look().lost == ()
            assert lets_go_on(again, on) == 0
            assert (again.has("bob"), again.has("carol")) == (83_00, 27_00)
            again.answers("bob")
            assert again.payments == 2
            assert verify(again.town.bot.database, again.town.settings).findings == ()

    def test_does_not_say_again_what_was_said_since_the_backup(self, street, keeper):
        """The receipts stood in the outbox when the backup was made, and went out after it."""
        street.tweets("bob", "@smoney send 7€ @carol")
        street.answers("bob", settle=False)
        bot = street.town.bot
        bot.listening.read_messages()
        bot.work.run()
        file, _ = keeper.backs_up(bot.database)
        street.town.settle()
        heard = street.heard("bob"), street.heard("carol")
        street.sleeps(hours=3)
        with disaster(street, keeper, file) as (again, on):
            again.town.settle()
            lets_go_on(again, on)
            again.passes(minutes=5)
            assert (again.heard("bob"), again.heard("carol")) == heard
            assert again.count("SELECT count(*) FROM outbox WHERE state <> 'sent'") == 0

    def test_says_what_was_never_said(self, street, keeper):
        street.says("bob", "balance", settle=False)
        street.town.bot.listening.read_messages()
        street.town.bot.work.run()
        file, _ = keeper.backs_up(street.town.bot.database)
        heard = street.heard("bob")
        with disaster(street, keeper, file) as (again, on):
            again.town.settle()
            lets_go_on(again, on)
            again.passes(minutes=5)
            assert len(again.heard("bob")) == len(heard) + 1

    def test_puts_a_question_that_was_queued(self, street, keeper):
        street.tweets("bob", "@smoney send 7€ @carol", settle=False)
        street.town.bot.listening.read_mentions()
        street.town.bot.work.run()
        file, _ = keeper.backs_up(street.town.bot.database)
        with disaster(street, keeper, file) as (again, on):
            again.town.settle()
            lets_go_on(again, on)
            again.answers("bob")
            assert (again.has("bob"), again.has("carol")) == (83_00, 27_00)

    def test_obeys_a_stop_said_since_the_backup(self, street, keeper):
        file, _ = keeper.backs_up(street.town.bot.database)
        street.says("carol", "stop")
        with disaster(street, keeper, file) as (again, on):
            again.town.settle()
            lets_go_on(again, on)
            assert again.count("SELECT count(*) FROM people WHERE standing = 'stopped'") == 1

    def test_is_reconciled_once_and_the_log_says_by_whom(self, street, keeper):
        file, _ = keeper.backs_up(street.town.bot.database)
        with disaster(street, keeper, file) as (again, on):
            again.town.settle()
            standing = on.look()
            on.finish(ADMIN, standing, reason="looked through it")
            with pytest.raises(Misconfigured, match="reconciled before"):
                on.finish(ADMIN, standing, reason="again")
            [entry] = again.town.bot.database.read(lambda session: on.log.newest(session, subject="book"))
            assert (entry.action, entry.by, entry.reason) == (
                "book.reconcile",
                ADMIN.name,
                "looked through it",
            )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE restores SET made_at = made_at + 1",
        "UPDATE restores SET reconciled_at = restored_at - 1",
        "DELETE FROM restores",
        "UPDATE restores SET reconciled_at = NULL WHERE reconciled_at IS NOT NULL",
    ],
)
def test_that_a_book_was_restored_cannot_be_undone(street, keeper, statement):
    file, _ = keeper.backs_up(street.town.bot.database)
    with disaster(street, keeper, file) as (again, on):
        again.town.settle()
        if "IS NOT NULL" in statement:
            lets_go_on(again, on)
        with pytest.raises(DBAPIError):
            again.town.bot.database.write(
                lambda session: session.connection().execute(text(statement)) and None
            )


class TestPausedPage:
    def test_asks_nothing_and_takes_no_answer(self, street, keeper):
        street.tweets("bob", "@smoney send 7€ @carol")
        bob = street.world.person("bob").id
        file, _ = keeper.backs_up(street.town.bot.database)
        with disaster(street, keeper, file) as (again, on):
            bot = again.town.bot

            def ask(session):
                return bot.page_answers.questions(session, bot.people.get(session, bob))

            assert bot.database.write(ask) == []
            again.town.settle()
            lets_go_on(again, on)
            assert len(bot.database.write(ask)) == 1
