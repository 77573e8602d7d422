"""X's JSON into the bot's words: shaped like X's own answers, then broken in every way we know of."""

from copy import deepcopy
from typing import Any, ClassVar

import pytest
from structlog.testing import capture_logs

from bot.x import translation
from bot.x.gateway import MentionEntity, Span, UserId, XUser
from bot.x.translation import NotUnderstood

BOT, BOB, ALICE = "1001", "2002", "3003"
USERS = [
    {"id": BOB, "name": "Bob 🌊", "username": "bob"},
    {"id": BOT, "name": "smoney", "username": "smoney"},
    {"id": ALICE, "name": "Alice", "username": "Alice_W"},
]
TEXT = "@smoney send 10€ @alice_w"


def mention(start: int, end: int, username: str, user_id: str | None = None) -> dict[str, Any]:
    entity = {"start": start, "end": end, "username": username}
    return entity if user_id is None else {**entity, "id": user_id}


def tweet(**changes: Any) -> dict[str, Any]:
    """A post as X gives it with the fields we ask for; None takes a field away."""
    whole = {
        "id": "1990000000000000002",
        "text": TEXT,
        "author_id": BOB,
        "lang": "en",
        "edit_history_tweet_ids": ["1990000000000000002"],
        "display_text_range": [0, len(TEXT)],
        "entities": {"mentions": [mention(0, 7, "smoney", BOT), mention(17, 25, "Alice_W", ALICE)]},
    } | changes
    return {name: value for name, value in whole.items() if value is not None}


def page(*items: Any, **rest: Any) -> dict[str, Any]:
    return {"data": list(items), "includes": {"users": USERS}, "meta": {"result_count": len(items)}} | rest


def read(**changes: Any):
    people = {int(user["id"]): translation.user(user) for user in USERS}
    return translation.post(tweet(**changes), people)


class TestAPost:
    def test_is_read_in_full(self):
        post = translation.posts(page(tweet())).items[0]
        assert post.id == post.first_id == 1990000000000000002
        assert post.author == XUser(UserId(2002), "bob", "Bob 🌊")
        assert post.text == TEXT
        assert post.language == "en"
        assert post.mentions == (
            MentionEntity(0, 7, "smoney", UserId(1001)),
            MentionEntity(17, 25, "Alice_W", UserId(3003)),
        )
        assert (post.display_start, post.in_reply_to_user_id, post.is_repost, post.is_truncated) == (
            0,
            None,
            False,
            False,
        )
        assert {person.username for person in post.people} == {"bob", "smoney", "Alice_W"}

    def test_needs_no_more_than_id_text_and_author(self):
        post = translation.post({"id": "7", "text": "hi", "author_id": "8"}, {})
        assert (post.id, post.first_id, post.author, post.language) == (7, 7, XUser(UserId(8), ""), "und")

    @pytest.mark.parametrize("name", ["edit_history_tweet_ids", "edit_history_post_ids"])
    def test_has_the_first_id_of_its_edits_under_either_name(self, name):
        changes: dict[str, Any] = {"edit_history_tweet_ids": None} | {name: ["1989", "1990000000000000002"]}
        assert read(**changes).first_id == 1989

    def test_has_the_oldest_id_of_its_edits_in_whatever_order(self):
        assert read(edit_history_tweet_ids=["1990000000000000002", "1989"]).first_id == 1989

    def test_takes_a_null_for_absence(self):
        assert read(in_reply_to_user_id=None).in_reply_to_user_id is None
        assert (
            translation.posts(page(tweet() | {"note_tweet": None, "lang": None})).items[0].language == "und"
        )

    def test_knows_where_its_visible_text_begins(self):
        post = read(display_text_range=[8, len(TEXT)], in_reply_to_user_id=BOT)
        assert (post.display_start, post.in_reply_to_user_id) == (8, 1001)

    @pytest.mark.parametrize("kind", ["retweeted", "reposted"])
    def test_is_known_as_a_repost(self, kind):
        assert read(referenced_tweets=[{"type": kind, "id": "5"}]).is_repost
        assert read(referenced_posts=[{"type": kind, "id": "5"}]).is_repost

    @pytest.mark.parametrize("kind", ["quoted", "replied_to"])
    def test_that_quotes_or_answers_is_no_repost(self, kind):
        assert not read(referenced_tweets=[{"type": kind, "id": "5"}]).is_repost

    def test_knows_where_links_stand(self):
        links = [
            {"start": 8, "end": 12, "url": "https://t.co/x"},
            {"start": 20, "end": 900},
            {"start": "a", "end": 3},
        ]
        assert read(entities={"urls": links}).urls == (Span(8, 12),)

    def test_has_every_character_in_a_form_that_can_be_stored_and_none_moved(self):
        post = read(text="a\ud83db\x00c", entities=None, display_text_range=None)
        assert post.text == "a\ufffdb\ufffdc"

    @pytest.mark.parametrize(
        "changes",
        [
            {"id": None},
            {"id": 1990000000000000002},
            {"id": "0"},
            {"id": "-1"},
            {"id": "٣"},
            {"id": "99999999999999999999"},
            {"id": "9999999999999999999"},
            {"author_id": None},
            {"author_id": "bob"},
            {"text": None},
            {"text": ["a"]},
            {"lang": 3},
            {"entities": []},
            {"entities": {"mentions": "all"}},
            {"entities": {"mentions": [7]}},
            {"entities": {"mentions": [mention(0, 7, "not a handle", BOT)]}},
            {"entities": {"mentions": [mention(0, 7, "smoney", "x")]}},
            {"entities": {"mentions": [{"username": "smoney", "id": BOT}]}},
            {"entities": {"mentions": [mention(True, 7, "smoney", BOT)]}},
            {"display_text_range": [0]},
            {"display_text_range": ["0", "5"]},
            {"display_text_range": [-1, 5]},
            {"display_text_range": [999, 999]},
            {"edit_history_tweet_ids": "1990000000000000002"},
            {"edit_history_tweet_ids": [None]},
            {"referenced_tweets": {"type": "retweeted"}},
            {"in_reply_to_user_id": 5},
            {"note_tweet": "long"},
            {"note_tweet": {"text": 5}},
            {"note_tweet": {"entities": {}}},
        ],
    )
    def test_with_anything_that_is_not_as_it_should_be_is_not_read(self, changes):
        with pytest.raises(NotUnderstood):
            read(**changes)


class TestALongPost:
    FULL = "@smoney send 10€ @alice_w for " + "x" * 300
    NOTE: ClassVar = {
        "text": FULL,
        "entities": {"mentions": [mention(0, 7, "smoney", BOT), mention(17, 25, "alice_w", ALICE)]},
    }

    def test_is_read_from_its_full_text_with_its_own_entities(self):
        cut = self.FULL[:270] + "… https://t.co/abc"
        post = read(text=cut, note_tweet=self.NOTE, entities={"mentions": [mention(200, 207, "smoney", BOT)]})
        assert post.text == self.FULL
        assert [each.start for each in post.mentions] == [0, 17]
        assert not post.is_truncated

    def test_keeps_its_hidden_mentions_hidden(self):
        full = "@carol " + self.FULL
        entities = {"mentions": [mention(0, 6, "carol", "4"), mention(7, 14, "smoney", BOT)]}
        post = read(
            text=full[:270], display_text_range=[7, 270], note_tweet={"text": full, "entities": entities}
        )
        assert post.display_start == 7

    def test_whose_full_text_has_no_hidden_mentions_is_visible_from_its_beginning(self):
        post = read(text="@carol " + self.FULL[:270], display_text_range=[7, 277], note_tweet=self.NOTE)
        assert post.display_start == 0
        assert post.text == self.FULL

    def test_without_its_full_text_is_known_to_be_cut(self):
        for ending in ("…", "… https://t.co/abc", "…https://t.co/abc "):
            assert read(text=self.FULL[:270] + ending).is_truncated

    def test_is_not_taken_for_cut_when_it_is_short_and_only_trails_off(self):
        assert not read(text=TEXT + " …").is_truncated


class TestMentions:
    def test_are_counted_in_code_points(self):
        post = read(
            text="🐘🐘 @smoney send 10€ @alice_w",
            entities={"mentions": [mention(3, 10, "smoney", BOT), mention(20, 28, "alice_w", ALICE)]},
        )
        assert [post.text[each.start : each.end] for each in post.mentions] == ["@smoney", "@alice_w"]

    def test_counted_in_utf_16_are_found_by_their_handles(self):
        post = read(
            text="🐘🐘 @smoney send 10€ @alice_w",
            entities={"mentions": [mention(5, 12, "smoney", BOT), mention(22, 30, "alice_w", ALICE)]},
        )
        assert [(each.start, each.username, each.user_id) for each in post.mentions] == [
            (3, "smoney", 1001),
            (20, "alice_w", 3003),
        ]

    def test_counted_before_escaping_are_found_by_their_handles(self):
        post = read(
            text="1 &lt; 2 @smoney send 10€ @alice_w",
            entities={"mentions": [mention(6, 13, "smoney", BOT), mention(23, 31, "alice_w", ALICE)]},
        )
        assert [post.text[each.start : each.end] for each in post.mentions] == ["@smoney", "@alice_w"]

    def test_with_the_wide_at_sign_are_mentions_too(self):
        post = read(
            text="＠smoney balance",
            entities={"mentions": [mention(0, 7, "smoney", BOT)]},
            display_text_range=None,
        )
        assert len(post.mentions) == 1

    def test_of_one_person_twice_are_two(self):
        text = "@smoney send 10€ @bob and @bob"
        entities = {
            "mentions": [
                mention(0, 7, "smoney", BOT),
                mention(17, 21, "bob", BOB),
                mention(26, 30, "bob", BOB),
            ]
        }
        assert [each.start for each in read(text=text, entities=entities).mentions] == [0, 17, 26]

    @pytest.mark.parametrize(
        "text",
        [
            "@smoney send 10€ @alice",  # a handle the mention only begins with
            "@smoney send 10€ @alice_w2",
            "@smoney send 10€ to mail@alice_w",
            "@smoney send 10€ see x.com/@alice_w",
            "@smoney send 10€ alice_w",
            "@smoney send 10€ @@alice_w",
        ],
    )
    def test_that_are_nowhere_in_the_text_make_it_unreadable(self, text):
        """The handle that was typed may be another person's: no one is put in its place, and no one is left out."""
        with pytest.raises(NotUnderstood, match="not in the text"):
            read(text=text)

    def test_that_a_repost_cut_off_do_not_matter(self):
        post = read(
            text="RT @bob: @smoney send 10€ @al…", referenced_tweets=[{"type": "retweeted", "id": "5"}]
        )
        assert [each.username for each in post.mentions] == ["smoney"]

    def test_of_one_handle_with_two_ids_make_the_text_unreadable(self):
        text = "@smoney send 10€ @bob @bob"
        entities = {
            "mentions": [
                mention(0, 7, "smoney", BOT),
                mention(17, 21, "bob", BOB),
                mention(22, 26, "bob", "9"),
            ]
        }
        with pytest.raises(NotUnderstood, match="two ids"):
            read(text=text, entities=entities)

    def test_without_an_id_get_it_from_the_people_x_sent_along(self):
        post = read(entities={"mentions": [mention(0, 7, "smoney", BOT), mention(17, 25, "alice_w")]})
        assert post.mentions[1].user_id == 3003

    def test_without_an_id_keep_none_where_x_sent_no_one_along(self):
        post = read(text="@smoney send 10€ @nobody", entities={"mentions": [mention(17, 24, "nobody")]})
        assert post.mentions == (MentionEntity(17, 24, "nobody", None),)


def event(**changes: Any) -> dict[str, Any]:
    whole = {
        "id": "1991000000000000001",
        "event_type": "MessageCreate",
        "text": "K 482913",
        "sender_id": BOB,
        "dm_conversation_id": f"{BOT}-{BOB}",
    } | changes
    return {name: value for name, value in whole.items() if value is not None}


def message(**changes: Any):
    return translation.messages(page(event(**changes)), UserId(int(BOT))).items[0]


class TestADirectMessage:
    def test_is_read_in_full(self):
        read = message()
        assert (read.id, read.sender_id, read.text, read.one_to_one) == (
            1991000000000000001,
            2002,
            "K 482913",
            True,
        )
        assert read.people == (XUser(UserId(2002), "bob", "Bob 🌊"),)

    def test_of_the_bot_itself_is_read_too(self):
        assert message(sender_id=BOT).one_to_one

    @pytest.mark.parametrize(
        "conversation",
        [
            None,
            "1777",
            f"{BOB}-{BOT}",
            f"{BOT}-3003",
            "3003-4004",
            f"{BOB}-3003",
            f"{BOT}-{BOB}-3003",
            f"g{BOT}-{BOB}",
            "",
            5,
        ],
    )
    def test_outside_a_conversation_of_these_two_is_not_one_to_one(self, conversation):
        assert not message(dm_conversation_id=conversation).one_to_one

    @pytest.mark.parametrize("at_the_top", [True, False])
    def test_has_its_mentions_wherever_x_puts_them(self, at_the_top):
        given = {"mentions": [mention(8, 16, "alice_w", ALICE)]}
        read = message(text="send 5€ @alice_w", **(given if at_the_top else {"entities": given}))
        assert read.mentions == (MentionEntity(8, 16, "alice_w", UserId(3003)),)

    def test_without_text_is_an_empty_one(self):
        assert message(text=None).text == ""

    @pytest.mark.parametrize("kind", ["ParticipantsJoin", "ParticipantsLeave", "SomethingNew", None])
    def test_is_not_made_of_other_events(self, kind):
        other = {"id": "5", "event_type": kind, "participant_ids": [BOB]}
        with capture_logs() as logs:
            assert translation.messages(page(other, event()), UserId(1001)).items == (message(),)
        assert logs == []


class TestAPage:
    def test_is_empty_where_there_is_no_data(self):
        read = translation.posts({"meta": {"result_count": 0}})
        assert (read.items, read.next_token) == ((), None)

    def test_keeps_x_order_and_says_where_the_next_one_is(self):
        read = translation.posts(page(tweet(id="9"), tweet(id="8"), meta={"next_token": "abc"}))
        assert ([post.id for post in read.items], read.next_token) == ([9, 8], "abc")

    def test_loses_only_what_cannot_be_read_and_reports_it(self):
        with capture_logs() as logs:
            read = translation.posts(page(tweet(id="9"), tweet(id="8", text=5), "nonsense", tweet(id="7")))
        assert [post.id for post in read.items] == [9, 7]
        assert [entry["event"] for entry in logs] == ["x.item_unreadable"] * 2
        assert TEXT not in str(logs)
        eight, nonsense = read.unreadable
        assert (eight.x_id, eight.person_id) == (8, int(BOB))
        assert '"text": 5' in eight.raw
        assert (nonsense.x_id < 0, nonsense.person_id, nonsense.raw) == (True, None, '"nonsense"')

    def test_makes_the_same_id_for_the_same_item_without_one(self):
        one, other, again = (translation.posts(page(item)).unreadable[0] for item in ("a", "b", "a"))
        assert one.x_id == again.x_id != other.x_id

    def test_does_without_a_person_that_cannot_be_read(self):
        read = translation.posts(page(tweet(), includes={"users": [{"id": BOB}, USERS[1]]}))
        assert read.items[0].author == XUser(UserId(2002), "")

    @pytest.mark.parametrize(
        "broken",
        [
            {"data": "x"},
            {"data": {}},
            {"includes": []},
            {"includes": {"users": {}}},
            {"meta": []},
            {"meta": {"next_token": 5}},
        ],
    )
    def test_that_is_none_is_refused_as_a_whole(self, broken):
        with pytest.raises(NotUnderstood):
            translation.posts(page() | broken)

    def test_is_read_without_being_changed(self):
        given = page(tweet(), tweet(id="5", entities=None))
        before = deepcopy(given)
        translation.posts(given)
        assert given == before


class TestUsers:
    def test_are_those_x_found(self):
        assert [
            user.id
            for user in translation.users({"data": USERS[:1], "errors": [{"title": "Not Found Error"}]})
        ] == [2002]

    def test_are_none_where_x_found_none(self):
        assert translation.users({"errors": [{"title": "Not Found Error"}]}) == ()

    @pytest.mark.parametrize(
        "broken", [None, 5, [], {"id": "5"}, {"id": "5", "username": "a b"}, {"id": 5, "username": "a"}]
    )
    def test_are_not_made_of_nonsense(self, broken):
        with pytest.raises(NotUnderstood):
            translation.user(broken)
