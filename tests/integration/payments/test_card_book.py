"""What the processor holds of ours, followed to the cent: payouts, fees, refunds, disputes, and what people owe of them."""

import pytest
from sqlmodel import select

from bot.auditing import _by_no_card, verify
from bot.card_sandbox import balance, paying
from bot.card_sandbox.faults import ApiFault
from bot.errors import TryLater
from bot.payments.halts import PaymentsPaused
from bot.payments.wallets import CARD_CLEARING, CARD_FEES, CARD_UNCLAIMED, SAFEGUARDING, TEST_MONEY
from bot.sandbox.faults import FaultKind
from bot.store.card_tables import TopUpRow
from bot.store.tables import PersonRow
from ledger.money import EUR, Money
from ledger.transfers import NewTransfer
from tests.integration.payments.test_topping_up import FEE, a_till
from tests.integration.watching.conftest import watched_town

COSTS = 30 + FEE
"""Of 20 €."""


@pytest.fixture
def till(database_url, tmp_path):
    with a_till(database_url, tmp_path) as till:
        yield till
        till.cashier.follow()
        till.street.town.settle()
        held = sum(each.net for each in till.processor.movements.values())
        open_ones = till.street.count("SELECT count(*) FROM card_movements WHERE state = 'open'")
        if not open_ones and "set_aside" not in till.states:
            assert till.balance_of(CARD_CLEARING) == held, (
                "the book's clearing account is what the processor holds"
            )


def paid_in(till, username="bob", amount="20€"):
    """The payment at the processor."""
    till.street.says(username, f"top up {amount}")
    page = till.page(username)
    assert till.pays(page) is paying.Outcome.PAID
    till.goes_on()
    till.follow()
    return till.processor.session(page).payment_id


class TestCharge:
    def test_is_booked_once_by_its_top_up(self, till):
        paid_in(till)
        till.follow()
        assert till.balance_of(CARD_CLEARING) == 20_00 - COSTS
        assert till.street.count("SELECT count(*) FROM card_movements WHERE state = 'booked'") == 1

    def test_followed_before_its_top_up_is_settled_waits_for_it(self, till):
        till.street.says("bob", "top up 20€")
        till.pays(till.page("bob"))
        till.follow()
        assert till.street.count("SELECT count(*) FROM card_movements WHERE state = 'open'") == 1
        till.goes_on()
        till.follow()
        assert till.street.count("SELECT count(*) FROM card_movements WHERE state = 'open'") == 0
        assert till.balance_of(CARD_CLEARING) == 20_00 - COSTS

    def test_for_somebody_who_was_erased_is_held_for_nobody_and_goes_back(self, till):
        till.street.says("alice", "top up 20€")
        page = till.page("alice")
        till.street.says("alice", "erase me")
        till.street.answers("alice")
        till.pays(page)
        till.goes_on()
        till.follow()
        assert till.balance_of(CARD_UNCLAIMED) == 20_00
        balance.refund(till.processor, till.processor.session(page).payment_id)
        till.follow()
        assert till.balance_of(CARD_UNCLAIMED) == 0
        assert till.balance_of(CARD_CLEARING) == -COSTS


class TestPayout:
    def test_drains_the_clearing_account_into_the_bank(self, till):
        paid_in(till)
        before = till.balance_of(TEST_MONEY)
        till.street.passes(days=3)
        balance.payout(till.processor)
        till.follow()
        assert till.balance_of(CARD_CLEARING) == 0
        assert till.balance_of(TEST_MONEY) - before == 20_00 - COSTS
        till.follow()
        assert till.balance_of(CARD_CLEARING) == 0

    def test_is_known_to_the_audit_as_the_processors_where_the_bank_is_a_real_one(self, till):
        """A demo's book has no bank; this one is told that it is none."""
        paid_in(till)
        till.street.passes(days=3)
        till.street.change("UPDATE book SET is_demo = (1 = 0)")
        balance.payout(till.processor)
        till.follow()
        assert till.balance_of(SAFEGUARDING) == 20_00 - COSTS
        town = till.street.town
        assert verify(town.bot.database, town.settings).findings == ()


class Undone(Exception):
    pass


class TestTheAudit:
    @pytest.mark.parametrize("amount_minor", [7_00, 20_00])
    def test_finds_money_of_cards_that_no_card_moved(self, till, amount_minor):
        paid_in(till)
        bot = till.street.town.bot
        found: list[str] = []

        def forge(session):
            person = session.exec(select(TopUpRow)).one().person_id
            new = NewTransfer(
                debit_account_id=bot.wallets.house(session, CARD_CLEARING),
                credit_account_id=bot.wallets.of(session, session.get_one(PersonRow, person)),
                amount=Money(amount_minor, EUR),
                code="top_up",
                idempotency_key="top_up:T-FORGED",
            )
            bot.ledger.transfer(session, new)
            found.extend(_by_no_card(session))
            raise Undone

        with pytest.raises(Undone):
            bot.database.write(forge)
        assert len(found) == 1
        assert "moved money of cards that no card moved" in found[0]

    def test_finds_a_top_up_whose_money_went_elsewhere(self, till):
        paid_in(till)
        bot = till.street.town.bot
        found: list[str] = []

        def turn(session):
            row = session.exec(select(TopUpRow)).one()
            session.get_one(PersonRow, row.person_id).wallet_id = None
            session.flush()
            found.extend(_by_no_card(session))
            raise Undone

        with pytest.raises(Undone):
            bot.database.write(turn)
        assert len(found) == 1
        assert "is not to its wallet" in found[0]


class TestReturn:
    def test_is_taken_from_the_wallet_that_has_it(self, till):
        payment = paid_in(till)
        balance.refund(till.processor, payment, 5_00)
        till.follow()
        assert till.street.has("bob") == 115_00
        assert "€5.00" in till.street.heard("bob")[-1]
        assert "€115.00" in till.street.heard("bob")[-1]
        assert "owe" not in till.street.heard("bob")[-1]

    def test_of_what_was_spent_is_a_debt_and_no_wallet_below_zero(self, till):
        payment = paid_in(till, "alice")
        till.street.says("alice", "send 15€ @bob")
        till.street.answers("alice")
        balance.refund(till.processor, payment)
        till.follow()
        assert till.street.has("alice") == 0
        assert "€15.00" in till.street.heard("alice")[-1]
        assert till.debt_of("alice") == 15_00

    def test_keeps_its_debtor_from_paying_until_it_is_settled(self, till):
        payment = paid_in(till, "alice")
        till.street.says("alice", "send 15€ @bob")
        till.street.answers("alice")
        balance.refund(till.processor, payment)
        till.follow()
        till.street.tweets("bob", "@smoney send 4€ @alice")
        till.street.answers("bob")
        till.street.says("alice", "send 1€ @bob")
        assert "€15.00" in till.street.heard("alice")[-1]
        till.follow()
        assert till.debt_of("alice") == 11_00
        assert till.street.has("alice") == 0
        paid_in(till, "alice")
        assert till.debt_of("alice") == 0
        assert till.street.has("alice") == 9_00
        till.street.says("alice", "send 1€ @bob")
        till.street.answers("alice")
        assert till.street.has("alice") == 8_00

    def test_between_a_question_and_its_answer_pays_nothing(self, till):
        payment = paid_in(till, "alice")
        till.street.says("alice", "send 15€ @bob")
        till.street.answers("alice")
        till.street.tweets("bob", "@smoney send 10€ @alice")
        till.street.answers("bob")
        till.street.says("alice", "send 1€ @bob")
        balance.refund(till.processor, payment)
        till.follow()
        had = till.street.has("bob")
        till.street.answers("alice")
        assert till.street.has("bob") == had

    def test_is_taken_from_a_frozen_wallet_which_stays_frozen(self, till):
        payment = paid_in(till)
        till.street.says("bob", "freeze")
        balance.refund(till.processor, payment)
        till.follow()
        assert till.street.has("bob") == 100_00
        till.street.says("bob", "send 1€ @alice")
        assert till.street.has("alice") == 0

    def test_by_a_dispute_costs_the_operator_its_fee_and_comes_back_when_it_is_won(self, till):
        payment = paid_in(till, "alice")
        till.street.says("alice", "send 15€ @bob")
        till.street.answers("alice")
        dispute = balance.dispute(till.processor, payment)
        till.follow()
        assert till.debt_of("alice") == 15_00
        assert till.balance_of(CARD_FEES) == COSTS + balance.DISPUTE_FEE_MINOR
        balance.resolve_dispute(till.processor, dispute.id, won=True)
        till.follow()
        assert till.debt_of("alice") == 0
        assert till.street.has("alice") == 5_00
        assert till.balance_of(CARD_FEES) == COSTS
        assert "€15.00" in till.street.heard("alice")[-2]
        assert "€5.00" in till.street.heard("alice")[-1]

    def test_that_comes_again_after_its_person_was_erased_is_held_for_nobody(self, till):
        payment = paid_in(till, "alice")
        dispute = balance.dispute(till.processor, payment)
        till.follow()
        assert (till.street.has("alice"), till.debt_of("alice")) == (0, 0)
        till.street.says("alice", "erase me")
        till.street.answers("alice")
        balance.resolve_dispute(till.processor, dispute.id, won=True)
        till.follow()
        assert till.balance_of(CARD_UNCLAIMED) == 20_00
        till.follow()
        assert till.balance_of(CARD_UNCLAIMED) == 20_00

    def test_while_payments_are_paused_is_owed_and_taken_afterwards(self, till):
        payment = paid_in(till)
        till.street.change("INSERT INTO switches (name, since, set_by) VALUES ('payments_paused', 0, 'x')")
        balance.refund(till.processor, payment)
        till.follow()
        assert (till.street.has("bob"), till.debt_of("bob")) == (120_00, 20_00)
        till.street.change("DELETE FROM switches")
        till.follow()
        assert (till.street.has("bob"), till.debt_of("bob")) == (100_00, 0)

    def test_of_a_debtor_keeps_them_from_being_erased(self, till):
        payment = paid_in(till, "alice")
        till.street.says("alice", "send 20€ @bob")
        till.street.answers("alice")
        balance.refund(till.processor, payment)
        till.follow()
        till.street.says("alice", "erase me")
        assert "€20.00" in till.street.heard("alice")[-1]
        assert till.street.count("SELECT count(*) FROM erasures") == 0

    def test_after_its_person_was_erased_is_owed_by_nobody_who_is_known(self, till):
        payment = paid_in(till, "alice")
        till.street.says("alice", "send 20€ @bob")
        till.street.answers("alice")
        till.street.says("alice", "erase me")
        till.street.answers("alice")
        balance.refund(till.processor, payment)
        till.follow()
        assert till.street.count("SELECT count(*) FROM people WHERE debt_id IS NOT NULL AND user_id < 0") == 1

    def test_leaves_what_is_owed_covered_only_by_the_operators_own_money(self, till):
        payment = paid_in(till, "alice")
        till.street.says("alice", "send 20€ @bob")
        till.street.answers("alice")
        till.owns(50_00)
        watched = watched_town(till.street)
        assert "money_not_covered" not in watched.looks()
        balance.refund(till.processor, payment)
        till.follow()
        assert "money_not_covered" not in watched.looks()
        for _ in range(3):
            balance.dispute(till.processor, paid_in(till, "carol", "20€"))
            till.street.says("carol", "send 20€ @bob")
            till.street.answers("carol")
        till.follow()
        assert watched.looks()["money_not_covered"]["lacking_minor"] > 0


class TestARestoredBook:
    """It only listens until somebody has held it against what happened since."""

    def test_makes_no_page_credits_nothing_and_takes_nothing_back(self, till):
        payment = paid_in(till)
        till.street.says("bob", "top up 30€")
        till.pays(till.page("bob"))
        till.street.change("INSERT INTO restores (id, made_at, restored_at, manifest) VALUES (1, 1, 2, '{}')")
        balance.refund(till.processor, payment, 5_00)
        found = till.cashier.processor.fetch(till.page("bob"))
        (row,) = [each for each in till.rows() if each.state == "open"]
        database = till.street.town.bot.database
        for _ in range(3):
            till.goes_on()
            till.follow()
            database.write(
                lambda session: till.cashier.top_ups.settle(session, row.id, found, hints=row.hints)
            )
        assert till.street.has("bob") == 120_00
        with pytest.raises(PaymentsPaused):
            till.asks("carol", 20_00)
        till.street.change("UPDATE restores SET reconciled_at = 3")
        till.street.passes(minutes=5)
        till.follow()
        assert till.street.has("bob") == 145_00


class TestFollowing:
    def test_asks_nothing_before_the_first_top_up(self, till):
        till.processor.faults.plan(ApiFault(FaultKind.FAIL, "GET", "/v1/balance_transactions"))
        assert till.cashier.follow() == 0

    def test_is_tried_again_after_a_fault(self, till):
        payment = paid_in(till)
        balance.refund(till.processor, payment, 5_00)
        till.processor.faults.plan(ApiFault(FaultKind.LOSE, "GET", "/v1/balance_transactions"))
        with pytest.raises(TryLater):
            till.cashier.follow()
        till.follow()
        assert till.street.has("bob") == 115_00

    def test_reads_on_through_many_pages(self, till):
        payment = paid_in(till, "bob", "250€")
        for _ in range(120):
            balance.refund(till.processor, payment, 1_00)
        till.follow()
        assert till.street.has("bob") == 230_00

    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE card_movements SET amount_minor = 1",
            "DELETE FROM card_movements",
            "UPDATE card_movements SET state = 'open'",
        ],
    )
    def test_leaves_rows_that_nobody_changes_by_hand(self, till, change):
        paid_in(till)
        with pytest.raises(Exception, match="the processor said"):
            till.street.change(change)
