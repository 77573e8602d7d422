"""A backup older than an erasure, restored: who was erased since is forgotten again."""

import shutil

from sqlalchemy import text

from bot.wiring import erasure_file


def count(database, sql):
    return database.read(lambda session: int(session.connection().execute(text(sql)).scalar_one()))


def erases(street, username):
    street.says(username, "erase me")
    street.answers(username)


class TestRestore:
    def test_forgets_again_who_was_erased_since_and_tells_of_who_is_owed_money(self, street, keeper):
        street.tweets("carol", "@smoney send 20€ @bob")
        street.answers("carol")
        file, _ = keeper.backs_up(street.town.bot.database)
        street.tweets("alice", "@smoney send 10€ @bob")
        street.answers("alice")
        erases(street, "alice")
        erases(street, "carol")
        street.passes(minutes=1)
        keeper.empty.home.mkdir(parents=True, exist_ok=True)
        shutil.copy(erasure_file(street.town.settings), erasure_file(keeper.empty))
        restored = keeper.restores(file)
        alice, carol = (street.world.person(name).id for name in ("alice", "carol"))
        assert (restored.findings, restored.forgotten) == ((), 1)
        assert len(restored.left) == 1
        assert str(alice) in restored.left[0]
        with keeper.restored() as database:
            named = "SELECT count(*) FROM people WHERE username_sealed IS NOT NULL AND user_id IN"
            assert count(database, f"{named} ({alice}, {carol})") == 0
            assert count(database, f"SELECT count(*) FROM intents WHERE payer_id = {carol}") == 0
            assert count(database, "SELECT count(*) FROM intents WHERE payer_id < 0") == 1
            assert (
                count(database, f"SELECT count(*) FROM people WHERE user_id = {alice} AND wallet_id > 0") == 1
            )
