"""What people decide for themselves: blocks, privacy, muted receipts, time zone, settings."""

from bot.x.gateway import UserId

CANNOT = "cannot receive money at the moment"


class TestBlock:
    def test_stands_between_both_sides_until_it_is_taken_back_and_is_told_to_one_only(self, street):
        street.says("alice", "block @bob")
        assert street.heard("alice")[-1].startswith("Blocked: @bob")
        street.tweets("bob", "@smoney send 10€ @alice")
        assert CANNOT in street.heard("bob")[-1]
        assert "block" not in street.heard("bob")[-1].lower()
        street.says("alice", "send 1€ to @bob")
        assert "You have blocked @bob" in street.heard("alice")[-1]
        street.says("alice", "unblock @bob")
        street.tweets("bob", "@smoney send 10€ @alice now")
        street.answers("bob")
        assert street.has("alice") == 10_00

    def test_said_after_the_question_still_counts_before_the_answer(self, street):
        street.tweets("bob", "@smoney send 10€ @alice")
        street.says("alice", "block @bob")
        street.answers("bob")
        assert street.payments == 0
        assert CANNOT in street.heard("bob")[-1]

    def test_by_tweet_works_and_one_blocked_payee_of_several_stops_all(self, street):
        street.tweets("bob", "@smoney block @alice")
        street.tweets("bob", "@smoney send 5€ each to @alice and @carol")
        assert "You have blocked @alice" in street.heard("bob")[-1]
        assert street.replies() == []
        assert street.payments == 0

    def test_is_said_twice_as_once_and_never_of_oneself(self, street):
        for words in ("block @carol", "block @carol", "block @bob", "block @nobody_there"):
            street.says("bob", words)
        assert street.count("SELECT count(*) FROM blocks") == 1
        assert "Whom do you mean?" in street.heard("bob")[-2]
        assert "I found nobody" in street.heard("bob")[-1]


class TestPrivate:
    def test_shows_others_the_handle_alone(self, street):
        street.says("alice", "private")
        street.tweets("bob", "@smoney send 10€ @alice")
        street.answers("bob")
        street.says("bob", "history")
        assert any("@alice" in words for words in street.heard("bob"))
        assert not any("Alice Durand" in words for words in street.heard("bob"))
        street.says("alice", "private off")
        street.says("bob", "history")
        assert "Alice Durand" in street.heard("bob")[-1]

    def test_is_never_answered_under_a_post(self, street):
        street.says("bob", "private on")
        street.says("bob", "stop")
        street.tweets("bob", "@smoney send 10€ @alice")
        street.tweets("bob", "@smoney balance")
        assert street.replies() == []
        assert "answer START" in street.heard("bob")[-1]
        assert street.count("SELECT count(*) FROM intents") == 0


class TestMutedReceipts:
    def test_are_those_of_what_comes_in_never_of_what_leaves(self, street):
        street.says("alice", "mute receipts")
        street.tweets("bob", "@smoney send 10€ @alice")
        street.answers("bob")
        assert street.has("alice") == 10_00
        assert "You received" not in street.heard("alice")[-1]
        street.says("alice", "send 1€ to @bob")
        street.answers("alice")
        assert street.heard("alice")[-1].startswith("Paid")
        street.says("alice", "unmute")
        street.tweets("bob", "@smoney send 2€ @alice")
        street.answers("bob")
        assert street.heard("alice")[-1].startswith("You received")


class TestTimeZone:
    def test_is_used_in_what_this_person_is_told(self, street):
        street.tweets("bob", "@smoney send 10€ @alice")
        assert (
            "until 13:05" in street.heard("bob")[-1].replace("\u202f", " ")
            or "until 1:05" in street.heard("bob")[-1]
        )
        street.says("bob", "time zone new york")
        assert "America/New_York" in street.heard("bob")[-1]
        street.tweets("bob", "@smoney send 11€ @alice")
        assert "7:05" in street.heard("bob")[-1]
        street.says("bob", "time zone atlantis")
        assert "I do not know that time zone" in street.heard("bob")[-1]


class TestSettings:
    def test_are_all_in_one_message(self, street):
        for words in ("block @alice", "private", "mute", "time zone Tokyo", "language English"):
            street.says("bob", words)
        before = len(street.heard("bob"))
        street.says("bob", "settings")
        (told,) = street.heard("bob")[before:]
        for fact in ("English", "Asia/Tokyo", "Private: on", "Receipts for what you get: off", "@alice"):
            assert fact in told

    def test_stay_when_somebody_leaves_and_comes_back(self, street):
        for words in ("block @carol", "private", "stop", "start", "settings"):
            street.says("bob", words)
        assert "@carol" in street.heard("bob")[-1]
        bob = UserId(street.world.person("bob").id)
        assert street.town.bot.database.read(
            lambda session: street.town.bot.people.get(session, bob).is_private
        )
