"""The systemd units in docs/operating fit the program and the page that says how they are put in place."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

from bot.cli.common import EXIT_BROKEN, EXIT_MISCONFIGURED
from bot.settings import Settings, variable
from tests.unit.docs.commands import refused

OPERATING = Path(__file__).parents[3] / "docs" / "operating"
PAGE = (OPERATING / "install.md").read_text(encoding="utf-8")
SERVICES = sorted(OPERATING.glob("*.service"))
TIMERS = sorted(OPERATING.glob("*.timer"))
SMONEY = "/opt/smoney/.venv/bin/smoney"
MOST_EXPOSED = "20"
"""Of 100 by systemd's own reckoning; a service without hardening has 96."""

one_service = pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
analyzed = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze (Debian: package systemd)"
)


def values(unit: Path, key: str) -> list[str]:
    """All values of a key, in their order; systemd lets many be given more than once."""
    return re.findall(rf"^{key}=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE)


def paths(unit: Path) -> set[str]:
    """What the unit names of this installation's own places."""
    settings = "\n".join(line for line in unit.read_text(encoding="utf-8").splitlines() if line[:1] != "#")
    return set(re.findall(r"/(?:opt|etc|var)/[\w./-]*\w", settings))


def runs(unit: Path) -> list[list[str]]:
    """The command lines that call this program."""
    lines = [shlex.split(line) for key in ("ExecStart", "ExecStartPost") for line in values(unit, key)]
    return [words for words in lines if PurePosixPath(words[0]).name == "smoney"]


def placed(unit: Path, folder: Path) -> Path:
    """A copy that starts a program of this machine, since the one it names is elsewhere."""
    text = unit.read_text(encoding="utf-8").replace(SMONEY, sys.executable)
    copy = folder / unit.name
    copy.write_text(text, encoding="utf-8")
    return copy


def analyze(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False)


class TestServices:
    def test_are_there(self):
        assert [unit.name for unit in SERVICES] == ["smoney-backup.service", "smoney.service"]

    @one_service
    def test_start_a_command_there_is_with_arguments_it_takes(self, unit):
        (words,) = runs(unit)
        assert words[0] == SMONEY
        assert not refused(shlex.join(["smoney", *words[1:]]))

    @one_service
    def test_name_only_places_that_the_page_makes(self, unit):
        unknown = {path for path in paths(unit) if not re.search(rf"{re.escape(path)}(?![\w-])", PAGE)}
        assert not unknown, f"install.md does not speak of {', '.join(sorted(unknown))}"

    @one_service
    def test_run_as_the_user_that_the_page_makes(self, unit):
        (user,), (home,) = values(unit, "User"), values(unit, "WorkingDirectory")
        assert re.search(rf"^adduser --home {home} --system --group {user}$", PAGE, re.MULTILINE)

    @one_service
    def test_may_write_the_home_directory_of_the_settings(self, unit):
        (base,), (writable,) = values(unit, "WorkingDirectory"), values(unit, "ReadWritePaths")
        assert f"{base}/{Settings.model_fields['home'].default}" in writable.split()

    @one_service
    def test_set_only_settings_there_are(self, unit):
        named = [pair.partition("=")[0] for line in values(unit, "Environment") for pair in line.split()]
        assert set(named) <= {variable(name) for name in Settings.model_fields}

    @one_service
    def test_are_given_the_keys_where_they_look_for_them(self, unit):
        ((name, _, file),) = [line.partition(":") for line in values(unit, "LoadCredential")]
        assert f"SMONEY_KEYS_FILE=%d/{name}" in values(unit, "Environment")
        assert f"SMONEY_KEYS_FILE={file}" in PAGE

    def test_the_daemon_stays_down_where_somebody_must_look(self):
        (codes,) = values(OPERATING / "smoney.service", "RestartPreventExitStatus")
        assert sorted(map(int, codes.split())) == [EXIT_MISCONFIGURED, EXIT_BROKEN]

    def test_all_are_installed_by_the_page(self):
        (line,) = re.findall(r"^install -m 644 (.*) /etc/systemd/system/$", PAGE, re.MULTILINE)
        assert sorted(line.split()) == sorted(unit.name for unit in [*SERVICES, *TIMERS])


class TestTimers:
    def test_start_a_service_there_is(self):
        assert TIMERS
        assert all(timer.with_suffix(".service") in SERVICES for timer in TIMERS)


@analyzed
class TestSystemd:
    def test_finds_nothing_wrong(self, tmp_path):
        done = analyze(
            "verify", "--man=no", *(placed(unit, tmp_path) for unit in [*SERVICES, *TIMERS])
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")

    @one_service
    def test_finds_them_hardened(self, unit, tmp_path):
        done = analyze(
            "security", "--offline=true", "--no-pager", f"--threshold={MOST_EXPOSED}", placed(unit, tmp_path)
        )
        assert done.returncode == 0, done.stdout
