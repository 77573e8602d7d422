"""Money moved by admins: two people for what comes in and goes out, nobody overdrawn, each thing once, all written down."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.admin.acts import NotAllowed, Role
from bot.admin.glance import glance_of
from bot.admin.log import Actor
from bot.admin.office import open_office
from bot.admin.proposals import STAYS_OPEN, proposals_of
from bot.errors import Misconfigured
from bot.payments.refunding import CannotRefund
from bot.people.tiers import Tier
from bot.wiring import World
from ledger.clock import IdSource
from ledger.money import EUR, Money
from tests.integration.payments.conftest import Street, town_at

OLGA, TOM, SAM = Actor("olga", Role.OWNER), Actor("tom", Role.TREASURER), Actor("sam", Role.SUPPORT)
TEN = Money(10_00, EUR)


class Admin:
    """Three admins, by the town's clock."""

    def __init__(self, street):
        self.street = street
        self.office = open_office(street.town.settings, World(clock=street.world.now, entropy=os.urandom))
        self.treasury = self.office.treasury
        root = Actor("root (system)", Role.OWNER)
        for each in (OLGA, TOM, SAM):
            self.write(
                lambda session, each=each: self.office.admins.add(
                    session, root, each.name, each.role, login=f"{each.name}-login", reason="the team"
                )
            )

    def write(self, work):
        return self.street.town.bot.database.write(work)

    def fund(self, who, amount=TEN, *, by=OLGA, reference="SEPA 1"):
        return self.write(
            lambda session: self.treasury.propose_fund(
                session, by, who, amount, reference=reference, reason="it arrived"
            )
        )

    def payout(self, who, amount=TEN, *, by=OLGA, reference="SEPA 2"):
        return self.write(
            lambda session: self.treasury.propose_payout(
                session, by, who, amount, reference=reference, reason="asked for"
            )
        )

    def own(self, amount, *, by=OLGA, reference="SEPA 3"):
        made = self.write(
            lambda session: self.treasury.propose_operator_fund(
                session, by, amount, reference=reference, reason="a buffer"
            )
        )
        return self.approve(made)

    def refund(self, reference, amount=None, *, by=SAM, payee=None, from_loss=False):
        return self.write(
            lambda session: self.treasury.refund(
                session, by, reference, amount, payee=payee, from_loss=from_loss, reason="the wrong one"
            )
        )

    def approve(self, proposal, *, by=TOM):
        done = self.write(
            lambda session: self.treasury.approve(session, by, proposal.id, reason="I have seen it")
        )
        self.street.town.settle()
        return done

    def read(self, work):
        return self.street.town.bot.database.read(work)

    def lapses(self):
        """What the daemon does now and then."""
        proposals = self.treasury.proposals
        return self.write(proposals.lapse_overdue) if self.read(proposals.has_overdue) else 0

    def refuse(self, proposal, *, by=TOM):
        return self.write(lambda session: self.treasury.refuse(session, by, proposal.id, reason="I have not"))

    @property
    def acts(self):
        read = self.street.town.bot.database.read(self.office.log.newest)
        return [each.action for each in read if not each.action.startswith("admin.")]


@pytest.fixture
def admin(street):
    return Admin(street)


def paid(street, words="@smoney send 60€ @alice", payer="bob"):
    street.tweets(payer, words)
    street.answers(payer)
    street.town.settle()
    return street.reference(payer)


class TestMoneyIn:
    def test_is_there_once_a_second_one_has_approved_it(self, street, admin):
        proposal = admin.fund("@alice")
        assert (proposal.state, street.has("alice")) == ("open", 0)
        done = admin.approve(proposal)
        assert (done.state, done.decided_by, street.has("alice")) == ("done", "tom", 10_00)
        assert "€10.00 arrived for you" in street.heard("alice")[-1]
        assert "SEPA 1" in street.heard("alice")[-1]
        assert admin.acts == ["fund.approve", "fund.propose"]

    def test_is_not_approved_by_who_proposed_it(self, street, admin):
        proposal = admin.fund("@alice")
        with pytest.raises(NotAllowed, match="somebody else has to approve it"):
            admin.approve(proposal, by=OLGA)
        assert street.has("alice") == 0
        with pytest.raises(DBAPIError, match="two_people"):
            admin.write(
                lambda session: (
                    session.connection().execute(
                        text(
                            "UPDATE proposals SET state = 'done', decided_by = 'olga', decided_at = proposed_at,"
                            " transfer_id = 1"
                        )
                    )
                    and None
                )
            )

    def test_is_proposed_and_approved_only_by_who_may(self, street, admin):
        with pytest.raises(NotAllowed, match=r"fund.propose needs the role treasurer; yours is support"):
            admin.fund("@alice", by=SAM)
        proposal = admin.fund("@alice")
        with pytest.raises(NotAllowed):
            admin.approve(proposal, by=SAM)
        with pytest.raises(NotAllowed, match="two admins with names of their own"):
            admin.approve(proposal, by=Actor("root (system)", Role.OWNER))
        assert admin.acts == ["fund.propose"]

    def test_counts_once_for_one_transfer_of_the_bank(self, street, admin):
        admin.approve(admin.fund("@alice", reference="SEPA  0001"))
        with pytest.raises(Misconfigured, match="booked or proposed before"):
            admin.fund("@alice", reference="sepa 0001")
        refused = admin.fund("@carol", reference="SEPA 0002")
        admin.refuse(refused)
        admin.approve(admin.fund("@alice", reference="SEPA 0002"))
        assert street.has("alice") == 20_00

    def test_is_decided_once(self, street, admin):
        proposal = admin.fund("@alice")
        admin.approve(proposal)
        with pytest.raises(Misconfigured, match="is done already"):
            admin.approve(proposal)
        with pytest.raises(Misconfigured, match="is done already"):
            admin.refuse(proposal)
        assert street.has("alice") == 10_00

    def test_ends_after_three_days(self, street, admin):
        proposal = admin.fund("@alice")
        street.sleeps(days=3, minutes=1)
        assert admin.approve(proposal).state == "expired"
        assert street.has("alice") == 0

    def test_lapses_by_itself_and_frees_its_reference(self, street, admin):
        proposal = admin.fund("@alice")
        assert admin.lapses() == 0
        street.sleeps(days=3, minutes=1)
        assert admin.lapses() == 1
        assert admin.lapses() == 0
        row = admin.read(lambda session: admin.treasury.proposals.one(session, proposal.id))
        assert (row.state, row.decided_by) == ("expired", "self-check")
        assert row.decided_at == row.proposed_at + STAYS_OPEN
        (action, *_) = admin.read(admin.office.log.newest)
        assert (action.by, action.action) == ("self-check", "proposal.lapse")
        assert (action.subject, action.facts["amount_minor"]) == (f"proposal {proposal.id}", 10_00)
        assert admin.approve(proposal).state == "expired"
        assert admin.approve(admin.fund("@alice")).state == "done"
        assert street.has("alice") == 10_00

    def test_is_seen_as_lapsed_before_anybody_wrote_that_down(self, street, admin):
        proposal, proposals = admin.fund("@alice"), admin.treasury.proposals

        def listed(state):
            return [each.id for each in admin.read(lambda session: proposals.newest(session, state=state))]

        street.sleeps(days=3)
        assert (listed("open"), listed("expired")) == ([proposal.id], [])
        street.sleeps(seconds=1)
        assert (listed("open"), listed("expired"), listed(None)) == ([], [proposal.id], [proposal.id])
        seen = admin.read(lambda session: proposals.one(session, proposal.id))
        assert (seen.state, seen.decided_by) == ("expired", "self-check")
        assert admin.read(lambda session: glance_of(session, street.world.now()).proposals) == 0
        assert street.count("SELECT count(*) FROM proposals WHERE state = 'open'") == 1

    def test_that_is_over_stands_in_nobodys_way(self, street, admin):
        """Also where the daemon has not come to it yet: who needs the reference ends it, and that is written down."""
        over = admin.fund("@alice")
        street.sleeps(days=4)
        again = admin.fund("@carol")
        assert again.id != over.id
        assert street.count("SELECT count(*) FROM proposals WHERE state = 'expired'") == 1
        assert admin.acts == ["fund.propose", "proposal.lapse", "fund.propose"]

    def test_that_is_over_is_not_refused_either(self, street, admin):
        over = admin.fund("@alice")
        street.sleeps(days=4)
        assert admin.refuse(over).state == "expired"
        with pytest.raises(NotAllowed):
            admin.refuse(over, by=Actor("rita", Role.READ))
        assert admin.acts == ["proposal.lapse", "fund.propose"]

    def test_does_not_go_beyond_what_a_tier_may_hold(self, street, admin):
        with pytest.raises(Misconfigured, match="would hold more than the tier identified may"):
            admin.fund("@alice", Money(3000_01, EUR))
        street.tweets("bob", "@smoney send 1€ @zoe")
        with pytest.raises(Misconfigured, match="is no member"):
            admin.fund("@zoe")

    def test_is_never_changed_afterwards(self, street, admin):
        admin.approve(admin.fund("@alice"))
        for change in ("SET amount_minor = 1", "SET decided_by = 'sam'", "SET state = 'open'"):
            with pytest.raises(DBAPIError, match="decided once"):
                admin.write(
                    lambda session, change=change: (
                        session.connection().execute(text(f"UPDATE proposals {change}")) and None
                    )
                )


class TestMoneyOut:
    def test_leaves_the_wallet_and_its_owner_hears_of_it(self, street, admin):
        admin.approve(admin.payout("@bob", Money(40_00, EUR)))
        assert street.has("bob") == 60_00
        assert "€40.00 was paid out to you" in street.heard("bob")[-1]

    def test_goes_to_nobody_whom_nobody_knows(self, street, admin):
        admin.write(
            lambda session: admin.office.guarding.set_tier(session, OLGA, "@bob", Tier.NEW, reason="a doubt")
        )
        with pytest.raises(Misconfigured, match="was identified by nobody"):
            admin.payout("@bob")

    def test_is_no_more_than_is_free_also_when_it_is_approved(self, street, admin):
        with pytest.raises(Misconfigured, match=r"has 100\.00 EUR that are free"):
            admin.payout("@bob", Money(100_01, EUR))
        proposal = admin.payout("@bob", Money(90_00, EUR))
        paid(street, "@smoney send 20€ @alice")
        with pytest.raises(Misconfigured, match=r"has 80\.00 EUR that are free"):
            admin.approve(proposal)
        assert street.has("bob") == 80_00

    def test_leaves_a_frozen_wallet_and_the_freeze_stays(self, street, admin):
        street.says("bob", "freeze")
        admin.approve(admin.payout("@bob"))
        assert street.has("bob") == 90_00
        assert street.count("SELECT count(*) FROM ledger_account WHERE state = 'debits_frozen'") == 1

    def test_of_somebody_whose_account_is_gone(self, street, admin):
        """What they had can be paid out: the wallet is theirs by their numeric id, whatever X does."""
        street.says("bob", "stop")
        bob = street.world.person("bob").id
        street.world.suspend(bob)
        admin.approve(admin.payout(str(bob), Money(100_00, EUR)))
        assert street.has("bob") == 0


class TestARefund:
    def test_of_a_small_payment_takes_one_person(self, street, admin):
        reference = paid(street, "@smoney send 50€ @alice")
        done = admin.refund(reference)
        street.town.settle()
        assert (done.state, street.has("bob"), street.has("alice")) == ("done", 100_00, 0)
        assert "the wrong one" in street.heard("bob")[-1]
        assert "the wrong one" in street.heard("alice")[-1]
        assert street.count("SELECT count(*) FROM intent_lines WHERE state = 'returned'") == 1
        assert admin.acts == ["refund.alone"]

    def test_of_a_larger_one_takes_two(self, street, admin):
        reference = paid(street)
        proposal = admin.refund(reference)
        assert (proposal.state, street.has("bob")) == ("open", 40_00)
        with pytest.raises(NotAllowed):
            admin.approve(proposal, by=SAM)
        admin.approve(proposal)
        assert (street.has("bob"), street.has("alice")) == (100_00, 0)

    def test_in_part(self, street, admin):
        reference = paid(street)
        admin.refund(reference, TEN)
        assert (street.has("bob"), street.has("alice")) == (50_00, 50_00)
        with pytest.raises(Misconfigured, match="given back, or is proposed to be, already"):
            admin.refund(reference, TEN)
        street.says("alice", f"return {reference}")
        assert street.has("alice") == 50_00

    def test_of_more_than_was_paid_is_refused(self, street, admin):
        reference = paid(street)
        with pytest.raises(CannotRefund, match="the most that can go back"):
            admin.refund(reference, Money(60_01, EUR))

    def test_of_what_its_payee_has_spent_is_refused_and_nobody_is_overdrawn(self, street, admin):
        reference = paid(street)
        paid(street, "@smoney send 30€ @carol", payer="alice")
        proposal = admin.refund(reference)
        with pytest.raises(CannotRefund, match=r"has 30\.00 EUR left; --from-loss"):
            admin.approve(proposal)
        assert (street.has("bob"), street.has("alice")) == (40_00, 30_00)

    def test_can_be_met_from_the_operators_own_money(self, street, admin):
        reference = paid(street)
        paid(street, "@smoney send 60€ @carol", payer="alice")
        proposal = admin.refund(reference, from_loss=True)
        with pytest.raises(CannotRefund, match=r"the operator's own account has 0\.00 EUR"):
            admin.approve(proposal)
        admin.own(Money(100_00, EUR))
        admin.approve(proposal)
        assert (street.has("bob"), street.has("alice"), street.has("carol")) == (100_00, 0, 80_00)

    def test_from_the_operators_money_takes_two_however_small(self, street, admin):
        reference = paid(street, "@smoney send 5€ @alice")
        assert admin.refund(reference, from_loss=True).state == "open"

    def test_of_held_money_sets_it_free_whole(self, street, admin):
        reference = paid(street, "@smoney send 20€ @zoe")
        with pytest.raises(CannotRefund, match="goes back whole"):
            admin.refund(reference, TEN)
        admin.refund(reference)
        assert street.has("bob") == 100_00
        street.says("zoe", "start")
        assert street.has("zoe") == 0

    def test_of_one_payee_of_several(self, street, admin):
        reference = paid(street, "@smoney send 10€ each to @alice and @carol")
        with pytest.raises(Misconfigured, match="was paid to"):
            admin.refund(reference)
        admin.refund(reference, payee="@carol")
        assert (street.has("bob"), street.has("alice"), street.has("carol")) == (90_00, 10_00, 20_00)

    def test_of_what_was_never_paid_is_refused(self, street, admin):
        street.tweets("bob", "@smoney send 10€ @alice")
        with pytest.raises(Misconfigured, match="paid nothing: it is asking"):
            admin.refund(street.reference("bob"))
        with pytest.raises(Misconfigured, match="is no payment's reference"):
            admin.refund("P-AAAAAA")

    def test_out_of_a_thief_s_frozen_wallet(self, street, admin):
        reference = paid(street)
        admin.write(lambda session: admin.office.helping.freeze(session, SAM, "@alice", reason="a thief"))
        admin.approve(admin.refund(reference))
        assert street.has("bob") == 100_00
        assert street.count("SELECT count(*) FROM ledger_account WHERE state = 'debits_frozen'") == 1

    def test_stands_in_the_payments_story(self, street, admin):
        reference = paid(street)
        admin.approve(admin.refund(reference))
        story = street.town.bot.database.read(lambda session: admin.office.stories.of(session, reference))
        told = [each.what for each in story.happened if each.kind == "refund"]
        assert len(told) == 2
        assert "asked for by sam" in told[0]
        assert "done by tom" in told[1]


class TestTheBooks:
    def test_of_real_money_say_where_it_is(self, street, admin):
        """In a book that is no demo's, what comes in stands on the safeguarding account, and all of it is covered."""
        change = text("UPDATE book SET is_demo = (1 = 0)")
        admin.write(lambda session: session.connection().execute(change) and None)
        admin.approve(admin.fund("@alice", Money(40_00, EUR)))
        admin.approve(admin.payout("@alice"))
        admin.own(Money(5_00, EUR))
        held = "SELECT debits_posted - credits_posted FROM ledger_account WHERE code = 'safeguarding'"
        assert street.count(held) == 35_00


def test_the_same_money_is_asked_for_after_its_refusal(street, admin):
    reference = paid(street)
    admin.refuse(admin.refund(reference))
    admin.approve(admin.refund(reference))
    assert street.has("bob") == 100_00


def test_somebody_admins_moved_money_of_can_be_erased(street, admin):
    """What admins allowed is found again, and bound to the stand-in."""
    reference = paid(street, "@smoney send 60€ @alice")
    admin.refund(reference, TEN)
    admin.approve(admin.payout("@alice", Money(50_00, EUR)))
    street.says("alice", "erase me")
    street.answers("alice")
    assert "your account is erased" in street.heard("alice")[-1]
    assert street.count("SELECT count(*) FROM authorisations WHERE person_id < 0") == 2
    assert street.count("SELECT count(*) FROM proposals WHERE person_id < 0") == 1


@pytest.mark.postgresql
class TestTheLastMoment:
    """A second admin's yes and the end of the three days at once, by two programs whose clocks differ."""

    @pytest.fixture
    def street(self, postgresql_url, tmp_path):
        with town_at(postgresql_url, tmp_path) as town:
            yield Street(town)

    @pytest.fixture
    def late(self, street, admin):
        """The daemon on another machine, for whom the three days are over."""
        over = street.world.now() + STAYS_OPEN + timedelta(seconds=1)
        return proposals_of(street.town.bot.vault, lambda: over, IdSource(lambda: over, os.urandom))

    def test_goes_to_the_yes_that_came_first(self, street, admin, late):
        proposal = admin.fund("@alice")

        def approved_meanwhile(session):
            done = admin.treasury.approve(session, TOM, proposal.id, reason="I have seen it")
            assert in_another_thread(lambda: admin.write(late.lapse_overdue)) == 0  # not waited for
            return done

        assert admin.write(approved_meanwhile).state == "done"
        assert admin.write(late.lapse_overdue) == 0
        assert street.has("alice") == 10_00

    @pytest.mark.race
    def test_goes_to_the_end_that_came_first(self, street, admin, late):
        proposal = admin.fund("@alice")
        with ThreadPoolExecutor(1) as pool:

            def lapsed_meanwhile(session):
                assert late.lapse_overdue(session) == 1
                coming = pool.submit(admin.approve, proposal)
                waits_for_a_lock(street)
                return coming

            assert admin.write(lapsed_meanwhile).result(timeout=30).state == "expired"
        assert street.has("alice") == 0
        assert admin.acts == ["proposal.lapse", "fund.propose"]

    @pytest.mark.race
    def test_goes_to_one_of_two_who_need_the_reference(self, street, admin, late):
        over = admin.fund("@alice")
        street.sleeps(days=4)
        with ThreadPoolExecutor(2) as pool:
            both = [pool.submit(admin.fund, who, reference="SEPA 1") for who in ("@alice", "@carol")]
            ended = [one.exception(timeout=30) for one in both]
        assert {type(one) for one in ended} == {Misconfigured, type(None)}
        assert street.count("SELECT count(*) FROM proposals WHERE state = 'open'") == 1
        assert street.count("SELECT count(*) FROM proposals WHERE state = 'expired'") == 1
        assert over.id != street.count("SELECT id FROM proposals WHERE state = 'open'")


def in_another_thread(work):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result(timeout=30)


def waits_for_a_lock(street):
    """Until another connection waits for what this test's transaction holds."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    read = street.town.bot.database.read
    while not in_another_thread(
        lambda: read(lambda session: session.connection().execute(waiting).scalar_one())
    ):
        pass
