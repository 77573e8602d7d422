"""Settings of the self-check: how often it looks, what it tells, and whom."""

from pydantic import SecretStr, field_validator
from pydantic_settings import BaseSettings

from bot.safety_settings import setting as _setting
from bot.setting_checks import accounts_of_x, address_to_post_to


class WatchingSettings(BaseSettings):
    """A part of `bot.settings.Settings`."""

    self_check_seconds: float = _setting(
        60, "pause between two looks of the self-check", unit="seconds", gt=0, allow_inf_nan=False
    )
    verify_hours: float = _setting(
        24, "pause between two times the whole book is recomputed; 0 is never", unit="hours", ge=0, le=24 * 31
    )
    disk_free_least_mb: int = _setting(500, "less free space than this is an alarm", unit="megabytes", ge=0)
    alarm_accounts: str = _setting(
        "",
        "accounts on X that are told of alarms; each must have written to the bot once",
        unit="numeric ids or handles, with commas",
        example="2244994945,@anna",
    )
    alarm_webhook_url: SecretStr | None = _setting(
        None, "where alarms are posted to as JSON", unit="URL", example="https://alarms.example.org/smoney"
    )

    @property
    def alarm_account_list(self) -> tuple[str, ...]:
        return tuple(self.alarm_accounts.replace(",", " ").split())

    @field_validator("alarm_accounts")
    @classmethod
    def _are_accounts(cls, listed: str) -> str:
        return accounts_of_x(listed)

    @field_validator("alarm_webhook_url")
    @classmethod
    def _can_be_posted_to(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None:
            address_to_post_to(url.get_secret_value())
        return url
