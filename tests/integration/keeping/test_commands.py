"""`smoney backup`, `restore` and `reconcile` as an admin types them."""

import json
import os

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.demo.town import open_town
from bot.keeping.parcel import identity_of, recipient_of
from bot.sandbox.http import serve
from bot.settings import variable


def smoney(*words, env=None):
    given = [*words, *(("--env", str(env)) if env else ())]
    return CliRunner().invoke(app, given, catch_exceptions=False)


def env_of(settings, file):
    names = ("home", "database_url", "keys", "backup_recipient", "postgresql_bin")
    chosen = {name: getattr(settings, name) for name in names}
    plain = {
        name: getattr(value, "get_secret_value", lambda value=value: value)()
        for name, value in chosen.items()
    }
    file.write_text("".join(f"{variable(name)}='{value}'\n" for name, value in plain.items() if value))
    return file


@pytest.fixture
def town_env(keeper, tmp_path):
    return env_of(keeper.settings, tmp_path / "town.env")


@pytest.fixture
def empty_env(keeper, tmp_path):
    return env_of(keeper.empty, tmp_path / "empty.env")


class TestCommands:
    def test_back_up_and_restore(self, keeper, town_env, empty_env, tmp_path):
        folder = tmp_path / "far away"
        folder.mkdir()
        said = smoney("backup", str(folder), "--json", env=town_env)
        assert said.exit_code == 0
        told = json.loads(said.stdout)
        assert told["contents"]["counts"]["intents"] == 1
        assert [str(path) for path in folder.iterdir()] == [told["file"]]
        back = smoney(
            "restore", told["file"], "--key", str(keeper.key), "--reason", "disk lost", env=empty_env
        )
        assert back.exit_code == 0, back.stderr
        assert "Payments are paused" in back.stdout
        assert smoney("ledger", "verify", env=empty_env).exit_code == 0
        with keeper.restored() as copy:
            assert copy.read(lambda s: s.connection().exec_driver_sql("SELECT action FROM admin_actions").all()) == [("book.restore",)]  # fmt: skip

    @pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
    def test_write_down_who_restored_whatever_the_book_says_of_them(
        self, keeper, town_env, empty_env, tmp_path, monkeypatch
    ):
        """It is done by then: a book that was brought back without a word of it would be worse."""
        why = ("--reason", "the team")
        for login, name, role in (("root", "olga", "owner"), ("olga", "rita", "read")):
            monkeypatch.setenv("SUDO_USER", login)
            added = smoney("admin", "add", name, "--role", role, "--login", name, *why, env=town_env)
            assert added.exit_code == 0, added.stderr
        file = tmp_path / "town.age"
        assert smoney("backup", str(file), env=town_env).exit_code == 0
        monkeypatch.setenv("SUDO_USER", "rita")
        back = smoney(
            "restore", str(file), "--key", str(keeper.key), "--reason", "disk lost", "--json", env=empty_env
        )
        assert back.exit_code == 0, back.stderr
        assert json.loads(back.stdout)["findings"] == []
        row = json.loads(smoney("audit", "--json", "--limit", "1", env=empty_env).stdout)
        assert (row["by"], row["action"]) == ("rita", "book.restore")

    @pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
    def test_back_up_into_the_home_directory_by_themselves(self, keeper, town_env):
        assert smoney("backup", env=town_env).exit_code == 0
        assert len(list((keeper.settings.home / "backups").glob("smoney-*.age"))) == 1

    @pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
    def test_restore_says_what_is_wrong_in_one_sentence(self, keeper, town_env, tmp_path):
        (tmp_path / "no backup").write_text("hello")
        for file, code, words in (("no backup", 2, "empty place"), ("nowhere", 2, "empty place")):
            said = smoney(
                "restore", str(tmp_path / file), "--key", str(keeper.key), "--reason", "x", env=town_env
            )
            assert (said.exit_code, words in said.stderr) == (code, True)

    @pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
    def test_restore_of_no_backup_is_a_sentence(self, keeper, empty_env, tmp_path):
        (tmp_path / "no backup").write_text("hello")
        for file, words in (("no backup", "cannot be used"), ("nowhere", "No such file")):
            said = smoney(
                "restore", str(tmp_path / file), "--key", str(keeper.key), "--reason", "x", env=empty_env
            )
            assert (said.exit_code, words in said.stderr) == (1, True)
            assert not (tmp_path / "elsewhere" / "restored.sqlite").exists()

    def test_make_keys_that_fit(self, tmp_path):
        printed = smoney("keys", "backup").stdout
        public = printed.strip().splitlines()[-1].removeprefix("# ")
        recipient_of(public, setting="x")
        assert str(identity_of(printed, setting="x").to_public()) == public

    @pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
    def test_reconcile_with_x_itself(self, street, keeper, tmp_path):
        file, _ = keeper.backs_up(street.town.bot.database)
        street.tweets("bob", "@smoney send 7€ @carol")
        street.answers("bob")
        street.town.bot.database.close()
        street.sleeps(minutes=1)
        keeper.restores(file)
        bot_keys, world = street.town.bot_person.keys, street.world
        with serve(world) as served:
            env = env_of(keeper.empty, tmp_path / "x.env")
            x = {
                "x_base_url": served.address,
                "x_api_key": world.app.consumer_key,
                "x_api_secret": world.app.consumer_secret,
                "x_access_token": bot_keys.access_token,
                "x_access_token_secret": bot_keys.access_token_secret,
            }
            env.write_text(
                env.read_text() + "".join(f"{variable(name)}='{value}'\n" for name, value in x.items())
            )
            early = smoney("reconcile", "--done", "--reason", "too early", env=env)
            assert (early.exit_code, "not read" in early.stderr) == (2, True)
            settings = street.town.settings.model_copy(update={"database_url": keeper.empty.database_url})
            with open_town(settings, world, entropy=os.urandom) as town:
                town.settle()
            listed = smoney("reconcile", "--json", env=env)
            assert {row["reference"] for row in json.loads(listed.stdout)["lost"]} == {
                street.reference("bob")
            }
            assert smoney("reconcile", "--done", "--reason", "", env=env).exit_code == 2
            done = smoney("reconcile", "--done", "--reason", "looked through it", env=env)
            assert (done.exit_code, "2 messages" in done.stdout) == (0, True)
            assert "Nothing to reconcile" in smoney("reconcile", env=env).stdout
