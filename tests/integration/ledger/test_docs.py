"""What the documentation shows is what happens."""

import re
import subprocess
import sys
from pathlib import Path

DOCUMENT = Path(__file__).parents[3] / "docs" / "ledger.md"


class TestLedgerDocument:
    def test_ten_lines_of_python_run(self, tmp_path):
        body, imports = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
        assert len(body.strip().splitlines()) == 10
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", imports + body],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.stdout, done.stderr) == ("1000\n", "")


class TestImporting:
    def test_money_needs_no_database_library(self):
        code = (
            "import sys, ledger.money, ledger.accounts, ledger.errors; assert 'sqlalchemy' not in sys.modules"
        )
        subprocess.run([sys.executable, "-c", code], check=True)
