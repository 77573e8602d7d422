"""Each check finds what it is for in a database that was broken on purpose, and is silent in a town where all is well."""

import shutil
from datetime import timedelta
from types import SimpleNamespace

import pytest

from bot.watching import money_checks, running_checks, watch
from bot.watching.looks import Place
from bot.watching.names import MONEY, Alarm
from ledger.money import EUR, Money
from tests.integration.payments.conftest import a_street
from tests.integration.payments.test_plans import a_day
from tests.integration.payments.test_treasury import Admin
from tests.integration.watching.conftest import watched_town

PAID = "(SELECT transfer_id FROM intent_lines WHERE state = 'paid')"
HELD = "(SELECT transfer_id FROM intent_lines WHERE state = 'held')"


class TestAHealthyTown:
    def test_gives_no_alarm(self, watched):
        assert watched.looks() == {}
        watched.street.passes(minutes=10)
        watched.seals()
        assert watched.looks() == {}

    def test_on_a_busy_day_gives_none_either(self, database_url, tmp_path, monkeypatch):
        with a_street(database_url, tmp_path) as street:
            watched, settle = watched_town(street), street.town.settle
            monkeypatch.setattr(
                type(street.town),
                "settle",
                lambda _: [act() for act in (settle, watched.seals, watched.watch.look)],
            )
            a_day(street)
            watched.seals()
            for _ in range(5):
                assert watched.looks() == {}
            assert street.count("SELECT count(*) FROM alarms") == 0
            assert street.count("SELECT count(*) FROM switches") == 0

    def test_when_the_program_was_away_for_long_gives_none_at_its_start(self, watched):
        watched.street.tweets("bob", "@smoney send 1€ @carol", settle=False)
        watched.street.town.bot.listening.read_mentions()
        watched.street.sleeps(hours=3)
        assert watched_town(watched.street).looks() == {}

    def test_in_which_admins_move_money_gives_none(self, watched):
        street, admin = watched.street, Admin(watched.street)
        admin.own(Money(20_00, EUR))
        admin.approve(admin.fund("@bob"))
        admin.approve(admin.payout("@bob"))
        watched.pays(words="3€ @carol")
        admin.refund(street.reference("bob"))
        watched.pays(words="4€ @alice")
        admin.refund(street.reference("bob"), from_loss=True)
        assert street.count("SELECT count(*) FROM house_accounts") == 2
        watched.watch._place.sums_at = None
        assert watched.looks() == {}

    def test_is_looked_at_in_parts(self, watched, monkeypatch):
        """However many rows there are, each look reads a few, goes on where the last one ended, and begins anew."""
        monkeypatch.setattr(money_checks, "TRANSFERS_AT_ONCE", 1)
        monkeypatch.setattr(money_checks, "TIMES_IN_ONE_LOOK", 1)
        monkeypatch.setattr(money_checks, "ACCOUNTS_AT_ONCE", 2)
        watched.watch._place.transfer = 0
        places = []
        for _ in range(6):
            assert watched.looks() == {}
            places.append((watched.watch._place.transfer, watched.watch._place.account))
        assert len({transfer for transfer, _ in places}) == 4  # the youngest is looked at again and again
        assert {account == 0 for _, account in places} == {True, False}

    def test_is_looked_at_again_from_the_same_place_after_a_fault(self, watched, monkeypatch):
        def breaks(_):
            raise OSError("the disk")

        with monkeypatch.context() as patch:
            patch.setattr(running_checks, "CHECKS", (*running_checks.CHECKS, breaks))
            with pytest.raises(OSError, match="the disk"):
                watched.looks()
        assert watched.watch._place == Place()


class TestTheLedger:
    @pytest.mark.parametrize(
        ("statement", "what"),
        [
            (f"UPDATE ledger_transfer SET debit_debits_posted = 7 WHERE id = {HELD}", "chain_broken"),
            (
                f"UPDATE ledger_transfer SET authorisation_id = NULL WHERE id = {HELD}",
                "does_not_fit_its_accounts",
            ),
            (
                "UPDATE ledger_account SET credits_posted = credits_posted + 1 WHERE code = 'wallet'",
                "balance_wrong",
            ),
            (
                "UPDATE ledger_account SET debits_posted = debits_posted + 9000 WHERE code = 'wallet'",
                "balance_wrong",
            ),
        ],
    )
    def test_broken_is_found(self, watched, intruder, statement, what):
        assert watched.looks() == {}
        intruder()(statement)
        found = watched.looks()["ledger_broken"]
        assert found["what"] == what
        assert found["findings"] >= 1

    def test_whose_debits_differ_from_its_credits_is_found_by_the_sums(self, watched, intruder):
        """Where the accounts are so many that the round has not come to this one yet."""
        intruder()("UPDATE ledger_account SET debits_posted = debits_posted + 1 WHERE code = 'test_money'")
        watched.watch._place.account = 2**62
        watched.watch._place.transfer = 2**62
        assert watched.looks()["ledger_broken"]["what"] == "debits_differ_from_credits"

    def test_changed_long_ago_is_found_when_the_round_comes_to_it(self, watched, intruder, monkeypatch):
        monkeypatch.setattr(money_checks, "ACCOUNTS_AT_ONCE", 1)
        assert watched.looks() == {}
        intruder()(
            "UPDATE ledger_account SET credits_posted = credits_posted + 1, debits_posted = debits_posted + 1 "
            "WHERE id = (SELECT max(id) FROM ledger_account WHERE code = 'wallet')"
        )
        watched.watch._place.transfer = 2**62
        assert any("ledger_broken" in watched.looks() for _ in range(6))


class TestAuthorisations:
    def test_that_do_not_fit_what_moved_are_found(self, watched, intruder):
        intruder()("UPDATE authorisations SET person_id = (SELECT max(user_id) FROM people)")
        assert watched.looks()["authorisation_forged"]["findings"] == 1

    def test_that_are_not_there_are_found(self, watched, intruder):
        intruder()(f"UPDATE ledger_transfer SET authorisation_id = 77 WHERE id = {HELD}")
        assert watched.looks()["authorisation_forged"]["authorisation"] == 77

    def test_used_once_more_are_found(self, watched, intruder):
        """A transfer that names somebody else's authorisation."""
        old = watched.street.count(f"SELECT authorisation_id FROM ledger_transfer WHERE id = {PAID}")
        intruder()(f"UPDATE ledger_transfer SET authorisation_id = {old} WHERE id = {HELD}")
        assert watched.looks()["authorisation_forged"]["authorisation"] == old

    def test_over_several_payees_hold(self, watched):
        watched.pays("bob", "1€ each to @alice @carol @zoe")
        assert watched.looks() == {}


class TestWhatIsOwed:
    def test_and_not_held_is_found(self, watched, intruder):
        enter = intruder()
        held = watched.street.count("SELECT account_id FROM house_accounts")
        enter(
            "INSERT INTO house_accounts (code, currency, account_id) SELECT 'loss', 'EUR', max(id) + 1 FROM ledger_account"
        )
        enter(
            "INSERT INTO ledger_account SELECT max(id) + 1, 'loss', 'EUR', 2, 'debit', 0, NULL, 0, 'open', 0, 500, 0, 0, 0, 0, 0"
            " FROM ledger_account"
        )
        enter(f"UPDATE ledger_account SET debits_posted = debits_posted - 500 WHERE id = {held}")
        watched.watch._place.sums_at = (
            watched.street.world.now()
        )  # it is not their time: the house accounts alone tell
        assert watched.looks()["money_not_covered"]["lacking_minor"] == 500

    def test_and_not_held_is_found_by_the_sums_too(self, watched, intruder):
        intruder()("UPDATE ledger_account SET debits_posted = debits_posted - 500 WHERE code = 'test_money'")
        assert watched.looks()["money_not_covered"] == {
            "currency": "EUR",
            "lacking_minor": 500,
            "findings": 1,
        }


class TestSeals:
    @pytest.mark.parametrize(
        ("statement", "what"),
        [
            (f"UPDATE ledger_transfer SET details = '{{}}' WHERE id = {PAID}", "seal_broken"),
            ("UPDATE ledger_seal SET signature = replace(signature, 'a', 'b')", "seal_forged"),
            ("UPDATE ledger_seal SET root = hash", "seal_forged"),
        ],
    )
    def test_that_do_not_hold_are_found(self, watched, intruder, statement, what):
        intruder()(statement)
        assert watched.looks()["seal_broken"]["what"] == what

    def test_of_long_ago_are_looked_at_in_turn(self, watched, intruder):
        watched.street.passes(minutes=10)
        watched.seals()
        assert watched.looks() == {}
        intruder()(f"UPDATE ledger_transfer SET details = '{{}}' WHERE id = {PAID}")
        watched.watch._place.seal = 0
        assert watched.looks()["seal_broken"]["where"] == "seal 1"

    def test_that_are_new_are_looked_at_at_once(self, watched, intruder):
        for _ in range(2):
            watched.pays()
            watched.street.passes(minutes=10)
            watched.seals()
        intruder()(
            "UPDATE ledger_transfer SET details = '{}' WHERE id = (SELECT max(id) FROM ledger_transfer)"
        )
        assert watched.looks()["seal_broken"]["where"] == "seal 3"
        assert watched.watch._place.seal == 1  # and the round has only begun

    def test_that_do_not_come_are_missed(self, watched):
        watched.street.passes(minutes=20)
        assert watched.looks() == {}
        watched.street.passes(minutes=20)
        assert set(watched.looks()) == {"seal_late"}
        watched.seals()
        assert watched.looks() == {}


class TestQueues:
    def test_of_what_arrived_are_late_when_nobody_works(self, watched):
        watched.street.tweets("bob", "@smoney send 1€ @carol", settle=False)
        watched.street.town.bot.listening.read_mentions()
        watched.street.sleeps(minutes=6)
        assert watched.looks()["inbox_late"]["rows"] == 1
        watched.street.town.settle()
        assert watched.looks() == {}

    def test_of_what_is_to_be_said_are_late_when_nobody_sends(self, watched):
        watched.writes("UPDATE outbox SET state = 'waiting' WHERE phrase = 'receipt_payee'")
        watched.street.sleeps(minutes=31)
        watched.street.town.bot.listening.read_mentions()
        watched.street.town.bot.listening.read_messages()
        assert watched.looks()["outbox_late"]["rows"] == 1

    def test_are_not_late_while_an_admin_has_paused_sending(self, watched):
        watched.writes("UPDATE outbox SET state = 'waiting' WHERE phrase = 'receipt_payee'")
        watched.writes("INSERT INTO switches (name, since, set_by) VALUES ('sends_paused', 1, 'anna')")
        watched.street.sleeps(minutes=31)
        assert "outbox_late" not in watched.looks()

    def test_wait_in_a_restored_book_for_its_reconciliation(self, watched):
        watched.writes("INSERT INTO restores (id, made_at, restored_at, manifest) VALUES (1, 1, 2, '{}')")
        watched.writes("UPDATE outbox SET state = 'waiting' WHERE phrase = 'receipt_payee'")
        watched.street.tweets("bob", "@smoney send 1€ @carol", settle=False)
        watched.street.town.bot.listening.read_mentions()
        watched.street.sleeps(minutes=40)
        assert not {"inbox_late", "outbox_late"} & set(watched.looks())

    def test_keep_no_send_of_an_unknown_fate_for_long(self, watched):
        watched.writes("UPDATE outbox SET state = 'unknown' WHERE phrase = 'receipt_payee'")
        assert "outcome_unknown" not in watched.looks()
        watched.street.sleeps(minutes=31)
        assert watched.looks()["outcome_unknown"]["rows"] == 1

    def test_show_what_was_set_aside(self, watched):
        watched.writes("UPDATE inbox SET state = 'set_aside', reason = 'on purpose' WHERE kind = 'post'")
        assert watched.looks()["rows_set_aside"]["rows"] == 2

    def test_of_reviews_are_looked_at_before_their_end(self, database_url, tmp_path):
        with a_street(database_url, tmp_path, review_new_payees=1, review_days=7) as street:
            watched = watched_town(street)
            watched.pays()
            assert street.count("SELECT count(*) FROM reviews WHERE outcome = 'open'") == 1
            street.passes(days=5)
            assert "review_ending" not in watched.looks()
            street.passes(days=1, hours=1)
            assert watched.looks()["review_ending"]["lines"] == 1
            street.passes(days=1)
            watched.seals()
            assert watched.looks() == {}


class TestTheMachine:
    def test_that_does_not_read_x_is_found(self, watched):
        watched.street.sleeps(minutes=11)
        assert watched.looks()["x_not_read"]["seconds"] == 660

    def test_that_has_never_read_x_is_found_after_a_while(self, watched):
        watched.writes("DELETE FROM cursors")
        assert watched.looks() == {}
        watched.street.sleeps(minutes=11)
        assert "x_not_read" in watched.looks()

    @pytest.mark.parametrize("seconds", [-31, 31])
    def test_whose_clock_is_off_is_found(self, watched, seconds):
        gateway = watched.street.town.bot.listening.gateway._inner
        gateway.clock_ahead = timedelta(seconds=seconds)
        assert watched.looks()["clock_off"]["seconds_ahead"] == seconds
        gateway.clock_ahead = timedelta(seconds=29)
        assert watched.looks() == {}

    def test_whose_clock_is_off_is_found_by_the_database_s_where_x_has_not_said(self, watched, database_url):
        """The town's clock stands on a day in November; SQLite has no clock but the machine's."""
        watched.street.town.bot.listening.gateway._inner.clock_ahead = None
        assert set(watched.looks()) == ({"clock_off"} if "postgresql" in database_url else set())

    def test_that_runs_out_of_space_is_found(self, watched, monkeypatch):
        monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=499_999_999))
        assert watched.looks()["disk_low"]["free_mb"] == 499
        monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=500_000_000))
        assert watched.looks() == {}


def test_every_alarm_is_about_money_or_passes_by_itself():
    assert frozenset(Alarm) == MONEY | watch.PASSING
