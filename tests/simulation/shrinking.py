"""Makes a failure into a short story: people and steps are left out as long as the same promise still breaks."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.simulation import cast
from tests.simulation.model import Broken
from tests.simulation.run import Run, Template

PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class Story:
    lines: list[str]
    broken: Broken
    steps: int


class _Shrinker:
    def __init__(self, made: Template, seed: int, promise: str, patience_seconds: float) -> None:
        self._made = made
        self._seed = seed
        self._promise = promise
        self._until = time.monotonic() + patience_seconds
        self.without: frozenset[str] = frozenset()

    def breaks(
        self, indices: Sequence[int], without: frozenset[str], *, telling: bool = False
    ) -> tuple[Run, Broken] | None:
        run = Run(self._made, self._seed, without=without, telling=telling)
        try:
            run.play(0, indices)
        except Broken as broken:
            return (run, broken) if broken.promise == self._promise else None
        finally:
            run.close()
        return None

    @property
    def may_go_on(self) -> bool:
        return time.monotonic() < self._until

    def leave_out_people(self, indices: list[int]) -> None:
        names = [resident.username for resident in cast.RESIDENTS]
        size = len(names) // 2
        while size and self.may_go_on:
            for start in range(0, len(names), size):
                fewer = self.without | set(names[start : start + size])
                if self.may_go_on and fewer != self.without and self.breaks(indices, fewer):
                    self.without = fewer
            size //= 2

    def leave_out_steps(self, indices: list[int]) -> list[int]:
        size = max(1, len(indices) // 2)
        while self.may_go_on:
            start = 0
            while start < len(indices) and self.may_go_on:
                fewer = indices[:start] + indices[start + size :]
                if self.breaks(fewer, self.without):
                    indices = fewer
                else:
                    start += size
            if size == 1:
                break
            size = max(1, size // 2)
        return indices


def shrink(
    made: Template,
    seed: int,
    indices: Sequence[int],
    promise: str,
    patience_seconds: float = PATIENCE_SECONDS,
) -> Story:
    shrinker = _Shrinker(made, seed, promise, patience_seconds)
    left = shrinker.leave_out_steps(list(indices))
    shrinker.leave_out_people(left)
    left = shrinker.leave_out_steps(left)
    found = shrinker.breaks(left, shrinker.without, telling=True)
    if found is None:
        raise RuntimeError(f"seed {seed} does not repeat: something in the run is not of its seed")
    run, broken = found
    return Story(run.story, broken, len(left))
