"""Public posts: written, answered, quoted, reposted, edited and deleted, each version with an id of its own.

A stored post keeps the text as it was typed, with the hidden mentions X puts before a reply; escaping and cutting are
the business of those who show it. Nothing is ever taken out of the store: a deleted post is marked, so that its id
stays used.
"""

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.sandbox.ground import Ground
from bot.sandbox.people import People, Person
from bot.sandbox.refusals import DUPLICATE, NOT_SUMMONED, REPLY_TO_NOTHING, TOO_LONG, forbidden, invalid
from bot.x.snowflake import instant_of
from bot.x.text import extract_entities, fits, normalise

EDIT_WINDOW = timedelta(hours=1)
EDITS_ALLOWED = 5
LONGEST_POST = 25_000
REPOST_LIMIT = 140
DUPLICATE_WINDOW = timedelta(hours=24)
"""How long X remembers a text is not documented; a day is what is commonly met."""


@dataclass(frozen=True, slots=True)
class Mention:
    """An @handle somebody held when the text was written; `[start, end)` in code points of the text as typed."""

    start: int
    end: int
    username: str
    user_id: int


@dataclass(frozen=True, slots=True)
class Tag:
    """A hashtag or an address; `[start, end)` in code points of the text as typed."""

    start: int
    end: int
    text: str


@dataclass(slots=True)
class StoredPost:
    """One version of a post. `first_id` is the same for all versions of one post."""

    id: int
    first_id: int
    author_id: int
    text: str
    visible_at: datetime
    conversation_id: int
    language: str = "und"
    display_start: int = 0
    mentions: tuple[Mention, ...] = ()
    hashtags: tuple[Tag, ...] = ()
    urls: tuple[Tag, ...] = ()
    in_reply_to_id: int | None = None
    in_reply_to_user_id: int | None = None
    quoted_id: int | None = None
    reposted_id: int | None = None
    deleted: bool = False

    @property
    def created_at(self) -> datetime:
        return instant_of(self.id)

    @property
    def editable_until(self) -> datetime:
        return instant_of(self.first_id) + EDIT_WINDOW

    @property
    def visible_text(self) -> str:
        return self.text[self.display_start :]

    def mentions_person(self, identity: int) -> bool:
        return any(mention.user_id == identity for mention in self.mentions)


class Posts:
    """All posts, and who is mentioned where."""

    def __init__(self, ground: Ground, people: People) -> None:
        self._ground = ground
        self._people = people
        self._by_id: dict[int, StoredPost] = {}
        self._history: dict[int, list[int]] = {}
        self._by_author: dict[int, list[int]] = {}
        self._mentioning: dict[int, list[int]] = {}
        self._answered: set[tuple[int, int]] = set()
        self._last_text: dict[tuple[int, str], int] = {}
        self.all_ids: list[int] = []

    def write(
        self,
        author: Person,
        text: str,
        *,
        in_reply_to: int | None = None,
        quote_of: int | None = None,
        left_out: frozenset[int] = frozenset(),
        language: str = "und",
    ) -> StoredPost:
        """A new post. `left_out` are people not to be mentioned in the hidden part of a reply."""
        typed = self._accepted(author, text)
        target = None if in_reply_to is None else self._target(in_reply_to)
        if quote_of is not None:
            self._target(quote_of)
        post = self._fresh(
            author, "" if target is None else self._hidden_mentions(author, target, left_out), typed
        )
        post.language, post.quoted_id = language, quote_of
        if target is not None:
            post.conversation_id = target.conversation_id
            post.in_reply_to_id, post.in_reply_to_user_id = target.id, target.author_id
        self._add(post, typed)
        return post

    def edit(self, post: StoredPost, text: str) -> StoredPost:
        """A further version. Raises `XRefusal` when the hour is over, all edits are used, or it is deleted."""
        author = self._people[post.author_id]
        typed = self._accepted(author, text)
        history = self._history[post.first_id]
        if post.deleted or post.reposted_id is not None or self.edits_left(post) <= 0:
            raise forbidden("You are not permitted to edit this Tweet.")
        latest = self._by_id[history[-1]]
        fresh = self._fresh(author, latest.text[: latest.display_start], typed)
        version = replace(
            latest,
            id=fresh.id,
            text=fresh.text,
            visible_at=fresh.visible_at,
        )
        self._add(version, typed)
        return version

    def repost(self, author: Person, original_id: int) -> StoredPost:
        """The original again, under somebody else's name, cut as X cuts it."""
        original = self._target(original_id)
        text = f"RT @{self._people[original.author_id].username}: {original.visible_text}"
        post = self._fresh(author, "", text if len(text) <= REPOST_LIMIT else text[: REPOST_LIMIT - 1] + "…")
        post.reposted_id = original.id
        known = {original.author_id, *(mention.user_id for mention in original.mentions)}
        self._add(post, None, only=known)
        return post

    def delete(self, post: StoredPost) -> None:
        """Deletes all versions, whichever was named."""
        for identity in self._history[post.first_id]:
            version = self._by_id[identity]
            version.deleted = True
            self._last_text.pop((version.author_id, version.visible_text), None)

    def note_answer(self, author: Person, target_id: int) -> None:
        """The rules for programs: a reply must have been asked for, and only one is allowed."""
        target = self._target(target_id)
        if target.author_id == author.id:
            return
        quotes = target.quoted_id is not None and self._by_id[target.quoted_id].author_id == author.id
        key = (author.id, target.first_id)
        if not (target.mentions_person(author.id) or quotes) or key in self._answered:
            raise forbidden(NOT_SUMMONED)

    def mark_answered(self, author: Person, target_id: int) -> None:
        self._answered.add((author.id, self._by_id[target_id].first_id))

    def __getitem__(self, identity: int) -> StoredPost:
        return self._by_id[identity]

    def get(self, identity: int) -> StoredPost | None:
        return self._by_id.get(identity)

    def history(self, post: StoredPost) -> list[int]:
        return self._history[post.first_id]

    def edits_left(self, post: StoredPost) -> int:
        """How often it may still be edited: five times within the hour."""
        over = self._ground.now() >= post.editable_until
        return 0 if over else EDITS_ALLOWED + 1 - len(self._history[post.first_id])

    def ids_of(self, author_id: int) -> list[int]:
        """What this person posted, oldest first, deleted ones among them."""
        return self._by_author.get(author_id, [])

    def ids_mentioning(self, person_id: int) -> list[int]:
        return self._mentioning.get(person_id, [])

    def is_visible(self, post: StoredPost, viewer_id: int | None = None) -> bool:
        """Whether a reader is shown it: it is there, written long enough ago, and its author lets this one see it."""
        author = self._people[post.author_id]
        if post.deleted or not author.findable or post.visible_at > self._ground.now():
            return False
        return not author.protected or viewer_id == author.id

    def is_current(self, post: StoredPost) -> bool:
        """Whether it is the newest version that readers can see by now."""
        now = self._ground.now()
        return not any(
            identity > post.id and self._by_id[identity].visible_at <= now
            for identity in self._history[post.first_id]
        )

    def dump(self) -> dict[str, Any]:
        posts = [{**asdict(post), "visible_at": post.visible_at.isoformat()} for post in self._by_id.values()]
        return {"posts": posts, "answered": sorted(self._answered)}

    def restore(self, dumped: dict[str, Any]) -> None:
        for each in dumped["posts"]:
            found = {
                "visible_at": datetime.fromisoformat(each["visible_at"]),
                "mentions": tuple(Mention(**mention) for mention in each["mentions"]),
                "hashtags": tuple(Tag(**tag) for tag in each["hashtags"]),
                "urls": tuple(Tag(**tag) for tag in each["urls"]),
            }
            post = StoredPost(**{**each, **found})
            self._index(post)
            if not post.deleted and post.reposted_id is None:
                self._last_text[(post.author_id, post.visible_text)] = post.id
        self._answered = {(author, first) for author, first in dumped["answered"]}

    def _fresh(self, author: Person, hidden: str, typed: str) -> StoredPost:
        """A post of this moment, the first of its conversation."""
        identity = self._ground.next_id()
        return StoredPost(
            id=identity,
            first_id=identity,
            author_id=author.id,
            text=hidden + typed,
            visible_at=self._ground.visible_from(),
            conversation_id=identity,
            display_start=len(hidden),
        )

    def _accepted(self, author: Person, text: str) -> str:
        """The text as X stores it. Raises `XRefusal` for an empty, too long or repeated one."""
        typed = normalise(text)
        if not typed:
            raise invalid("text", text, "The text of a Tweet must not be empty.")
        if not fits(typed) and not (author.writes_long and len(typed) <= LONGEST_POST):
            raise forbidden(TOO_LONG)
        earlier = self._last_text.get((author.id, typed))
        if earlier is not None and self._ground.now() - instant_of(earlier) < DUPLICATE_WINDOW:
            raise forbidden(DUPLICATE)
        return typed

    def _target(self, identity: int) -> StoredPost:
        target = self._by_id.get(identity)
        if target is None or target.deleted or not self._people[target.author_id].findable:
            raise forbidden(REPLY_TO_NOTHING)
        return target

    def _hidden_mentions(self, author: Person, target: StoredPost, left_out: frozenset[int]) -> str:
        """The handles X puts before a reply: who is answered, and all who were mentioned there."""
        wanted = [target.author_id, *(mention.user_id for mention in target.mentions)]
        people = [
            self._people[identity]
            for identity in dict.fromkeys(wanted)
            if identity != author.id and identity not in left_out and self._people[identity].findable
        ]
        return "".join(f"@{person.username} " for person in people)

    def _add(self, post: StoredPost, typed: str | None, *, only: set[int] | None = None) -> None:
        found = extract_entities(post.text)
        post.mentions = tuple(
            Mention(each.start, each.end, each.text, person.id)
            for each in found.mentions
            if (person := self._people.holder(each.text)) is not None
            and person.findable
            and (only is None or person.id in only)
        )
        post.hashtags = tuple(Tag(each.start, each.end, each.text) for each in found.hashtags)
        post.urls = tuple(Tag(each.start, each.end, each.text) for each in found.urls)
        if typed is not None:
            self._last_text[(post.author_id, typed)] = post.id
        self._index(post)

    def _index(self, post: StoredPost) -> None:
        self._by_id[post.id] = post
        self.all_ids.append(post.id)
        self._history.setdefault(post.first_id, []).append(post.id)
        self._by_author.setdefault(post.author_id, []).append(post.id)
        for identity in {mention.user_id for mention in post.mentions}:
            self._mentioning.setdefault(identity, []).append(post.id)
