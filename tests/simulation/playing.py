"""Plays worlds, one seed after another, tells what happened in them, and makes a failure into a short story."""

import gc
import json
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tests.simulation import habits, operators, troubles
from tests.simulation.model import Broken
from tests.simulation.run import Run, Template, Told
from tests.simulation.shrinking import shrink

WORLD_STEPS = 800
"""A world is played this long, then drained; a longer run is further worlds, of the following seeds."""
ENOUGH_STEPS = 40_000
"""From so many steps on everything that can happen must have happened."""
HAPPENS = (
    "X answers 400", "X answers 401", "X answers 402", "X answers 403", "X answers 429", "X answers 5xx",
    "X answers nonsense", "X is slow", "connection cut before it is done", "done, and the answer lost",
    "busy", "locked", "full disk", "I/O error", "commit fails", "commit done, error told",
    "transaction ended by SQLite", "file cannot be opened", "crash at a statement", "crash at COMMIT, before",
    "crash at COMMIT, after", "crash before a call of X", "crash after a call of X",
    "a worker dies at a call of X", "restart", "the program is down for a while", "a quiet night",
    "minutes go by", "X shows things late", "the bot is suspended by X", "credits run out",
    "somebody comes between", "an older version is shown after the newer", "a right code is said", "a wrong code is said", "X refuses a person: 403",
    "a right thaw code is said", "a right erase code is said", "X pushes by webhook", "X pushes by stream",
    "X pushes again", "X pushes out of order", "X loses what it should push", "a body without X's signature",
    "a stream is opened", "a second admin decides: done",
)  # fmt: skip


class Failed(Exception):
    """A world in which a promise did not hold."""

    def __init__(self, run: Run, broken: Broken) -> None:
        super().__init__(f"seed {run.seed}, step {run.steps}: {broken}")
        self.seed = run.seed
        self.step = run.steps
        self.broken = broken
        self.indices = list(run.indices)


@contextmanager
def template() -> Iterator[Template]:
    made = Template()
    gc.collect()
    gc.freeze()  # what was imported stays; looking through it again and again costs a tenth of the time
    thresholds = gc.get_threshold()
    gc.set_threshold(50_000, 20, 20)
    try:
        yield made
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
        made.close()


def worlds(made: Template, seed: int, steps: int) -> Iterator[Told]:
    """Plays so many steps, world after world. Raises `Failed`."""
    left = steps
    while left > 0:
        run = Run(made, seed)
        try:
            run.play(min(left, WORLD_STEPS))
        except Broken as broken:
            raise Failed(run, broken) from broken
        finally:
            run.close()
        yield run.told()
        left -= run.steps
        seed += 1


def play(seed: int, steps: int) -> Told:
    """The same, summed up."""
    total = Told(seed)
    with template() as made:
        for told in worlds(made, seed, steps):
            total.add(told)
    return total


def missing(told: Told) -> list[str]:
    """What can happen and never did."""
    return [
        *(habit.__name__ for habit in habits.HABITS if not told.habits[habit.__name__]),
        *(
            f"an admin {act.__name__}"
            for act in operators.ACTS
            if not told.habits[f"an admin {act.__name__}"]
        ),
        *(trouble.__name__ for trouble in troubles.TROUBLES if not told.troubles[trouble.__name__]),
        *(name for name in HAPPENS if not told.happened[name]),
    ]


def summary(told: Told) -> str:
    lines = [f"{told.steps} steps, {told.confirmed} payments confirmed"]
    for title in ("habits", "troubles", "happened"):
        counted = getattr(told, title).most_common()
        lines.append(f"{title}: " + ", ".join(f"{name} {number}" for name, number in counted))
    return "\n".join(lines)


def play_and_tell(seed: int, steps: int, *, mutant: str = "") -> int:
    """`make simulate`: 0 if all held."""
    began = time.perf_counter()
    try:
        told = play(seed, steps)
    except Failed as failed:
        print(f"BROKEN {failed}")
        print(
            f"make simulate SEED={failed.seed} STEPS={failed.step}" + (f" MUTANT={mutant}" if mutant else "")
        )
        tell_shortly(failed)
        return 1
    except Broken as broken:
        print(f"BROKEN while everybody moved in: {broken}")
        return 1
    print(summary(told))
    print(f"{told.steps / (time.perf_counter() - began):.0f} steps a second")
    lacking = missing(told) if steps >= ENOUGH_STEPS else []
    if lacking:
        print("never happened: " + ", ".join(lacking))
    return 1 if lacking else 0


def tell_shortly(failed: Failed) -> None:
    """The shortest story found that still breaks the same promise."""
    with template() as made:
        story = shrink(made, failed.seed, failed.indices, failed.broken.promise)
    print(
        f"\nThe story, as short as it was made ({story.steps} of {len(failed.indices)} numbers are left):\n"
    )
    print("\n".join(story.lines))
    print(f"\n{story.broken}")


def find(seed: int, steps: int, *, mutant: str = "") -> int:
    """One line of JSON: whether a promise broke, where."""
    found: dict[str, object] = {"mutant": mutant, "caught": False, "seed": seed, "step": steps}
    done = 0
    try:
        with template() as made:
            for told in worlds(made, seed, steps):
                done += told.steps
    except Failed as failed:
        found |= {
            "caught": True,
            "seed": failed.seed,
            "step": done + failed.step,
            "promise": failed.broken.promise,
            "detail": str(failed.broken)[:600],
        }
    except Broken as broken:  # while everybody moved in
        found |= {"caught": True, "step": 0, "promise": broken.promise, "detail": str(broken)[:600]}
    print(json.dumps(found), flush=True)
    return 0


# Long runs


def play_long(steps: int, state_file: Path, *, jobs: int = 1) -> int:
    """Goes on where the last long run stopped, world after world, in so many processes, until so many steps are done in all.
    A world that was under way when it was stopped is played from its beginning."""
    state_file.parent.mkdir(parents=True, exist_ok=True)
    state: dict[str, Any] = json.loads(state_file.read_text()) if state_file.exists() else _beginning()
    began, before = time.perf_counter(), state["steps"]
    again: list[int] = state.pop("under_way", [])
    here = jobs == 1
    with ThreadPoolExecutor(1) if here else ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        playing: dict[Future[Told | str], int] = {}
        while state["steps"] < steps or playing:
            while state["steps"] < steps and len(playing) < jobs:
                seed = again.pop() if again else state["next_seed"]
                state["next_seed"] = max(state["next_seed"], seed + 1)
                playing[pool.submit(one_world, seed, WORLD_STEPS)] = seed
            for done in wait(playing, return_when=FIRST_COMPLETED).done:
                del playing[done]
                _count(state, done.result())
            _save(state | {"under_way": [*playing.values(), *again]}, state_file)
    pace = (state["steps"] - before) / (time.perf_counter() - began)
    print(
        f"{state['steps']} steps, {state['confirmed']} confirmed, {len(state['broken'])} broken, {pace:.0f} a second"
    )
    lacking = missing(_told_in(state))
    if lacking and state["steps"] >= ENOUGH_STEPS:
        print("never happened: " + ", ".join(lacking))
        return 1
    return 1 if state["broken"] else 0


def one_world(seed: int, steps: int) -> Told | str:
    """What happened in it, or what broke."""
    try:
        with template() as made:
            return next(worlds(made, seed, steps))
    except Failed as failed:
        return str(failed)


def _told_in(state: dict[str, Any]) -> Told:
    counts = {title: Counter(state["counts"].get(title, {})) for title in ("habits", "troubles", "happened")}
    return Told(0, state["steps"], state["confirmed"], **counts)


def _beginning() -> dict[str, Any]:
    return {"next_seed": 1_000_000, "steps": 0, "confirmed": 0, "broken": [], "commits": {}, "counts": {}}


def _count(state: dict[str, Any], told: Told | str) -> None:
    if isinstance(told, str):
        state["broken"].append(told)
        print(f"BROKEN {told}", flush=True)
        return
    state["steps"] += told.steps
    state["confirmed"] += told.confirmed
    commit = _commit()
    state["commits"][commit] = state["commits"].get(commit, 0) + told.steps
    for title in ("habits", "troubles", "happened"):
        counts = state["counts"].setdefault(title, {})
        for name, number in getattr(told, title).items():
            counts[name] = counts.get(name, 0) + number


def _commit() -> str:
    found = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or "unknown"


def _save(state: dict[str, Any], state_file: Path) -> None:
    fresh = state_file.with_suffix(".new")
    fresh.write_text(json.dumps(state, indent=1))
    fresh.replace(state_file)
