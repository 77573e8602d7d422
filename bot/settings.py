"""Every setting of the bot: one typed field each, with its unit, default and reason.

Values come from `SMONEY_...` variables of the environment, then from a `.env` file, then from the defaults below.
Whatever is wrong, missing or misspelt is one `Misconfigured` sentence that shows a right one. A secret never appears
in a sentence, a representation or a log. Nothing is read when this module is imported; only `load` looks outside.
"""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsConfigDict

from bot.card_settings import CardSettings
from bot.env_file import names_in, refuse_misspelt
from bot.errors import Misconfigured
from bot.people_settings import PeopleSettings
from bot.push_settings import PushSettings
from bot.safety_settings import SafetySettings
from bot.safety_settings import setting as _setting
from bot.setting_checks import (
    address_of_api,
    address_of_pages,
    in_words,
    own_address,
    wrong,
)
from bot.watching_settings import WatchingSettings

PREFIX = "SMONEY_"
DEFAULT_ENV_FILE = Path(".env")
REAL_X = "https://api.twitter.com"
NOT_SETTINGS = frozenset({"SMONEY_PROVE"})  # chosen by `make prove-long`, for the tests alone


def _key(description: str) -> Any:
    return _setting(None, description, unit="text", example="as shown in X's developer portal")


@dataclass(frozen=True, slots=True)
class XCredentials:
    """The four keys with which the bot signs its requests to X (OAuth 1.0a); they do not expire."""

    api_key: str = field(repr=False)
    api_secret: str = field(repr=False)
    access_token: str = field(repr=False)
    access_token_secret: str = field(repr=False)


class Settings(PushSettings, SafetySettings, PeopleSettings, WatchingSettings, CardSettings):
    """What can be chosen. Amounts are integer minor units; the last part of a name is its unit."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    # X
    x_base_url: str = _setting(
        REAL_X, "where X's API is; plain http only to 127.0.0.1 (the sandbox)", unit="URL", example=REAL_X
    )
    x_api_key: SecretStr | None = _key("the app's API key, needed to talk to X")
    x_api_secret: SecretStr | None = _key("the app's API key secret, needed to talk to X")
    x_access_token: SecretStr | None = _key("the bot account's access token, needed to talk to X")
    x_access_token_secret: SecretStr | None = _key(
        "the bot account's access token secret, needed to talk to X"
    )
    x_timeout_seconds: float = _setting(
        20,
        "the longest wait for a connection to X, and again for each part of its answer",
        unit="seconds",
        gt=0,
        le=300,
    )

    # What is kept, and the keys to it
    home: Path = _setting(Path("smoney-data"), "the directory the bot keeps its files in", unit="path")
    database_url: SecretStr = _setting(
        SecretStr("sqlite:///smoney.sqlite"),
        "sqlite:///FILE (a relative one lies in the home directory) or postgresql://USER:PASSWORD@HOST/NAME",
        unit="URL",
    )
    keys: SecretStr | None = _setting(
        None,
        "master keys, the current one first; `smoney keys generate` makes one; needed to run",
        unit="ID:BASE64,ID:BASE64",
        example="the line printed by `smoney keys generate`",
    )
    keys_file: Path | None = _setting(
        None,
        "a file with the master keys instead, one ID:BASE64 a line",
        unit="path",
        example="/etc/smoney/keys",
    )
    retired_seal_keys: str = _setting(
        "",
        "public keys of seals whose master key is no longer in use, as `smoney keys public` printed them",
        unit="hex digits, hex digits",
        example="the line that `smoney keys public` printed before the key was taken out",
    )

    backup_recipient: str = _setting(
        "",
        "the public key backups are encrypted to, from `smoney keys backup`; needed for backups",
        unit="text",
        example="the line with age1... from `smoney keys backup`",
    )
    postgresql_bin: Path | None = _setting(
        None,
        "where pg_dump and psql of the server's own version are, if not on the path",
        unit="path",
        example="/usr/lib/postgresql/15/bin",
    )

    # How often things are looked at
    mentions_poll_seconds: float = _setting(
        60, "pause between two reads of the mentions", unit="seconds", gt=0, allow_inf_nan=False
    )
    messages_poll_seconds: float = _setting(
        61,
        "pause between two reads of the direct messages; X allows 15 in 15 minutes",
        unit="seconds",
        gt=0,
        allow_inf_nan=False,
    )
    work_poll_seconds: float = _setting(
        0.5, "pause before looking for work again", unit="seconds", gt=0, allow_inf_nan=False
    )
    deliver_poll_seconds: float = _setting(
        0.5, "pause before looking for something to send again", unit="seconds", gt=0, allow_inf_nan=False
    )
    sweep_poll_seconds: float = _setting(
        30, "pause between two sweeps of what has expired", unit="seconds", gt=0, allow_inf_nan=False
    )
    seal_poll_seconds: float = _setting(
        300, "pause between two seals of the ledger", unit="seconds", gt=0, allow_inf_nan=False
    )

    # How long things last
    hold_days: int = _setting(
        7,
        "how long money waits for a payee who has not enrolled before it goes back",
        unit="days",
        ge=1,
        le=90,
    )
    challenge_minutes: int = _setting(5, "how long a code can be answered", unit="minutes", ge=1, le=60)
    parked_minutes: int = _setting(60, "how long an order waits for its payer to enrol", unit="minutes", ge=1)
    order_max_age_minutes: int = _setting(
        60, "orders older than this when they are first read are refused", unit="minutes", ge=1
    )
    answer_max_age_hours: int = _setting(24, "answers read later than this are refused", unit="hours", ge=1)

    # Sending direct messages
    messages_per_quarter_hour: int = _setting(
        15, "direct messages in 15 minutes, until X's answers say its limit", unit="messages", ge=1
    )
    messages_per_day: int = _setting(
        1440, "direct messages in 24 hours, until X's answers say its limit", unit="messages", ge=1
    )

    replies_per_minute: int = _setting(
        10, "public replies the bot sends in a minute, so that it never looks like spam", unit="replies", ge=1
    )
    replies_per_author_per_hour: int = _setting(
        6, "public replies to one person in an hour; further ones are not sent", unit="replies", ge=1
    )

    x_settle_seconds: float = _setting(
        30,
        "how long after a lost answer X shows whether a message arrived; it is looked for then",
        unit="seconds",
        ge=0,
        le=600,
    )

    # Its own pages
    web_host: str = _setting(
        "127.0.0.1", "the address its pages are served on; others reach it through a proxy", unit="IP address"
    )
    web_port: int = _setting(8350, "the port of its pages; 0 for no pages", unit="port", ge=0, le=65535)
    web_public_url: str = _setting(
        "",
        "where people reach its pages, as links in messages say; empty where only this machine can",
        unit="URL",
        example="https://pay.example.org",
    )

    # The admin's side
    log_format: Literal["console", "json"] = _setting(
        "console", "how log lines look: console or json", unit="name"
    )
    log_level: Literal["debug", "info", "warning", "error"] = _setting(
        "info", "the least that is logged: debug, info, warning or error", unit="name"
    )

    @property
    def database_address(self) -> str:
        """The database's URL in full, a relative SQLite file placed in `home`. May hold a password: never print it."""
        url = self.database_url.get_secret_value()
        file = url.removeprefix("sqlite:///")
        return url if file == url else f"sqlite:///{(self.home / file).absolute()}"

    @property
    def web_address(self) -> str:
        """Where the pages are reached, without a slash at the end."""
        host = f"[{self.web_host}]" if ":" in self.web_host else self.web_host
        return self.web_public_url or f"http://{host}:{self.web_port}"

    @property
    def reachable_pages(self) -> str:
        """The same, for links sent to people; empty where they could not be opened by those who get them."""
        reachable = bool(self.web_port) and bool(self.web_public_url or not self.is_real_x)
        return self.web_address if reachable else ""

    @property
    def is_real_x(self) -> bool:
        """Whether this talks to X itself and not to a stand-in on this machine."""
        return urlsplit(self.x_base_url).hostname != "127.0.0.1"

    def x_credentials(self) -> XCredentials:
        """The bot's keys to X, or `Misconfigured` naming the first that is missing."""
        return XCredentials(
            self.required("x_api_key"),
            self.required("x_api_secret"),
            self.required("x_access_token"),
            self.required("x_access_token_secret"),
        )

    def required(self, name: str) -> str:
        """The text of a setting that can be left out but is needed now."""
        value = getattr(self, name)
        if value is None:
            raise Misconfigured(
                variable(name), "is needed here and not set.", example=f"{variable(name)}={_right(name)}"
            )
        return value.get_secret_value() if isinstance(value, SecretStr) else str(value)

    @field_validator("x_base_url")
    @classmethod
    def _is_an_address_of_api(cls, url: str) -> str:
        return address_of_api(url)

    @field_validator("web_public_url")
    @classmethod
    def _is_where_people_come(cls, url: str) -> str:
        return address_of_pages(url)

    @field_validator("web_host")
    @classmethod
    def _is_an_ip_address(cls, host: str) -> str:
        return own_address(host)

    @field_validator("x_api_key", "x_api_secret", "x_access_token", "x_access_token_secret")
    @classmethod
    def _is_a_key_of_x(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and not re.fullmatch(r"[!-~]+", key.get_secret_value()):
            raise wrong("contains spaces or other characters that no key of X has")
        return key

    @field_validator("database_url")
    @classmethod
    def _is_a_database_we_speak_to(cls, url: SecretStr) -> SecretStr:
        text = url.get_secret_value()
        kinds = ("sqlite:///", "postgresql+psycopg://", "postgresql://")
        if text.endswith(":memory:") or not any(
            text.startswith(kind) and len(text) > len(kind) for kind in kinds
        ):
            raise wrong("is neither sqlite:/// and a file nor postgresql:// and a server")
        return url

    @field_validator("log_level", "log_format", "language", "low_value_counter", mode="before")
    @classmethod
    def _in_lower_case(cls, name: Any) -> Any:
        return name.lower() if isinstance(name, str) else name

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if self.allowance_per_day_minor < self.allowance_per_payment_minor:
            raise wrong("is less than one payment may move", setting="allowance_per_day_minor")
        if self.lock_max_minutes < self.lock_minutes:
            raise wrong("is shorter than the first lock", setting="lock_max_minutes")
        self.refuse_half_of_push()
        self.refuse_half_of_cards(is_real=self.is_real_x)
        self.refuse_terms_nobody_can_read()
        if self.keys is not None and self.keys_file is not None:
            raise wrong("is set as well as SMONEY_KEYS; set one of them", setting="keys_file")
        return self


def load(env_file: Path | None = None, **overrides: Any) -> Settings:
    """The settings of this run: `overrides`, then the environment, then the file.

    Without `env_file` the `.env` of the working directory is read if there is one. Raises `Misconfigured`.
    """
    if unknown := overrides.keys() - Settings.model_fields.keys():
        raise TypeError(f"There is no setting {min(unknown)}.")
    file = env_file or DEFAULT_ENV_FILE
    if env_file is not None and not env_file.exists():
        raise Misconfigured(str(env_file), "is not there.", example=f"cp config.example.env {env_file}")
    _refuse_misspelt(file if file.exists() else None)
    values: dict[str, Any] = {"_env_file": file if file.exists() else None, **overrides}
    try:
        return Settings(**values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    raise _explained(first)  # outside the handler, so that no value hangs on the error as its context


def variable(name: str) -> str:
    """A setting's name as it is written in the environment and in `.env`."""
    return PREFIX + name.upper()


def _refuse_misspelt(file: Path | None) -> None:
    examples = {variable(name): _right(name) for name in Settings.model_fields}
    ours = [name for name in os.environ if name.upper().startswith(PREFIX) and name not in NOT_SETTINGS]
    refuse_misspelt(ours, "the environment", prefix=PREFIX, examples=examples)
    if file is not None:
        refuse_misspelt(names_in(file), str(file), prefix=PREFIX, examples=examples)


def _explained(error: ErrorDetails) -> Misconfigured:
    name = str(error["loc"][0]) if error["loc"] else error.get("ctx", {}).get("setting", "")
    example = f"{variable(name)}={_right(name)}"
    return Misconfigured(variable(name), f"{_shown(error)}{in_words(error)}.", example=example)


def _shown(error: ErrorDetails) -> str:
    """The value that is wrong, unless it is or may hold a secret, or is all values together."""
    if not error["loc"]:
        return ""
    given = str(error["input"])
    secret = "Secret" in str(Settings.model_fields[str(error["loc"][0])].annotation) or "@" in given
    return "what it is set to " if secret else f"{given[:60]!r} "


def _right(name: str) -> str:
    """A right value for a setting: its default, where that is one."""
    info = Settings.model_fields[name]
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    default = info.default.get_secret_value() if isinstance(info.default, SecretStr) else info.default
    return str(extra["example"] or default)
