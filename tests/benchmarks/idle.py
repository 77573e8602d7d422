"""What the daemon takes while nothing happens: memory, and processor time as a share of one core.

`python -m tests.benchmarks.idle` starts a sandbox over HTTP in this process and the real daemon, with the settings an
operator gets, in another; waits until it is up and has settled; and reads what the system says of it. Linux only.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.e2e.conftest import DEMO_DAEMON, Programs, a_place
from tests.e2e.test_daemon import STARTED

SETTLES_SECONDS = 20
WATCHED_SECONDS = 120
MOST_MB, MOST_PERCENT = 150, 1.0
NOT_OF_AN_OPERATOR = ("POLL_SECONDS", "TIMEOUT_SECONDS", "SETTLE_SECONDS", "MESSAGES_PER")
"""What the tests set so that they need not wait."""


def processor_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(process: int) -> float:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise LookupError("no VmRSS")


def main() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="smoney-idle-") as folder,
        a_place(Path(folder) / "home") as place,
    ):
        programs = Programs(Path(folder))
        chosen = {
            name: value
            for name, value in place.environment().items()
            if not any(words in name for words in NOT_OF_AN_OPERATOR)
        }
        daemon = programs.start(DEMO_DAEMON, chosen)
        try:
            daemon.says(STARTED)
            time.sleep(SETTLES_SECONDS)
            before, began = processor_seconds(daemon.process.pid), time.monotonic()
            time.sleep(WATCHED_SECONDS)
            spent = processor_seconds(daemon.process.pid) - before
            percent = 100 * spent / (time.monotonic() - began)
            memory = resident_mb(daemon.process.pid)
        finally:
            programs.end()
    rows = [
        {"name": "idle daemon, memory", "value": round(memory, 1), "unit": "MB", "at_most": MOST_MB},
        {"name": "idle daemon, processor", "value": round(percent, 2), "unit": "% of a core", "at_most": MOST_PERCENT},
    ]  # fmt: skip
    for row in rows:
        sys.stdout.write(json.dumps(row) + "\n")
    Path("build").mkdir(exist_ok=True)
    Path("build/bench-idle.json").write_text(json.dumps(rows, indent=1), encoding="utf-8")
    if missed := [str(row["name"]) for row in rows if float(str(row["value"])) > float(str(row["at_most"]))]:
        sys.exit(f"missed: {', '.join(missed)}")


if __name__ == "__main__":
    main()
