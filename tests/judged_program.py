"""`smoney` in a process of its own, with the judge over each sandbox in it: what `tests/e2e` starts for a demo or a sandbox.

What the judge objects to is written to the file that `SANDBOX_OBJECTIONS` names as it happens, because such a process is
ended by a signal or killed. The product knows nothing of this.
"""

import os
from pathlib import Path

from bot.cli import main as smoney
from bot.sandbox.x_api import Exchange, Observe
from tests.description import DESCRIPTION, Judge, Objection, all_judged
from tests.newer_names import spoken_if_wanted

WHERE = "SANDBOX_OBJECTIONS"


def main() -> None:
    with spoken_if_wanted():
        if not DESCRIPTION.exists():
            smoney()
            return
        with all_judged(_written_to(Path(os.environ[WHERE]))):
            smoney()


def _written_to(file: Path) -> Observe:
    judge = Judge()

    def observe(exchange: Exchange) -> None:
        try:
            judge(exchange)
        except Objection as objection:
            with file.open("a", encoding="utf-8") as written:
                written.write(f"{objection}\n")
            raise

    return observe
