"""A handle change that was seen is told to payers for a while."""

from bot.x.gateway import UserId, XUser


class TestHandleChange:
    def test_is_told_in_the_question_for_thirty_days_and_then_forgotten(self, street):
        world = street.world
        street.tweets("bob", "@smoney send 1€ @alice")
        assert "until" in street.heard("bob")[-1]
        assert "was @" not in street.heard("bob")[-1]
        street.answers("bob")
        world.rename(world.person("alice").id, "alice_moved")
        street.tweets("bob", "@smoney send 2€ @alice_moved")
        assert "Careful: @alice_moved was @alice until 23 Nov 2026" in street.heard("bob")[-1]
        street.answers("bob")
        street.passes(days=29)
        street.tweets("carol", "@smoney send 2€ @alice_moved")
        assert "was @alice until" in street.heard("carol")[-1]
        street.passes(days=2)
        street.tweets("carol", "@smoney send 3€ @alice_moved")
        assert "was @alice" not in street.heard("carol")[-1]
        assert street.count("SELECT count(*) FROM former_handles") == 0

    def test_in_letters_of_another_size_or_seen_in_an_older_text_is_none(self, street):
        world, people = street.world, street.town.bot.people
        alice = world.person("alice").id
        world.rename(alice, "Alice")
        old = street.tweets("bob", "@smoney send 2€ @Alice")
        world.rename(alice, "alice_moved")
        street.tweets("bob", "@smoney send 3€ @alice_moved")
        assert street.count("SELECT count(*) FROM former_handles") == 1

        def older(session):
            people.notice(session, [XUser(UserId(alice), "alice_older", "")], seen_in=old.id)

        street.town.bot.database.write(older)
        assert street.count("SELECT count(*) FROM former_handles") == 1
