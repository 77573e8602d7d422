"""What a newcomer runs first: the demo, its story, the sandbox alone, and a daemon beside it."""

import re
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.description import DESCRIPTION
from tests.e2e.conftest import SOON_SECONDS, Programs, wait_until

REAL_ACCESS_TOKEN = (
    "1234567890-" + "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789abc"
)  # of the right form, and nobody's
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")


def address_in(said: str) -> str:
    found = _ADDRESS.search(said)
    assert found is not None, said
    return found[0]


def world_at(address: str) -> dict[str, Any]:
    """The whole world, as the sandbox keeps it."""
    return requests.get(f"{address}/world", timeout=10).json()  # type: ignore[no-any-return]


class TestScript:
    def test_tells_the_story_and_ends_with_a_verified_ledger(self, programs: Programs):
        script = programs.smoney("demo", "--script")
        assert script.ends(60) == 0
        assert "@bob tweets" in script.said
        assert "The ledger" in script.said
        assert script.said.rstrip().endswith("all holds.")
        exchanges = script.said.count("@smoney -> @") + script.said.count("@smoney replies to @")
        assert exchanges >= 10
        for part in (
            "That code does not work",
            "the limit is",
            "Kept until they join",
            "did not claim",
            "8 days pass",
        ):
            assert part in script.said
        assert "Traceback" not in script.said


class TestDemo:
    @pytest.mark.parametrize("number", [pytest.param(signal.SIGINT, marks=pytest.mark.prove), signal.SIGTERM])
    def test_shows_its_page_and_ends_within_seconds_of_a_signal(
        self, programs: Programs, number: signal.Signals
    ):
        demo = programs.smoney(
            "demo", "--no-browser", "--port", "0", environment={"TMPDIR": str(programs.home)}
        )
        demo.says("Ctrl-C ends it.")
        page = requests.get(address_in(demo.said) + "/", timeout=10)
        assert page.status_code == 200
        assert "text/html" in page.headers["content-type"]
        assert demo.is_told(number) < SOON_SECONDS
        assert demo.ends() == 0
        assert "Traceback" not in demo.said
        assert [*programs.home.glob("smoney-demo-*")] == []

    @pytest.mark.prove
    def test_invites_whoever_plays_to_the_operators_pages(self, programs: Programs):
        demo = programs.smoney("demo", "--no-browser", "--port", "0")
        demo.says("Ctrl-C ends it.")
        found = re.search(r"(http://127\S+/admin/welcome)\s+with the word\s+([0-9a-f]{32})", demo.said)
        assert found is not None, demo.said
        browser = requests.Session()
        token = re.search(r'name="form_token" value="(\w+)"', browser.get(found[1], timeout=10).text)
        assert token is not None
        given = {"form_token": token[1], "word": found[2]}
        assert "<strong>operator</strong>" in browser.post(found[1], data=given, timeout=10).text

    def test_a_payment_on_the_page_moves_test_money(self, programs: Programs):
        demo = programs.smoney("demo", "--no-browser", "--port", "0")
        demo.says("Ctrl-C ends it.")
        at = address_in(demo.said) + "/sandbox"
        requests.post(f"{at}/posts", json={"author": "bob", "text": "@smoney send 10€ @alice"}, timeout=10)

        def thread() -> str:
            return str(world_at(at)["messages"])

        code = wait_until(lambda: re.search(r"answer ([A-Z] \d{6})", thread()), "a code")[1]
        requests.post(
            f"{at}/messages", json={"sender": "bob", "recipient": "smoney", "text": code}, timeout=10
        )
        wait_until(lambda: "Paid:" in thread(), "a receipt")
        assert demo.is_told(signal.SIGTERM) < SOON_SECONDS

    @pytest.mark.parametrize("command", [("demo", "--no-browser", "--port", "0"), ("sandbox", "--port", "0")])
    def test_keys_that_could_be_real_ones_are_refused(self, programs: Programs, command: tuple[str, ...]):
        started = programs.smoney(*command, environment={"SMONEY_X_ACCESS_TOKEN": REAL_ACCESS_TOKEN})
        assert started.ends() == 2
        assert "look like keys of the real X" in started.said
        assert REAL_ACCESS_TOKEN not in started.said
        assert "Traceback" not in started.said


class TestSandbox:
    @pytest.mark.prove
    def test_its_lines_make_a_real_daemon_run_the_doctor_content_and_the_ledger_readable(
        self, programs: Programs
    ):
        sandbox = programs.smoney("sandbox", "--port", "0", "--wide")
        sandbox.says("SMONEY_CARDS_WEBHOOK_SECRET=")
        keys = programs.smoney("keys", "generate")
        assert keys.ends() == 0
        lines = [line for line in sandbox.said.splitlines() if line.startswith("SMONEY_")]
        assert len(lines) == 9  # five of X, four of cards
        env = programs.home / ".env"
        env.write_text(
            "\n".join(
                [
                    *lines,
                    f"SMONEY_KEYS={keys.said.strip()}",
                    "SMONEY_MENTIONS_POLL_SECONDS=0.2",
                    "SMONEY_WEB_PORT=0",
                ]
            )
        )
        env.chmod(0o600)
        self.doctor_is_content(programs)
        daemon = programs.smoney("run")
        daemon.says("daemon.started")
        at = address_in(sandbox.said) + "/sandbox"
        for name in ("bob", "alice"):
            requests.post(f"{at}/people", json={"username": name, "name": name.title()}, timeout=10)
        requests.post(f"{at}/posts", json={"author": "bob", "text": "@smoney send 10€ @alice"}, timeout=10)
        wait_until(lambda: "START" in str(world_at(at)["posts"]), "a public reply")
        self.doctor_is_content(programs)
        assert daemon.is_told(signal.SIGTERM) < SOON_SECONDS
        assert daemon.ends() == 0
        for command in ("accounts", "history", "verify"):
            looked = programs.smoney("ledger", command)
            assert looked.ends() == 0, looked.said
            assert "Traceback" not in looked.said
        assert "all holds." in looked.said
        assert sandbox.is_told(signal.SIGINT) < SOON_SECONDS
        assert sandbox.ends() == 0

    @pytest.mark.prove
    @pytest.mark.shared
    @pytest.mark.skipif(not DESCRIPTION.exists(), reason="X's description is not beside the project (shared)")
    def test_in_a_process_of_its_own_is_judged_too(self, programs: Programs):
        """Seen on one that names people as X does not: what it said is written down though it is killed."""
        broken = (
            "from bot.sandbox.render import Renderer; user = Renderer.user;"
            "Renderer.user = lambda self, person: user(self, person) | {'nickname': 'x'};"
            "from tests.judged_program import main; main()"
        )
        sandbox = programs.start([sys.executable, "-c", broken, "sandbox", "--port", "0"])
        sandbox.says("SMONEY_X_ACCESS_TOKEN_SECRET=")
        world = world_at(address_in(sandbox.said) + "/sandbox")
        token = {"Authorization": f"Bearer {world['people'][0]['keys']['user_token']}"}
        requests.get(f"{address_in(sandbox.said)}/2/users/me", headers=token, timeout=10)
        wait_until(programs.objections.exists, "an objection")
        sandbox.kill()
        assert "'nickname' was unexpected" in programs.objections.read_text(encoding="utf-8")
        programs.objections.unlink()

    @staticmethod
    def doctor_is_content(programs: Programs) -> None:
        doctor = programs.smoney("doctor")
        assert doctor.ends() == 0, doctor.said
        assert "FAIL" not in doctor.said
        assert "X knows the bot as @smoney" in doctor.said


class TestHelp:
    def test_answers(self, programs: Programs, record_property: Callable[[str, object], None]):
        """How fast is for the benchmarks to say; here it is only told."""
        began = time.monotonic()
        shown = programs.smoney("--help")
        assert shown.ends() == 0
        record_property("seconds", time.monotonic() - began)
        assert "Money by tweet" in shown.said
