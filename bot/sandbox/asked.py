"""What a request asks for: the query's parameters, checked as strictly as X checks them.

Every parameter must be known to its route and every value within X's bounds; what is not is refused with X's 400. The
newer names of X's description (`post.fields`) are taken too.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.sandbox.refusals import invalid
from bot.sandbox.street import Range

LARGEST_ID = 2**63 - 1
_ID = re.compile(r"[0-9]{1,19}")
_USERNAME = re.compile(r"[A-Za-z0-9_]{1,15}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", re.ASCII)
_TOKEN = re.compile(r"[0-9a-f]{16}")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


POST_FIELDS = _words(
    "article attachments author_id card_uri community_id context_annotations conversation_id created_at "
    "display_text_range edit_controls edit_history_tweet_ids entities geo id in_reply_to_user_id lang media_metadata "
    "non_public_metrics note_tweet organic_metrics possibly_sensitive promoted_metrics public_metrics referenced_tweets "
    "reply_settings scopes source suggested_source_links suggested_source_links_with_counts text withheld"
)
USER_FIELDS = _words(
    "affiliation confirmed_email connection_status created_at description entities id is_identity_verified location "
    "most_recent_tweet_id name parody pinned_tweet_id profile_banner_url profile_image_url protected public_metrics "
    "receives_your_dm subscription subscription_type url username verified verified_followers_count verified_type "
    "withheld"
)
MESSAGE_FIELDS = _words(
    "attachments created_at dm_conversation_id entities event_type id participant_ids referenced_tweets sender_id "
    "text"
)
POST_EXPANSIONS = _words(
    "article.cover_media article.media_entities attachments.media_keys attachments.media_source_tweet "
    "attachments.poll_ids author_id edit_history_tweet_ids entities.mentions.username geo.place_id in_reply_to_user_id "
    "entities.note.mentions.username referenced_tweets.id referenced_tweets.id.attachments.media_keys "
    "referenced_tweets.id.author_id"
)
USER_EXPANSIONS = frozenset({"affiliation.user_id", "most_recent_tweet_id", "pinned_tweet_id"})
MESSAGE_EXPANSIONS = frozenset(
    {"attachments.media_keys", "participant_ids", "referenced_tweets.id", "sender_id"}
)
MESSAGE_KINDS = frozenset({"MessageCreate", "ParticipantsJoin", "ParticipantsLeave"})
_OTHER_FIELDS = frozenset({"media.fields", "poll.fields", "place.fields"})
_NEWER = {"post.fields": "tweet.fields"}
_NEWER_VALUES = {
    "edit_history_post_ids": "edit_history_tweet_ids",
    "referenced_posts": "referenced_tweets",
    "note_post": "note_tweet",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which fields and expansions an answer shall have."""

    post_fields: frozenset[str] = frozenset()
    user_fields: frozenset[str] = frozenset()
    message_fields: frozenset[str] = frozenset()
    expansions: frozenset[str] = frozenset()
    newer_names: bool = False


class Query:
    """The parameters of one request. Raises `XRefusal` for an unknown one when it is made."""

    def __init__(self, given: Mapping[str, str], known: frozenset[str]) -> None:
        self.newer_names = any(name in _NEWER for name in given)
        self._given = {_NEWER.get(name, name): value for name, value in given.items()}
        for name, value in self._given.items():
            if name not in known and name not in _OTHER_FIELDS:
                names = ",".join(sorted(known))
                raise invalid(name, value, f"The query parameter [{name}] is not one of [{names}]")

    def get(self, name: str) -> str | None:
        return self._given.get(name)

    def names(self, name: str, allowed: frozenset[str]) -> frozenset[str]:
        """A list of names, each of which must be allowed."""
        given = self._given.get(name)
        if given is None:
            return frozenset()
        names = [_NEWER_VALUES.get(each, each) for each in given.split(",")]
        for each in names:
            if each not in allowed:
                raise invalid(name, each, f"The `{name}` query parameter value [{each}] is not one of [...]")
        return frozenset(names)

    def ids(self, name: str) -> list[int]:
        """One to a hundred ids."""
        given = (self._given.get(name) or "").split(",")
        if len(given) > 100 or given == [""]:
            raise invalid(name, ",".join(given)[:60], f"size must be between 1 and 100: `{name}`")
        return [identity(name, each) for each in given]

    def usernames(self) -> list[str]:
        given = (self._given.get("usernames") or "").split(",")
        if len(given) > 100 or given == [""]:
            raise invalid("usernames", ",".join(given)[:60], "size must be between 1 and 100: `usernames`")
        return [username("usernames", each) for each in given]

    def number(self, name: str, *, least: int, most: int, usual: int) -> int:
        given = self._given.get(name)
        if given is None:
            return usual
        if not (given.isascii() and given.isdigit() and least <= int(given[:9]) <= most):
            raise invalid(
                name, given, f"The `{name}` query parameter value [{given}] is not between {least} and {most}"
            )
        return int(given)

    def range(self, *, least: int, usual: int, most: int = 100) -> Range:
        """Which part of a list is asked for."""
        return Range(
            since_id=self._identity("since_id"),
            until_id=self._identity("until_id"),
            start=self._time("start_time"),
            end=self._time("end_time"),
            before_id=self._token(),
            limit=self.number("max_results", least=least, most=most, usual=usual),
        )

    def wanted(self, expansions: frozenset[str]) -> Wanted:
        return Wanted(
            post_fields=self.names("tweet.fields", POST_FIELDS),
            user_fields=self.names("user.fields", USER_FIELDS),
            message_fields=self.names("dm_event.fields", MESSAGE_FIELDS),
            expansions=self.names("expansions", expansions),
            newer_names=self.newer_names,
        )

    def _identity(self, name: str) -> int | None:
        given = self._given.get(name)
        return None if given is None else identity(name, given)

    def _time(self, name: str) -> datetime | None:
        given = self._given.get(name)
        if given is None:
            return None
        with suppress(ValueError):
            if _TIME.fullmatch(given):
                return datetime.fromisoformat(given).astimezone(UTC)
        message = (
            f"The `{name}` query parameter value [{given}] is not a valid time, as 2026-08-22T12:00:00Z is"
        )
        raise invalid(name, given, message)

    def _token(self) -> int | None:
        given = self._given.get("pagination_token")
        if given is None:
            return None
        if not _TOKEN.fullmatch(given):
            message = f"The `pagination_token` query parameter value [{given}] is not valid"
            raise invalid("pagination_token", given, message)
        return int(given, 16)


def token(before_id: int) -> str:
    """Where the next page begins, in a form nobody is tempted to read: 16 characters."""
    return f"{before_id:016x}"


def identity(name: str, given: Any) -> int:
    """An id as X takes it. Raises `XRefusal`."""
    text = given if isinstance(given, str) else str(given)
    if not _ID.fullmatch(text) or not text.isascii() or int(text) > LARGEST_ID:
        raise invalid(name, text[:60], f"The `{name}` query parameter value [{text[:60]}] is not valid")
    return int(text)


def username(name: str, given: str) -> str:
    if not _USERNAME.fullmatch(given):
        message = f"The `{name}` query parameter value [{given[:60]}] does not match ^[A-Za-z0-9_]{{1,15}}$"
        raise invalid(name, given[:60], message)
    return given
