"""The filtered stream's rules: kept, read, and matched against posts.

Of X's rule language this knows what a bot needs: words, "phrases", @names, #tags, from:, to:, is:retweet, is:reply,
is:quote, has:mentions, has:links, grouping, OR, and - for not. A rule it does not know is refused, never half read.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.sandbox.asked import identity
from bot.sandbox.core import StreamRule, World
from bot.sandbox.posts import StoredPost
from bot.sandbox.refusals import PROBLEMS, invalid
from bot.sandbox.render import time_text

Json = dict[str, Any]
Match = Callable[[StoredPost], bool]
LONGEST_RULE = 1024
MOST_RULES = 1000
DEEPEST_RULE = 20
_PART = re.compile(r'\s*(-?\(|\)|-?(?:[a-z_]+:)?(?:"[^"]*"|[^\s()"]+))')


# --- keeping them ---


def list_rules(world: World, ids: list[int] | None) -> Json:
    shown = [_json(rule) for rule in world.rules.values() if ids is None or rule.id in ids]
    return _with_data(shown, {"sent": time_text(world.now()), "result_count": len(shown)})


def add_rules(world: World, given: Any, *, dry_run: bool) -> Json:
    """Adds what can be read and is new; the rest comes back as problems."""
    if not isinstance(given, list) or not given or not all(isinstance(each, dict) for each in given):
        raise invalid("add", given, "$.add: must be a list of rules")
    added, problems = [], []
    for each in given:
        value, tag = each.get("value"), each.get("tag")
        problem = (
            _problem(world, value) if tag is None or isinstance(tag, str) else _invalid("the tag is no text")
        )
        if problem is None:
            rule = StreamRule(world.ground.next_id(), value, tag)
            added.append(rule)
            if not dry_run:
                world.rules[rule.id] = rule
        else:
            problems.append(problem)
    summary = {
        "created": len(added),
        "not_created": len(problems),
        "valid": len(added),
        "invalid": len(problems),
    }
    answer = _with_data(list(map(_json, added)), {"sent": time_text(world.now()), "summary": summary})
    return answer | ({"errors": problems} if problems else {})


def delete_rules(world: World, given: Any, *, dry_run: bool) -> Json:
    if not isinstance(given, dict):
        raise invalid("delete", given, "$.delete: must be an object")
    wanted, values = given.get("ids", []), given.get("values", [])
    if not isinstance(wanted, list) or not isinstance(values, list):
        raise invalid("delete", given, "$.delete: must have lists of ids or values")
    ids = {identity("delete.ids", each) for each in wanted}
    ids |= {rule.id for rule in world.rules.values() if rule.value in values}
    there = ids & world.rules.keys()
    if not dry_run:
        for each in there:
            del world.rules[each]
    summary = {"deleted": len(there), "not_deleted": len(ids) - len(there)}
    return {"meta": {"sent": time_text(world.now()), "summary": summary}}


def _problem(world: World, value: Any) -> Json | None:
    """Why this rule is not taken, None if it is."""
    if (
        not isinstance(value, str)
        or not value.strip()
        or len(value) > LONGEST_RULE
        or len(world.rules) >= MOST_RULES
    ):
        return _invalid("not a rule")
    for rule in world.rules.values():
        if rule.value == value:
            return {
                "value": value,
                "id": str(rule.id),
                "title": "DuplicateRule",
                "type": PROBLEMS + "duplicate-rules",
            }
    try:
        matcher(world, value)
    except ValueError as error:
        return _invalid(str(error))
    return None


def _invalid(detail: str) -> Json:
    return {"title": "Invalid Rule", "type": PROBLEMS + "invalid-rules", "detail": detail}


def _json(rule: StreamRule) -> Json:
    return {"id": str(rule.id), "value": rule.value, **({} if rule.tag is None else {"tag": rule.tag})}


def _with_data(data: list[Json], meta: Json) -> Json:
    return ({"data": data} if data else {}) | {"meta": meta}


# --- matching ---


def matching(world: World, post: StoredPost) -> list[Json]:
    """The rules a post matches, as the stream names them."""
    return [
        {"id": str(rule.id), **({} if rule.tag is None else {"tag": rule.tag})}
        for rule in world.rules.values()
        if matcher(world, rule.value)(post)
    ]


def matcher(world: World, value: str) -> Match:
    """A rule as a function. Raises `ValueError` where it cannot be read."""
    parts, position = [], 0
    while value[position:].strip():
        part = _PART.match(value, position)
        if part is None:
            raise ValueError(f"cannot read the rule at character {position}")
        parts.append(part[1])
        position = part.end()
    reader = _Reader(world, parts)
    rule = reader.any_of()
    if reader.parts:
        raise ValueError("a bracket closes that was not opened")
    return rule


@dataclass
class _Reader:
    """Reads parts from the left: alternatives of conjunctions of terms."""

    world: World
    parts: list[str]

    depth: int = 0

    def any_of(self) -> Match:
        choices = [self.all_of()]
        while self.parts and self.parts[0] == "OR":
            self.parts.pop(0)
            choices.append(self.all_of())
        return lambda post: any(choice(post) for choice in choices)

    def all_of(self) -> Match:
        terms: list[Match] = []
        while self.parts and self.parts[0] not in ("OR", ")"):
            terms.append(self._term())
        if not terms:
            raise ValueError("a part of the rule is empty")
        return lambda post: all(term(post) for term in terms)

    def _term(self) -> Match:
        part = self.parts.pop(0)
        if part in ("-", '""', '-""'):
            raise ValueError("a part of the rule is empty")
        if part.startswith("--"):
            raise ValueError("a part of the rule is denied twice")
        if part.startswith("-"):
            self.parts.insert(0, part[1:])
            inner = self._term()
            return lambda post: not inner(post)
        if part == "(":
            self.depth += 1
            if self.depth > DEEPEST_RULE:
                raise ValueError("too many brackets")
            group = self.any_of()
            self.depth -= 1
            if not self.parts or self.parts.pop(0) != ")":
                raise ValueError("a bracket is not closed")
            return group
        return _term(self.world, part)


def _term(world: World, part: str) -> Match:
    operator, colon, value = part.partition(":")
    if colon and operator in ("from", "to"):
        return _person_term(world, operator, value)
    if colon and (operator, value) in _FLAGS:
        return _FLAGS[operator, value]
    if colon:
        raise ValueError(f"unknown operator {part}")
    if part.startswith("@"):
        name = part[1:].lower()
        return lambda post: any(mention.username.lower() == name for mention in post.mentions)
    if part.startswith("#"):
        tag = part[1:].lower()
        return lambda post: any(each.text.lower() == tag for each in post.hashtags)
    phrase = re.compile(rf"(?<!\w){re.escape(part.strip(chr(34)))}(?!\w)", re.IGNORECASE)
    return lambda post: phrase.search(post.text) is not None


def _person_term(world: World, operator: str, value: str) -> Match:
    def match(post: StoredPost) -> bool:
        person = world.people.holder(value.lstrip("@"))
        identity = str(person.id) if person is not None else value
        whom = post.author_id if operator == "from" else post.in_reply_to_user_id
        return str(whom) == identity

    return match


_FLAGS: dict[tuple[str, str], Match] = {
    ("is", "retweet"): lambda post: post.reposted_id is not None,
    ("is", "reply"): lambda post: post.in_reply_to_id is not None,
    ("is", "quote"): lambda post: post.quoted_id is not None,
    ("has", "mentions"): lambda post: bool(post.mentions),
    ("has", "links"): lambda post: bool(post.urls),
}
