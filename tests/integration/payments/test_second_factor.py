"""The second factor, as a page uses it: one call in one transaction, on both databases."""

import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.people.factor_states import Begun, FactorState, Outcome, Removed, Tried, Verified
from bot.sandbox.faults import Fault, FaultKind
from bot.sandbox.limits import Operation
from bot.x.gateway import UserId
from tests.integration.payments.conftest import Street


@dataclass
class Page:
    """What somebody signed in as this person can do."""

    street: Street
    username: str = "bob"
    secret: str = ""

    def does(self, name, *arguments, **named):
        bot, user_id = self.street.town.bot, UserId(self.street.world.person(self.username).id)
        box: list[Any] = []

        def work(session):
            person = bot.people.get(session, user_id)
            box[:] = [getattr(bot.factors, name)(session, person, *arguments, **named)]

        bot.database.write(work)
        return box[0]

    @property
    def state(self) -> str:
        return str(self.does("standing").state)

    def app(self, *, off_by: int = 0, secret: str = "") -> str:
        """What the app shows now."""
        return pyotp.TOTP(secret or self.secret).at(self.street.world.now() + timedelta(seconds=off_by))

    def wrong(self) -> str:
        right = {self.app(off_by=seconds) for seconds in (-30, 0, 30)}
        return next(code for code in ("000001", "000002", "000003", "000004") if code not in right)

    def enrols(self, **named) -> Verified:
        begun: Begun = self.does("begin", **named)
        assert begun.secret is not None
        self.secret = begun.secret
        verified: Verified = self.does("verify", self.app())
        assert verified.tried.accepted
        return verified

    def waits(self, **duration) -> None:
        self.street.passes(**duration)

    def is_active(self) -> "Page":
        self.enrols()
        self.waits(hours=48)
        assert self.state == FactorState.ACTIVE
        return self

    def told(self, part: str) -> int:
        self.street.town.settle()
        return sum(part in words for words in self.street.heard(self.username))


@pytest.fixture
def page(street: Street) -> Page:
    return Page(street)


class TestEnrolling:
    def test_counts_for_nothing_until_a_code_has_shown_that_the_app_works(self, page):
        begun = page.does("begin")
        assert page.state == FactorState.PENDING
        page.secret = begun.secret
        assert page.does("verify", page.wrong()).tried.outcome is Outcome.WRONG
        assert page.does("check", page.app()).outcome is Outcome.NOTHING
        assert page.does("verify", page.app()).tried.accepted
        assert page.state == FactorState.NEW

    def test_takes_48_hours_with_three_notices_to_become_active(self, page):
        verified = page.enrols()
        assert verified.active_from == page.street.world.now() + timedelta(hours=48)
        assert page.told("was set up") == 1
        page.waits(hours=24)
        assert page.told("was set up") == 2
        page.waits(hours=23, minutes=59, seconds=59)
        assert page.state == FactorState.NEW
        page.waits(seconds=1)
        assert page.state == FactorState.ACTIVE
        assert page.told("counts from now on") == 1

    def test_becomes_active_by_its_time_and_not_by_a_sweep(self, page):
        page.enrols()
        page.street.sleeps(hours=48)
        assert page.state == FactorState.ACTIVE

    def test_a_secret_shown_long_ago_cannot_be_verified(self, page):
        page.secret = page.does("begin").secret
        page.waits(hours=1)
        assert page.does("verify", page.app()).tried.outcome is Outcome.NOTHING
        assert page.state == FactorState.NONE

    def test_begun_twice_only_the_second_secret_counts(self, page):
        first = page.does("begin").secret
        page.secret = page.does("begin").secret
        assert not page.does("verify", page.app(secret=first)).tried.accepted
        assert page.does("verify", page.app()).tried.accepted

    def test_one_persons_factor_is_no_use_to_another(self, page):
        page.enrols()
        carol = Page(page.street, "carol", page.secret)
        assert carol.does("check", page.app()).outcome is Outcome.NOTHING
        carol.enrols()
        page.waits(minutes=1)
        assert not carol.does("check", page.app()).accepted


class TestACode:
    def test_is_taken_once(self, page):
        page.is_active()
        code = page.app()
        assert page.does("check", code).accepted
        assert not page.does("check", code).accepted

    def test_that_verified_the_app_is_not_taken_again(self, page):
        page.enrols()
        assert not page.does("check", page.app()).accepted

    @pytest.mark.race
    def test_taken_by_two_at_once_is_taken_once(self, page):
        page.is_active()
        code, outcomes = page.app(), []
        both = [threading.Thread(target=lambda: outcomes.append(page.does("check", code))) for _ in range(4)]
        for one in both:
            one.start()
        for one in both:
            one.join()
        assert sorted(tried.accepted for tried in outcomes) == [False, False, False, True]

    def test_that_was_used_stays_used_whatever_the_program_writes(self, page):
        page.is_active()
        back = text("UPDATE second_factors SET last_step = last_step - 1")
        with pytest.raises(DBAPIError):
            page.street.town.bot.database.write(lambda s: s.connection().execute(back) and None)

    def test_wrong_five_times_locks_and_the_right_one_is_not_taken_then(self, page):
        page.is_active()
        left = [page.does("check", page.wrong()).remaining for _ in range(4)]
        assert left == [4, 3, 2, 1]
        assert page.does("check", page.wrong()).outcome is Outcome.LOCKED
        assert page.told("Too many wrong codes of your authenticator") == 1
        assert page.does("check", page.app()).outcome is Outcome.LOCKED
        page.waits(minutes=15)
        assert page.does("check", page.app()).accepted

    def test_locks_grow(self, page):
        page.is_active()
        for minutes in (15, 30, 60):
            tried = [page.does("check", page.wrong()) for _ in range(5)][-1]
            assert tried.locked_until == page.street.world.now() + timedelta(minutes=minutes)
            page.waits(minutes=minutes)

    def test_what_has_no_six_digits_is_no_guess(self, page):
        page.is_active()
        for _ in range(10):
            assert page.does("check", "yes").remaining == 5


class TestRecoveryCodes:
    def test_work_once_and_their_person_is_told(self, page):
        codes = page.enrols().recovery_codes
        assert page.does("prove", codes[0].lower()).accepted
        assert page.does("prove", codes[0]).outcome is Outcome.WRONG
        assert page.does("prove", codes[1]).accepted
        assert page.told("9 left") == 1
        assert page.told("8 left") == 1

    def test_are_no_codes_for_a_payment(self, page):
        codes = page.enrols().recovery_codes
        assert not page.does("check", codes[0]).accepted

    def test_stand_nowhere_in_clear(self, page):
        codes = page.enrols().recovery_codes
        hashes = page.street.town.bot.database.read(
            lambda s: s.connection().execute(text("SELECT code_hash FROM recovery_codes")).scalars().all()
        )
        assert len(hashes) == len(codes)
        assert not any(code.replace("-", "").encode() in bytes(kept) for code in codes for kept in hashes)

    def test_guessing_them_is_counted_too(self, page):
        page.enrols()
        tried = [page.does("prove", "2222-2222-2222") for _ in range(5)][-1]
        assert tried.outcome is Outcome.LOCKED


class TestChanging:
    def test_with_the_old_ones_code_happens_at_once(self, page):
        page.is_active()
        old = page.secret
        page.enrols(proof=page.app())
        assert page.state == FactorState.ACTIVE
        page.waits(minutes=1)
        assert not page.does("check", page.app(secret=old)).accepted
        assert page.does("check", page.app()).accepted

    def test_with_a_recovery_code_happens_at_once(self, page):
        codes = page.enrols().recovery_codes
        page.waits(hours=48)
        page.enrols(proof=codes[3])
        assert page.state == FactorState.ACTIVE

    def test_with_a_wrong_code_does_not_begin(self, page):
        page.is_active()
        begun = page.does("begin", proof=page.wrong())
        assert begun.secret is None
        assert begun.tried.outcome is Outcome.WRONG

    def test_with_the_code_of_one_that_is_new_keeps_its_wait(self, page):
        first = page.enrols()
        page.waits(hours=12)
        second = page.enrols(proof=page.app())
        assert second.active_from == first.active_from
        assert page.state == FactorState.NEW

    def test_with_nothing_waits_48_hours_and_the_old_one_stays_till_then(self, page):
        page.is_active()
        old = page.secret
        page.enrols()
        assert page.does("check", page.app(secret=old, off_by=30)).accepted
        assert not page.does("check", page.app(off_by=30)).accepted
        assert page.told("was set up") == 2  # the first one's, long ago, and this one's
        page.waits(hours=48)
        assert not page.does("check", page.app(secret=old)).accepted
        assert page.does("check", page.app()).accepted

    def test_with_nothing_can_be_called_off_by_who_holds_the_old_one(self, page):
        page.is_active()
        old = page.secret
        page.enrols()
        assert page.does("keep", page.app(secret=old, off_by=30)).accepted
        page.waits(hours=48)
        assert not page.does("check", page.app()).accepted
        assert page.does("check", page.app(secret=old)).accepted


class TestRemoving:
    def test_with_a_code_happens_at_once(self, page):
        page.is_active()
        removed: Removed = page.does("remove", proof=page.app())
        assert removed.at == page.street.world.now()
        assert page.state == FactorState.NONE

    def test_with_a_wrong_code_does_not_happen(self, page):
        page.is_active()
        assert page.does("remove", proof=page.wrong()).at is None
        assert page.state == FactorState.ACTIVE

    def test_with_nothing_waits_48_hours_with_notices(self, page):
        page.is_active()
        page.does("remove")
        page.waits(hours=24)
        assert page.told("asked to remove") == 2
        page.waits(hours=23)
        assert page.state == FactorState.ACTIVE
        page.waits(hours=1)
        assert page.state == FactorState.NONE
        assert page.told("no authenticator app any more") == 1

    def test_with_nothing_can_be_called_off(self, page):
        page.is_active()
        page.does("remove")
        assert page.does("keep", page.app()).accepted
        page.waits(hours=49)
        assert page.state == FactorState.ACTIVE

    def test_of_a_new_one_needs_no_code_for_it_raises_nothing_yet(self, page):
        page.enrols()
        page.does("remove")
        assert page.state == FactorState.NONE

    def test_never_brings_an_older_one_back(self, page):
        page.is_active()
        old = page.secret
        page.enrols()
        page.street.sleeps(hours=48)
        page.does("remove", proof=page.app())
        assert page.state == FactorState.NONE
        assert page.does("check", page.app(secret=old, off_by=30)).outcome is Outcome.NOTHING

    def test_wipes_the_secret(self, page):
        page.is_active()
        page.does("forget")
        assert page.street.count("SELECT count(*) FROM second_factors WHERE secret_sealed IS NOT NULL") == 0


class TestSecrets:
    def test_are_shown_by_no_representation(self, page):
        begun = page.does("begin")
        page.secret = begun.secret
        verified = page.does("verify", page.app())
        shown = repr(begun) + repr(verified) + str(begun) + str(verified)
        assert begun.secret not in shown
        assert not any(code in shown for code in verified.recovery_codes)

    def test_a_tried_code_is_a_plain_outcome(self, page):
        assert page.does("check", "482913") == Tried(Outcome.NOTHING)


class TestWithoutItsPersonHearing:
    """The 48 hours are worth their notices: whoever stops the messages, or pulls the brake, begins anew."""

    def test_stopping_ends_one_that_is_new(self, page):
        page.enrols()
        page.street.says("bob", "stop")
        page.waits(hours=48)
        page.street.says("bob", "start")
        assert page.state == FactorState.NONE

    def test_nothing_begins_while_they_hear_nothing(self, page):
        page.street.says("bob", "stop")
        begun = page.does("begin")
        assert (begun.secret, begun.tried.outcome) == (None, Outcome.NOTHING)

    def test_what_was_begun_before_is_not_verified_while_they_hear_nothing(self, page):
        page.secret = page.does("begin").secret
        page.street.says("bob", "stop")
        assert page.does("verify", page.app()).tried.outcome is Outcome.NOTHING

    def test_stopping_calls_off_what_waits_to_replace_or_remove_the_one_there_is(self, page):
        page.is_active()
        old = page.secret
        page.enrols()
        page.does("remove")
        page.street.says("bob", "stop")
        page.waits(hours=48)
        page.street.says("bob", "start")
        assert page.state == FactorState.ACTIVE
        assert page.does("check", page.app(secret=old)).accepted

    def test_no_removal_begins_while_they_hear_nothing(self, page):
        page.is_active()
        page.street.says("bob", "stop")
        assert page.does("remove").tried.outcome is Outcome.NOTHING
        page.waits(hours=48)
        assert page.state == FactorState.ACTIVE

    def test_with_its_code_it_can_still_be_replaced_and_removed(self, page):
        page.is_active()
        page.street.says("bob", "stop")
        page.enrols(proof=page.app())
        page.waits(minutes=1)
        assert page.does("remove", proof=page.app()).tried.accepted

    def test_freezing_ends_a_thiefs_new_one_so_that_its_person_can_thaw(self, page):
        """As the notice of a new one advises: were it active after its 48 hours, only the thief could thaw."""
        page.enrols()
        page.street.says("bob", "freeze")
        assert page.told("has no authenticator app any more") == 1
        page.waits(hours=48)
        page.street.says("bob", "unfreeze")
        page.street.answers("bob")
        page.street.tweets("bob", "@smoney send 1€ @alice")
        page.street.answers("bob")
        assert page.street.has("alice") == 1_00

    def test_freezing_calls_off_a_removal(self, page):
        page.is_active()
        page.does("remove")
        page.street.says("bob", "freeze")
        assert page.told("Called off") == 1
        page.waits(hours=48)
        assert page.state == FactorState.ACTIVE

    def test_nothing_begins_while_it_is_frozen(self, page):
        page.street.says("bob", "freeze")
        assert page.does("begin").tried.outcome is Outcome.NOTHING

    def test_one_that_x_cannot_tell_of_ends(self, page):
        """A thief who blocks the bot as its person would otherwise wait in silence too."""
        refused = Fault(FaultKind.REFUSE, Operation.SEND_MESSAGE, times=2, status=403, title="Forbidden")
        page.street.world.faults.plan(refused)
        page.enrols()
        page.street.town.settle()
        assert page.state == FactorState.NONE
