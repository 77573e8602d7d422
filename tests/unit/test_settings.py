"""Settings: every one documented, every wrong one named, no secret ever shown."""

import traceback
from io import StringIO
from pathlib import Path

import pytest
from dotenv import dotenv_values
from pydantic import SecretStr

from bot import settings
from bot.errors import Misconfigured
from bot.settings import Settings, load, variable

EXAMPLE_FILE = Path(__file__).parents[2] / "config.example.env"
SECRET = "hunter2-hunter2-hunter2"


@pytest.fixture(autouse=True)
def _nowhere(tmp_path, monkeypatch):
    """An empty working directory, and none of our variables in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(variable(name), raising=False)


def complaint(env_file: Path | None = None) -> str:
    with pytest.raises(Misconfigured) as caught:
        load(env_file)
    return str(caught.value)


class TestLoading:
    def test_gives_the_defaults_where_nothing_is_set(self):
        loaded = load()
        assert loaded.x_base_url == "https://api.twitter.com"
        assert loaded.hold_days == 7
        assert loaded.allowance_per_payment_minor == 30_00
        assert loaded.is_real_x

    def test_reads_the_file_of_the_working_directory(self):
        Path(".env").write_text("SMONEY_HOLD_DAYS=3  # days\n")
        assert load().hold_days == 3

    def test_reads_a_given_file(self, tmp_path):
        file = tmp_path / "other.env"
        file.write_text("export SMONEY_OPERATOR_NAME='Café du Port'\n", encoding="utf-8")
        assert load(file).operator_name == "Café du Port"

    def test_lets_the_environment_win_over_the_file(self, monkeypatch):
        Path(".env").write_text("SMONEY_HOLD_DAYS=3\n")
        monkeypatch.setenv("SMONEY_HOLD_DAYS", "4")
        assert load().hold_days == 4

    def test_lets_an_override_win_over_both(self, monkeypatch):
        monkeypatch.setenv("SMONEY_HOLD_DAYS", "4")
        assert load(hold_days=5).hold_days == 5

    def test_refuses_an_override_that_is_no_setting(self):
        with pytest.raises(TypeError, match="hold_day"):
            load(hold_day=5)

    def test_takes_an_empty_value_for_none(self, monkeypatch):
        monkeypatch.setenv("SMONEY_HOLD_DAYS", "")
        assert load().hold_days == 7

    def test_leaves_variables_of_others_alone(self, monkeypatch):
        Path(".env").write_text("LOG_LEVEL=nonsense\nPORT=1\n")
        monkeypatch.setenv("LANGUAGE", "nonsense")
        assert load().log_level == "info"

    def test_reads_the_names_of_levels_in_any_case(self, monkeypatch):
        monkeypatch.setenv("SMONEY_LOG_LEVEL", "WARNING")
        assert load().log_level == "warning"

    def test_accepts_plain_http_to_this_machine_only(self, monkeypatch):
        monkeypatch.setenv("SMONEY_X_BASE_URL", "http://127.0.0.1:8080/")
        assert load().x_base_url == "http://127.0.0.1:8080"
        assert not load().is_real_x


class TestDatabaseAddress:
    def test_places_a_relative_file_in_the_home_directory(self, tmp_path):
        assert load(home=tmp_path).database_address == f"sqlite:///{tmp_path}/smoney.sqlite"

    @pytest.mark.parametrize("url", ["sqlite:////var/x.sqlite", "postgresql+psycopg://a:b@h/n"])
    def test_leaves_any_other_as_it_is(self, url):
        assert load(database_url=SecretStr(url)).database_address == url


class TestAWrongSetting:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("SMONEY_X_BASE_URL", "http://example.com"),
            ("SMONEY_X_BASE_URL", "ftp://127.0.0.1"),
            ("SMONEY_X_BASE_URL", "https://api.twitter.com/2"),
            ("SMONEY_X_BASE_URL", "http://127.0.0.1:notaport"),
            ("SMONEY_X_TIMEOUT_SECONDS", "0"),
            ("SMONEY_X_TIMEOUT_SECONDS", "inf"),
            ("SMONEY_HOLD_DAYS", "7d"),
            ("SMONEY_HOLD_DAYS", "7.5"),
            ("SMONEY_HOLD_DAYS", "-1"),
            ("SMONEY_MENTIONS_POLL_SECONDS", "often"),
            ("SMONEY_MENTIONS_POLL_SECONDS", "nan"),
            ("SMONEY_TIME_ZONE", "Europe/Pariss"),
            ("SMONEY_TIME_ZONE", "../../etc/passwd"),
            ("SMONEY_LANGUAGE", "english"),
            ("SMONEY_LOG_FORMAT", "xml"),
            ("SMONEY_OPERATOR_NAME", "a\x07b"),
        ],
    )
    def test_is_named_with_what_is_wrong_and_a_right_one(self, name, value, monkeypatch):
        monkeypatch.setenv(name, value)
        said = complaint()
        assert said.startswith(f"{name}: {value!r} is ")
        assert f"A right one: {name}=" in said
        assert "\n" not in said

    @pytest.mark.parametrize(
        ("name", "value", "other"),
        [
            ("SMONEY_ALLOWANCE_PER_DAY_MINOR", "100", {}),
            ("SMONEY_LOCK_MAX_MINUTES", "14", {}),
            ("SMONEY_KEYS_FILE", "/keys", {"SMONEY_KEYS": SECRET}),
        ],
    )
    def test_is_found_where_two_do_not_agree(self, name, value, other, monkeypatch):
        for key, text in {name: value, **other}.items():
            monkeypatch.setenv(key, text)
        said = complaint()
        assert said.startswith(f"{name}: is ")
        assert SECRET not in said

    @pytest.mark.parametrize(
        "url", ["sqlite:///", "sqlite:///:memory:", "sqlite://x", "postgresql://", "smoney.db"]
    )
    def test_of_the_database_is_named(self, url, monkeypatch):
        """A database in memory would forget the money with the process."""
        monkeypatch.setenv("SMONEY_DATABASE_URL", url)
        assert complaint().endswith(". A right one: SMONEY_DATABASE_URL=sqlite:///smoney.sqlite")

    def test_that_is_missing_is_named_when_it_is_needed(self):
        with pytest.raises(
            Misconfigured, match=r"SMONEY_X_API_KEY: is needed here and not set\. A right one: "
        ):
            load().x_credentials()


class TestCards:
    def test_that_are_taken_need_the_processors_key(self, monkeypatch):
        monkeypatch.setenv("SMONEY_CARDS", "stripe")
        assert complaint().startswith("SMONEY_CARDS_API_KEY: is needed to take cards and not set.")

    @pytest.mark.parametrize("key", ["sk_test_a1", "rk_test_a1"])
    def test_of_test_money_are_not_taken_where_people_pay_with_real_money(self, key, monkeypatch):
        monkeypatch.setenv("SMONEY_CARDS", "stripe")
        monkeypatch.setenv("SMONEY_CARDS_API_KEY", key)
        assert "is a key of test cards, which would be credited as money" in complaint()
        assert key not in complaint()
        monkeypatch.setenv("SMONEY_X_BASE_URL", "http://127.0.0.1:8349")
        assert load().cards == "stripe"


class TestAMisspeltName:
    def test_in_the_environment_is_refused_with_the_one_that_was_meant(self, monkeypatch):
        monkeypatch.setenv("SMONEY_HOLD_DAY", "3")
        assert complaint() == (
            "SMONEY_HOLD_DAY: is set in the environment, but there is no such setting; "
            "did you mean SMONEY_HOLD_DAYS? A right one: SMONEY_HOLD_DAYS=7"
        )

    def test_in_the_file_is_refused(self):
        Path(".env").write_text("SMONEY_ALLOWANCE_PER_PAYMENT=100\n")
        assert "did you mean SMONEY_ALLOWANCE_PER_PAYMENT_MINOR?" in complaint()

    def test_in_its_prefix_is_found_in_the_file(self):
        Path(".env").write_text("SMONY_HOLD_DAYS=3\n")
        assert "did you mean SMONEY_HOLD_DAYS?" in complaint()

    def test_like_no_setting_is_refused_too(self, monkeypatch):
        monkeypatch.setenv("SMONEY_ZZZZZZZZ", "3")
        assert complaint() == "SMONEY_ZZZZZZZZ: is set in the environment, but there is no such setting."

    def test_does_not_stop_the_choice_of_long_proofs(self, monkeypatch):
        monkeypatch.setenv("SMONEY_PROVE", "long")
        assert load().hold_days == 7


class TestAFileThatCannotBeRead:
    def test_is_named_when_it_was_asked_for_and_is_not_there(self, tmp_path):
        assert complaint(tmp_path / "none.env").startswith(f"{tmp_path}/none.env: is not there.")

    def test_is_named_when_it_is_a_directory(self, tmp_path):
        assert "cannot be read" in complaint(tmp_path)

    def test_is_named_when_it_is_not_text(self):
        Path(".env").write_bytes(b"SMONEY_OPERATOR_NAME=\xff\xfe\n")
        assert "cannot be read as UTF-8" in complaint()

    @pytest.mark.parametrize("line", ["SMONEY_HOLD_DAYS", "SMONEY_OPERATOR_NAME='" + SECRET, "= 7"])
    def test_has_its_broken_line_named_and_not_shown(self, line):
        Path(".env").write_text(f"# ours\n\n{line}\n")
        said = complaint()
        assert said.startswith(".env, line 3: is not of the form NAME=value.")
        assert SECRET not in said

    def test_may_not_set_a_name_twice(self):
        Path(".env").write_text("SMONEY_HOLD_DAYS=3\nSMONEY_HOLD_DAYS=4\n")
        assert complaint() == ".env, line 2: sets SMONEY_HOLD_DAYS a second time; keep one of them."


class TestSecrets:
    SECRETS = (
        *("x_api_key", "x_api_secret", "x_access_token", "x_access_token_secret", "keys", "database_url"),
        *("x_bearer_token", "x_client_id", "x_client_secret", "x_refresh_token"),
        "alarm_webhook_url",
        *("cards_api_key", "cards_webhook_secret"),
    )

    def test_are_all_that_hold_keys_or_passwords(self):
        typed = {name for name, info in Settings.model_fields.items() if "Secret" in str(info.annotation)}
        assert typed == set(self.SECRETS)

    @pytest.mark.parametrize(
        "name", [name for name in SECRETS if name not in {"database_url", "alarm_webhook_url"}]
    )
    def test_never_print(self, name, monkeypatch):
        monkeypatch.setenv(variable(name), SECRET)
        loaded = load()
        assert getattr(loaded, name).get_secret_value() == SECRET
        assert SECRET not in f"{loaded} {loaded!r} {loaded.model_dump()} {loaded.model_dump_json()}"

    def test_of_x_do_not_print_when_taken_together(self):
        keys = load(None, **dict.fromkeys(self.SECRETS[:4], SecretStr(SECRET))).x_credentials()
        assert keys.api_secret == SECRET
        assert SECRET not in repr(keys)

    def test_do_not_appear_in_errors_nor_in_what_hangs_on_them(self, monkeypatch):
        monkeypatch.setenv("SMONEY_DATABASE_URL", f"mysql://root:{SECRET}@host/x")
        with pytest.raises(Misconfigured) as caught:
            load()
        assert caught.value.__context__ is None
        assert SECRET not in "".join(traceback.format_exception(caught.value))
        assert "SMONEY_DATABASE_URL: what it is set to is neither" in str(caught.value)

    @pytest.mark.parametrize(
        "url", [f"http://far.example/{SECRET}", f"https://a:{SECRET}@b.example/", "https://"]
    )
    def test_in_the_address_for_alarms_are_not_shown_where_it_is_none(self, url, monkeypatch):
        """Such an address often holds a secret, and plain http goes to this machine only."""
        monkeypatch.setenv("SMONEY_ALARM_WEBHOOK_URL", url)
        said = complaint()
        assert "is not https://HOST/PATH" in said
        assert SECRET not in said

    def test_in_the_address_for_alarms_never_print(self, monkeypatch):
        monkeypatch.setenv("SMONEY_ALARM_WEBHOOK_URL", f"https://alarms.example/{SECRET}")
        assert SECRET not in f"{load()} {load()!r} {load().model_dump()}"

    @pytest.mark.parametrize("key", [f"{SECRET} {SECRET}", f"{SECRET}é", f"{SECRET}\n"])
    def test_of_x_that_no_request_could_carry_are_refused_and_not_shown(self, key, monkeypatch):
        monkeypatch.setenv("SMONEY_X_API_KEY", key)
        said = complaint()
        assert said.startswith("SMONEY_X_API_KEY: what it is set to contains spaces")
        assert SECRET not in said

    def test_do_not_appear_when_put_into_the_address_of_api(self, monkeypatch):
        monkeypatch.setenv("SMONEY_X_BASE_URL", f"https://root:{SECRET}@api.twitter.com")
        assert SECRET not in complaint()


def expected_line(name: str) -> str:
    """A setting's line in config.example.env."""
    info = Settings.model_fields[name]
    extra = info.json_schema_extra
    assert isinstance(extra, dict)
    default = info.default.get_secret_value() if isinstance(info.default, SecretStr) else info.default
    shown = "" if default is None else f'"{default}"' if " " in str(default) else str(default)
    return f"#{variable(name)}={shown}  # {extra['unit']}: {info.description}"


class TestTheExampleFile:
    def lines(self) -> list[str]:
        return [
            line
            for line in EXAMPLE_FILE.read_text(encoding="utf-8").splitlines()
            if line.startswith("#SMONEY_")
        ]

    def test_has_one_line_for_every_setting_with_its_unit_and_default_and_nothing_else(self):
        assert sorted(self.lines()) == sorted(expected_line(name) for name in Settings.model_fields)

    def test_has_only_comments_besides(self):
        others = [
            line for line in EXAMPLE_FILE.read_text(encoding="utf-8").splitlines() if line not in self.lines()
        ]
        assert all(not line or line.startswith("# ") for line in others)

    def test_sets_each_to_its_default_once_uncommented(self):
        text = "\n".join(line.removeprefix("#") for line in self.lines())
        given = {
            name.removeprefix("SMONEY_").lower(): value
            for name, value in dotenv_values(stream=StringIO(text)).items()
        }
        assert given.keys() == Settings.model_fields.keys()
        Path(".env").write_text(text, encoding="utf-8")
        assert load() == Settings()


class TestTheModule:
    def test_reads_nothing_when_imported(self, monkeypatch):
        monkeypatch.setenv("SMONEY_HOLD_DAY", "3")
        assert settings.PREFIX == "SMONEY_"


@pytest.mark.parametrize("listed", ["anna", "@anna;@bob", "@way_too_long_for_a_handle", "12x"])
def test_accounts_for_alarms_are_ids_or_handles(listed, monkeypatch):
    monkeypatch.setenv("SMONEY_ALARM_ACCOUNTS", "2244994945, @anna")
    assert load().alarm_account_list == ("2244994945", "@anna")
    monkeypatch.setenv("SMONEY_ALARM_ACCOUNTS", listed)
    assert "numeric ids or @handles" in complaint()
