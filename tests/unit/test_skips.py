"""What CI says about skipped tests, seen from outside: a run of a small suite of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SUITE = """
import pytest

@pytest.mark.shared
@pytest.mark.skipif({left_out}, reason="the reference material is not there")
def test_that_reads():
    pass

@pytest.mark.skip(reason="not on this machine")
def test_that_never_runs():
    pass

def test_that_runs():
    pass
"""


def run(tmp_path: Path, suite: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    project = tmp_path / "project"
    project.mkdir()
    (project / "pytest.ini").write_text("[pytest]\nmarkers = shared: x\n")
    (project / "test_suite.py").write_text(suite)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.skips", "-p", "no:cacheprovider", *arguments],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.prove
class TestSkips:
    def test_are_counted_by_reason(self, tmp_path):
        done = run(tmp_path, SUITE.format(left_out=True))
        assert "2 tests were skipped." in done.stdout
        assert "   1  the reference material is not there" in done.stdout
        assert "   1  not on this machine" in done.stdout
        assert done.returncode == 0

    @pytest.mark.parametrize("arguments", [[], ["-n", "2"]])
    def test_fail_the_run_where_what_the_test_needs_is_there(self, tmp_path, arguments):
        (tmp_path / "shared").mkdir()
        done = run(tmp_path, SUITE.format(left_out=True), *arguments)
        assert "NOT ALLOWED: test_suite.py::test_that_reads was skipped" in done.stdout
        assert done.returncode == 1

    def test_are_allowed_where_the_test_that_reads_is_run(self, tmp_path):
        (tmp_path / "shared").mkdir()
        done = run(tmp_path, SUITE.format(left_out=False))
        assert "1 tests were skipped." in done.stdout
        assert done.returncode == 0

    def test_of_a_whole_module_fail_the_run_too(self, tmp_path):
        (tmp_path / "shared").mkdir()
        suite = 'import pytest\npytest.skip("no shared material", allow_module_level=True)\n'
        assert "NOT ALLOWED: test_suite.py" in run(tmp_path, suite).stdout

    def test_do_not_hide_a_failure(self, tmp_path):
        done = run(tmp_path, SUITE.format(left_out=True) + "\ndef test_that_fails():\n    assert False\n")
        assert done.returncode == 1
