"""The guards of the payments: for each, exact lines that take it away, and the test that must turn red without it.

The names are those of the table in docs/threats.md. Where the lines are not found, the guard has moved, and that is an
error.
"""

from dataclasses import dataclass

from tests.simulation.mutants import Change

PAYMENTS = "tests/integration/payments/"
UNIT = "tests/unit/"
WEB = "tests/integration/web/"
WATCHING = "tests/integration/watching/"


@dataclass(frozen=True)
class Guard:
    name: str
    test: str
    changes: tuple[Change, ...]


def _guard(name: str, test: str, file: str, old: str, new: str) -> Guard:
    return Guard(name, test, (Change(file, old, new),))


CARDS = "tests/integration/cards/"

GUARDS = (
    _guard(
        "cards-news-is-signed",
        CARDS + "test_signatures.py::TestNotFromProcessor::test_with_the_signature_of_another_secret",
        "bot/funding/stripe_cards.py",
        "        if not genuine:\n",
        "        if not signature:\n",
    ),
    _guard(
        "a-charge-is-as-it-was-asked-for",
        PAYMENTS + "test_topping_up.py::TestProcessorThatFails"
        "::test_that_answers_with_another_amount_is_not_believed[sqlite]",
        "bot/payments/topping_up.py",
        "    if checkout.amount != _amount(row):\n",
        "    if False:\n",
    ),
    Guard(
        "a-charge-is-credited-once",
        PAYMENTS + "test_topping_up.py::TestWebhook"
        "::test_about_a_page_that_is_settled_credits_nothing_more[sqlite]",
        (
            Change(
                "bot/payments/topping_up.py",
                "        if row.due_at is None:\n            return\n        if problem := _unlike",
                "        if problem := _unlike",
            ),
            Change(
                "bot/payments/topping_up.py", "        if row.transfer_id is None:\n", "        if True:\n"
            ),
        ),
    ),
    _guard(
        "a-debtor-pays-nobody",
        PAYMENTS + "test_card_book.py::TestReturn"
        "::test_keeps_its_debtor_from_paying_until_it_is_settled[sqlite]",
        "bot/payments/spending.py",
        "        if debt.amount_minor:\n",
        "        if False:\n",
    ),
    _guard(
        "money-of-cards-is-explained",
        PAYMENTS + "test_card_book.py::TestTheAudit"
        "::test_finds_money_of_cards_that_no_card_moved[sqlite-700]",
        "bot/auditing.py",
        "            if movement is None:\n",
        "            if False:\n",
    ),
    _guard(
        "test-cards-are-no-money",
        UNIT + "test_settings.py::TestCards"
        "::test_of_test_money_are_not_taken_where_people_pay_with_real_money[sk_test_a1]",
        "bot/card_settings.py",
        "        if is_real and self.cards_api_key",
        "        if False and self.cards_api_key",
    ),
    _guard(
        "webhooks-are-signed",
        "tests/integration/x/test_push.py::TestAWebhook"
        "::test_is_believed_only_with_x_s_signature_over_its_very_bytes",
        "bot/x/pushes.py",
        "or not self._is_signed(body, signature):\n",
        "or not signature:\n",
    ),
    _guard(
        "a-challenge-signs-no-body",
        "tests/integration/x/test_push.py::TestAWebhook::test_signs_no_event_that_comes_as_a_challenge[token1]",
        "bot/x/pushes.py",
        "if self.consumer_secret is None or not _TOKEN.fullmatch(token):\n",
        "if self.consumer_secret is None:\n",
    ),
    _guard(
        "wrong-sign-ins-lock",
        WEB
        + "test_admin_entry.py::TestSigningIn::test_is_locked_after_five_wrong_tries_longer_each_time[sqlite]",
        "bot/admin/entry.py",
        "        if row.wrong_tries >= LOCKING.tries:\n",
        "        if False:\n",
    ),
    _guard(
        "strangers-lock-no-known-browser",
        WEB + "test_admin_entry.py::TestSigningIn"
        "::test_is_not_locked_by_a_strangers_tries_on_a_browser_that_was_in_before[sqlite]",
        "bot/admin/entry.py",
        " and not self._is_marked(row, mark)",
        "",
    ),
    _guard(
        "wrong-sign-ins-take-one-time",
        WEB + "test_admin_entry.py::TestSigningIn::test_takes_as_long_for_a_name_nobody_has",
        "bot/web/admin/entry.py",
        "        await asyncio.sleep(max(0.0, began + ANSWERS_AFTER_SECONDS - time.monotonic()))\n",
        "",
    ),
    _guard(
        "an-admins-code-counts-once",
        WEB + "test_admin_entry.py::TestSigningIn::test_counts_no_code_twice[sqlite]",
        "bot/admin/entry.py",
        "after=row.used_step",
        "after=None",
    ),
    _guard(
        "an-idle-admin-is-signed-out",
        WEB
        + "test_admin_entry.py::TestBeingIn::test_ends_after_half_an_hour_of_nothing_whatever_the_page_asks_by_itself"
        + "[sqlite]",
        "bot/web/admin/seats.py",
        "    if LIVE not in request.headers and house",
        "    if house",
    ),
    _guard(
        "roles-are-asked-on-every-route",
        WEB + "test_admin_roles.py::TestEveryRoute::test_lets_each_role_do_what_it_may_and_no_more[read]",
        "bot/web/admin/routes.py",
        "        check(seat.actor.role, act)\n",
        "        pass\n",
    ),
    _guard(
        "broken-books-pay-nothing",
        WATCHING
        + "test_alarms.py::TestAnAlarmAboutMoney::test_pauses_payments_in_the_audit_log_s_sight[sqlite]",
        "bot/watching/alarms.py",
        "        if not about_money or not turn_on(",
        "        if about_money or not turn_on(",
    ),
    _guard(
        "the-self-check-looks-at-what-is-new",
        WATCHING + "test_checks.py::TestAuthorisations::test_used_once_more_are_found[sqlite]",
        "bot/payments/authorisations.py",
        "            if row is None or self._problem(row, moved.get(each, [])):\n",
        "            if row is None:\n",
    ),
    _guard(
        "money-takes-two-admins",
        PAYMENTS + "test_treasury.py::TestMoneyIn::test_is_not_approved_by_who_proposed_it[sqlite]",
        "bot/admin/proposals.py",
        "        if row.needs_second and actor.name == row.proposed_by:\n",
        "        if False:\n",
    ),
    _guard(
        "a-bank-transfer-counts-once",
        PAYMENTS + "test_treasury.py::TestMoneyIn::test_counts_once_for_one_transfer_of_the_bank[sqlite]",
        "bot/admin/proposals.py",
        "            if there is not None:\n                raise Misconfigured(\n                    bare",
        "            if False:\n                raise Misconfigured(\n                    bare",
    ),
    _guard(
        "a-bank-line-counts-once",
        "tests/integration/commands/test_bank_commands.py::TestAnImport::test_twice_adds_nothing[sqlite]",
        "bot/admin/bank_lines.py",
        "        if session.exec(known.limit(1)).first() is not None:\n",
        "        if False:\n",
    ),
    _guard(
        "a-statement-has-no-entities",
        UNIT
        + "funding/test_camt053.py::TestAHostileFile::test_with_entities_of_its_own_is_refused_before_they_grow",
        "bot/funding/xml_elements.py",
        "        self._parser.StartDoctypeDeclHandler = self._document_type\n",
        "",
    ),
    _guard(
        "an-amount-is-read-in-one-way",
        UNIT
        + "funding/test_statements.py::TestAmounts::test_that_could_be_a_thousand_or_one_are_refused[written0]",
        "bot/funding/csv_values.py",
        "        if unsure and not decided:\n",
        "        if False:\n",
    ),
    _guard(
        "a-refund-overdraws-nobody",
        PAYMENTS
        + "test_treasury.py::TestARefund::test_of_what_its_payee_has_spent_is_refused_and_nobody_is_overdrawn[sqlite]",
        "bot/payments/wallets.py",
        "            guarded=True,\n",
        "            guarded=False,\n",
    ),
    _guard(
        "money-leaves-to-identified-people",
        PAYMENTS + "test_treasury.py::TestMoneyOut::test_goes_to_nobody_whom_nobody_knows[sqlite]",
        "bot/admin/treasury.py",
        "        if person.tier == Tier.NEW:\n",
        "        if False:\n",
    ),
    _guard(
        "paused-payments-pay-nothing",
        PAYMENTS + "test_halts.py::TestPausedPayments::test_pay_nothing_for_a_right_answer[sqlite]",
        "bot/payments/halts.py",
        "    check_may_move(session)\n    if is_winding_down",
        "    if is_winding_down",
    ),
    _guard(
        "held-money-stays-while-paused",
        PAYMENTS + "test_halts.py::TestPausedPayments::test_keep_held_money_where_it_is[sqlite]",
        "bot/payments/sweep.py",
        "        paused = are_paused(session)\n",
        "        paused = False\n",
    ),
    _guard(
        "a-role-may-not-do-more",
        PAYMENTS
        + "test_halts.py::TestPausedPayments::test_are_paused_once_and_let_go_on_by_an_owner_alone[sqlite]",
        "bot/admin/log.py",
        "        check(actor.role, action)\n        why = reason.strip()\n",
        "        why = reason.strip()\n",
    ),
    _guard(
        "handle-changes-are-told",
        PAYMENTS + "test_handle_changes.py::TestHandleChange"
        "::test_is_told_in_the_question_for_thirty_days_and_then_forgotten[sqlite]",
        "bot/people/people.py",
        "                self._note_handle(session, person, user, at=instant_of(seen_in))\n",
        "",
    ),
    _guard(
        "terms-before-paying",
        PAYMENTS + "test_terms.py::TestTerms"
        "::test_that_change_are_agreed_to_before_the_next_payment_and_the_order_waits",
        "bot/payments/story.py",
        "        if self._terms.outstanding(payer):\n            self._records.write_version",
        "        if False:\n            self._records.write_version",
    ),
    _guard(
        "trusting-on-the-page-needs-the-factor",
        "tests/integration/web/test_trusting.py::TestTrusting"
        "::test_takes_the_active_factor_on_the_page_and_a_word_to_take_back",
        "bot/people/trusting.py",
        "        if not self.factors.standing(session, person).active:\n            raise TrustNeedsFactor\n",
        "",
    ),
    _guard(
        "a-terminal-obeys-no-name",
        "tests/integration/commands/test_hostile_text.py::TestHostileText"
        "::test_moves_no_cursor_and_takes_no_colour_on_a_terminal",
        "bot/cli/common.py",
        "Text.from_markup(mark) + Text(visible(text))",
        "Text.from_markup(mark) + Text(text)",
    ),
    # What people decide for themselves
    _guard(
        "wiped-texts-leave-no-copy",
        PAYMENTS + "test_wiping.py::TestAWipedText::test_stands_nowhere_in_the_file_not_even_sealed",
        "ledger/sqlite.py",
        '"PRAGMA secure_delete = ON"',
        '"PRAGMA secure_delete = OFF"',
    ),
    _guard(
        "settled-texts-are-wiped",
        PAYMENTS + "test_wiping.py::TestWiping"
        "::test_takes_texts_a_day_after_they_are_settled_and_nothing_comes_of_them_again[sqlite]",
        "bot/wiring.py",
        "                self.wiping.run(session)\n",
        "",
    ),
    _guard(
        "erased-people-stay-erased",
        PAYMENTS + "test_erasing.py::TestErasing"
        "::test_makes_old_posts_and_messages_pay_nothing_however_they_arrive[sqlite]",
        "bot/store/inbox.py",
        "self._erasures.cover(session, person_id, instant_of(chain_id))",
        "False",
    ),
    _guard(
        "erasing-needs-its-code",
        PAYMENTS
        + "test_erasing.py::TestErasing::test_needs_its_own_code_in_time_and_can_be_called_off[sqlite]",
        "bot/people/erasing.py",
        "answer.letter in {None, LETTER} and self._is_right(question, answer)",
        "True",
    ),
    _guard(
        "erasing-needs-an-empty-wallet",
        PAYMENTS
        + "test_erasing.py::TestErasing::test_needs_an_empty_wallet_when_asked_and_when_answered[sqlite]",
        "bot/people/erasing.py",
        "        self._check_empty(session, person)\n        self.story.cancel_all(session, person)\n",
        "        self.story.cancel_all(session, person)\n",
    ),
    _guard(
        "a-restored-book-forgets-again",
        "tests/integration/keeping/test_forgetting_again.py"
        "::TestRestore::test_forgets_again_who_was_erased_since_and_tells_of_who_is_owed_money[sqlite]",
        "bot/keeping/restoring.py",
        "forget_again(database, settings, clock)",
        "(0, ())",
    ),
    _guard(
        "blocks-stand-between",
        PAYMENTS + "test_controls.py::TestBlock"
        "::test_stands_between_both_sides_until_it_is_taken_back_and_is_told_to_one_only[sqlite]",
        "bot/payments/story.py",
        "        self._blocks.check(session, payer, (payee_id for payee_id, _ in gifts))\n",
        "",
    ),
    _guard(
        "blocks-are-not-told-to-the-other-side",
        PAYMENTS + "test_controls.py::TestBlock"
        "::test_stands_between_both_sides_until_it_is_taken_back_and_is_told_to_one_only[sqlite]",
        "bot/payments/blocks.py",
        "raise PayeeBlocked(payee=label) if own else PayeeUnavailable(payee=label)",
        "raise PayeeBlocked(payee=label)",
    ),
    # Whose order and whose answer
    _guard(
        "answer-of-its-payer",
        PAYMENTS + "test_promises.py::TestNothingMovesWithoutItsPayersAnswer"
        "::test_the_right_code_from_somebody_else_is_worth_nothing[sqlite]",
        "bot/payments/queries.py",
        '        ChallengeRow.payer_id == bindparam("payer"),\n        col(ChallengeRow.state)',
        "        col(ChallengeRow.state)",
    ),
    _guard(
        "answer-in-private",
        PAYMENTS + "test_promises.py::TestNothingMovesWithoutItsPayersAnswer"
        "::test_the_right_code_in_a_group_is_worth_nothing[sqlite]",
        "bot/desk.py",
        "or not message.one_to_one:",
        "or False:",
    ),
    _guard(
        "one-letter-one-question",
        PAYMENTS + "test_promises.py::TestNothingMovesWithoutItsPayersAnswer"
        "::test_one_code_is_good_for_one_of_two_payments_only[sqlite]",
        "bot/payments/answers.py",
        "if answer.letter in {None, row.letter}]",
        "if answer.letter in {None, answer.letter}]",
    ),
    _guard(
        "code-bound-to-its-lines",
        UNIT + "payments/test_challenge.py::TestCode::test_dies_with_any_change_of_a_line",
        "bot/payments/challenge.py",
        "        *lines,\n",
        "",
    ),
    _guard(
        "code-bound-to-its-version",
        UNIT + "payments/test_challenge.py::TestCode::test_dies_with_any_change_of_what_it_is_bound_to",
        "bot/payments/challenge.py",
        "        asked.version,\n",
        "",
    ),
    _guard(
        "code-in-time",
        PAYMENTS + "test_promises.py::TestTime::test_an_answer_after_its_time_pays_nothing[sqlite]",
        "bot/payments/challenge.py",
        "    if answered_at > asked.expires_at:\n        return Verdict.LATE\n",
        "",
    ),
    _guard(
        "answer-not-read-a-day-late",
        PAYMENTS + "test_promises.py::TestTime::test_an_answer_read_more_than_a_day_late_is_refused[sqlite]",
        "bot/payments/answers.py",
        "        if self.clock() - answered_at > self.rules.answer_may_wait:\n",
        "        if False:\n",
    ),
    _guard(
        "edit-kills-the-old-code",
        PAYMENTS
        + "test_promises.py::TestPaysOnce::test_an_edit_before_the_answer_kills_the_old_code[sqlite]",
        "bot/payments/story.py",
        '            self._records.end_challenges(session, intent, "superseded")\n',
        "            pass\n",
    ),
    _guard(
        "paid-once",
        PAYMENTS + "test_promises.py::TestPaysOnce::test_an_edit_of_a_paid_order_pays_nothing_more[sqlite]",
        "bot/payments/story.py",
        "        if state is IntentState.PAID:\n",
        "        if state is IntentState.PAID:\n            return True\n        if state is IntentState.PARKED:\n",
    ),
    Guard(
        "stored-once",
        PAYMENTS + "test_promises.py::TestPaysOnce::test_the_same_tweet_delivered_three_times[sqlite]",
        (
            Change(
                "bot/store/inbox.py",
                '        before = self._read_before(session, "post", [post.id for post in posts])\n',
                "        before: set[int] = set()\n",
            ),
            Change(
                "bot/store/inbox.py",
                "        known = self._known(session, kind, x_id)\n",
                "        known = None\n",
            ),
        ),
    ),
    _guard(
        "reissued-handles-are-told",
        PAYMENTS + "test_promises.py::TestPeopleAreTheirIds"
        "::test_the_challenge_warns_when_the_handle_was_another_account_before[sqlite]",
        "bot/payments/asking.py",
        "            if self.records.has_paid_another(session, payer.user_id, line):\n",
        "            if False:\n",
    ),
    _guard(
        "a-mention-is-what-its-entity-says",
        UNIT
        + "language/test_reader.py::TestPayees::test_are_nobody_where_the_entity_lies_about_its_place_or_name",
        "bot/language/tokens.py",
        "named = entity is not None and entity.end == end and entity.username.lower() == username",
        "named = entity is not None",
    ),
    Guard(
        "no-message-to-strangers",
        PAYMENTS + "test_promises.py::TestComingAndGoing"
        "::test_who_has_stopped_hears_nothing_more_whatever_becomes_of_their_money[sqlite]",
        (  # asked when it is queued, and again when it is sent
            Change(
                "bot/store/outbox.py",
                "        if person.standing != Standing.ENROLLED and priority is not Priority.ANSWER:\n            return\n",
                "",
            ),
            Change(
                "bot/store/outbox.py",
                '        if row.kind != "message" or row.priority == Priority.ANSWER:\n',
                "        if True:\n",
            ),
        ),
    ),
    _guard(
        "hostile-names-are-cleaned",
        UNIT + "language/test_voice.py::TestEveryPhrase::test_lets_no_stranger_write_its_lines[en]",
        "bot/language/voice.py",
        "hostile.clean(label.name, hostile.NAME_LENGTH)\n",
        "label.name\n",
    ),
    # Guessing
    _guard(
        "five-wrong-ones-lock",
        PAYMENTS + "test_promises.py::TestWrongAnswers"
        "::test_five_in_a_row_lock_and_the_right_one_is_refused_meanwhile[sqlite]",
        "bot/payments/answers.py",
        "        if remaining > 0:\n",
        "        if True:\n",
    ),
    _guard(
        "twenty-in-a-month-bar",
        PAYMENTS + "test_wrong_answers.py::TestGuessing"
        "::test_for_a_month_by_whoever_never_rests_gives_twenty_tries[sqlite]",
        "bot/payments/answers.py",
        "            payer.barred_at = self.clock()\n",
        "            pass\n",
    ),
    _guard(
        "only-an-active-factor-unlocks",
        PAYMENTS + "test_wrong_answers.py::TestUnlocking"
        "::test_not_by_a_new_one_for_it_may_be_the_guessers_own[sqlite]",
        "bot/payments/unlocking.py",
        "        if not self.factors.standing(session, person).active:\n",
        "        if False:\n",
    ),
    # The second factor
    _guard(
        "allowance-without-a-factor",
        PAYMENTS + "test_limits.py::TestWithoutASecondFactor"
        "::test_thirty_euros_are_paid_and_thirty_one_are_not[sqlite]",
        "bot/payments/limits.py",
        "self.with_factor if factor_active else self.without_factor",
        "self.with_factor",
    ),
    _guard(
        "a-message-pays-the-allowance-only",
        PAYMENTS
        + "test_limits.py::TestWithASecondFactor::test_a_message_pays_no_more_than_without_one[sqlite]",
        "bot/payments/story.py",
        "                if self._asking.takes_factor(session, payer, intent):\n",
        "                if False:\n",
    ),
    _guard(
        "no-factor-begins-unheard",
        PAYMENTS
        + "test_second_factor.py::TestWithoutItsPersonHearing::test_nothing_begins_while_they_hear_nothing[sqlite]",
        "bot/people/second_factor.py",
        "    return person.standing == Standing.ENROLLED and person.frozen_at is None\n",
        "    return True\n",
    ),
    _guard(
        "stopping-ends-a-new-factor",
        PAYMENTS
        + "test_second_factor.py::TestWithoutItsPersonHearing::test_stopping_ends_one_that_is_new[sqlite]",
        "bot/people/enrolment.py",
        "        self.factors.call_off(session, person)\n",
        "",
    ),
    _guard(
        "no-factor-comes-of-age-unheard",
        PAYMENTS + "test_second_factor.py::TestWithoutItsPersonHearing"
        "::test_one_that_x_cannot_tell_of_ends[sqlite]",
        "bot/channels/courier.py",
        "            if row.phrase in NOTICES:\n",
        "            if False:\n",
    ),
    _guard(
        "freezing-ends-a-new-factor",
        PAYMENTS + "test_second_factor.py::TestWithoutItsPersonHearing"
        "::test_freezing_ends_a_thiefs_new_one_so_that_its_person_can_thaw[sqlite]",
        "bot/people/freezing.py",
        "        self.factors.call_off(session, person)\n",
        "",
    ),
    _guard(
        "a-new-factor-waits",
        PAYMENTS + "test_limits.py::TestWithoutASecondFactor"
        "::test_a_new_second_factor_raises_nothing_for_48_hours[sqlite]",
        "bot/people/second_factor.py",
        "        row.trusted_at = now + WAIT\n",
        "        row.trusted_at = now\n",
    ),
    _guard(
        "one-time-codes-count-once",
        UNIT + "people/test_one_time_codes.py::TestMatchingStep::test_takes_no_step_twice_and_none_before_it",
        "bot/people/one_time_codes.py",
        "        if fits and (after is None or step > after):\n",
        "        if fits:\n",
    ),
    _guard(
        "no-step-goes-back-in-the-database",
        PAYMENTS + "test_second_factor.py::TestACode"
        "::test_that_was_used_stays_used_whatever_the_program_writes[sqlite]",
        "bot/migrations/versions/0002_sqlite.sql",
        "WHEN NEW.last_step < OLD.last_step OR (OLD.last_step IS NOT NULL AND NEW.last_step IS NULL)\n",
        "WHEN 0\n",
    ),
    _guard(
        "factor-tries-are-counted",
        PAYMENTS + "test_second_factor.py::TestACode"
        "::test_wrong_five_times_locks_and_the_right_one_is_not_taken_then[sqlite]",
        "bot/people/second_factor.py",
        "        if row.wrong_tries < self.locking.tries:\n",
        "        if True:\n",
    ),
    _guard(
        "changing-a-factor-needs-proof",
        PAYMENTS + "test_second_factor.py::TestChanging::test_with_a_wrong_code_does_not_begin[sqlite]",
        "bot/people/second_factor.py",
        "        if not tried.accepted:\n            return Begun(tried)\n",
        "",
    ),
    _guard(
        "removing-a-factor-waits",
        PAYMENTS
        + "test_second_factor.py::TestRemoving::test_with_nothing_waits_48_hours_with_notices[sqlite]",
        "bot/people/second_factor.py",
        "        if proof is not None or is_new:\n",
        "        if True:\n",
    ),
    _guard(
        "recovery-codes-count-once",
        PAYMENTS
        + "test_second_factor.py::TestRecoveryCodes::test_work_once_and_their_person_is_told[sqlite]",
        "bot/people/second_factor.py",
        "            kept.used_at = self.clock()\n",
        "            kept.used_at = None\n",
    ),
    # The page
    # The pages
    _guard(
        "forms-are-our-own",
        WEB
        + "test_own_pages.py::TestForms::test_are_refused_without_their_token_on_every_route_that_acts[sqlite]",
        "bot/web/forms.py",
        "        if not browser or not hmac.compare_digest(given.encode(), self._mac(browser).encode()):\n",
        "        if False:\n",
    ),
    _guard(
        "no-form-from-another-site",
        WEB
        + "test_own_pages.py::TestForms::test_from_another_site_are_refused_though_they_have_a_token[sqlite]",
        "bot/web/forms.py",
        '    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":\n',
        "    if False:\n",
    ),
    _guard(
        "pages-load-nothing-of-strangers",
        WEB
        + "test_foundation.py::TestEveryAnswer::test_forbids_scripts_frames_and_strangers[sqlite-/status]",
        "bot/web/shield.py",
        "\"default-src 'none'; script-src 'self'; ",
        '"default-src *; script-src *; ',
    ),
    _guard(
        "cookies-are-out-of-reach",
        WEB
        + "test_foundation.py::TestEveryAnswer::test_sets_cookies_no_script_and_no_other_site_can_use[sqlite]",
        "bot/web/forms.py",
        'max_age=seconds, path="/", secure=self.secure, httponly=True, samesite="strict"',
        'max_age=seconds, path="/", secure=self.secure',
    ),
    _guard(
        "our-own-host-alone",
        WEB + "test_foundation.py::TestEveryAnswer::test_is_for_our_own_host_alone[sqlite]",
        "bot/web/shield.py",
        "        if _host(headers) not in self._hosts:\n",
        "        if False:\n",
    ),
    _guard(
        "a-log-names-routes-only",
        WEB + "test_foundation.py::TestEveryAnswer::test_names_no_secret_of_a_link_in_the_log[sqlite]",
        "bot/web/shield.py",
        '    return getattr(found, "path", "") or "(none)"\n',
        '    return str(scope["path"]) + str(scope["query_string"])\n',
    ),
    _guard(
        "a-link-lets-in-once",
        WEB + "test_own_pages.py::TestALink::test_signs_in_once[sqlite]",
        "bot/people/devices.py",
        "        link.used_at = self.clock()\n        session.add(link)\n        return LetIn(",
        "        return LetIn(",
    ),
    _guard(
        "a-new-device-shows-the-factor",
        WEB + "test_own_pages.py::TestASecondFactor"
        "::test_is_asked_for_on_a_new_device_once_it_is_active[sqlite]",
        "bot/people/devices.py",
        "            tried = self.factors.prove(session, person, proof)\n            if not tried.accepted:\n",
        "            tried = self.factors.prove(session, person, proof)\n            if False:\n",
    ),
    _guard(
        "a-file-withholds-secrets",
        WEB + "test_own_data.py::TestOwnData::test_holds_every_column_of_every_table_that_is_about_them",
        "bot/people/own_data.py",
        "            if name in WITHHELD.get(table.name, ()):\n",
        "            if False:\n",
    ),
    _guard(
        "no-cell-is-a-formula",
        "tests/integration/ledger/test_exports.py::TestCsv::test_has_no_cell_that_is_a_formula[sqlite--x]",
        "ledger/exports.py",
        """    return value if _NUMBER.fullmatch(value) else f"'{value}"\n""",
        "    return value\n",
    ),
    _guard(
        "page-shows-ones-own-questions",
        PAYMENTS + "test_page_answers.py::TestAQuestionOnThePage::test_of_somebody_else_is_not_there[sqlite]",
        "bot/payments/page_answers.py",
        '        if challenge.payer_id != payer.user_id or challenge.state != "open":\n',
        '        if challenge.state != "open":\n',
    ),
    _guard(
        "page-answer-bound-to-what-was-shown",
        PAYMENTS + "test_page_answers.py::TestAQuestionOnThePage"
        "::test_edited_meanwhile_is_not_paid_as_it_was_shown[sqlite]",
        "bot/payments/page_answers.py",
        "            and judge(given, asked, key, answered_at=self.clock()) is Verdict.RIGHT\n",
        "",
    ),
    _guard(
        "page-answer-needs-the-factor",
        PAYMENTS + "test_page_answers.py::TestAQuestionOnThePage::test_needs_the_code_of_the_app[sqlite]",
        "bot/payments/page_answers.py",
        "        if not tried.accepted:\n            return Answered(tried)\n",
        "",
    ),
    # How much
    _guard(
        "limits-are-counted-when-paying",
        PAYMENTS + "test_limits.py::TestCounting"
        "::test_two_orders_answered_one_after_the_other_cannot_both_slip_under[sqlite]",
        "bot/payments/story.py",
        "        try:\n            self._check_intent(session, payer, intent)\n            self._posting.post(",
        "        try:\n            self._posting.post(",
    ),
    _guard(
        "wallets-hold-no-more",
        PAYMENTS + "test_limits.py::TestAFullWallet::test_is_paid_no_more_and_nothing_moves[sqlite]",
        "bot/payments/posting.py",
        "        if enrolled and not self.spending.can_hold(",
        "        if False and not self.spending.can_hold(",
    ),
    _guard(
        "small-payments-are-bounded",
        PAYMENTS + "test_exemptions.py::TestASmallPayment"
        "::test_a_hundred_euros_in_all_and_then_a_code_again[sqlite]",
        "bot/payments/exemptions.py",
        "sum_minor + intent.total_minor > low.sum_minor",
        "sum_minor > low.sum_minor",
    ),
    _guard(
        "trusting-needs-the-factor",
        PAYMENTS + "test_exemptions.py::TestATrustedPayee"
        "::test_is_added_by_a_right_code_of_an_active_factor_only[sqlite]",
        "bot/payments/exemptions.py",
        "        if tried.accepted and payee_id not in",
        "        if payee_id not in",
    ),
    _guard(
        "reviews-hold-the-money",
        PAYMENTS + "test_reviews.py::TestUnderReview::test_the_money_is_set_aside_and_reaches_nobody[sqlite]",
        "bot/payments/posting.py",
        "        if for_review:\n            return LineState.REVIEW\n",
        "",
    ),
    _guard(
        "held-money-is-taken-back-once",
        PAYMENTS + "test_promises.py::TestHeldMoney::test_can_be_taken_back_by_its_payer[sqlite]",
        "bot/payments/claims.py",
        "        self._void(session, line, LineState.CANCELLED, SET_ASIDE)\n",
        "        pass\n",
    ),
    # What is written down, and what it can be read as
    _guard(
        "wallets-are-their-persons",
        PAYMENTS + "test_guards.py::TestGuards"
        "::test_a_payment_out_of_a_wallet_put_under_another_persons_number_is_found[sqlite-True]",
        "bot/auditing.py",
        "    yield from _wallets_of_others(session)\n",
        "",
    ),
    _guard(
        "mac-over-what-moved",
        PAYMENTS
        + "test_guards.py::TestGuards::test_an_amount_changed_in_the_database_does_not_fit_its_mac[sqlite]",
        "bot/payments/authorisations.py",
        "        *(value for each in sorted(moved) for value in each),\n",
        "",
    ),
    _guard(
        "authorisations-never-change",
        PAYMENTS + "test_guards.py::TestGuards"
        "::test_refuse_hand_written_sql[sqlite-UPDATE authorisations SET evidence = evidence + 1]",
        "bot/migrations/versions/0014_sqlite.sql",
        "BEGIN SELECT RAISE(ABORT, 'an authorisation is never changed'); END;\n",
        "BEGIN SELECT 1; END;\n",
    ),
    Guard(
        "sealed-for-one-place",
        UNIT + "test_vault.py::TestVault::test_does_not_open_a_value_in_another_place",
        (
            Change(
                "bot/store/vault.py",
                '        place = encode("smoney vault", VERSION, key_id, table, str(row_id), column)\n        # A lone',
                '        place = encode("smoney vault", VERSION, key_id)\n        # A lone',
            ),
            Change(
                "bot/store/vault.py",
                '            place = encode("smoney vault", VERSION, key_id, table, str(row_id), column)\n            return',
                '            place = encode("smoney vault", VERSION, key_id)\n            return',
            ),
        ),
    ),
    _guard(
        "secrets-are-sealed",
        PAYMENTS + "test_canaries.py::TestCanaries::test_stand_neither_in_a_log_nor_in_the_database[error]",
        "bot/store/vault.py",
        'self._cipher(key_id).encrypt(nonce, text.encode("utf-8", "surrogatepass"), place)',
        'text.encode("utf-8", "surrogatepass")',
    ),
    Guard(
        "libraries-keep-quiet",
        PAYMENTS + "test_canaries.py::TestCanaries::test_stand_neither_in_a_log_nor_in_the_database[info]",
        (  # by the command that runs, and by whoever speaks to X through them
            Change("bot/telemetry.py", '    "tweepy",\n', ""),
            Change(
                "bot/x/wire.py",
                "        logger.setLevel(max(logger.level, logging.INFO))\n",
                "        pass\n",
            ),
        ),
    ),
    _guard(
        "a-wrong-key-starts-nothing",
        PAYMENTS + "test_keys_rotate.py::TestWrongKeys::test_another_one_of_the_same_name_is_said[sqlite]",
        "bot/book.py",
        "        if keyring.fingerprint(key_id) != fingerprint:\n",
        "        if False:\n",
    ),
    _guard(
        "a-missing-key-starts-nothing",
        PAYMENTS
        + "test_keys_rotate.py::TestWrongKeys::test_a_missing_one_is_said_and_nothing_is_touched[sqlite]",
        "bot/book.py",
        "        if key_id not in keyring.ids:\n            raise",
        "        if False:\n            raise",
    ),
)
