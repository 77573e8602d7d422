"""Settings of how people are spoken to, what they agree to, and how long their words are kept."""

from pydantic import field_validator
from pydantic_settings import BaseSettings

from bot.safety_settings import setting as _setting
from bot.setting_checks import address_of_terms, time_zone, wrong


class PeopleSettings(BaseSettings):
    """What an operator decides for everybody who pays."""

    language: str = _setting(
        "en", "the language for people who have chosen none", unit="language code", pattern="^[a-z]{2}$"
    )
    time_zone: str = _setting("Europe/Paris", "the time zone people are told times in", unit="time zone")
    operator_name: str = _setting(
        "the operator of this bot",
        "who runs this bot, as people are told",
        unit="text",
        min_length=1,
        max_length=60,
    )

    terms_version: int = _setting(
        0,
        "the version of the operator's terms in force; people agree to each before they pay again; 0 for none",
        unit="number",
        ge=0,
        le=10**6,
    )
    terms_url: str = _setting(
        "",
        "where the terms can be read; needed with a version",
        unit="URL",
        example="https://pay.example.org/terms",
    )
    texts_kept_hours: int = _setting(
        24,
        "how long the text of a post or message is kept once it is settled; what is set aside keeps its text",
        unit="hours",
        ge=1,
        le=24 * 365,
    )

    @field_validator("time_zone")
    @classmethod
    def _is_a_time_zone(cls, name: str) -> str:
        return time_zone(name)

    @field_validator("operator_name")
    @classmethod
    def _is_printable(cls, name: str) -> str:
        if not name.isprintable():
            raise wrong("is not made of characters that can be shown")
        return name

    @field_validator("terms_url")
    @classmethod
    def _can_be_opened(cls, url: str) -> str:
        return address_of_terms(url)

    def refuse_terms_nobody_can_read(self) -> None:
        if self.terms_version and not self.terms_url:
            raise wrong("is needed with a version of the terms", setting="terms_url")
