"""The world's records as X's JSON: only the fields that were asked for, ids as strings, texts escaped.

Nothing here decides who may see a thing; that was done before. A field X leaves out when it is empty is left out.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from bot.sandbox.asked import Wanted, token
from bot.sandbox.core import World
from bot.sandbox.messages import MESSAGE_CREATE, StoredMessage
from bot.sandbox.people import Person
from bot.sandbox.posts import Mention, StoredPost, Tag
from bot.sandbox.refusals import not_found
from bot.sandbox.street import Listing
from bot.x.text import POST_LIMIT, escape, escaped_offset, weighted_length

Json = dict[str, Any]
Makers = Mapping[str, Callable[[], Any]]
_IMPLIED_FIELD = {
    "author_id": "author_id",
    "in_reply_to_user_id": "in_reply_to_user_id",
    "entities.mentions.username": "entities",
    "referenced_tweets.id": "referenced_tweets",
    "referenced_tweets.id.author_id": "referenced_tweets",
}
_NEWER_NAMES = {
    "edit_history_tweet_ids": "edit_history_post_ids",
    "retweet_count": "repost_count",
    "tweet_count": "post_count",
}
"""X's newer description (2.167, 2026-08) against the one all prose pages and tweepy speak."""


def time_text(instant: datetime) -> str:
    """As X writes a time: to the millisecond, with Z."""
    return instant.strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"


def newer(shown: Json) -> Json:
    """The same by X's newer names."""
    return {
        _NEWER_NAMES.get(name, name): newer(value) if isinstance(value, dict) else value
        for name, value in shown.items()
    }


class Renderer:
    """Makes the JSON of one answer."""

    def __init__(self, world: World, wanted: Wanted, viewer_id: int | None) -> None:
        self._world = world
        self._wanted = wanted
        self._viewer_id = viewer_id
        self._newer = wanted.newer_names or world.newer_names
        self._post_fields = wanted.post_fields | {
            _IMPLIED_FIELD[each] for each in wanted.expansions if each in _IMPLIED_FIELD
        }

    # --- whole answers ---

    def posts_page(self, listing: Listing[StoredPost]) -> Json:
        answer = self.posts(listing.items)
        meta: Json = {"result_count": len(listing.items)}
        if listing.items:
            meta |= {"newest_id": str(listing.items[0].id), "oldest_id": str(listing.items[-1].id)}
        return answer | {"meta": _with_token(meta, listing)}

    def posts(self, posts: Iterable[StoredPost]) -> Json:
        """Several posts; `data` is absent when there is none."""
        shown = list(posts)
        data = [self._post(post) for post in shown]
        return _without_empty({"data": data, **self._included(shown)})

    def single_post(self, post: StoredPost) -> Json:
        return _without_empty({"data": self._post(post), **self._included([post])})

    def messages_page(self, listing: Listing[StoredMessage]) -> Json:
        data = [self._message(message) for message in listing.items]
        people: set[int] = set()
        for message in listing.items:
            if "sender_id" in self._wanted.expansions:
                people.add(message.sender_id)
            if "participant_ids" in self._wanted.expansions:
                people.update(message.participants)
        includes = _without_empty({"users": [self.user(each) for each in self._people(people)]})
        meta = _with_token({"result_count": len(data)}, listing)
        return _without_empty({"data": data, "includes": includes}) | {"meta": meta}

    # --- one thing ---

    def user(self, person: Person) -> Json:
        """A person: id, name and username always."""
        more: Makers = {
            "created_at": lambda: time_text(person.created_at),
            "description": lambda: "",
            "protected": lambda: person.protected,
            "verified": lambda: False,
            "verified_type": lambda: "none",
            "public_metrics": lambda: {
                "followers_count": 0,
                "following_count": 0,
                "tweet_count": len(self._world.posts.ids_of(person.id)),
                "listed_count": 0,
                "like_count": 0,
            },
            "receives_your_dm": lambda: self._takes_messages(person),
        }
        asked = {name: make() for name, make in more.items() if name in self._wanted.user_fields}
        shown = {"id": str(person.id), "name": person.name, "username": person.username, **asked}
        return newer(shown) if self._newer else shown

    def _post(self, post: StoredPost) -> Json:
        history = "edit_history_tweet_ids"
        shown: Json = {
            "id": str(post.id),
            "text": escape(_short(post)),
            history: [str(each) for each in self._world.posts.history(post)],
            **_without_empty(self._optional_fields(post)),
        }
        return newer(shown) if self._newer else shown

    def _optional_fields(self, post: StoredPost) -> Json:
        makers: Makers = {
            "author_id": lambda: str(post.author_id),
            "conversation_id": lambda: str(post.conversation_id),
            "created_at": lambda: time_text(post.created_at),
            "display_text_range": lambda: _display_range(post),
            "edit_controls": lambda: self._edit_controls(post),
            "entities": lambda: _entities(post.text, _short(post), post.mentions, post.hashtags, post.urls),
            "in_reply_to_user_id": lambda: _text_or_none(post.in_reply_to_user_id),
            "lang": lambda: post.language,
            "note_tweet": lambda: _note(post),
            "possibly_sensitive": lambda: False,
            "public_metrics": lambda: dict.fromkeys(_METRICS, 0),
            "referenced_tweets": lambda: _references(post),
            "reply_settings": lambda: "everyone",
        }
        return {name: make() for name, make in makers.items() if name in self._post_fields}

    def _edit_controls(self, post: StoredPost) -> Json:
        left = self._world.posts.edits_left(post)
        return {
            "edits_remaining": left,
            "is_edit_eligible": post.reposted_id is None,
            "editable_until": time_text(post.editable_until),
        }

    def _message(self, message: StoredMessage) -> Json:
        fields = self._wanted.message_fields
        shown: Json = {"id": str(message.id), "event_type": message.kind}
        if message.kind == MESSAGE_CREATE:
            shown["text"] = escape(message.text)
        more = {
            "created_at": time_text(message.created_at),
            "dm_conversation_id": message.conversation_id,
            "sender_id": str(message.sender_id),
            "participant_ids": [str(each) for each in message.participants],
            "entities": _entities(message.text, message.text, message.mentions, (), ()),
        }
        implied = self._wanted.expansions & {"sender_id", "participant_ids"}
        return shown | _without_empty(
            {name: value for name, value in more.items() if name in fields | implied}
        )

    # --- what comes along ---

    def _included(self, posts: list[StoredPost]) -> Json:
        others, missing = self._other_posts(posts)
        people = {identity for post in posts for identity in self._people_of(post)}
        if "referenced_tweets.id.author_id" in self._wanted.expansions:
            people |= {post.author_id for post in others}
        includes = _without_empty(
            {
                "users": [self.user(person) for person in self._people(people)],
                "tweets": [self._post(post) for post in others],
            }
        )
        return {"includes": includes, "errors": missing}

    def _people_of(self, post: StoredPost) -> Iterable[int]:
        if "author_id" in self._wanted.expansions:
            yield post.author_id
        if "in_reply_to_user_id" in self._wanted.expansions and post.in_reply_to_user_id is not None:
            yield post.in_reply_to_user_id
        if "entities.mentions.username" in self._wanted.expansions:
            yield from (mention.user_id for mention in post.mentions)

    def _other_posts(self, posts: list[StoredPost]) -> tuple[list[StoredPost], list[Json]]:
        """The posts that are referred to, and a problem for each that is not there any more."""
        wanted: dict[int, None] = {}
        if self._wanted.expansions & {"referenced_tweets.id", "referenced_tweets.id.author_id"}:
            wanted |= dict.fromkeys(identity for post in posts for _, identity in _reference_pairs(post))
        if "edit_history_tweet_ids" in self._wanted.expansions:
            wanted |= dict.fromkeys(
                identity
                for post in posts
                for identity in self._world.posts.history(post)
                if identity != post.id
            )
        found = [post for identity in wanted if (post := self._visible(identity)) is not None]
        there = {post.id for post in found}
        missing = [
            not_found("tweet", "referenced_tweets.id", str(identity))
            for identity in wanted
            if identity not in there
        ]
        return found, missing

    def _visible(self, identity: int) -> StoredPost | None:
        post = self._world.posts.get(identity)
        return post if post is not None and self._world.posts.is_visible(post, self._viewer_id) else None

    def _people(self, ids: Iterable[int]) -> list[Person]:
        return [
            self._world.people[identity] for identity in sorted(ids) if self._world.people[identity].findable
        ]

    def _takes_messages(self, person: Person) -> bool:
        viewer = None if self._viewer_id is None else self._world.people.get(self._viewer_id)
        return viewer is not None and self._world.messages.may_write(viewer, person)


_METRICS = ("retweet_count", "reply_count", "like_count", "quote_count", "bookmark_count", "impression_count")


def _short(post: StoredPost) -> str:
    """The text as X gives it outside `note_tweet`: a long one is cut at 280 weighted characters."""
    if weighted_length(post.visible_text) <= POST_LIMIT:
        return post.text
    end = min(len(post.text), post.display_start + POST_LIMIT)
    while weighted_length(post.text[post.display_start : end] + "…") > POST_LIMIT:
        end -= 1
    return post.text[:end] + "…"


def _note(post: StoredPost) -> Json | None:
    if _short(post) == post.text:
        return None
    entities = _entities(post.text, post.text, post.mentions, post.hashtags, post.urls)
    return _without_empty({"text": escape(post.text), "entities": entities})


def _display_range(post: StoredPost) -> list[int]:
    short = _short(post)
    return [escaped_offset(short, post.display_start), escaped_offset(short, len(short))]


def _entities(
    text: str, shown: str, mentions: Iterable[Mention], hashtags: Iterable[Tag], urls: Iterable[Tag]
) -> Json | None:
    """What stands in the part of the text that is shown, with offsets into the escaped text."""

    def place(entity: Mention | Tag) -> Json:
        return {"start": escaped_offset(text, entity.start), "end": escaped_offset(text, entity.end)}

    end = len(shown) if shown == text else len(shown) - 1
    found = {
        "mentions": [
            {**place(each), "username": each.username, "id": str(each.user_id)}
            for each in mentions
            if each.end <= end
        ],
        "hashtags": [{**place(each), "tag": each.text} for each in hashtags if each.end <= end],
        "urls": [{**place(each), **_address(each.text)} for each in urls if each.end <= end],
    }
    return _without_empty(found) or None


def _address(text: str) -> Json:
    full = text if text.lower().startswith("http") else f"http://{text}"
    return {"url": full, "expanded_url": full, "display_url": text.rpartition("://")[2]}


def _reference_pairs(post: StoredPost) -> list[tuple[str, int]]:
    pairs = (
        ("replied_to", post.in_reply_to_id),
        ("quoted", post.quoted_id),
        ("retweeted", post.reposted_id),
    )
    return [(kind, identity) for kind, identity in pairs if identity is not None]


def _references(post: StoredPost) -> list[Json]:
    return [{"type": kind, "id": str(identity)} for kind, identity in _reference_pairs(post)]


def _text_or_none(identity: int | None) -> str | None:
    return None if identity is None else str(identity)


def _with_token(meta: Json, listing: Listing[Any]) -> Json:
    return meta if listing.next_before_id is None else meta | {"next_token": token(listing.next_before_id)}


def _without_empty(answer: Mapping[str, Any]) -> Json:
    """X leaves out what is empty; False and 0 are not."""
    return {name: value for name, value in answer.items() if value not in (None, [], {})}
