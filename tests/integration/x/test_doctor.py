"""The doctor: each thing that can be wrong is found, named, and comes with what to mend."""

import sqlite3
from base64 import b64encode
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import SecretStr

from bot import doctor
from bot.doctor import Finding, Outcome, examine
from bot.settings import Settings
from tests.integration.x.conftest import ME, NOW, answer

KEYS = "k1:" + b64encode(bytes(range(32))).decode()
PASSWORD = "hunter2-hunter2"
EMPTY = {"meta": {"result_count": 0}}


@pytest.fixture
def settings(tmp_path, x):
    """Settings with nothing wrong, talking to the stand-in."""
    return Settings(
        home=tmp_path,
        keys=SecretStr(KEYS),
        x_base_url=x.url,
        x_timeout_seconds=0.3,
        x_api_key=SecretStr("app-key"),
        x_api_secret=SecretStr("app-secret"),
        x_access_token=SecretStr("1001-token"),
        x_access_token_secret=SecretStr("token-secret"),
    )


def examined(settings: Settings, **changes: Any) -> dict[str, Finding]:
    """All findings by subject."""
    changed = settings.model_copy(update=changes)
    findings = list(examine(changed, lambda: NOW, env_file=settings.home / ".env"))
    assert all(finding.said for finding in findings)
    assert all(finding.mend for finding in findings if finding.outcome is not Outcome.OK)
    assert PASSWORD not in str(findings)
    return {finding.subject: finding for finding in findings}


def well(x) -> None:
    x.will(answer(200, ME, date="Mon, 23 Nov 2026 12:00:01 GMT"), answer(200, EMPTY), answer(200, EMPTY))


class TestAHealthyBot:
    def test_has_nothing_to_mend(self, x, settings):
        well(x)
        found = examined(settings)
        assert found.pop("X").outcome is Outcome.WARN  # a stand-in, as it says
        assert found.pop("alarms").outcome is Outcome.WARN  # it runs as it is, and nobody may hear of it
        assert {finding.outcome for finding in found.values()} == {Outcome.OK}
        assert list(found) == [
            "settings",
            "keys",
            "home",
            "database",
            "X keys",
            "clock",
            "mentions",
            "direct messages",
        ]
        assert found["X keys"].said == "X knows the bot as @smoney (1001)"

    def test_tells_its_alarms_to_somebody(self, x, settings):
        well(x)
        url = SecretStr("https://alarms.example/secret")
        found = examined(settings, alarm_accounts="@anna, 7", alarm_webhook_url=url)["alarms"]
        assert (found.outcome, found.said) == (Outcome.OK, "told to @anna, 7, the webhook")

    def test_is_asked_three_questions_and_buys_no_old_mentions(self, x, settings):
        well(x)
        examined(settings)
        assert [request.split("?")[0].split()[1] for request in x.requests] == [
            "/2/users/me",
            "/2/users/1001/mentions",
            "/2/dm_events",
        ]
        assert "since_id=" in x.requests[1]


class TestTheSettingsFile:
    def test_that_others_can_read_is_found(self, x, settings, tmp_path):
        well(x)
        (tmp_path / ".env").write_text("")
        (tmp_path / ".env").chmod(0o644)
        found = examined(settings)["settings"]
        assert (found.outcome, found.mend) == (Outcome.WARN, f"chmod 600 {tmp_path}/.env")

    def test_of_its_owner_alone_is_well(self, x, settings, tmp_path):
        well(x)
        (tmp_path / ".env").write_text("")
        (tmp_path / ".env").chmod(0o600)
        assert examined(settings)["settings"].outcome is Outcome.OK


class TestTheKeys:
    def test_that_are_missing_are_found(self, x, settings):
        well(x)
        found = examined(settings, keys=None)["keys"]
        assert found.outcome is Outcome.FAIL
        assert "SMONEY_KEYS" in found.said

    def test_that_are_wrong_are_found_and_not_shown(self, x, settings):
        well(x)
        assert examined(settings, keys=SecretStr(f"k1:{PASSWORD}"))["keys"].outcome is Outcome.FAIL

    def test_in_a_file_others_can_read_are_found(self, x, settings, tmp_path):
        well(x)
        file = tmp_path / "keys"
        file.write_text(KEYS)
        file.chmod(0o640)
        found = examined(settings, keys=None, keys_file=file)
        assert (found["keys"].outcome, found["keys file"].outcome) == (Outcome.OK, Outcome.WARN)


class TestTheHomeDirectory:
    def test_that_is_not_there_yet_is_well(self, x, settings, tmp_path):
        well(x)
        assert "not there yet" in examined(settings, home=tmp_path / "a" / "b")["home"].said

    def test_that_is_a_file_is_found(self, x, settings, tmp_path):
        well(x)
        (tmp_path / "file").write_text("")
        assert examined(settings, home=tmp_path / "file")["home"].outcome is Outcome.FAIL

    @pytest.mark.parametrize(("free", "outcome"), [(99, "fail"), (999, "warn"), (1000, "ok")])
    def test_with_little_room_is_found(self, x, settings, monkeypatch, free, outcome):
        well(x)
        monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=free * doctor.MEGABYTE))
        found = examined(settings)["home"]
        assert found.outcome == outcome
        assert f"{free:,} MB" in found.said


class TestTheDatabase:
    def made(self, tmp_path: Path) -> Path:
        file = tmp_path / "smoney.sqlite"
        with sqlite3.connect(file) as connection:
            connection.execute("CREATE TABLE kept (x INTEGER)")
        connection.close()
        return file

    def test_that_is_not_there_yet_is_well_and_not_made(self, x, settings, tmp_path):
        well(x)
        assert "not there yet" in examined(settings)["database"].said
        assert list(tmp_path.iterdir()) == []

    def test_that_can_be_written_is_well_and_left_as_it_was(self, x, settings, tmp_path):
        well(x)
        file = self.made(tmp_path)
        found = examined(settings)["database"]
        assert found.outcome is Outcome.OK
        assert found.said.startswith("SQLite 3.")
        with sqlite3.connect(file) as connection:
            assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("kept",)]
        connection.close()

    def test_that_is_no_database_is_found(self, x, settings, tmp_path):
        well(x)
        (tmp_path / "smoney.sqlite").write_bytes(b"not a database at all" * 100)
        assert examined(settings)["database"].outcome is Outcome.FAIL

    def test_that_is_a_directory_is_found(self, x, settings, tmp_path):
        well(x)
        (tmp_path / "smoney.sqlite").mkdir()
        assert examined(settings)["database"].outcome is Outcome.FAIL

    def test_that_somebody_holds_is_found(self, x, settings, tmp_path):
        well(x)
        holder = sqlite3.connect(self.made(tmp_path), isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        found = examined(settings)["database"]
        holder.close()
        assert found.outcome is Outcome.FAIL

    def test_of_an_old_engine_is_found(self, x, settings, tmp_path, monkeypatch):
        well(x)
        self.made(tmp_path)
        monkeypatch.setattr(doctor, "OLDEST_SQLITE", (99, 0, 0))
        assert "too old" in examined(settings)["database"].said

    def test_that_is_not_running_is_found_and_its_password_not_shown(self, x, settings):
        well(x)
        url = SecretStr(f"postgresql+psycopg://smoney:{PASSWORD}@127.0.0.1:1/smoney")
        found = examined(settings, database_url=url)["database"]
        assert found.outcome is Outcome.FAIL
        assert "Connection refused" in found.said


@pytest.mark.postgresql
class TestADatabaseOnPostgresql:
    def test_that_can_be_written_is_well(self, x, settings, postgresql_url):
        well(x)
        found = examined(settings, database_url=SecretStr(postgresql_url))["database"]
        assert found.outcome is Outcome.OK
        assert found.said.startswith("PostgreSQL 1")

    def test_whose_password_is_wrong_is_found_and_no_password_is_shown(self, x, settings, postgresql_url):
        well(x)
        url = postgresql_url.replace("postgresql://", f"postgresql://nobody:{PASSWORD}@", 1).replace(
            "@postgres:", "@", 1
        )
        assert examined(settings, database_url=SecretStr(url))["database"].outcome is Outcome.FAIL


class TestX:
    def test_without_keys_is_not_asked(self, x, settings):
        found = examined(settings, x_api_secret=None)
        assert found["X keys"].said == (
            "SMONEY_X_API_SECRET: is needed here and not set. "
            "A right one: SMONEY_X_API_SECRET=as shown in X's developer portal"
        )
        assert x.requests == []

    def test_that_cannot_be_reached_is_found_and_asked_no_more(self, settings):
        found = examined(settings, x_base_url="http://127.0.0.1:1")
        assert found["X keys"].outcome is Outcome.FAIL
        assert "mentions" not in found

    def test_that_does_not_accept_the_keys_is_found(self, x, settings):
        x.will(answer(401, {"title": "Unauthorized"}, date="Mon, 23 Nov 2026 11:50:00 GMT"))
        found = examined(settings)
        assert found["X keys"].outcome is Outcome.FAIL
        assert found["clock"].outcome is Outcome.FAIL
        assert found["clock"].said == "this machine's clock is 600 s ahead of X's"

    def test_that_keeps_its_direct_messages_to_itself_is_found(self, x, settings):
        kind = "https://api.twitter.com/2/problems/oauth1-permissions"
        x.will(answer(200, ME), answer(200, EMPTY), answer(403, {"title": "Forbidden", "type": kind}))
        found = examined(settings)
        assert (found["mentions"].outcome, found["direct messages"].outcome) == (Outcome.OK, Outcome.FAIL)
        assert "read, write and direct messages" in found["direct messages"].said

    def test_whose_limit_is_used_up_is_found(self, x, settings):
        x.will(answer(200, ME), answer(429, {}), answer(200, EMPTY))
        assert examined(settings)["mentions"].outcome is Outcome.FAIL

    @pytest.mark.parametrize(
        ("date", "outcome"),
        [
            ("11:59:55", "ok"),
            ("12:00:06", "warn"),
            ("12:01:00", "warn"),
            ("12:01:01", "fail"),
            ("11:58:59", "fail"),
        ],
    )
    def test_is_compared_with_this_machines_clock(self, x, settings, date, outcome):
        x.will(answer(200, ME, date=f"Mon, 23 Nov 2026 {date} GMT"), answer(200, EMPTY), answer(200, EMPTY))
        assert examined(settings)["clock"].outcome == outcome
