"""Cards in the demo: the sandbox processor beside the small X, and the settings that point a bot at it."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from pydantic import SecretStr

from bot.card_sandbox.core import CardProcessor
from bot.card_sandbox.http import Served, serve
from bot.demo.town import Town
from ledger.clock import Clock
from ledger.money import EUR, Money

BESIDE: Final = Money(100_00, EUR)
"""The operator's own test money, out of which the processor's fees are met."""
WEBHOOK: Final = "/webhooks/cards"


@contextmanager
def cards_taken(clock: Clock, *, pages: str, port: int = 0) -> Iterator[Served]:
    """A processor that knows test cards alone, and brings its news to the bot's pages at this address."""
    processor = CardProcessor(clock, os.urandom)
    processor.post.add_endpoint(pages + WEBHOOK)
    with serve(processor, port=port) as served:
        yield served


def settings_for(served: Served) -> Mapping[str, Any]:
    """What of the bot's settings points it at this processor."""
    return {
        "cards": "stripe",
        "cards_base_url": served.address,
        "cards_api_key": SecretStr(served.processor.api_key),
        "cards_webhook_secret": SecretStr(served.processor.webhook_secret),
    }


def fund_the_operator(town: Town) -> None:
    """Else the first fee would leave more owed to people than is held."""
    wallets = town.bot.wallets
    town.bot.database.write(lambda session: wallets.put_test_money_beside(session, BESIDE, key="cards"))
