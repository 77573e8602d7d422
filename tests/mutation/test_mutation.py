"""The ledger's tests notice small faults: a sample, always the same. `make mutants` goes through all of them."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutation.known import known
from tests.mutation.mutating import LEDGER, mutants
from tests.mutation.running import EVERYWHERE, ONE_ENGINE, TESTS

ROOT = Path(__file__).parents[2]
LONG = os.environ.get("SMONEY_PROVE") == "long"


class TestMutants:
    def test_are_many_and_each_is_a_program(self):
        found = mutants()
        assert len(found) > 800
        assert len({mutant.name for mutant in found}) == len(found)
        for mutant in found:
            text = (LEDGER / mutant.path).read_text(encoding="utf-8")
            changed = mutant.applied_to(text)
            assert changed != text
            if mutant.path.endswith(".py"):
                ast.parse(changed)

    def test_that_are_known_are_still_there(self):
        """A reason for a place that is gone explains nothing."""
        gone = set(known()) - {mutant.name for mutant in mutants()}
        assert not gone, gone

    def test_are_asked_of_tests_and_engines_that_are_still_there(self):
        names = [mutant.name for mutant in mutants()]
        for beginning in (*TESTS, *ONE_ENGINE):
            assert any(name.startswith(beginning) for name in names), beginning
        for path in {*EVERYWHERE, *(path for paths in TESTS.values() for path in paths)}:
            assert (ROOT / path).exists(), path

    @pytest.mark.prove
    @pytest.mark.timeout(0 if LONG else 900)
    def test_are_noticed(self, tmp_path):
        """In a process of its own, since the ledger must not have been imported before it is changed."""
        out = tmp_path / "mutants.jsonl"
        chosen = [] if LONG else ["--sample", "4"]
        command = [sys.executable, "-m", "tests.mutation", "--out", str(out), *chosen]
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        told = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
        assert len(told) == (len(mutants()) if LONG else 4)
