"""Questions answered on the operator's page, with a code of the second factor, on both databases."""

from typing import Any

import pytest

from bot.payments.intents import IntentState
from bot.people.factor_states import Outcome
from bot.sandbox.faults import Fault, FaultKind
from bot.sandbox.limits import Operation
from bot.x.gateway import UserId
from tests.integration.payments.test_second_factor import Page


class Form(Page):
    """The page's form, as bob has it before him."""

    def asks(self, name: str, *arguments: Any, **named: Any) -> Any:
        bot, user_id = self.street.town.bot, UserId(self.street.world.person(self.username).id)
        box: list[Any] = []

        def work(session):
            person = bot.people.get(session, user_id)
            box[:] = [getattr(bot.page_answers, name)(session, person, *arguments, **named)]

        bot.database.write(work)
        self.street.town.settle()
        return box[0]

    def sends(self, question: Any, code: str = "") -> Any:
        return self.asks("answer", question.challenge_id, answer=question.answer, code=code or self.app())


@pytest.fixture
def form(street) -> Form:
    form = Form(street)
    form.enrols()
    form.waits(minutes=1)
    return form


class TestAQuestionOnThePage:
    def test_shows_what_the_message_shows_and_is_paid_with_the_second_factor(self, form):
        form.street.tweets("bob", "@smoney send 10€ @alice for pizza")
        (question,) = form.asks("questions")
        assert question.answer == form.street.code("bob")
        assert {"total", "lines", "reference", "note", "letter", "code", "expires_at"} <= set(question.facts)
        answered = form.sends(question)
        assert (answered.tried.accepted, answered.state) == (True, IntentState.PAID)
        assert form.street.has("alice") == 10_00
        assert form.street.count("SELECT count(*) FROM authorisations WHERE kind = 'page'") == 1

    def test_is_there_though_no_message_could_be_sent(self, form):
        for _ in range(50):
            form.street.world.faults.plan(Fault(FaultKind.FAIL, Operation.SEND_MESSAGE))
        form.street.tweets("bob", "@smoney send 10€ @alice")
        (question,) = form.asks("questions")
        assert form.sends(question).state is IntentState.PAID

    def test_needs_the_code_of_the_app(self, form):
        form.street.tweets("bob", "@smoney send 10€ @alice")
        (question,) = form.asks("questions")
        answered = form.sends(question, form.wrong())
        assert (answered.tried.outcome, answered.state) == (Outcome.WRONG, None)
        assert form.street.payments == 0

    def test_is_paid_once(self, form):
        form.street.tweets("bob", "@smoney send 10€ @alice")
        (question,) = form.asks("questions")
        form.sends(question)
        form.waits(minutes=1)
        assert form.sends(question).state is None
        form.street.says("bob", question.answer)
        assert form.street.payments == 1

    def test_edited_meanwhile_is_not_paid_as_it_was_shown(self, form):
        post = form.street.tweets("bob", "@smoney send 10€ @alice")
        (shown,) = form.asks("questions")
        form.street.edits(post, "@smoney send 20€ @alice")
        assert form.sends(shown).state is None
        (now,) = form.asks("questions")
        old = f"{now.answer[0]} {shown.answer[2:]}"  # the letter of the question as it is, the digits as they were
        changed = form.asks("answer", now.challenge_id, answer=old, code=form.app())
        assert changed.state is None
        assert form.street.payments == 0

    def test_of_somebody_else_is_not_there(self, form):
        form.street.tweets("carol", "@smoney send 10€ @alice")
        carol = Form(form.street, "carol")
        (question,) = carol.asks("questions")
        assert form.asks("questions") == []
        assert form.sends(question).state is None
        assert form.asks("cancel", question.challenge_id) is False

    def test_past_its_time_is_not_there(self, form):
        form.street.tweets("bob", "@smoney send 10€ @alice")
        (question,) = form.asks("questions")
        form.street.sleeps(minutes=5, seconds=1)
        assert form.sends(question).state is None
        assert form.asks("questions") == []

    @pytest.mark.parametrize("answer", ["", "é", "K ４８２９１３", "000000", "K" * 10_000])
    def test_with_a_form_made_by_hand_is_not_paid(self, form, answer):
        form.street.tweets("bob", "@smoney send 10€ @alice")
        (question,) = form.asks("questions")
        made = form.asks("answer", question.challenge_id, answer=answer, code=form.app())
        assert made.state is None
        assert form.street.payments == 0

    def test_is_refused_with_one_press(self, form):
        form.street.tweets("bob", "@smoney send 10€ @alice")
        (question,) = form.asks("questions")
        assert form.asks("cancel", question.challenge_id) is True
        form.street.says("bob", question.answer)
        assert form.street.payments == 0
