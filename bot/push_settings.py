"""The settings of push: how the bot hears of mentions and messages, and the further keys this takes."""

from typing import Any, Literal

from pydantic import SecretStr
from pydantic_settings import BaseSettings

from bot.safety_settings import setting
from bot.setting_checks import wrong

OF_THE_APP = "needed for X's streams and webhooks"
OF_THE_EVENTS = "needed to subscribe to X's events"


def _key(description: str) -> Any:
    return setting(None, description, unit="text", example="as shown in X's developer portal")


class PushSettings(BaseSettings):
    """A part of `bot.settings.Settings`."""

    x_mentions_by: Literal["poll", "stream", "activity", "webhook"] = setting(
        "poll",
        "how mentions come: poll (0.001 $ each), the filtered stream, or X's events by stream or webhook (0.005 $ each)",
        unit="name",
    )
    x_messages_by: Literal["poll", "activity", "webhook"] = setting(
        "poll",
        "how direct messages come: poll, or X's events by stream or webhook, at once and without their own read limit",
        unit="name",
    )
    x_bearer_token: SecretStr | None = _key(f"the app's bearer token, {OF_THE_APP}")
    x_client_id: SecretStr | None = _key(f"the app's OAuth 2 client id, {OF_THE_EVENTS}")
    x_client_secret: SecretStr | None = _key(f"the app's OAuth 2 client secret, {OF_THE_EVENTS}")
    x_refresh_token: SecretStr | None = _key(
        f"the bot account's first OAuth 2 refresh token (offline.access), {OF_THE_EVENTS}"
    )
    x_webhook_url: str | None = setting(
        None,
        "the public address of this bot's webhook, given to X; needed for webhook",
        unit="URL",
        example="https://pay.example.org/webhooks/x",
        pattern="^https?://[^ ]+$",
    )
    gap_poll_minutes: int = setting(
        360, "where X pushes, the lists are read after every connect and this often", unit="minutes", ge=1
    )

    def refuse_half_of_push(self) -> None:
        """Raises where push is chosen and a key for it is missing."""
        ways = {self.x_mentions_by, self.x_messages_by}
        needed = []
        if ways != {"poll"}:
            needed.append("x_bearer_token")
        if ways & {"activity", "webhook"}:
            needed += ["x_client_id", "x_client_secret", "x_refresh_token"]
        if "webhook" in ways:
            needed.append("x_webhook_url")
        for name in needed:
            if getattr(self, name) is None:
                raise wrong("is needed for push and not set", setting=name)
