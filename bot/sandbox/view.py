"""What the page shows, as plain data: people, the timeline, one person's thread with the bot.

Texts are given in parts, each with what it is, so that the page never has to look for anything in a text.
"""

import re
from collections.abc import Iterable
from typing import Any

from bot.sandbox.core import World
from bot.sandbox.messages import MESSAGE_CREATE, StoredMessage
from bot.sandbox.people import Person
from bot.sandbox.posts import Mention, StoredPost, Tag
from bot.x.text import extract_entities

Json = dict[str, Any]
ON_THIS_MACHINE = re.compile(r"http://127\.0\.0\.1:\d{1,5}/[\w/?=&-]*")
"""An address the page makes a link of: a bot's own pages beside the sandbox, never one elsewhere."""
POSTS_SHOWN = 60
MESSAGES_SHOWN = 120


def view(world: World, bot_id: int | None, person_id: int | None) -> Json:
    """The whole page for somebody who plays `person_id`; ids are text, because JavaScript's numbers are too short."""
    bot = _bot(world) if bot_id is None else world.people.get(bot_id)
    person = None if person_id is None else world.people.get(person_id)
    thread = world.thread(person, bot) if bot is not None and person not in (None, bot) else []
    return {
        "now": world.now().isoformat(),
        "person": None if person is None else str(person.id),
        "bot": None if bot is None else _person(world, bot, None),
        "people": [_person(world, each, bot) for each in world.people if not each.gone and each is not bot],
        "posts": [_post(world, post) for post in world.timeline(POSTS_SHOWN)],
        "thread": [_message(message, bot) for message in thread[-MESSAGES_SHOWN:]],
    }


def _bot(world: World) -> Person | None:
    """Whose threads are shown where nothing was said: the first who takes messages from anybody, as bots must."""
    return next((person for person in world.people if person.open_messages and person.findable), None)


def _person(world: World, person: Person, bot: Person | None) -> Json:
    thread = world.thread(person, bot) if bot is not None else []
    from_bot = [message.id for message in thread if bot is not None and message.sender_id == bot.id]
    return {
        "id": str(person.id),
        "username": person.username,
        "name": person.name,
        "suspended": person.suspended,
        "protected": person.protected,
        "last_from_bot": str(from_bot[-1]) if from_bot else "",
    }


def _post(world: World, post: StoredPost) -> Json:
    author = world.people[post.author_id]
    target = None if post.in_reply_to_id is None else world.posts.get(post.in_reply_to_id)
    return {
        "id": str(post.id),
        "first_id": str(post.first_id),
        "conversation_id": str(post.conversation_id),
        "author": {"id": str(author.id), "username": author.username, "name": author.name},
        "at": post.created_at.isoformat(),
        "parts": _parts(post.text, post.display_start, post.mentions, post.hashtags, post.urls),
        "in_reply_to": None if target is None else world.people[target.author_id].username,
        "edited": post.id != post.first_id,
        "repost": post.reposted_id is not None,
    }


def _message(message: StoredMessage, bot: Person | None) -> Json:
    found = extract_entities(message.text)
    hashtags = [Tag(each.start, each.end, each.text) for each in found.hashtags]
    urls = [Tag(each.start, each.end, each.text) for each in found.urls]
    pages = [(each.start(), each.end(), "page") for each in ON_THIS_MACHINE.finditer(message.text)]
    return {
        "id": str(message.id),
        "from_bot": bot is not None and message.sender_id == bot.id,
        "at": message.created_at.isoformat(),
        "parts": _parts(message.text, 0, message.mentions, hashtags, urls, pages)
        if message.kind == MESSAGE_CREATE
        else [],
    }


def _parts(
    text: str,
    start: int,
    mentions: Iterable[Mention],
    hashtags: Iterable[Tag],
    urls: Iterable[Tag],
    pages: Iterable[tuple[int, int, str]] = (),
) -> list[Json]:
    """The visible text cut where something was recognised."""
    marked = sorted(
        [
            *((each.start, each.end, "mention") for each in mentions),
            *((each.start, each.end, "hashtag") for each in hashtags),
            *((each.start, each.end, "address") for each in urls),
            *pages,
        ]
    )
    parts: list[Json] = []
    for begin, end, kind in marked:
        if begin >= start:
            parts += [{"text": text[start:begin], "kind": ""}, {"text": text[begin:end], "kind": kind}]
            start = end
    parts.append({"text": text[start:], "kind": ""})
    return [part for part in parts if part["text"]]
