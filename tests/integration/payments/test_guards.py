"""The database's own rules over the bot's tables: hand-written SQL cannot change what was decided."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.auditing import verify

FORBIDDEN = [
    "UPDATE authorisations SET evidence = evidence + 1",
    "DELETE FROM authorisations",
    "UPDATE intents SET state = 'cancelled', journal_id = NULL WHERE state = 'paid'",
    "UPDATE intents SET total_minor = total_minor + 1 WHERE state = 'paid'",
    "UPDATE intents SET journal_id = NULL WHERE state = 'paid'",
    "UPDATE intents SET state = 'paid' WHERE state = 'asking'",
    "DELETE FROM intents",
    "UPDATE intent_lines SET amount_minor = amount_minor + 1",
    "UPDATE intent_lines SET payee_id = (SELECT max(user_id) FROM people) WHERE payee_id <> (SELECT max(user_id) FROM people)",
    "UPDATE intent_lines SET transfer_id = transfer_id + 1 WHERE transfer_id IS NOT NULL",
    "UPDATE intent_lines SET state = 'paid' WHERE state = 'asked'",
    "DELETE FROM intent_lines",
    "INSERT INTO book (single, is_demo, created_at) VALUES (2, '1', 0)",
    "UPDATE people SET standing = 'admin'",
    "UPDATE people SET wrong_answers = -1",
    "UPDATE outbox SET state = 'gone'",
    "UPDATE challenges SET state = 'open' WHERE nonce IS NULL",
]

QUEUED = """
INSERT INTO challenges (id, intent_id, version, payer_id, letter, state, created_at)
SELECT 1, id, 1, payer_id, 'Z', 'queued', 0 FROM intents LIMIT 1
"""


class TestGuards:
    @pytest.mark.parametrize("sql", FORBIDDEN)
    def test_refuse_hand_written_sql(self, street, sql):
        street.tweets("bob", "@smoney send 10€ @alice")
        street.answers("bob")
        street.tweets("bob", "@smoney send 5€ @carol")
        database = street.town.bot.database
        database.write(lambda session: session.connection().execute(text(QUEUED)) and None)
        with pytest.raises(DBAPIError):
            database.write(lambda session: session.connection().execute(text(sql)) and None)
        database.write(
            lambda session: session.connection().execute(text("DELETE FROM challenges WHERE id = 1")) and None
        )

    def test_a_forged_authorisation_is_found(self, street):
        street.tweets("bob", "@smoney send 10€ @alice")
        street.answers("bob")
        database = street.town.bot.database
        drop = {
            "sqlite": "DROP TRIGGER authorisations_are_not_changed",
            "postgresql": "DROP TRIGGER authorisations_are_not_changed ON authorisations",
        }[database.dialect]
        forge = "UPDATE authorisations SET evidence = evidence + {}"
        database.write(lambda session: session.connection().execute(text(drop)) and None)
        database.write(lambda session: session.connection().execute(text(forge.format(1))) and None)
        assert any("does not fit" in finding for finding in verify(database, street.town.settings).findings)
        database.write(lambda session: session.connection().execute(text(forge.format(-1))) and None)
