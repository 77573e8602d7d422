"""The world in a file, so that a demo can be left and come back to. Written whole and put in place at once.

What lasts is kept: people with their keys, posts, messages, the app's keys, stream rules, how far the clock was moved.
Limits in use, planned faults and the meter begin anew.
"""

import json
import os
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.sandbox.core import AppKeys, StreamRule, Subscription, Webhook, World
from bot.sandbox.ground import MovableClock

FORM = 1


def save(world: World, path: Path) -> None:
    """Writes the file beside its place and moves it there, so that a crash leaves the old or the new one whole."""
    with world.lock:
        text = json.dumps(dump(world), ensure_ascii=False)
    beside = path.with_name(path.name + ".new")
    with os.fdopen(
        os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def load(world: World, path: Path) -> bool:
    """Fills an empty world from the file; False if there is none. Raises `ValueError` for a file of another kind."""
    if not path.exists():
        return False
    dumped = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(dumped, dict) or dumped.get("form") != FORM:
        raise ValueError(f"{path} is not a sandbox's file of form {FORM}")
    restore(world, dumped)
    return True


def dump(world: World) -> dict[str, Any]:
    ahead = world.clock.ahead.total_seconds() if isinstance(world.clock, MovableClock) else 0
    return {
        "form": FORM,
        "last_id": world.ground.last_id,
        "clock_ahead_seconds": ahead,
        "app": asdict(world.app),
        "webhooks": [asdict(each) for each in world.webhooks.values()],
        "subscriptions": [asdict(each) for each in world.subscriptions.values()],
        "rules": [asdict(rule) for rule in world.rules.values()],
        "people": world.people.dump(),
        "posts": world.posts.dump(),
        "messages": world.messages.dump(),
    }


def restore(world: World, dumped: dict[str, Any]) -> None:
    with world.lock:
        world.ground.last_id = dumped["last_id"]
        if isinstance(world.clock, MovableClock):
            world.clock.ahead = timedelta(seconds=dumped["clock_ahead_seconds"])
        world.app = AppKeys(**dumped["app"])
        world.rules = {rule["id"]: StreamRule(**rule) for rule in dumped["rules"]}
        world.subscriptions = {each["id"]: Subscription(**each) for each in dumped["subscriptions"]}
        world.webhooks = {each["id"]: Webhook(**each) for each in dumped["webhooks"]}
        world.people.restore(dumped["people"])
        world.posts.restore(dumped["posts"])
        world.messages.restore(dumped["messages"])
