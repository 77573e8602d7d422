"""The simulator plays whole towns: whatever people do and whatever breaks, nothing is lost and nothing is paid twice.

What it plays and what it looks for stands in docs/reliability.md. A seed that fails is named with the command that
plays it again.
"""

import importlib.util
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import Session

from ledger.errors import OutcomeUnknown
from tests.simulation import playing
from tests.simulation.database import (
    CANNOT_OPEN,
    COMMIT_FAILS,
    FULL,
    Disk,
    DiskTrouble,
    SimulatedDatabase,
)
from tests.simulation.mutants import MUTANTS, Mutant, catch, changed
from tests.simulation.run import Run, Template, Told

FIXED = range(1, 9)
LONG_FROM = 10_001
STEPS = 50_000


@pytest.fixture(scope="module")
def template() -> Iterator[Template]:
    with playing.template() as made:
        yield made


def fresh_seed() -> int:
    return 1_000_000 + int.from_bytes(os.urandom(4), "big")


def played(template: Template, seed: int, steps: int) -> Iterator[Told]:
    """World after world; a promise that breaks is a failed test that says how to see it again."""
    try:
        yield from playing.worlds(template, seed, steps)
    except playing.Failed as failed:
        pytest.fail(f"make simulate SEED={failed.seed} STEPS={failed.step}: {failed.broken}")


@pytest.mark.timeout(1_200)
class TestTown:
    @pytest.mark.parametrize("seed", FIXED)
    def test_keeps_every_promise_whatever_happens(self, template: Template, seed: int):
        assert [told.confirmed > 0 for told in played(template, seed, playing.WORLD_STEPS)] == [True]

    @pytest.mark.prove
    @pytest.mark.begins_first
    def test_keeps_them_in_fifty_thousand_steps_in_which_everything_happens(self, template: Template):
        total = Told(LONG_FROM)
        for told in played(template, total.seed, STEPS):
            total.add(told)
        assert total.steps >= STEPS
        assert playing.missing(total) == []

    @pytest.mark.prove
    def test_keeps_them_in_a_world_never_played_before(self, template: Template):
        assert [told.confirmed > 0 for told in played(template, fresh_seed(), playing.WORLD_STEPS)] == [True]

    def test_of_one_seed_is_one_story(self, template: Template):
        stories = []
        for _ in range(2):
            run = Run(template, 77, telling=True)
            run.play(150)
            run.close()
            stories.append(run.story)
        assert stories[0] == stories[1]


class TestLongRun:
    @pytest.mark.prove
    def test_goes_on_where_it_stopped(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(playing, "WORLD_STEPS", 40)
        state = tmp_path / "build" / "simulation.json"
        assert playing.play_long(30, state) == 0
        first = json.loads(state.read_text())
        # As if it had been stopped in the middle of that world.
        state.write_text(json.dumps(first | {"under_way": [5]}))
        assert playing.play_long(60, state) == 0
        kept = json.loads(state.read_text())
        assert (kept["next_seed"], kept["broken"], kept["under_way"]) == (1_000_001, [], [])
        assert kept["steps"] >= first["steps"] + 40
        assert sum(kept["commits"].values()) == kept["steps"]
        assert sum(kept["counts"]["habits"].values()) > 0


class TestDisk:
    def test_that_lets_nothing_be_opened_after_a_failed_commit_is_tried_again(self, tmp_path: Path):
        """The engine once kept a closed connection then, and no write succeeded any more."""
        disk = Disk()
        database = SimulatedDatabase(tmp_path / "small.sqlite", disk)

        def work(session: Session) -> None:
            session.connection().execute(text("CREATE TABLE IF NOT EXISTS t (x INTEGER)"))

        disk.planned = DiskTrouble(COMMIT_FAILS, 1, rolls_back=True)
        with pytest.raises(OutcomeUnknown):
            database.write(work)
        assert disk.struck[CANNOT_OPEN] == 1
        database.write(work)
        database.close()

    def test_that_is_full_at_the_transfer_itself_costs_nothing(
        self, template: Template, monkeypatch: pytest.MonkeyPatch
    ):
        """That statement goes past SQLAlchemy, and so does its fault: it once set a confirmed answer aside."""
        run = Run(template, 5)
        step = run._step

        def on_a_full_disk() -> None:
            if run.index % 2:
                run.disk.planned = DiskTrouble(FULL, 1, at="INSERT INTO ledger_transfer")
            step()

        monkeypatch.setattr(run, "_step", on_a_full_disk)
        run.play(150)
        run.close()
        assert run.disk.struck[FULL] > 0


@pytest.mark.prove
@pytest.mark.timeout(0)
class TestSimulator:
    """It must be able to fail. `make simulate-mutants` shows it for every mutant."""

    @pytest.mark.parametrize("name", ["retry-without-look-up", "old-edit-wins", "receipt-lost"])
    def test_catches_a_bug(self, name: str):
        assert catch(name, seed=1, steps=4_000)["caught"], f"make simulate MUTANT={name}"


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
