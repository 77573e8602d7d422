"""The database's own rules over the bot's tables: hand-written SQL cannot change what was decided."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.auditing import verify
from ledger.transfers import NewTransfer
from tests.integration.payments.conftest import Street, town_at

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
    "UPDATE people SET tier = 'friend'",
    "UPDATE people SET tier = 'identified', identified_at = NULL",
    "UPDATE intent_lines SET state = 'review' WHERE transfer_id IS NOT NULL",
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

    def test_a_transfer_forged_under_a_true_authorisation_is_found(self, database_url, tmp_path):
        with town_at(database_url, tmp_path) as town:
            street = Street(town)
            street.tweets("bob", "@smoney send 10€ @alice")
            street.answers("bob")
            _forge(town, authorisation_id=None)
            findings = verify(town.bot.database, town.settings).findings
            assert any("does not fit the transfers" in finding for finding in findings)

    def test_an_amount_changed_in_the_database_does_not_fit_its_mac(self, database_url, tmp_path):
        """Whoever writes the database past its guards; the ledger's own sums are another matter."""
        with town_at(database_url, tmp_path) as town:
            street = Street(town)
            street.tweets("bob", "@smoney send 10€ @alice")
            street.answers("bob")
            database = town.bot.database
            trigger = "DROP TRIGGER ledger_transfer_never_changes"
            drop = trigger if database.dialect == "sqlite" else f"{trigger} ON ledger_transfer"
            change = "UPDATE ledger_transfer SET amount_minor = 1100 WHERE authorisation_id IS NOT NULL"
            database.write(lambda session: session.connection().execute(text(drop)) and None)
            database.write(lambda session: session.connection().execute(text(change)) and None)
            findings = verify(database, town.settings).findings
            assert any("does not fit the transfers" in finding for finding in findings)

    def test_a_transfer_under_no_authorisation_of_ours_is_found(self, database_url, tmp_path):
        with town_at(database_url, tmp_path) as town:
            street = Street(town)
            street.tweets("bob", "@smoney send 10€ @alice")
            street.answers("bob")
            _forge(town, authorisation_id=1)
            findings = verify(town.bot.database, town.settings).findings
            assert any("which is not there" in finding for finding in findings)

    @pytest.mark.parametrize("back", [True, False])
    def test_a_payment_out_of_a_wallet_put_under_another_persons_number_is_found(
        self, database_url, tmp_path, back
    ):
        """Whoever writes the database of the running bot makes it pay from somebody else's wallet, with a true answer."""
        with town_at(database_url, tmp_path) as town:
            street = Street(town)
            street.tweets("bob", "@smoney send 1€ @alice")
            street.answers("bob")
            swap_wallets(street, "bob", "carol")
            street.tweets("carol", "@smoney send 50€ @alice")
            street.answers("carol")
            assert street.has("alice") == 51_00
            if back:
                swap_wallets(street, "bob", "carol")
            findings = verify(town.bot.database, town.settings).findings
            assert any("wallet" in finding for finding in findings)


def swap_wallets(street: Street, one: str, other: str) -> None:
    first, second = street.world.person(one).id, street.world.person(other).id
    wallets = {
        user_id: street.count(f"SELECT wallet_id FROM people WHERE user_id = {user_id}")
        for user_id in (first, second)
    }
    street.change(f"UPDATE people SET wallet_id = NULL WHERE user_id IN ({first}, {second})")
    street.change(f"UPDATE people SET wallet_id = {wallets[second]} WHERE user_id = {first}")
    street.change(f"UPDATE people SET wallet_id = {wallets[first]} WHERE user_id = {second}")


def _forge(town, *, authorisation_id):
    """A second transfer like the one that was paid, under the same authorisation or another."""
    ledger = town.bot.ledger

    def forge(session):
        (true,) = ledger.journal_of(session, _journal(session))
        again = NewTransfer(
            debit_account_id=true.debit_account_id,
            credit_account_id=true.credit_account_id,
            amount=true.amount,
            code=true.code,
            idempotency_key="forged",
            authorisation_id=authorisation_id or true.authorisation_id,
        )
        ledger.transfer(session, again)

    town.bot.database.write(forge)


def _journal(session):
    return (
        session.connection().execute(text("SELECT journal_id FROM intents WHERE state = 'paid'")).scalar_one()
    )
