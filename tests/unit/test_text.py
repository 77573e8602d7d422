"""The counting of texts, against lengths recorded from X's own library where that recording is at hand."""

import json
import time
from pathlib import Path

import pytest

from bot.x.text import (
    Found,
    contains_url,
    escape,
    extract_entities,
    find_hashtags,
    find_mentions,
    find_urls,
    fits,
    normalise,
    unescaped,
    weighted_length,
)

RECORDING = Path(__file__).parents[3] / "shared" / "x-api" / "weighted-lengths.json"


def texts(found: list[Found] | tuple[Found, ...]) -> list[str]:
    return [one.text for one in found]


@pytest.mark.shared
@pytest.mark.skipif(
    not RECORDING.exists(), reason="the recording of X's own lengths is not beside the project"
)
class TestTheRecordingOfXsOwnLibrary:
    def test_agrees_row_by_row_with_our_count_verdict_and_addresses(self):
        rows = json.loads(RECORDING.read_text(encoding="utf-8"))["rows"]
        ours = {
            row["name"]: (weighted_length(row["text"]), fits(row["text"]), texts(find_urls(row["text"])))
            for row in rows
        }
        assert len(ours) == len(rows) > 50
        assert ours == {row["name"]: (row["weighted"], row["valid"], row["urls"]) for row in rows}


class TestWeightedLength:
    @pytest.mark.parametrize(
        ("text", "length"),
        [
            ("hello", 5),
            ("€5", 3),
            ("日本語", 6),
            ("smoney.com", 23),
            ("pay at https://example.com/a/b?c=d&e=f now", 34),
            ("e\u0301", 1),
            ("\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}", 2),
            ("\U0001f1eb\U0001f1f7", 2),
            ("1\ufe0f\u20e3", 2),
            ("\u263a\ufe0e", 4),
            ("", 0),
        ],
    )
    def test_is_what_x_counts(self, text, length):
        assert weighted_length(text) == length

    def test_decides_whether_a_text_fits(self):
        assert fits("a" * 280)
        assert not fits("a" * 281)
        assert fits("€" * 140)
        assert not fits("€" * 141)

    @pytest.mark.parametrize("text", ["", "  \n ", "a\ufeffb"])
    def test_does_not_help_an_empty_or_forbidden_text(self, text):
        assert not fits(text)


class TestAddresses:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("5.eu paid.in done.Now", ["5.eu", "paid.in", "done.Now"]),
            ("smoney.com.", ["smoney.com"]),
            ("(see https://a.com/x_(y), then a.com/b?c=1!)", ["https://a.com/x_(y)", "a.com/b?c=1"]),
            ("http://例え.jp/é", ["http://例え.jp/é"]),
            ("https://example.com日本", ["https://example.com"]),
            ("日本smoney.com", ["smoney.com"]),
            ("a.com:80/z", ["a.com:80/z"]),
            ("HTTPS://SMONEY.COM", ["HTTPS://SMONEY.COM"]),
            ("a.com.nonsense", ["a.com"]),
            ("a.xn--p1ai", ["a.xn--p1ai"]),
        ],
    )
    def test_are_found_with_and_without_a_scheme(self, text, found):
        assert texts(find_urls(text)) == found

    @pytest.mark.parametrize(
        "text",
        [
            "al@smoney.com",
            "@al.money",
            "#smoney.com",
            "$smoney.com",
            "node.js",
            "5.00 USD",
            "v1.2.3",
            "例え.jp",
            "e.g.this",
            "foo.bar1",
            "/smoney.com",
            "foo_bar.com",
            "and so on...",
            "https://",
            "...",
        ],
    )
    def test_are_not_seen_where_x_sees_none(self, text):
        assert find_urls(text) == []
        assert not contains_url(text)

    def test_are_given_with_their_place_in_code_points(self):
        text = "\N{GRINNING FACE} smoney.com"
        assert find_urls(text) == [Found(2, 12, "smoney.com")]


class TestMentions:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("@smoney send 10€ @alice", ["smoney", "alice"]),
            (".@a (@b) ＠c “@d”", ["a", "b", "c", "d"]),
            ("RT@a rt:@b", ["a", "b"]),
            ("é@alice's", ["alice"]),
            ("@_under_ @x1", ["_under_", "x1"]),
        ],
    )
    def test_are_found_where_x_finds_them(self, text, found):
        assert texts(find_mentions(text)) == found

    @pytest.mark.parametrize(
        "text",
        ["al@smoney", "@@alice", "@ alice", "@alice@example.social", "@abcdefghijklmnop", "@ké", "@http://"],
    )
    def test_are_not_found_where_x_finds_none(self, text):
        assert find_mentions(text) == []

    def test_inside_an_address_do_not_count(self):
        entities = extract_entities("https://a.com/@alice @bob")
        assert texts(entities.mentions) == ["bob"]

    def test_give_the_place_of_the_sign_and_the_name(self):
        text = "\N{GRINNING FACE}@alice!"
        (mention,) = find_mentions(text)
        assert text[mention.start : mention.end] == "@alice"


class TestHashtags:
    def test_are_words_and_not_numbers(self):
        assert texts(find_hashtags("#envoyer #café #2024 a#b &#39; #été2024 ＃日本")) == [
            "envoyer",
            "café",
            "été2024",
            "日本",
        ]


class TestEscaping:
    def test_covers_the_three_characters_x_escapes_and_can_be_undone(self):
        text = "a & b < c > \"d\" 'e'"
        assert escape(text) == "a &amp; b &lt; c &gt; \"d\" 'e'"
        assert unescaped(escape(text)) == text

    def test_of_a_text_that_looks_escaped_is_undone_once(self):
        assert unescaped(escape("&lt;")) == "&lt;"


class TestNormalising:
    def test_composes_and_trims(self):
        assert normalise("  e\u0301\n") == "é"


class TestHostileTexts:
    @pytest.mark.parametrize(
        "text",
        [
            "a." * 50_000,
            "a.com" * 20_000,
            "@a" * 50_000,
            "#a" * 50_000,
            "http://" * 15_000,
            "(" * 50_000 + "a.com/" + "(" * 50_000,
            "a.com/" + ")" * 100_000,
            "a.com/?" + "." * 100_000,
            "\N{MAN}\u200d" * 30_000,
            "-" * 100_000 + ".com",
            "_.com" * 20_000,
            "." * 100_000,
            "\u0301" * 100_000,
            "1\ufe0f" * 50_000,
        ],
        ids=lambda text: repr(text[:8]),
    )
    def test_take_linear_time(self, text):
        started = time.process_time()
        weighted_length(text)
        extract_entities(text)
        assert time.process_time() - started < 3
