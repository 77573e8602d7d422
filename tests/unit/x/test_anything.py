"""Whatever X may answer: the translation and the sorting of refusals end in a value or in the one error they name."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import SmoneyError, TryLater
from bot.x import problems, translation
from bot.x.gateway import UserId
from bot.x.translation import NotUnderstood

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

NAMES = st.sampled_from(
    [
        "data",
        "includes",
        "users",
        "meta",
        "next_token",
        "id",
        "text",
        "author_id",
        "entities",
        "mentions",
        "urls",
        "start",
        "end",
        "username",
        "name",
        "lang",
        "display_text_range",
        "edit_history_tweet_ids",
        "note_tweet",
        "referenced_tweets",
        "type",
        "sender_id",
        "dm_conversation_id",
        "event_type",
        "errors",
        "title",
        "detail",
        "status",
        "code",
        "message",
    ]
)
ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        ["1001", "2002", "1001-2002", "MessageCreate", "retweeted", "@alice hi", "alice", "smoney"]
    ),
)
JSON = st.recursive(
    ATOMS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(NAMES, inner, max_size=6)),
    max_leaves=25,
)
OBJECTS = st.dictionaries(NAMES, JSON, max_size=8)


def mention_in(text: str) -> st.SearchStrategy[dict[str, Any]]:
    positions = st.integers(-2, len(text) + 2)
    handles = st.sampled_from([*re.findall(r"@(\w+)", text), "ghost", "ALICE"])
    return st.fixed_dictionaries(
        {"start": positions, "end": positions, "username": handles},
        optional={"id": st.sampled_from(["3003", "4004"])},
    )


@st.composite
def posts(draw: st.DrawFn) -> dict[str, Any]:
    """Posts that are nearly right: their mentions point anywhere."""
    word = st.sampled_from(
        ["@smoney ", "@alice ", "@alice_w ", "🐘", "&amp;", "send 10€ ", "a@alice", "＠bob ", "x"]
    )
    text = "".join(draw(st.lists(word, max_size=8)))
    mentions = draw(st.lists(mention_in(text), max_size=4))
    return {
        "id": "7",
        "author_id": "8",
        "text": text,
        "entities": {"mentions": mentions},
        "display_text_range": [draw(st.integers(0, len(text))), len(text)],
    }


class TestTranslation:
    @settings(deadline=None)
    @given(OBJECTS)
    def test_reads_anything_or_says_that_it_cannot(self, answer):
        for read in (
            translation.posts,
            translation.users,
            lambda each: translation.messages(each, UserId(1001)),
        ):
            try:
                read(answer)
            except NotUnderstood:
                continue

    @settings(deadline=None)
    @given(posts())
    def test_never_has_a_mention_that_does_not_stand_in_the_text(self, item):
        try:
            post = translation.post(item, {})
        except NotUnderstood:
            return
        handles = {(each["username"].lower(), each.get("id")) for each in item["entities"]["mentions"]}
        for mention in post.mentions:
            assert (
                post.text[mention.start : mention.end].lower().replace("＠", "@")
                == f"@{mention.username.lower()}"
            )
            assert not re.match(r"\w", post.text[mention.end : mention.end + 1], re.ASCII)
            known = None if mention.user_id is None else str(mention.user_id)
            assert (mention.username.lower(), known) in handles

    @settings(deadline=None)
    @given(posts())
    def test_leaves_out_no_mention_that_x_gave(self, item):
        try:
            post = translation.post(item, {})
        except NotUnderstood:
            return
        given_handles = {each["username"].lower() for each in item["entities"]["mentions"]}
        assert {mention.username.lower() for mention in post.mentions} == given_handles


class TestRefusals:
    @pytest.mark.parametrize("sort", [problems.of_a_read, problems.of_a_send])
    @settings(deadline=None)
    @given(
        status=st.integers(300, 599),
        body=st.one_of(st.binary(max_size=50), JSON.map(lambda value: json.dumps(value).encode())),
        headers=st.dictionaries(
            st.sampled_from(
                [
                    "x-rate-limit-reset",
                    "x-rate-limit-remaining",
                    "x-rate-limit-limit",
                    "x-app-limit-24hour-reset",
                ]
            ),
            st.one_of(st.text(max_size=25), st.integers().map(str)),
        ),
    )
    def test_are_always_sorted_and_never_last_longer_than_a_day(self, sort, status, body, headers):
        response = requests.Response()
        response.status_code, response._content = status, body
        response.headers.update(headers)
        error = sort(response, NOW)
        assert isinstance(error, SmoneyError)
        assert "\n" not in str(error)
        if isinstance(error, TryLater) and error.at is not None:
            assert NOW < error.at <= NOW + problems.LONGEST_WINDOW
        problems.limits_in(response)
