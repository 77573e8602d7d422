"""A sandbox that is left and come back to is the same one."""

from datetime import timedelta
from random import Random

import pytest

from bot.card_sandbox import balance
from bot.card_sandbox.cards import ASKS_APPROVAL, DISPUTED, SUCCEEDS, SUCCEEDS_LATE, card_of
from bot.card_sandbox.core import CardProcessor, LiveKey
from bot.card_sandbox.http import serve
from bot.card_sandbox.paying import Outcome, approve, pay
from bot.card_sandbox.state import load, save, text_of
from bot.funding.processor import CheckoutState
from bot.funding.stripe_cards import StripeCards


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cards.json"


@pytest.fixture
def lived(processor, cards, order, clock):
    """Checkouts' ids by the card that met them, in a processor in which much has happened."""
    met = {
        number: cards.create(order(f"T-{number[-4:]}")).id
        for number in (SUCCEEDS, ASKS_APPROVAL, SUCCEEDS_LATE, DISPUTED)
    }
    for number, checkout_id in met.items():
        pay(processor, checkout_id, card_of(number))
    balance.refund(processor, processor.session(met[SUCCEEDS]).payment_id or "", 500, metadata={"why": "é"})
    balance.dispute(processor, processor.session(met[DISPUTED]).payment_id or "")
    clock.advance(timedelta(seconds=1))
    return met


class TestState:
    def test_is_the_same_after_it_was_left(self, processor, lived, path, clock):
        save(processor, path)
        again = CardProcessor(clock, Random(9).randbytes)
        assert load(again, path)
        assert text_of(again) == text_of(processor)
        for name in (
            "sessions",
            "payments",
            "charges",
            "movements",
            "refunds",
            "disputes",
            "due",
            "events",
            "awaiting",
        ):
            assert getattr(again, name) == getattr(processor, name)

    def test_goes_on_from_there(self, processor, lived, path, clock, order):
        with serve(processor, state=path, courier=False):
            pass
        again = CardProcessor(clock, Random(9).randbytes)
        with serve(again, state=path, courier=False) as served:
            cards = StripeCards(
                api_key=processor.api_key, webhook_secret="", clock=clock, base_url=served.address
            )
            assert cards.create(order(f"T-{SUCCEEDS[-4:]}")).id == lived[SUCCEEDS]
            assert cards.fetch(lived[SUCCEEDS_LATE]).state is CheckoutState.PENDING
            assert approve(again, lived[ASKS_APPROVAL]) is Outcome.PAID
            clock.advance(timedelta(minutes=2))
            assert cards.fetch(lived[SUCCEEDS_LATE]).state is CheckoutState.PAID

    def test_is_for_its_owner_alone_and_has_no_card_number(self, processor, lived, path):
        save(processor, path)
        assert path.stat().st_mode & 0o777 == 0o600
        assert "4242424242424242" not in path.read_text()

    def test_is_nothing_where_there_is_no_file(self, processor, path):
        assert not load(processor, path)

    @pytest.mark.parametrize("text", ["[]", "{}", '{"form": 2}', "not json"])
    def test_is_not_read_from_another_kind_of_file(self, processor, path, text):
        path.write_text(text)
        with pytest.raises(ValueError, match=r"form|Expecting"):
            load(processor, path)

    def test_with_a_live_key_is_refused(self, processor, path, clock):
        save(processor, path)
        path.write_text(path.read_text().replace("sk_test_", "sk_live_"))
        with pytest.raises(LiveKey):
            load(CardProcessor(clock, Random(9).randbytes), path)
