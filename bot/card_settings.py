"""The settings of cards: whether money can be put in by card, through whom, and how much at once."""

from typing import Literal

from pydantic import SecretStr, field_validator
from pydantic_settings import BaseSettings

from bot.safety_settings import setting
from bot.setting_checks import address_of_api, wrong

REAL_STRIPE = "https://api.stripe.com"
TEST_KEYS = ("sk_test_", "rk_test_")


class CardSettings(BaseSettings):
    """A part of `bot.settings.Settings`."""

    cards: Literal["off", "stripe"] = setting(
        "off", "who takes cards: stripe, or off for nobody", unit="name"
    )
    cards_base_url: str = setting(
        REAL_STRIPE,
        "where the processor's API is; plain http only to 127.0.0.1 (the sandbox's)",
        unit="URL",
        example=REAL_STRIPE,
    )
    cards_api_key: SecretStr | None = setting(
        None,
        "the processor's secret key, needed to take cards",
        unit="text",
        example="sk_... or rk_..., as shown in the processor's dashboard",
    )
    cards_webhook_secret: SecretStr | None = setting(
        None,
        "the signing secret of its webhook to /webhooks/cards; without it payments are found by asking, within minutes",
        unit="text",
        example="whsec_..., as shown in the processor's dashboard",
    )
    cards_poll_seconds: float = setting(
        1,
        "pause before looking again for what is due to the processor",
        unit="seconds",
        gt=0,
        allow_inf_nan=False,
    )
    cards_follow_seconds: float = setting(
        300,
        "pause before asking again what the processor has paid out, kept, or given back",
        unit="seconds",
        gt=0,
        allow_inf_nan=False,
    )
    top_up_least_minor: int = setting(
        500,
        "the least that can be put in by card at once (500 is 5.00 €)",
        unit="minor units",
        ge=50,
        le=10**9,
    )

    @field_validator("cards_base_url")
    @classmethod
    def _is_an_address_of_the_processor(cls, url: str) -> str:
        return address_of_api(url)

    def refuse_half_of_cards(self, *, is_real: bool) -> None:
        """Raises where cards are to be taken and the key is missing, or is one of test cards where people's money is real."""
        if self.cards == "off":
            return
        if self.cards_api_key is None:
            raise wrong("is needed to take cards and not set", setting="cards_api_key")
        if is_real and self.cards_api_key.get_secret_value().startswith(TEST_KEYS):
            raise wrong("is a key of test cards, which would be credited as money", setting="cards_api_key")
