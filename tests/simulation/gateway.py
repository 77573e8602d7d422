"""The bot's port to X, watched: each call can be struck by a fault, be the last thing the program does, or give way to
somebody else for a moment.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bot.sandbox.faults import Fault, FaultKind, FaultPlan
from bot.sandbox.gateway import SandboxGateway
from bot.sandbox.limits import Operation
from bot.x.gateway import Page, Post
from tests.simulation.ground import Crash, WorkerDied


class CountedFaults(FaultPlan):
    """The sandbox's plan of faults, which tells what struck."""

    def __init__(self) -> None:
        super().__init__()
        self.struck: Counter[str] = Counter()

    def take(self, operation: Operation, caller_id: int | None) -> Fault | None:
        fault = super().take(operation, caller_id)
        if fault is not None:
            self.struck[name_of(fault.kind, fault.status)] += 1
        return fault


def name_of(kind: FaultKind, status: int) -> str:
    if kind is FaultKind.REFUSE:
        return f"X answers {status}"
    names = {
        FaultKind.FAIL: "X answers 5xx",
        FaultKind.NONSENSE: "X answers nonsense",
        FaultKind.DELAY: "X is slow",
        FaultKind.CUT: "connection cut before it is done",
        FaultKind.LOSE: "done, and the answer lost",
    }
    return names[kind]


class Seams:
    """Where a run can be broken or give way: before and after each call of the gateway."""

    def __init__(self) -> None:
        self.struck: Counter[str] = Counter()
        self.crash_in: int | None = None
        self.worker_dies_in: int | None = None
        self.gives_way: Callable[[], None] = lambda: None
        self.shows_old_versions: Callable[[], bool] = lambda: False

    def pass_by(self, where: str) -> None:
        if self.crash_in is not None:
            self.crash_in -= 1
            if self.crash_in <= 0:
                self.crash_in = None
                self.struck[f"crash {where} a call of X"] += 1
                raise Crash
        if self.worker_dies_in is not None:
            self.worker_dies_in -= 1
            if self.worker_dies_in <= 0:
                self.worker_dies_in = None
                self.struck["a worker dies at a call of X"] += 1
                raise WorkerDied
        self.gives_way()

    def clear(self) -> None:
        self.crash_in = self.worker_dies_in = None


class WatchedGateway:
    """`bot.x.gateway.Gateway`, with seams around each call."""

    def __init__(self, inner: SandboxGateway, seams: Seams, without_ids: set[int]) -> None:
        self._inner = inner
        self._seams = seams
        self._without_ids = without_ids
        """Messages in whose texts X leaves out whose handles they are."""

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found):
            return found

        def call(*arguments: Any, **named: Any) -> Any:
            self._seams.pass_by("before")
            try:
                return self._as_x_gives_it(found(*arguments, **named), named.get("since_id") or 0)
            finally:
                self._seams.pass_by("after")

        return call

    def _as_x_gives_it(self, answer: Any, since_id: int) -> Any:
        if not isinstance(answer, Page):
            return answer
        items = [self._bare(item) if item.id in self._without_ids else item for item in answer.items]
        for item in answer.items:
            if isinstance(item, Post) and item.id != item.first_id:
                items += self._older_versions(item, since_id)
        return replace(answer, items=tuple(items))

    def _older_versions(self, post: Post, since_id: int) -> list[Post]:
        """X shows a version it should not show any more, and perhaps after the newer one was read."""
        if not self._seams.shows_old_versions():
            return []
        posts = self._inner._world.posts
        older = [each for each in posts.history(posts[post.id]) if since_id < each < post.id]
        self._seams.struck["an older version is shown after the newer"] += len(older)
        return [self._inner._post(posts[each]) for each in older]

    @staticmethod
    def _bare(item: Any) -> Any:
        return replace(item, mentions=tuple(replace(mention, user_id=None) for mention in item.mentions))
