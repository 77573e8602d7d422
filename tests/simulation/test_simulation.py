"""The simulator plays whole towns: whatever people do and whatever breaks, nothing is lost and nothing is paid twice.

What it plays and what it looks for stands in docs/reliability.md. A seed that fails is named with the command that
plays it again.
"""

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation import playing
from tests.simulation.mutants import MUTANTS, Mutant, changed
from tests.simulation.run import Run, Template

STEPS = 400
FIXED = (1, 1_001)


@pytest.fixture(scope="module")
def template() -> Iterator[Template]:
    with playing.template() as made:
        yield made


def fresh_seed() -> int:
    return 1_000_000 + int.from_bytes(os.urandom(4), "big")


@pytest.mark.timeout(600)
class TestTown:
    @pytest.mark.parametrize("seed", [*FIXED, "fresh"])
    def test_keeps_every_promise_whatever_happens(self, template: Template, seed: int | str):
        first = fresh_seed() if seed == "fresh" else int(seed)
        try:
            for told in playing.worlds(template, first, STEPS):
                assert told.confirmed > 0
        except playing.Failed as failed:
            pytest.fail(f"make simulate SEED={failed.seed} STEPS={failed.step}: {failed.broken}")

    def test_of_one_seed_is_one_story(self, template: Template):
        stories = []
        for _ in range(2):
            run = Run(template, 77, telling=True)
            run.play(150)
            run.close()
            stories.append(run.story)
        assert stories[0] == stories[1]


class TestMutant:
    @pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
    def test_is_still_put_where_it_belongs(self, mutant: Mutant):
        for change in mutant.changes:
            spec = importlib.util.find_spec(change.module)
            assert spec is not None
            assert spec.origin is not None
            source = Path(spec.origin).read_text(encoding="utf-8")
            compile(changed(source, [change]), spec.origin, "exec")
            assert max(change.old.count("\n"), change.new.count("\n")) <= 5
