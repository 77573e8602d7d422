"""The promises: never pays twice, never overdraws, never pays without its payer's answer. Each on both databases."""

import threading
from dataclasses import replace
from secrets import token_hex

import pytest

from bot.errors import GatewayUnavailable
from bot.sandbox.faults import FaultKind
from bot.sandbox.limits import Operation
from bot.store.switches import Switch, turn_off, turn_on
from bot.utterances import utterance_of
from bot.x.gateway import PostId, UserId
from ledger.money import EUR, Money


class TestNothingMovesWithoutItsPayersAnswer:
    def test_the_right_answer_moves_exactly_what_was_asked(self, street):
        street.tweets("bob", "@smoney send 10€ @alice for pizza")
        assert (street.has("bob"), street.has("alice")) == (100_00, 0)
        street.answers("bob")
        assert (street.has("bob"), street.has("alice")) == (90_00, 10_00)
        assert "10.00" in street.heard("bob")[-1]
        assert "pizza" in street.heard("alice")[-1]

    @pytest.mark.parametrize("words", ["yes", "ok", "confirm", "oui", "pay it", "send it"])
    def test_a_yes_is_not_enough(self, street, words):
        street.tweets("bob", "@smoney send 10€ @alice")
        street.says("bob", words)
        assert street.has("bob") == 100_00
        assert street.payments == 0

    def test_the_right_code_from_somebody_else_is_worth_nothing(self, street):
        street.tweets("bob", "@smoney send 10€ @alice")
        street.says("carol", street.code("bob"))
        street.says("zoe", street.code("bob"))
        assert street.payments == 0

    def test_the_right_code_in_public_is_worth_nothing(self, street):
        street.tweets("bob", "@smoney send 10€ @alice")
        street.tweets("bob", f"@smoney {street.code('bob')}")
        assert street.payments == 0

    def test_the_right_code_in_a_group_is_worth_nothing(self, street):
        street.tweets("bob", "@smoney send 10€ @alice")
        world, bob = street.world, street.world.person("bob").id
        group = world.create_group(bob, [street.town.bot_person.id, world.person("carol").id])
        world.send_to_group(bob, group, street.code("bob"))
        street.town.settle()
        assert street.payments == 0

    def test_no_declines_and_kills_the_code(self, street):
        street.tweets("bob", "@smoney send 10€ @alice")
        code = street.code("bob")
        street.says("bob", "no")
        street.says("bob", code)
        assert street.payments == 0

    def test_one_code_is_good_for_one_of_two_payments_only(self, street):
        street.tweets("bob", "@smoney send 10€ @alice")
        first = street.code("bob")
        street.tweets("bob", "@smoney send 20€ @carol")
        second = street.code("bob")
        street.says("bob", f"{second[0]} {first[2:]}")
        assert street.payments == 0
        street.says("bob", first)
        assert (street.has("alice"), street.has("carol")) == (10_00, 20_00)

    def test_a_bare_code_is_asked_again_where_several_are_open_and_not_counted(self, street):
        street.tweets("bob", "@smoney send 10€ @alice")
        street.tweets("bob", "@smoney send 20€ @carol")
        street.says("bob", street.code("bob")[2:])
        assert street.payments == 0
        assert street.count("SELECT max(wrong_answers) FROM people") == 0

    def test_a_bare_code_counts_where_one_is_open(self, street):
        street.tweets("bob", "@smoney send 10€ @alice")
        street.says("bob", street.code("bob")[2:])
        assert street.has("alice") == 10_00


class TestPaysOnce:
    def test_the_same_tweet_delivered_three_times(self, street):
        post = street.tweets("bob", "@smoney send 10€ @alice")
        listening = street.town.bot.listening
        again = listening.gateway.mentions(since_id=PostId(post.id - 1)).items
        for _ in range(3):
            street.town.bot.database.write(lambda s: street.town.bot.inbox.store_posts(s, again) and None)
            street.town.settle()
        street.answers("bob")
        street.answers("bob")
        assert street.has("bob") == 90_00
        assert street.payments == 1

    def test_an_edit_of_a_paid_order_pays_nothing_more(self, street):
        post = street.tweets("bob", "@smoney send 10€ @alice")
        street.answers("bob")
        street.edits(post, "@smoney send 30€ @alice")
        street.answers("bob")
        assert street.has("bob") == 90_00
        assert "already paid" in street.heard("bob")[-2]

    def test_an_edit_before_the_answer_kills_the_old_code(self, street):
        post = street.tweets("bob", "@smoney send 10€ @alice")
        old = street.code("bob")
        street.edits(post, "@smoney send 30€ @alice")
        street.says("bob", old)
        assert street.payments == 0
        assert "changed" in street.heard("bob")[-1]
        assert street.count("SELECT max(wrong_answers) FROM people") == 0
        street.answers("bob")
        assert street.has("alice") == 30_00

    def test_an_edit_and_an_answer_to_the_old_code_read_together(self, street):
        post = street.tweets("bob", "@smoney send 10€ @alice")
        old = street.code("bob")
        street.edits(post, "@smoney send 30€ @carol", settle=False)
        street.says("bob", old)
        assert street.payments == 0

    def test_an_older_version_that_arrives_later_is_ignored(self, street):
        bot, world = street.town.bot, street.world
        bob = world.person("bob").id
        first = world.post(bob, "@smoney send 10€ @alice")
        edited = world.edit(first.id, "@smoney send 1€ @alice")
        versions = {post.id: post for post in bot.listening.gateway.mentions().items}
        bot.database.write(lambda session: bot.inbox.store_posts(session, [versions[edited.id]]) and None)
        street.town.settle()
        older = _version(versions[edited.id], first.id, "@smoney send 10€ @alice")
        bot.database.write(lambda session: bot.inbox.store_posts(session, [older]) and None)
        street.town.settle()
        street.answers("bob")
        assert street.has("alice") == 1_00

    def test_an_edit_into_chatter_withdraws_the_order(self, street):
        post = street.tweets("bob", "@smoney send 10€ @alice")
        code = street.code("bob")
        street.edits(post, "@smoney is lovely")
        street.says("bob", code)
        assert street.payments == 0


def _version(post, post_id, words):
    return replace(post, id=PostId(post_id), text=words)


class TestNeverOverdraws:
    def test_two_tweets_that_together_overdraw_pay_exactly_one(self, street):
        street.tweets("carol", "@smoney send 15€ @alice")
        first = street.code("carol")
        street.tweets("carol", "@smoney send 15€ @bob")
        second = street.code("carol")
        street.says("carol", first, settle=False)
        street.says("carol", second)
        assert street.payments == 1
        assert street.has("carol") == 5_00
        assert any("Not enough money" in words for words in street.heard("carol"))

    def test_insufficient_funds_are_refused_at_the_tweet(self, street):
        street.tweets("carol", "@smoney send 20.01€ @alice")
        assert "Not enough money" in street.heard("carol")[-1]
        assert street.count("SELECT count(*) FROM challenges") == 0

    def test_held_money_counts_as_spent(self, street):
        street.tweets("carol", "@smoney send 15€ @zoe")
        street.answers("carol")
        street.tweets("carol", "@smoney send 6€ @alice")
        assert "Not enough money" in street.heard("carol")[-1]

    def test_several_payees_are_all_paid_or_none(self, street):
        street.tweets("carol", "@smoney send 15€ @alice @bob")
        assert "Not enough money" in street.heard("carol")[-1]
        street.tweets("carol", "@smoney send 5€ each to @alice and @zoe")
        street.answers("carol")
        assert (street.has("carol"), street.has("alice")) == (10_00, 5_00)

    def test_the_day_limit_counts_every_payment(self, street):
        for _ in range(2):
            street.town.bot.database.write(lambda s: _give(street, s, "bob", 400_00))
        for number, amount in enumerate((240, 240)):
            street.tweets("bob", f"@smoney send {amount}€ @alice for number {number}")
            street.answers("bob")
        street.tweets("bob", "@smoney send 21€ @alice")
        assert "500.00 a day" in street.heard("bob")[-1]
        street.tweets("bob", "@smoney send 20€ @alice")
        street.answers("bob")
        assert street.has("alice") == 500_00


def _give(street, session, username, amount_minor):
    bot = street.town.bot
    person = bot.people.get(session, UserId(street.world.person(username).id))
    bot.wallets.give_test_money(session, person, Money(amount_minor, EUR), key=token_hex(8))


class TestSeveralWorkers:
    def test_work_side_by_side_and_one_of_two_overdrawing_payments_wins(self, street):
        street.tweets("carol", "@smoney send 15€ @alice")
        first = street.code("carol")
        street.tweets("carol", "@smoney send 15€ @bob")
        second = street.code("carol")
        street.says("carol", first, settle=False)
        street.says("carol", second, settle=False)
        for username in ("bob", "alice", "zoe"):
            street.says(username, "balance", settle=False)
        street.town.bot.listening.read_messages()
        workers = [threading.Thread(target=street.town.bot.work.run) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        street.town.settle()
        assert street.payments == 1
        assert street.has("carol") == 5_00


class TestPeopleAreTheirIds:
    def test_a_handle_that_changes_hands_between_tweet_and_answer_pays_nobody_new(self, street):
        world = street.world
        street.tweets("bob", "@smoney send 10€ @alice")
        alice = world.person("alice").id
        world.rename(alice, "alice_moved")
        mallory = world.create_person("alice", "Alice Durand")
        street.says("alice", "start")
        street.answers("bob")
        assert street.has("alice_moved") == 10_00
        assert street.town.available_minor(world.person(mallory.id).username) == 0

    def test_the_challenge_warns_when_the_handle_was_another_account_before(self, street):
        world = street.world
        street.tweets("bob", "@smoney send 10€ @alice")
        street.answers("bob")
        world.rename(world.person("alice").id, "alice_moved")
        world.create_person("alice", "Alice Durand")
        street.says("alice", "start")
        street.tweets("bob", "@smoney send 11€ @alice")
        assert "another account" in street.heard("bob")[-1]
        assert "First payment" in street.heard("bob")[-1]

    def test_a_private_order_looks_the_handle_up_once_and_binds_the_id(self, street):
        street.says("bob", "send 10€ @alice")
        world = street.world
        world.rename(world.person("alice").id, "alice_moved")
        world.create_person("alice", "Alice Durand")
        street.answers("bob")
        assert street.has("alice_moved") == 10_00

    def test_a_handle_nobody_holds_is_told(self, street):
        street.says("bob", "send 10€ @nobody_at_all")
        assert "@nobody_at_all" in street.heard("bob")[-1]
        assert street.payments == 0

    def test_only_visible_mentions_count(self, street):
        theirs = street.tweets("alice", "good morning @smoney fans @bob", settle=False)
        street.town.settle()
        street.tweets("bob", "send 10€", reply_to=theirs.id)
        assert street.count("SELECT count(*) FROM challenges") == 0

    def test_a_repost_orders_nothing(self, street):
        post = street.tweets("bob", "@smoney send 10€ @alice")
        street.world.repost(street.world.person("carol").id, post.id)
        street.town.settle()
        assert street.count("SELECT count(*) FROM intents") == 1


class TestWrongAnswers:
    def test_five_in_a_row_lock_and_the_right_one_is_refused_meanwhile(self, street):
        street.tweets("bob", "@smoney send 10€ @alice")
        for _ in range(5):
            street.says("bob", street.wrong_code("bob"))
        assert "Too many" in street.heard("bob")[-1]
        street.answers("bob")
        assert street.payments == 0
        street.passes(minutes=16)
        street.tweets("bob", "@smoney send 11€ @alice")
        street.answers("bob")
        assert street.has("alice") == 11_00

    def test_the_last_try_is_told(self, street):
        street.tweets("bob", "@smoney send 10€ @alice")
        for _ in range(4):
            street.says("bob", street.wrong_code("bob"))
        assert "1" in street.heard("bob")[-1]
        street.answers("bob")
        assert street.has("alice") == 10_00

    def test_guessing_gains_nothing_from_many_open_questions(self, street):
        for amount in range(1, 5):
            street.tweets("bob", f"@smoney send {amount}€ @alice")
        codes = {street.code("bob")}
        street.says("bob", "Z 000000")
        assert street.count("SELECT max(wrong_answers) FROM people") in (0, 1)
        assert street.payments == 0
        assert codes

    def test_wrong_used_and_expired_sound_the_same(self, street):
        street.tweets("bob", "@smoney send 10€ @alice")
        used = street.code("bob")
        street.says("bob", street.wrong_code("bob"))
        wrong_words = street.heard("bob")[-1]
        street.says("bob", used)
        street.says("bob", used)
        used_words = street.heard("bob")[-1]
        street.tweets("bob", "@smoney send 11€ @alice")
        street.sleeps(minutes=6)
        street.answers("bob")
        expired_words = [words for words in street.heard("bob") if "code does not" in words][-1]
        assert wrong_words == used_words == expired_words


class TestTime:
    def test_an_answer_in_time_counts_though_the_bot_read_it_hours_later(self, street):
        street.tweets("bob", "@smoney send 10€ @alice")
        street.sleeps(minutes=4)
        street.answers("bob", settle=False)
        street.sleeps(hours=20)
        street.town.settle()
        assert street.has("alice") == 10_00

    def test_a_sweep_before_the_messages_were_read_ends_no_question(self, street):
        street.tweets("bob", "@smoney send 10€ @alice")
        street.sleeps(minutes=4)
        street.answers("bob", settle=False)
        street.sleeps(hours=2)
        street.town.bot.sweep_once()
        street.town.settle()
        assert street.has("alice") == 10_00

    def test_a_sweep_before_what_was_read_is_worked_ends_no_question(self, street):
        street.tweets("bob", "@smoney send 10€ @alice")
        street.sleeps(minutes=4)
        street.answers("bob", settle=False)
        street.sleeps(hours=2)
        street.town.bot.listening.read_messages()
        street.town.bot.sweep_once()
        street.town.settle()
        assert street.has("alice") == 10_00

    def test_an_answer_read_more_than_a_day_late_is_refused(self, street):
        street.tweets("bob", "@smoney send 10€ @alice")
        street.answers("bob", settle=False)
        street.sleeps(hours=25)
        street.town.settle()
        assert street.payments == 0

    def test_an_answer_after_its_time_pays_nothing(self, street):
        street.tweets("bob", "@smoney send 10€ @alice")
        street.sleeps(minutes=5, seconds=1)
        street.answers("bob")
        assert street.payments == 0

    def test_an_order_older_than_an_hour_is_refused_kindly(self, street):
        street.tweets("bob", "@smoney send 10€ @alice", settle=False)
        street.sleeps(minutes=61)
        street.town.settle()
        assert "hour" in street.heard("bob")[-1]
        assert street.count("SELECT count(*) FROM challenges") == 0

    def test_a_question_that_could_not_be_put_within_the_hour_lapses(self, street):
        street.world.plan_fault(FaultKind.FAIL, Operation.SEND_MESSAGE, times=1000)
        street.tweets("bob", "@smoney send 10€ @alice")
        street.passes(minutes=70)
        street.world.faults.clear()
        street.passes(minutes=30)
        assert street.count("SELECT count(*) FROM intents WHERE state = 'lapsed'") == 1
        assert not any("To pay, answer" in words for words in street.heard("bob"))


class TestHeldMoney:
    def test_is_the_payees_when_they_enrol_and_they_hear_from_whom(self, street):
        street.tweets("bob", "@smoney send 10€ @zoe")
        street.answers("bob")
        assert street.has("bob") == 90_00
        assert street.heard("zoe") == []
        street.says("zoe", "start")
        assert street.has("zoe") == 10_00
        assert "@bob" in street.heard("zoe")[-1]

    def test_goes_back_after_seven_days_and_the_payer_hears(self, street):
        street.tweets("bob", "@smoney send 10€ @zoe")
        street.answers("bob")
        street.passes(days=7, minutes=1)
        assert street.has("bob") == 100_00
        assert "back" in street.heard("bob")[-1]
        street.says("zoe", "start")
        assert street.has("zoe") == 0

    def test_is_claimed_up_to_its_end(self, street):
        street.tweets("bob", "@smoney send 10€ @zoe")
        street.answers("bob")
        street.passes(days=6, hours=23)
        street.says("zoe", "start")
        assert street.has("zoe") == 10_00

    def test_ends_later_by_the_time_the_bot_was_away(self, street):
        street.tweets("bob", "@smoney send 10€ @zoe")
        street.answers("bob")
        street.passes(days=6)
        street.sleeps(days=2)
        street.town.settle()
        street.passes(hours=20)
        assert street.has("bob") == 90_00
        street.says("zoe", "start")
        assert street.has("zoe") == 10_00

    def test_goes_back_once_the_time_the_bot_was_away_is_over_too(self, street):
        street.tweets("bob", "@smoney send 10€ @zoe")
        street.answers("bob")
        street.passes(days=6)
        street.sleeps(days=2)
        street.town.settle()
        street.passes(days=1, hours=1)
        assert street.has("bob") == 100_00

    def test_can_be_taken_back_by_its_payer(self, street):
        street.tweets("bob", "@smoney send 10€ @zoe")
        street.answers("bob")
        street.says("bob", f"cancel {street.reference('bob')}")
        assert street.has("bob") == 100_00
        street.says("zoe", "start")
        assert street.has("zoe") == 0

    def test_can_be_declined_by_a_payee_who_never_enrolled(self, street):
        street.tweets("bob", "@smoney send 10€ @zoe")
        street.answers("bob")
        street.says("zoe", "decline")
        assert street.has("bob") == 100_00
        assert "declined" in street.heard("bob")[-1]

    def test_that_was_claimed_can_be_returned_once(self, street):
        street.tweets("bob", "@smoney send 10€ @zoe")
        street.answers("bob")
        street.says("zoe", "start")
        street.says("zoe", f"return {street.reference('zoe')}")
        street.says("zoe", f"return {street.reference('zoe')}")
        assert (street.has("bob"), street.has("zoe")) == (100_00, 0)

    def test_a_return_of_money_already_spent_is_refused(self, street):
        street.tweets("bob", "@smoney send 10€ @alice")
        street.answers("bob")
        reference = street.reference("bob")
        street.says("alice", "send 6€ @carol")
        street.answers("alice")
        street.says("alice", f"return {reference}")
        assert street.has("alice") == 4_00
        assert "Not enough" in street.heard("alice")[-1]


class TestComingAndGoing:
    def test_a_payer_who_has_not_enrolled_is_told_once_in_public_and_asked_when_they_come(self, street):
        street.tweets("zoe", "@smoney send 10€ @bob")
        assert len(street.replies()) == 1
        assert "START" in street.replies()[0]
        assert not any(character.isdigit() for character in street.replies()[0].split("Ref")[0])
        street.town.bot.database.write(lambda s: _give(street, s, "zoe", 50_00))
        street.says("zoe", "START")
        street.answers("zoe")
        assert street.has("bob") == 110_00

    def test_a_friendly_word_is_answered_once_and_is_no_consent(self, street):
        street.says("zoe", "hello!")
        street.says("zoe", "what a nice bot")
        assert len(street.heard("zoe")) == 1
        assert street.count("SELECT count(*) FROM people WHERE standing = 'enrolled'") == 3

    def test_stop_ends_messages_and_open_questions(self, street):
        street.tweets("bob", "@smoney send 10€ @alice")
        code = street.code("bob")
        street.says("bob", "stop")
        told = len(street.heard("bob"))
        street.says("bob", code)
        street.tweets("carol", "@smoney send 1€ @bob")
        street.answers("carol")
        assert len(street.heard("bob")) == told
        assert street.payments == 1
        street.says("bob", "start")
        street.says("bob", code)
        assert street.has("bob") == 101_00
        assert street.payments == 1

    def test_a_payee_is_never_written_to_before_they_wrote(self, street):
        street.tweets("bob", "@smoney send 10€ @zoe")
        street.answers("bob")
        street.passes(days=8)
        assert street.heard("zoe") == []

    def test_who_has_stopped_hears_nothing_more_whatever_becomes_of_their_money(self, street):
        street.tweets("bob", "@smoney send 10€ @zoe")
        street.answers("bob")
        street.says("bob", "stop")
        heard = len(street.heard("bob"))
        street.says("zoe", "start")
        assert street.has("zoe") == 10_00
        assert len(street.heard("bob")) == heard

    def test_a_stranger_is_not_written_to_about_an_order_of_theirs(self, street):
        post = street.tweets("zoe", "@smoney send 10€ @bob")
        street.edits(post, "@smoney is lovely")
        street.passes(hours=2)
        assert street.count("SELECT count(*) FROM outbox WHERE phrase = 'order_withdrawn'") == 0


class TestLateNotices:
    def test_that_nothing_was_paid_is_not_said_of_an_order_that_goes_on(self, street):
        """X let nothing be said while the order was withdrawn, and given again by another edit."""
        write, clock = street.town.bot.database.write, street.world.now
        post = street.tweets("bob", "@smoney send 10€ @alice")
        write(lambda session: turn_on(session, Switch.SENDS_PAUSED, by="anna", clock=clock))
        street.edits(post, "@smoney is lovely")
        assert street.count("SELECT count(*) FROM outbox WHERE phrase = 'order_withdrawn'") == 1
        street.edits(post, "@smoney send 12€ @alice")
        street.says("bob", "balance")  # what is said together with it
        write(lambda session: turn_off(session, Switch.SENDS_PAUSED))
        street.passes(minutes=1)
        street.answers("bob")
        assert street.has("alice") == 12_00
        assert not [words for words in street.heard("bob") if "cancelled the order" in words]
        ended = street.count(
            "SELECT count(*) FROM outbox WHERE phrase = 'order_withdrawn' AND state = 'dropped'"
        )
        assert ended == 1


class TestLostAnswers:
    def test_a_question_whose_answer_was_lost_is_found_and_not_sent_again(self, street):
        street.world.plan_fault(FaultKind.LOSE, Operation.SEND_MESSAGE)
        street.tweets("bob", "@smoney send 10€ @alice")
        street.passes(seconds=10)
        assert len([words for words in street.heard("bob") if "To pay, answer" in words]) == 1
        street.answers("bob")
        assert street.has("alice") == 10_00

    def test_a_question_that_never_went_out_is_sent_with_the_same_code(self, street):
        street.world.plan_fault(FaultKind.CUT, Operation.SEND_MESSAGE)
        street.tweets("bob", "@smoney send 10€ @alice")
        street.passes(seconds=40)
        assert len([words for words in street.heard("bob") if "To pay, answer" in words]) == 1
        street.answers("bob")
        assert street.has("alice") == 10_00

    def test_a_receipt_whose_answer_was_lost_comes_once(self, street):
        street.tweets("bob", "@smoney send 10€ @alice")
        street.world.plan_fault(FaultKind.LOSE, Operation.SEND_MESSAGE, times=2)
        street.answers("bob")
        street.passes(minutes=2)
        assert len([words for words in street.heard("alice") if "You received" in words]) == 1
        assert len([words for words in street.heard("bob") if words.startswith("Paid")]) == 1

    def test_a_public_reply_whose_answer_was_lost_comes_once(self, street):
        street.world.plan_fault(FaultKind.LOSE, Operation.CREATE_POST)
        street.tweets("zoe", "@smoney send 10€ @bob")
        street.passes(minutes=2)
        assert len(street.replies()) == 1


class TestListening:
    def test_a_fault_half_way_stores_nothing_and_loses_nothing(self, street):
        street.tweets("bob", "@smoney send 10€ @alice", settle=False)
        street.world.plan_fault(FaultKind.FAIL, Operation.MENTIONS)
        with pytest.raises(GatewayUnavailable):
            street.town.bot.listening.read_mentions()
        street.town.settle()
        street.answers("bob")
        assert street.has("alice") == 10_00

    def test_what_the_reader_is_given_is_what_stood_there(self, street):
        post = street.tweets("bob", "@smoney send 1€ @alice &amp; &lt;3")
        seen = street.town.bot.listening.gateway.mentions(since_id=PostId(post.id - 1)).items[0]
        utterance = utterance_of(seen, street.town.bot.account)
        assert utterance.author == "bob"
        assert [mention.username for mention in utterance.mentions] == ["smoney", "alice"]
